"""A small, independent reader of slab stores, written from Spec/slab-format.md alone.

It favours plainness over speed and checks every checksum there is: the index root's and the runs'
self-checks, the runs' listed checksums, and of each chunk file the header, every block and the
trailer. Needs numpy and lz4.

    python3 slab_reader.py recording.slab                      reads everything, prints what it found
    python3 slab_reader.py recording.slab ecephys/lfp out.npy  writes one data set as .npy

    from slab_reader import Store
    window = Store("recording.slab").dataset("ecephys/lfp").read((slice(0, 100), slice(12, 20)))
"""

import errno
import itertools
import math
import os
import stat
import sys

import lz4.block
import numpy as np

from slab_index import POLYNOMIAL, Damage, canonical, crc32c, read_root, read_run, require

FLAGS = {"none": 0x30, "shuffle": 0x31, "bitshuffle": 0x34}


class NeverWritten(Exception):
    """A chunk that nobody wrote, and the caller did not ask for the fill value."""


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


class Store:
    """One commit of a store, as `slab.json` was when it was opened."""

    def __init__(self, path):
        self.path = os.fspath(path)
        try:
            data = self.file("slab.json")
        except Damage as error:
            if error.kind != "missing":
                raise
            kind = "index" if os.path.lexists(os.path.join(self.path, "__slab")) else "not_a_store"
            raise Damage(kind, "there is no slab.json") from None
        root = read_root(data)
        self.uuid, self.commit = root["uuid"], root["commit"]
        self.nodes = {canonical(name): (name, node) for name, node in root["nodes"].items()}

    def file(self, *names):
        """A regular file's contents; links are not followed below the store."""
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in names[:-1]:
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
                os.close(directory)
                directory = inner
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            file = os.open(names[-1], flags, dir_fd=directory)
            if not stat.S_ISREG(os.fstat(file).st_mode):
                os.close(file)
                raise Damage("foreign", f"{names} is no file")
            with os.fdopen(file, "rb") as opened:
                return opened.read()
        except OSError as error:
            kinds = {errno.ENOENT: "missing", errno.ENOTDIR: "foreign", errno.ELOOP: "foreign", errno.ENXIO: "foreign"}
            raise Damage(kinds.get(error.errno, "io"), f"{'/'.join(names)}: {error.strerror}") from None
        finally:
            os.close(directory)

    def dataset(self, path):
        name, node = self.nodes[canonical(path)]
        return Dataset(self, name, node)

    def datasets(self):
        return [Dataset(self, name, node) for name, node in self.nodes.values() if node["kind"] == "dataset"]


class Dataset:
    def __init__(self, store, path, node):
        self.store, self.path, self.node = store, path, node
        self.shape, self.chunk_shape = tuple(node["shape"]), tuple(node["chunk_shape"])
        self.grid = tuple(-(-n // c) for n, c in zip(self.shape, self.chunk_shape))
        self.dtype = np.dtype(node["dtype"]).newbyteorder("<")
        self.fill = fill_value(node["fill_value"], self.dtype)
        self.chunk_bytes = math.prod(self.chunk_shape) * self.dtype.itemsize
        unit = 8 * self.dtype.itemsize
        self.block = min(node["codec"]["block"] // unit * unit, self.chunk_bytes)
        self.blocks = -(-self.chunk_bytes // self.block)
        axis = node["codec"].get("delta")
        self.stride = None if axis is None else math.prod(self.chunk_shape[axis + 1:])
        self.repeats = node["codec"].get("repeats") is True
        self.runs = {}

    def row(self, chunk):
        """(state, bytes, crc) of a chunk: the last run that covers it decides."""
        for index in range(len(self.node["runs"]) - 1, -1, -1):
            listed = self.node["runs"][index]
            number = number_of(chunk, listed["grid"])
            if number is None or not listed["lo"] <= number <= listed["hi"]:
                continue
            if index not in self.runs:
                self.runs[index] = self.read_run(listed)
            if number in self.runs[index]:
                return self.runs[index][number]
        return "n", 0, 0

    def read_run(self, listed):
        name = f"{listed['commit']:06d}-{listed['crc']}.json"
        try:
            data = self.store.file("__slab", "t", self.node["id"], name)
        except Damage as error:
            raise Damage("table", str(error)) from None
        return read_run(data, listed, name, self.store.uuid, self.node["id"], self.node["dtype"])

    def candidates(self, chunk):
        """Where a stored chunk's file may be, in the order to look."""
        if incoming := self.node.get("incoming"):
            yield ("__slab", "w", incoming, self.node["id"], "c", *map(str, chunk))
        pending = self.node.get("pending")
        number = pending and number_of(chunk, pending["grid"])
        if number is not None and any(start <= number < start + n for start, n in pending["rows"]):
            key = ".".join(map(str, chunk))
            yield "__slab", "w", pending["writer"], f"{pending['slot']}-{key}-{pending['batch']}"
        yield (*self.path.split("/"), "c", *map(str, chunk))

    def chunk(self, chunk, missing="refuse"):
        """A chunk's elements at full chunk shape, padding included."""
        state, size, crc = self.row(chunk)
        if state == "n" and missing == "refuse":
            raise NeverWritten(f"{self.path}, chunk {chunk}")
        if state != "s":
            return np.full(self.chunk_shape, self.fill, self.dtype)
        failure = None
        for names in self.candidates(chunk):
            try:
                return self.decode(self.store.file(*names), size, crc)
            except Damage as error:
                failure = error
        raise Damage(failure.kind, f"{self.path}, chunk {chunk}: {failure}")

    def decode(self, data, size, crc):
        """A chunk file's elements; the checks stand in the order of § 4.3."""
        prefix, blocks, e = 16 + 8 * self.blocks + 4, self.blocks, self.dtype.itemsize
        fits = prefix + 5 * (1 if self.repeats else blocks) + 4 <= len(data) <= prefix + 4 * blocks + self.chunk_bytes + 4
        require(len(data) == size and fits, "torn", f"{len(data)} bytes, not {size}")
        words = np.frombuffer(data[4:prefix], "<u4").tolist()
        sums, header = words[3 + blocks:-1], crc32c(data[:prefix - 4])
        require(header == words[-1], "checksum", "the header's checksum")
        filter_ = self.node["codec"]["filter"]
        require(data[:4] == bytes([2, 1, FLAGS[filter_], e]), "checksum", "the header's first word")
        require(words[:3] == [self.chunk_bytes, self.block, size - 4], "checksum", "the header's sizes")
        lengths = [min(self.block, self.chunk_bytes - i * self.block) for i in range(blocks)]
        places = self.places(words[3:3 + blocks], sums, lengths, prefix, size - 4)
        require(header == crc, "swapped", "a sound file, but not the one listed")
        whole, parts = crc32c(data[:prefix]), []
        for (start, end, is_repeat), length, sum_ in zip(places, lengths, sums):
            stored = data[start:end]
            require(crc32c(stored) == sum_, "checksum", "a block's checksum")
            if not is_repeat:
                whole = crc32c_combine(whole, sum_, len(stored))
            require(int.from_bytes(stored[:4], "little") == len(stored) - 4, "checksum", "a block's length word")
            plain = stored[4:]
            if len(plain) < length:
                try:
                    plain = lz4.block.decompress(plain, uncompressed_size=length)
                except lz4.block.LZ4BlockError as error:
                    raise Damage("checksum", f"a block is no LZ4: {error}") from None
            require(len(plain) == length, "checksum", "a block does not decode to its size")
            plain = unfilter(plain, filter_, e)
            parts.append(plain if self.stride is None else summed(plain, self.stride, e))
        require(whole == int.from_bytes(data[-4:], "little"), "checksum", "the trailer")
        if self.dtype.kind == "b":
            return np.frombuffer(b"".join(parts), np.uint8).reshape(self.chunk_shape) != 0
        return np.frombuffer(b"".join(parts), self.dtype).reshape(self.chunk_shape)

    def places(self, offsets, sums, lengths, prefix, end):
        """Of each block where it lies and whether it is a repeat (§ 4.3)."""
        require(offsets[0] == prefix, "checksum", "the first block's place")
        own, first, repeats = [0], {offsets[0]: 0}, {}
        for i in range(1, self.blocks):
            if offsets[i] > offsets[own[-1]]:
                own.append(i)
                first[offsets[i]] = i
                continue
            k = first.get(offsets[i])
            require(self.repeats and k is not None, "checksum", "a block's place")
            require((sums[k], lengths[k]) == (sums[i], lengths[i]), "checksum", "a repeat unlike its block")
            repeats[i] = k
        require(len(set(repeats.values())) <= 1, "checksum", "repeats of two blocks")
        ends = dict(zip(own, [offsets[i] for i in own[1:]] + [end]))
        for i in own:
            require(5 <= ends[i] - offsets[i] <= 4 + lengths[i], "checksum", "a block's place")
        return [(offset, ends[repeats.get(i, i)], i in repeats) for i, offset in enumerate(offsets)]

    def read(self, selection=(), missing="refuse"):
        """A box of the array: slices of step 1, one an axis from the first; the rest is whole."""
        box = [range(n)[part] for n, part in
               itertools.zip_longest(self.shape, selection, fillvalue=slice(None))]
        if any(part.step != 1 for part in box):
            raise ValueError("only slices of step 1")
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


def number_of(chunk, grid):
    """A chunk's number in a grid (§ 5); None where the grid does not have it."""
    number = 0
    for coordinate, length in zip(chunk, grid):
        if coordinate >= length:
            return None
        number = number * length + coordinate
    return number


def unfilter(data, filter_, size):
    elements = len(data) // size
    if filter_ == "shuffle":
        return np.frombuffer(data, np.uint8).reshape(size, elements).T.tobytes()
    if filter_ == "bitshuffle" and elements % 8 == 0:
        planes = np.frombuffer(data, np.uint8).reshape(8 * size, elements // 8)
        bits = np.unpackbits(planes, axis=1, bitorder="little")
        return np.packbits(bits.T, axis=1, bitorder="little").tobytes()
    return data


def summed(data, stride, size):
    """Undoes delta: each column's differences stand together; sums wrap around."""
    differences = np.frombuffer(data, f"<u{size}")
    elements, start = np.empty_like(differences), 0
    for column in range(min(stride, len(differences))):
        place = elements[column::stride]
        np.cumsum(differences[start:start + len(place)], dtype=place.dtype, out=place)
        start += len(place)
    return elements.tobytes()


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
        chunks = dataset.node["chunks"]
        print(f"{dataset.path}: {values.dtype.name} {values.shape}, {sum(chunks.values())} chunks written")


if __name__ == "__main__":
    main(sys.argv[1:])
