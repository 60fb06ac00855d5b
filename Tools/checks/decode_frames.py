"""Decodes every chunk file of a data set with c-blosc and takes its frame apart by the format's rules.

usage: decode_frames.py STORE/DATASET REFERENCE.npy
       decode_frames.py --lengths

A chunk file is a Blosc buffer and the CRC-32C of it. numcodecs must decode the buffer to the padded
chunk of the reference; a missing file must stand for a chunk of nothing but the fill value. Layout,
offsets and the three kinds of checksum are checked by the rules of Spec/slab-format.md.

With --lengths writes chunks of every element size, filter, and length from 0 to 70 elements and
around 4096, the lengths at which filters change what they do, and decodes those.
"""
import itertools
import json
import shutil
import struct
import sys
from pathlib import Path

import google_crc32c
import numcodecs
import numpy as np

from support import Tally, scratch, seed, slab

SPELLED = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def fill_bits(spelled, dtype):
    """The bytes of a fill value as zarr.json spells it."""
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        return b"".join(fill_bits(one, part) for one in spelled)
    if isinstance(spelled, str) and spelled.startswith("0x"):
        return int(spelled, 16).to_bytes(dtype.itemsize, "little")
    if spelled == "NaN":
        return {2: 0x7E00, 4: 0x7FC00000, 8: 0x7FF8 << 48}[dtype.itemsize].to_bytes(dtype.itemsize, "little")
    return np.array(SPELLED.get(spelled, spelled) if isinstance(spelled, str) else spelled, dtype).tobytes()


def has_repeats(path):
    """Whether a data set's chunks may hold a block once."""
    store = next(folder for folder in path.parents if (folder / "slab.json").is_file())
    node = json.loads((store / "slab.json").read_text())["nodes"][path.relative_to(store).as_posix()]
    return node["codec"].get("repeats", False)


def frame_problem(data, byte_count, element_size, repeats=False):
    """What is wrong with a chunk file's frame, or None."""
    if len(data) < 24:
        return f"only {len(data)} bytes"
    version, inner, flags, size, total, block, length = struct.unpack("<BBBBIII", data[:16])
    if (version, inner, size, total) != (2, 1, element_size, byte_count):
        return f"header {version} {inner} {size} {total}"
    if flags & 0x02 or not flags & 0x20 or not flags & 0x10 or flags & ~0x35 or flags & 0x05 == 0x05:
        return f"flags {flags:#x}"
    if length + 4 != len(data) or not 0 < block <= total:
        return f"{len(data)} bytes for a frame of {length}, blocks of {block}"
    blocks = -(-total // block)
    prefix = 16 + 8 * blocks + 4
    offsets = struct.unpack(f"<{blocks}i", data[16 : 16 + 4 * blocks])
    sums = struct.unpack(f"<{blocks}I", data[16 + 4 * blocks : 16 + 8 * blocks])
    (header,) = struct.unpack("<I", data[prefix - 4 : prefix])
    if google_crc32c.value(data[: prefix - 4]) != header:
        return "header checksum"
    at = prefix
    repeated = None
    for index, (offset, checksum) in enumerate(zip(offsets, sums)):
        if repeats and offset < at:
            repeated = offsets.index(offset) if repeated is None else repeated
            if (offset, checksum) != (offsets[repeated], sums[repeated]) or repeated == index:
                return f"block {index} at {offset} repeats none"
            continue
        if offset != at:
            return f"block {index} at {offset}, not at {at}"
        (stored,) = struct.unpack("<i", data[at : at + 4])
        if not 0 < stored <= min(block, total - index * block):
            return f"block {index} of {stored} bytes"
        if google_crc32c.value(data[at : at + 4 + stored]) != checksum:
            return f"checksum of block {index}"
        at += 4 + stored
    if at != length:
        return f"blocks end at {at}, the frame at {length}"
    if struct.unpack("<I", data[length:]) != (google_crc32c.value(data[:length]),):
        return "checksum of the frame"
    return None


def check_frames(tally, path, expected):
    """Counts one case a chunk."""
    path = Path(path)
    metadata = json.loads((path / "zarr.json").read_text())
    chunk_shape = metadata["chunk_grid"]["configuration"]["chunk_shape"]
    dtype = expected.dtype
    fill = fill_bits(metadata["fill_value"], dtype)
    repeats = has_repeats(path)
    raw = np.dtype(f"V{dtype.itemsize}")
    decoder = numcodecs.Blosc(cname="lz4")
    grid = [range(-(-n // c)) for n, c in zip(expected.shape, chunk_shape)]
    seen = set()
    for index in itertools.product(*grid):
        count = int(np.prod(chunk_shape, dtype=np.int64))
        padded = np.frombuffer(fill * count, raw).reshape(chunk_shape).copy()
        box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunk_shape))
        part = np.ascontiguousarray(expected[box]).view(raw).reshape(expected[box].shape)
        padded[tuple(slice(0, n) for n in part.shape)] = part
        file = path.joinpath("c", *map(str, index))
        name = f"{path.name} chunk {'/'.join(map(str, index))}"
        if not file.is_file():
            tally.check(padded.tobytes() == fill * count, f"{name}: no file, but not fill")
            continue
        seen.add(file)
        data = file.read_bytes()
        problem = frame_problem(data, padded.nbytes, dtype.itemsize, repeats)
        tally.check(problem is None, f"{name}: {problem}")
        tally.check(padded.tobytes() != fill * count, f"{name}: a file of nothing but fill")
        try:
            decoded = bytes(decoder.decode(data[:-4]))
            tally.check(decoded == padded.tobytes(), f"{name}: c-blosc decodes other bytes")
        except Exception as error:
            tally.check(False, f"{name}: c-blosc: {error}")
    files = {path / "c"} if not chunk_shape else set((path / "c").rglob("*"))
    stray = {file for file in files if file.is_file()} - seen
    tally.check(not stray, f"{path.name}: files of no chunk: {sorted(map(str, stray))[:3]}")


def of_length(random, count, dtype):
    """Elements that compress, or random bits that do not."""
    if random.random() < 0.3:
        return np.frombuffer(random.bytes(count * dtype.itemsize), dtype)
    return (np.arange(1, count + 1) * int(random.integers(1, 300))).astype(dtype)


def check_lengths(tally):
    """One chunk a data set: 5 element sizes, 3 filters, 90 lengths."""
    random = np.random.default_rng(seed())
    lengths = [*range(71), *range(4096 - 9, 4096 + 10)]
    types = [np.dtype(name) for name in ("uint8", "int16", "float32", "int64", "complex128")]
    with scratch() as temporary:
        folder = Path(temporary)
        for dtype, kind, count in itertools.product(types, ("none", "shuffle", "bitshuffle"), lengths):
            array = of_length(random, count, dtype)
            path = folder / f"{dtype}-{kind}-{count}.slab" / "x"
            np.save(folder / "in.npy", array)
            slab(
                *("import", folder / "in.npy", path, "--quiet", "--durability", "fast"),
                *("--filter", kind, "--chunk-shape", max(count, 1)),
            )
            files = list((path / "c").rglob("*"))
            tally.check(len(files) == any(array.tobytes()), f"{path}: {len(files)} chunk files")
            check_frames(tally, path, array)
            shutil.rmtree(path.parent)
        print(f"frames: {len(types) * 3 * len(lengths)} chunks of {len(lengths)} lengths, seed {seed()}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--lengths"]:
        counts = Tally("frames")
        check_lengths(counts)
        counts.finish()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    counts = Tally("frames")
    check_frames(counts, sys.argv[1], np.load(sys.argv[2], mmap_mode="r"))
    counts.finish()
