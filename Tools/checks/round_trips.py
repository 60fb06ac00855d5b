"""Drives the tool: every type, filter and rank in and out again, bit for bit, and past the peers.

usage: round_trips.py [--seed N]

import → export of every type × filter × rank 0 … 6 with chunks that divide nothing evenly, small
buffers, empty axes, NaN payloads, Fortran order, big-endian and raw input; selections against NumPy;
every type × filter, with ragged edges and fill-only chunks, in every peer and through c-blosc; the
hierarchy through consolidated metadata; data sets with delta, which peers must refuse, among others,
which they must read all the same.
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import zarr

from decode_frames import check_frames
from open_in_peers import PEERS, tally_peers
from support import DTYPES, FILTERS, Tally, ToolFailure, reference, same, scratch, seed, slab

SHAPES = [(), (37,), (11, 13), (7, 5, 9), (4, 5, 3, 6), (3, 4, 2, 5, 3), (2, 3, 4, 2, 3, 2)]
CHUNKS = [None, (8,), (4, 6), (3, 2, 4), (3, 2, 2, 4), (2, 3, 2, 2, 2), (2, 2, 3, 2, 2, 1)]


def text(shape):
    return ",".join(map(str, shape))


def save(path, array, big_endian=False):
    """np.save, in place of which other byte orders keep their bits."""
    if big_endian:
        swapped = array.byteswap().view(array.dtype.newbyteorder(">"))
        np.save(path, swapped)
    else:
        np.save(path, array)


def options(number, shape, chunk):
    """Chunk shapes, now and then with buffers of one or two chunks an axis."""
    if not chunk:
        return []
    flags = ["--chunk-shape", text(chunk)]
    if number % 3 == 1:
        flags += ["--buffer-shape", text(chunk)]
    if number % 3 == 2:
        flags += ["--buffer-shape", text([min(n, 2 * c) for n, c in zip(shape, chunk)])]
    return flags


def round_trip(folder, target, array, flags, fortran=False, big_endian=False):
    source, out = folder / "in.npy", folder / "out.npy"
    save(source, np.array(array, order="F") if fortran else array, big_endian)
    slab("import", source, target, "--quiet", *flags)
    out.unlink(missing_ok=True)
    slab("export", target, out)
    found = np.load(out)
    if not same(found, array):
        raise ToolFailure(f"came back different: {found.shape} {found.dtype}")


def matrix(tally, folder, random):
    for dtype in DTYPES:
        number = 0
        store = folder / f"{dtype}.slab"
        arrays = {}
        for name in FILTERS:
            for rank, (shape, chunk) in enumerate(zip(SHAPES, CHUNKS)):
                array = reference(random, shape, dtype)
                flags = ["--filter", name, *options(number, shape, chunk)]
                number += 1
                path = f"{name}/rank{rank}"
                tally.run(
                    f"{dtype} {path} {flags}", round_trip, folder, f"{store}/{path}", array, flags,
                    number % 4 == 0, number % 5 == 0,
                )
                if rank in (0, 3):
                    arrays[path] = array
        tally.run(f"verify {store.name}", slab, "verify", store)
        for path, array in arrays.items():
            tally_peers(tally, store / path, array)
            check_frames(tally, store / path, array)


def edges(tally, folder, random):
    store = folder / "edges.slab"
    cases = [
        ("empty", (0,), []), ("empty2", (0, 5), []), ("empty3", (4, 0, 3), []), ("empty0", (0, 0), []),
        ("single", (1,), []), ("ones", (1, 1, 1, 1), []), ("prime", (101, 103), ["--chunk-shape", "17,19"]),
        ("whole", (30, 40), ["--chunk-shape", "30,40"]), ("wide", (3, 9001), ["--chunk-shape", "2,4000"]),
        ("long", (9001, 3), ["--chunk-shape", "4000,2"]), ("blocks", (300000,), ["--chunk-shape", "90001"]),
        ("thin", (64, 1), ["--chunk-shape", "5,1"]),
    ]
    for dtype in ("uint8", "float32", "complex128"):
        for name, shape, flags in cases:
            array = reference(random, shape, dtype)
            path = f"{dtype}/{name}"
            for_peers = store / path
            tally.run(f"edges {path}", round_trip, folder, f"{store}/{path}", array, flags)
            tally_peers(tally, for_peers, array)
            check_frames(tally, for_peers, array)
    fills = [
        ("float32", "NaN", np.uint32(0x7FC00000)), ("float32", "0x7fc00001", np.uint32(0x7FC00001)),
        ("float32", "-0.0", np.uint32(0x80000000)), ("float64", "-Infinity", np.uint64(0xFFF << 52)),
        ("int64", "-9223372036854775808", np.uint64(1 << 63)), ("uint64", "18446744073709551615", np.uint64(2**64 - 1)),
        ("float16", "1.5", np.uint16(0x3E00)),
    ]
    for number, (dtype, spelled, bits) in enumerate(fills):
        array = reference(random, (23, 17), dtype)
        array[:12] = bits.view(dtype)
        path = f"fill/{number}"
        flags = ["--fill-value=" + spelled, "--chunk-shape", "6,5"]
        tally.run(f"fill value {spelled}", round_trip, folder, f"{store}/{path}", array, flags)
        tally_peers(tally, store / path, array)
        check_frames(tally, store / path, array)
        info = json.loads(slab("info", f"{store}/{path}", "--json"))
        tally.check(info["chunks"]["fill"] == 8, f"fill-only chunks with {spelled}: {info['chunks']}")
    tally.run("verify edges.slab", slab, "verify", store)


def codec(store, path):
    """What the index says of how a data set is coded."""
    return json.loads((store / "slab.json").read_text())["nodes"][path]["codec"]


def large_blocks(tally, folder, random):
    """At a high level, what repeats in the distance is kept in a few blocks of megabytes."""
    store = folder / "large.slab"
    for dtype in ("uint8", "float32", "int64"):
        period = random.integers(0, 200, 3001).astype(dtype)
        array = np.tile(period, 4_000_003 // period.nbytes)
        flags = ["--level", 9, "--chunk-shape", 3_500_000 // period.itemsize]
        tally.run(f"large blocks of {dtype}", round_trip, folder, f"{store}/{dtype}", array, flags)
        tally_peers(tally, store / dtype, array)
        check_frames(tally, store / dtype, array)
        block = codec(store, dtype)["block"]
        tally.check(block > 1 << 20, f"{dtype} in blocks of {block}")
    tally.run("verify large.slab", slab, "verify", store)


def odd_elements(tally, folder, random):
    """Bit shuffle of chunks whose elements are no multiple of eight: the rest is a block of its own."""
    store = folder / "odd.slab"
    for dtype in ("uint8", "int16", "float32", "int64", "complex128"):
        size = np.dtype(dtype).itemsize
        array = random.integers(0, 10, 500_003 // size).astype(dtype)
        for length in (63_504 // size | 1, 200_000 // size | 1):
            for name in FILTERS:
                path = f"{dtype}/{length}-{name}"
                flags = ["--filter", name, "--chunk-shape", length]
                tally.run(f"odd elements {path}", round_trip, folder, f"{store}/{path}", array, flags)
                tally_peers(tally, store / path, array)
                check_frames(tally, store / path, array)
                chosen = codec(store, path)
                rest = length * size % chosen["block"]
                fits = chosen["filter"] != "bitshuffle" or 0 < rest < 256 * size
                tally.check(fits, f"{path}: a rest of {rest} bytes beside blocks of {chosen['block']}")
    tally.run("verify odd.slab", slab, "verify", store)


def repeated_blocks(tally, folder, random):
    """Of what is mostly the fill value a chunk stores one such block, whatever reads it."""
    store = folder / "sparse.slab"
    for number, dtype in enumerate(DTYPES):
        fill = [0, 1][number % 2]
        array = np.full((3, 200, 4003), fill).astype(dtype)
        for start in random.integers(0, array.size - 999, 12):
            array.reshape(-1)[start:start + 999] = reference(random, (999,), dtype)
        spelled = {"b": ["false", "true"], "c": ["[0, 0]", "[1, 0]"]}.get(np.dtype(dtype).kind, ["0", "1"])[fill]
        for path, flags in ((dtype, ["--chunk-shape", "3,150,4003"]), (f"padded/{dtype}", ["--chunk-shape", "2,128,4003"])):
            flags = [*flags, f"--fill-value={spelled}"]
            tally.run(f"repeated blocks {path}", round_trip, folder, f"{store}/{path}", array, flags)
            tally_peers(tally, store / path, array)
            check_frames(tally, store / path, array)
            tally.check(codec(store, path).get("repeats", False), f"{path}: no block is repeated")
    tally.run("verify sparse.slab", slab, "verify", store)


def raw_input(tally, folder, random):
    for dtype in DTYPES:
        array = reference(random, (19, 8), dtype)
        file = folder / "in.raw"
        file.write_bytes(b"header!" + array.tobytes())
        target = f"{folder}/raw.slab/{dtype}"

        def body():
            slab(
                "import", file, target, "--raw", "--dtype", dtype, "--shape", "19,8", "--skip-bytes", 7, "--quiet",
                "--chunk-shape", "7,3",
            )
            return slab("read", target, "--format", "raw") == array.tobytes()

        tally.run(f"raw {dtype}", body)


def selections(tally, folder, random):
    store = folder / "selections.slab"
    for dtype in ("int8", "uint16", "float32", "float64", "complex128"):
        array = reference(random, (23, 17, 11), dtype)
        np.save(folder / "in.npy", array)
        slab("import", folder / "in.npy", f"{store}/{dtype}", "--quiet", "--chunk-shape", "5,7,4")
        for selection in (
            ":", "0", "-1", "5:9", "::2", "...,3", "2:20:3,1,:", "::-1", ":,::-2,::3", "4,5,6", "22:3:-4,...",
            "5:5", "-30:30", ":,:,-3:", "1:20:7,-1,::-5",
        ):
            picked = np.array(eval(f"array[{selection}]", {"array": array}), order="C")
            out = folder / "out.npy"

            def body():
                # A selection that begins with a dash must not be taken for an option.
                found = slab("read", f"{store}/{dtype}", "--format", "raw", "--", selection)
                if found != picked.tobytes():
                    return False
                out.unlink(missing_ok=True)
                slab("export", f"{store}/{dtype}", out, f"--select={selection}")
                return same(np.load(out), picked)

            tally.run(f"selection [{selection}] of {dtype}", body)


def hierarchy(tally, folder, random):
    store = folder / "tree.slab"
    arrays = {"a": (4, 5), "g/b": (7,), "g/h/e": (2, 3, 4), "g/h/d": (6,)}
    for number, (path, shape) in enumerate(arrays.items()):
        array = arrays[path] = reference(random, shape, "float64")
        np.save(folder / "in.npy", array)
        dims = ",".join(f"{path.replace('/', '_')}{axis}" for axis in range(len(shape)))
        slab(
            "import", folder / "in.npy", f"{store}/{path}", "--quiet", "--dims", dims, "--unit", "mV",
            "--attribute", f"number={number}",
        )
    group = zarr.open_group(str(store), mode="r", use_consolidated=True)
    names = sorted(name for name, node in group.members(max_depth=None) if isinstance(node, zarr.Array))
    tally.check(names == sorted(arrays), f"consolidated arrays: {names}")
    for number, (path, array) in enumerate(arrays.items()):
        node = group[path]
        tally.check(same(node[...], array), f"{path} through consolidated metadata")
        tally.check(node.attrs["number"] == number, f"attributes of {path}")
        tally.check(len(node.metadata.dimension_names) == array.ndim, f"axes of {path}")
    try:
        import xarray
    except ImportError:
        tally.skip("xarray is not installed")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = xarray.open_zarr(store / "g/h", consolidated=False, mask_and_scale=False)
        root = xarray.open_zarr(store, consolidated=True, mask_and_scale=False)
        tally.check(same(dataset["e"].values, arrays["g/h/e"]), "g/h/e in xarray")
        tally.check(dataset["e"].dims == ("g_h_e0", "g_h_e1", "g_h_e2"), "axes in xarray")
        tally.check(same(root["a"].values, arrays["a"]), "a in xarray, consolidated")


def refused(action):
    """Whether a peer raises rather than hand out what it cannot undo."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            action()
    except Exception:
        return True
    return False


def deltas(tally, folder, random):
    store = folder / "deltas.slab"
    dtypes = [dtype for dtype in DTYPES if "int" in dtype]
    plain = reference(random, (11, 13), "int16")
    cases = [((11, 13), "4,6", 0), ((11, 13), "4,6", 1), ((9001, 3), "4000,3", 0), ((7, 5, 9), "3,2,4", 1)]
    for dtype in dtypes:
        tally.run(f"{dtype} beside delta", round_trip, folder, store / dtype / "plain", plain, ["--chunk-shape", "4,6"])
        for number, (shape, chunk, axis) in enumerate(cases):
            array = reference(random, shape, dtype)
            path = store / dtype / f"delta{number}"
            flags = ["--delta", axis, "--chunk-shape", chunk]
            tally.run(f"{dtype} {shape}, delta {axis}", round_trip, folder, path, array, flags)
            for peer in PEERS:
                tally.check(refused(lambda: peer(path)), f"{path} refused by {peer.__name__}")
    tally.run("verify deltas.slab", slab, "verify", store)
    group = zarr.open_group(str(store), mode="r")
    names = sorted(name for name, node in group.members(max_depth=None) if isinstance(node, zarr.Array))
    tally.check(names == sorted(f"{dtype}/plain" for dtype in dtypes), f"arrays beside delta: {names}")
    for dtype in dtypes:
        tally_peers(tally, store / dtype / "plain", plain)
        tally.check(same(group[f"{dtype}/plain"][...], plain), f"{dtype}/plain through the root")
        tally.check(refused(lambda: group[f"{dtype}/delta0"][...]), f"{dtype}/delta0 refused through the root")
        inner = zarr.open_group(str(store / dtype), mode="r")
        tally.check([name for name, _ in inner.members()] == ["plain"], f"the group {dtype} lists the others")
        tally.check(same(inner["plain"][...], plain), f"{dtype}/plain through its group")
        tally.check(refused(lambda: inner["delta0"][...]), f"{dtype}/delta0 refused through its group")
        whole = zarr.open_group(str(store), mode="r", use_consolidated=False)
        tally.check(same(whole[f"{dtype}/plain"][...], plain), f"{dtype}/plain without consolidated metadata")
        tally.check(refused(lambda: whole[f"{dtype}/delta0"][...]), f"{dtype}/delta0 refused without them")


def main():
    number = int(sys.argv[2]) if sys.argv[1:2] == ["--seed"] else seed()
    random = np.random.default_rng(number)
    tally = Tally("round trips")
    print(f"seed {number}")
    with scratch() as name:
        folder = Path(name)
        for part in (matrix, edges, large_blocks, odd_elements, repeated_blocks, raw_input, selections, hierarchy, deltas):
            tally.run(part.__name__, part, tally, folder, random)
    tally.finish()


if __name__ == "__main__":
    main()
