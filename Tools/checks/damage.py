"""Damages a small closed store, one fault at a time, and lets the tool look at it.

usage: damage.py [--every N]     (a sample of every N-th bit and length; default 97)

After each flipped bit, cut or appended byte and deleted file: `slab verify` must exit 1 and name the
file or its data set; reading each data set must give the right bytes or fail, never other bytes; and
only the data set concerned may fail, unless the damage is to the index of the whole store. The
exhaustive version, all bits and lengths, is a Swift test: a process a case is too slow for that.

Independent Zarr readers, too, must fail on every bit flipped in a chunk file when they read the chunk
whole. zarrs reads only what lies inside the array of a chunk at its edge, so that those are not put
to it.
"""
import argparse
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

from open_in_peers import PEERS, knows
from support import Tally, reference, scratch, seed, slab, tool

# Empty, and nothing reads it; but it must be there.
LOCK = "__slab/lock"


def build(folder, random):
    """A store with three data sets; returns it and the bytes of each."""
    store = folder / "small.slab"
    cases = {
        "counts": ((19, 7), "uint8", ["--chunk-shape", "8,4", "--filter", "none"]),
        "ephys/lfp": ((40,), "int16", ["--chunk-shape", "16", "--filter", "bitshuffle"]),
        "ephys/rate": ((5, 6), "float32", ["--chunk-shape", "5,4", "--filter", "shuffle"]),
    }
    contents = {}
    for path, (shape, dtype, flags) in cases.items():
        array = reference(random, shape, dtype)
        np.save(folder / "in.npy", array)
        slab("import", folder / "in.npy", store / path, "--quiet", *flags)
        contents[path] = array.tobytes()
    slab("verify", store)
    return store, contents


def owner(name, contents):
    """The data set that a file holds chunks of; None for files that concern the store."""
    for path in contents:
        if name.startswith(path + "/c/"):
            return path
    return None


def look(tally, store, contents, name, what, quick):
    done = subprocess.run([tool(), "verify", str(store), "--json"], capture_output=True)
    case = f"{name}, {what}"
    tally.check(done.returncode == 1, f"{case}: verify exits {done.returncode}: {done.stderr[:200]}")
    told = (done.stdout + done.stderr).decode(errors="replace")
    owning = owner(name, contents)
    chunk = name.partition("/c/")[2]
    named = name in told or Path(name).name in told or bool(owning and owning in told and chunk in told)
    tally.check(named, f"{case}: not named in {told[:300]}")
    if done.stdout:
        try:
            report = json.loads(done.stdout)
            tally.check(report.get("ok") is False and report.get("problems"), f"{case}: {told[:300]}")
        except ValueError:
            tally.check(False, f"{case}: verify --json printed {told[:200]}")
    if quick:
        return
    for path, expected in contents.items():
        read = subprocess.run(
            [tool(), "read", str(store / path), "--format", "raw"], capture_output=True
        )
        if read.returncode == 0:
            tally.check(read.stdout == expected, f"{case}: {path} reads wrong values")
            tally.check(path != owning, f"{case}: {path} reads in spite of it")
        else:
            tally.check(read.returncode == 2, f"{case}: reading {path} exits {read.returncode}")
            if owning or name.endswith("zarr.json") or name == LOCK:
                tally.check(path == owning, f"{case}: {path} fails too: {read.stderr[:200]}")


def peers_refuse(tally, store, contents):
    """Each byte of each chunk file with a bit flipped (all eight in small files), for each peer."""
    for path in contents:
        metadata = json.loads((store / path / "zarr.json").read_text())
        for peer in PEERS:
            if not knows(peer, metadata["data_type"]):
                tally.skip(f"{peer.__name__} does not read {metadata['data_type']}")
                continue
            tally.check(
                np.ascontiguousarray(peer(store / path)).tobytes() == contents[path],
                f"{peer.__name__}: {path} reads otherwise",
            )
            passed = []
            count = 0
            for file in sorted(file for file in (store / path / "c").rglob("*") if file.is_file()):
                place = zip(file.relative_to(store / path / "c").parts, metadata["shape"])
                chunk_shape = metadata["chunk_grid"]["configuration"]["chunk_shape"]
                is_edge = any((int(i) + 1) * c > n for (i, n), c in zip(place, chunk_shape))
                if is_edge and peer.__name__ == "zarrs_rust":
                    continue
                data = file.read_bytes()
                for place in range(len(data)):
                    for bit in range(8) if len(data) < 80 else [place % 8]:
                        flipped = bytearray(data)
                        flipped[place] ^= 1 << bit
                        file.write_bytes(flipped)
                        count += 1
                        try:
                            peer(store / path)
                            passed.append((file.relative_to(store).as_posix(), place, bit))
                        except Exception:
                            pass
                file.write_bytes(data)
            tally.check(not passed, f"{peer.__name__} reads damaged chunks: {passed[:5]}")
            print(f"{peer.__name__}: {count} flipped bits in chunks of {path}, {len(passed)} not noticed")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=97)
    every = parser.parse_args().every
    tally = Tally("damage")
    with scratch() as temporary:
        folder = Path(temporary)
        store, contents = build(folder, np.random.default_rng(seed()))
        files = sorted(file for file in store.rglob("*") if file.is_file())
        step = 0
        for file in files:
            name = file.relative_to(store).as_posix()
            data = file.read_bytes()

            def damaged(what, body, quick=False):
                try:
                    body()
                    look(tally, store, contents, name, what, quick)
                finally:
                    file.write_bytes(data)

            damaged("deleted", file.unlink)
            if name == LOCK:
                continue
            damaged("one byte appended", lambda: file.write_bytes(data + b"\0"))
            damaged("emptied", lambda: file.write_bytes(b""))
            first = -step % every
            for bit in range(first, 8 * len(data), every):
                flipped = bytearray(data)
                flipped[bit // 8] ^= 1 << bit % 8
                damaged(f"bit {bit} flipped", lambda: file.write_bytes(flipped), bit % 3 == 0)
            for length in range(1 + first % 7, len(data), every):
                damaged(f"cut to {length} bytes", lambda: file.write_bytes(data[:length]))
            step += 8 * len(data)
        peers_refuse(tally, store, contents)
        tally.run("the store is whole again", slab, "verify", store)
        shutil.rmtree(store)
    tally.finish()


if __name__ == "__main__":
    main()
