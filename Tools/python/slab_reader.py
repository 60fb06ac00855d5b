"""A small, independent reader of slab stores, written from Spec/slab-format.md alone.

It favours plainness over speed and checks every checksum there is: the index root's and the runs'
self-checks, the runs' listed checksums, and of each chunk file the header, every block and the
trailer. Needs numpy and lz4.

    python3 slab_reader.py recording.slab                      reads everything, prints what it found
    python3 slab_reader.py recording.slab ecephys/lfp out.npy  writes one data set as .npy

    from slab_reader import Store
    window = Store("recording.slab").dataset("ecephys/lfp").read((slice(0, 100), slice(12, 20)))
"""

import itertools
import json
import math
import os
import re
import stat
import sys

import lz4.block
import numpy as np

TYPES = ("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
         "float16 float32 float64 complex64 complex128").split()
FLAGS = {"none": 0x30, "shuffle": 0x31, "bitshuffle": 0x34}
POLYNOMIAL = 0x82F63B78
IDENTIFIER = re.compile(r"[0-9a-f]{32}")
ROOT_MEMBERS = ("slab read_features write_features uuid commit time writer state next_id nodes "
                "removed crc32c").split()
DATASET_MEMBERS = ("kind id shape max_shape chunk_shape dtype fill_value codec dims unit attributes "
                   "commit chunks stored_bytes min max nan runs pending").split()
RUN_MEMBERS = "slab_run store dataset path commit grid id state bytes crc min max nan crc32c".split()


class Damage(Exception):
    """Something is not what the format says."""


class NeverWritten(Exception):
    """A chunk that nobody wrote, and the caller did not ask for the fill value."""


def require(condition, what):
    if not condition:
        raise Damage(what)


# CRC-32C ---------------------------------------------------------------------------------------

def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _multiply(a, b):
    """The product of two polynomials modulo CRC-32C's, bits reflected."""
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (POLYNOMIAL if b & 1 else 0)
    return product


def crc32c_combine(first, second, second_length):
    """The checksum of two pieces, one after the other, from the pieces' checksums."""
    power, rest = 1 << 23, second_length  # x^8
    while rest:
        if rest & 1:
            first = _multiply(power, first)
        power = _multiply(power, power)
        rest >>= 1
    return first ^ second


# JSON ------------------------------------------------------------------------------------------

def _members(pairs):
    result = dict(pairs)
    require(len(result) == len(pairs), "a member name stands twice")
    return result


def _constant(word):
    raise Damage(f"{word} is no JSON")


def parse(data):
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Damage(f"not readable: {error}") from None


def self_check(data):
    tail = re.fullmatch(rb'"crc32c": "([0-9a-f]{8})"\}\n', data[-22:])
    require(tail and int(tail[1], 16) == crc32c(data[:-22]), "the self-check does not hold")


def known(members, names, what):
    for name in members:
        require(name in names or name.startswith("x-"), f"unknown member {name!r} in {what}")


def count(value, limit=2**53 - 1):
    require(type(value) is int and 0 <= value <= limit, f"{value!r} is no count up to {limit}")
    return value


def ranges(value):
    end = 0
    for start, length in value:
        require(count(start) >= end and count(length) >= 1 and start + length <= 2**40, "ranges")
        end = start + length
    return [range(start, start + length) for start, length in value]


# Store -----------------------------------------------------------------------------------------

class Store:
    def __init__(self, path):
        self.path = os.fspath(path)
        data = self.file("slab.json")
        require(len(data) <= 1 << 24, "an index above 16 MiB")
        root = parse(data)
        require(root.get("slab") == 1, f"format version {root.get('slab')!r}, not 1")
        self_check(data)
        require(root["read_features"] == [], f"unknown features {root['read_features']}")
        known(root, ROOT_MEMBERS, "the root")
        require(IDENTIFIER.fullmatch(root["uuid"]), "uuid")
        self.uuid, self.commit, self.nodes = root["uuid"], count(root["commit"]), root["nodes"]

    def file(self, *names):
        """A regular file's contents; links are not followed below the store."""
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in names[:-1]:
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
                os.close(directory)
                directory = inner
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(names[-1], flags, dir_fd=directory), "rb") as file:
                require(stat.S_ISREG(os.fstat(file.fileno()).st_mode), f"{names} is no file")
                return file.read()
        finally:
            os.close(directory)

    def dataset(self, path):
        return Dataset(self, path, self.nodes[path])

    def datasets(self):
        return [self.dataset(path) for path, node in self.nodes.items() if node["kind"] == "dataset"]


class Dataset:
    def __init__(self, store, path, node):
        known(node, DATASET_MEMBERS, path)
        require(re.fullmatch(r"d(0|[1-9][0-9]*)", node["id"]), "id")
        require(node["dtype"] in TYPES and node["codec"]["name"] == "blosc1-lz4", "dtype or codec")
        self.store, self.path, self.node = store, path, node
        self.shape = tuple(count(n, 2**62 - 1) for n in node["shape"])
        self.chunk_shape = tuple(count(n, 2**62 - 1) for n in node["chunk_shape"])
        require(len(self.shape) == len(self.chunk_shape) <= 32 and min(self.chunk_shape, default=1) > 0,
                "shape")
        self.grid = tuple(-(-n // c) for n, c in zip(self.shape, self.chunk_shape))
        self.dtype = np.dtype(node["dtype"]).newbyteorder("<")
        self.fill = fill_value(node["fill_value"], self.dtype)
        self.chunk_bytes = math.prod(self.chunk_shape) * self.dtype.itemsize
        unit = 8 * self.dtype.itemsize
        block = count(node["codec"]["block"], 1 << 20)
        require(block >= 4096, "block")
        self.block = min(block // unit * unit, self.chunk_bytes)
        self.blocks = -(-self.chunk_bytes // self.block)
        require(24 + 12 * self.blocks + self.chunk_bytes <= 2**31 - 1, "chunks too large")
        self.table = self.read_table()

    def read_table(self):
        """Coordinates to (state, bytes, crc): later runs win."""
        table = {}
        require(len(self.node["runs"]) <= 4096, "runs")
        for listed in self.node["runs"]:
            crc = int(listed["crc"], 16)
            name = f"{count(listed['commit']):06d}-{crc:08x}.json"
            data = self.store.file("__slab", "t", self.node["id"], name)
            require(len(data) == listed["size"] and crc32c(data) == crc, f"{name} is not the one listed")
            run = parse(data)
            self_check(data)
            known(run, RUN_MEMBERS, name)
            head = (run["slab_run"], run["store"], run["dataset"], run["commit"])
            require(head == (1, self.store.uuid, self.node["id"], listed["commit"]), f"{name} belongs elsewhere")
            require(run["grid"] == listed["grid"] and len(run["grid"]) == len(self.shape), f"{name}: grid")
            ids = ranges(run["id"])
            rows = sum(len(part) for part in ids)
            require(rows == listed["rows"] and ids[0][0] == listed["lo"] and ids[-1][-1] == listed["hi"]
                    and ids[-1][-1] < math.prod(run["grid"]), f"{name}: id")
            columns = [run[column] for column in ("state", "bytes", "crc", "min", "max", "nan")]
            require(all(len(column) == rows for column in columns), f"{name}: columns")
            for number, state, size, sum_ in zip(itertools.chain(*ids), *columns[:3]):
                require(state in "sfn", f"{name}: state")
                chunk = coordinates(number, run["grid"])
                if all(c < n for c, n in zip(chunk, self.grid)):
                    table[chunk] = (state, size, sum_)
        return table

    def candidates(self, chunk):
        """Where a stored chunk's file may be, in the order to look."""
        pending = self.node.get("pending")
        if pending:
            number = 0
            for coordinate, length in zip(chunk, pending["grid"]):
                number = number * length + coordinate
            inside = all(c < n for c, n in zip(chunk, pending["grid"]))
            if inside and any(number in part for part in ranges(pending["rows"])):
                require(IDENTIFIER.fullmatch(pending["writer"]), "pending writer")
                key = ".".join(map(str, chunk))
                yield ("__slab", "w", pending["writer"],
                       f"{count(pending['slot'])}-{key}-{count(pending['batch'])}")
        yield (*filter(None, self.path.split("/")), "c", *map(str, chunk))

    def chunk(self, chunk, missing="refuse"):
        """A chunk's elements at full chunk shape, padding included."""
        state, size, crc = self.table.get(chunk, ("n", 0, 0))
        if state == "n" and missing == "refuse":
            raise NeverWritten(f"{self.path}, chunk {chunk}")
        if state != "s":
            return np.full(self.chunk_shape, self.fill, self.dtype)
        failure = None
        for names in self.candidates(chunk):
            try:
                return self.decode(self.store.file(*names), size, crc)
            except (OSError, Damage) as error:
                failure = error
        raise Damage(f"{self.path}, chunk {chunk}: {failure}")

    def decode(self, data, size, crc):
        prefix = 16 + 8 * self.blocks + 4
        require(len(data) == size >= prefix, f"{len(data)} bytes, not {size}")
        words = np.frombuffer(data[4:prefix], "<u4").tolist()
        sums, header = words[3 + self.blocks:-1], crc32c(data[:prefix - 4])
        require(header == words[-1], "the header's checksum")
        require(header == crc, "a sound file, but not the one listed")
        filter_ = self.node["codec"]["filter"]
        require(data[:4] == bytes([2, 1, FLAGS[filter_], self.dtype.itemsize]), "the header's first word")
        require(words[:3] == [self.chunk_bytes, self.block, size - 4], "the header's sizes")
        bounds = words[3:3 + self.blocks] + [size - 4]
        require(bounds[0] == prefix, "the first block's place")
        whole, parts = crc32c(data[:prefix]), []
        for index, (start, end) in enumerate(zip(bounds, bounds[1:])):
            length = min(self.block, self.chunk_bytes - index * self.block)
            require(5 <= end - start <= 4 + length, f"block {index}'s place")
            stored = data[start:end]
            require(crc32c(stored) == sums[index], f"block {index}'s checksum")
            whole = crc32c_combine(whole, sums[index], len(stored))
            require(int.from_bytes(stored[:4], "little") == len(stored) - 4, f"block {index}'s length word")
            plain = stored[4:]
            if len(plain) < length:
                plain = lz4.block.decompress(plain, uncompressed_size=length)
            require(len(plain) == length, f"block {index} does not decode to its size")
            parts.append(unfilter(plain, filter_, self.dtype.itemsize))
        require(whole == int.from_bytes(data[-4:], "little"), "the trailer")
        return np.frombuffer(b"".join(parts), self.dtype).reshape(self.chunk_shape)

    def read(self, selection=(), missing="refuse"):
        """A box of the array: slices of step 1, one an axis from the first; the rest is whole."""
        box = [range(n)[part] for n, part in
               itertools.zip_longest(self.shape, selection, fillvalue=slice(None))]
        require(all(part.step == 1 for part in box), "only slices of step 1")
        result = np.empty([len(part) for part in box], self.dtype)
        touched = [range(part.start // c, -(-part.stop // c)) if part else range(0)
                   for part, c in zip(box, self.chunk_shape)]
        for chunk in itertools.product(*touched):
            source, target = [], []
            for part, c, coordinate in zip(box, self.chunk_shape, chunk):
                start, stop = max(part.start, coordinate * c), min(part.stop, (coordinate + 1) * c)
                source.append(slice(start - coordinate * c, stop - coordinate * c))
                target.append(slice(start - part.start, stop - part.start))
            result[tuple(target)] = self.chunk(chunk, missing)[tuple(source)]
        return result


def coordinates(number, grid):
    result = []
    for length in reversed(grid):
        number, coordinate = divmod(number, length)
        result.append(coordinate)
    return tuple(reversed(result))


def unfilter(data, filter_, size):
    elements = len(data) // size
    if filter_ == "shuffle":
        return np.frombuffer(data, np.uint8).reshape(size, elements).T.tobytes()
    if filter_ == "bitshuffle" and elements % 8 == 0:
        planes = np.frombuffer(data, np.uint8).reshape(8 * size, elements // 8)
        bits = np.unpackbits(planes, axis=1, bitorder="little")
        return np.packbits(bits.T, axis=1, bitorder="little").tobytes()
    return data


def fill_value(value, dtype):
    """One element from its JSON spelling, bit for bit."""
    if dtype.kind == "c":
        half = np.dtype(f"<f{dtype.itemsize // 2}")
        parts = b"".join(fill_value(part, half).tobytes() for part in value)
        return np.frombuffer(parts, dtype)[0]
    if isinstance(value, str) and value.startswith("0x"):
        return np.frombuffer(int(value, 16).to_bytes(dtype.itemsize, "little"), dtype)[0]
    if value == "NaN":
        bits = {2: 0x7E00, 4: 0x7FC00000, 8: 0x7FF8 << 48}[dtype.itemsize]
        return np.frombuffer(bits.to_bytes(dtype.itemsize, "little"), dtype)[0]
    return np.array(float(value) if dtype.kind == "f" else value, dtype)[()]


def main(arguments):
    store = Store(arguments[0])
    if len(arguments) == 3:
        np.save(arguments[2], store.dataset(arguments[1]).read())
        return
    for dataset in store.datasets():
        values = dataset.read(missing="fill")
        print(f"{dataset.path}: {values.dtype.name} {values.shape}, {len(dataset.table)} chunks written")


if __name__ == "__main__":
    main(sys.argv[1:])
