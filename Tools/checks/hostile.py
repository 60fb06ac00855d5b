"""Makes small stores that ask for much work, and lets the tool look at each.

usage: hostile.py [--inputs N] [--seconds T] [--seed S] [--jobs J] [--keep FOLDER]

Every file has a valid checksum; what is in it is at the limits that the format allows or beyond: numbers,
strings, lists, in combination; indexes, runs, claims, pending and removed nodes, attributes, chunk files of
few bytes that stand for many; indexes kept beside the newest, older, newer and of other stores; notes of
writers; what others saved, trees of directories, trash and lost things. Each of `ls info verify attr adopt
repair` must end by itself, with an exit code of its own, within a second of processor time and 200 MB of
memory. Stores have less than a megabyte, names and all, 19 of 20 less than 40 kB. With `--seconds` the budget
of time is another one, for machines that have other work.
"""
import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import google_crc32c

from support import seed as default_seed
from support import tool

MEGABYTES = 200
UUID = "4be74429e4389a18ed4f09648f290e81"
WRITER = "0123456789abcdef0123456789abcdef"
HALF = b'"crc32c": "'


def crc32c(data):
    return google_crc32c.value(bytes(data))


def seal(value, compact):
    """An object as the text of a file that ends in its own checksum."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else None)
    if not compact and len(text) < 4096:
        # Python takes a hundred times as long for these.
        text = json.dumps(value, ensure_ascii=False, indent=1)
    data = text[:-1].rstrip().encode() + b",\n  "
    return data + b'"crc32c": "%08x"}\n' % crc32c(data)


def zeros(count):
    """Zeros as one block of LZ4; None where they are too few."""
    match = count - 1 - 5
    if match < 19:
        return None
    rest = match - 4 - 15
    return bytes([0x1F, 0, 1, 0]) + b"\xff" * (rest // 255) + bytes([rest % 255, 0x50]) + bytes(5)


def frame(byte_count, size, block, repeats, flags=0x31):
    """A chunk file of zeros."""
    length = min(block // (8 * size) * 8 * size, byte_count)
    count = -(-byte_count // length)
    last = byte_count - (count - 1) * length
    start = 16 + 8 * count + 4
    packed = {}
    for size_of in {length, last}:
        data = zeros(size_of)
        data = bytes(size_of) if data is None else data
        packed[size_of] = struct.pack("<I", len(data)) + data
    sums = {key: crc32c(data) for key, data in packed.items()}
    places, checks, body = [], [], []
    at = start
    for index in range(count):
        of = last if index == count - 1 else length
        if repeats and index > 0 and of == length:
            places.append(start)
        else:
            places.append(at)
            body.append(packed[of])
            at += len(packed[of])
        checks.append(sums[of])
    head = struct.pack("<BBBBIII", 2, 1, flags, size, byte_count, length, at)
    head += struct.pack(f"<{count}I", *places) + struct.pack(f"<{count}I", *checks)
    header_sum = crc32c(head)
    data = head + struct.pack("<I", header_sum) + b"".join(body)
    return data + struct.pack("<I", crc32c(data)), header_sum


class Maker:
    """One hostile store."""

    def __init__(self, folder, number):
        self.folder = Path(folder)
        self.random = random.Random(number)
        self.number_ = number
        self.directories = []
        self.pick = self.random.choice
        # Most are small, since what is large takes most of the time that a run has.
        self.large = self.chance(20)
        # What the whole may have in bytes.
        self.budget = int(10 ** self.random.uniform(3.2, 5.8 if self.large else 4.3))
        self.files = {}
        self.commit = self.pick([1, 2, 3, 1000, 2**53 - 3, 2**53 - 2])
        self.read_features = set()

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def share(self, least=1):
        """A part of what is left of the budget."""
        part = max(least, int(self.budget * self.random.uniform(0.05, 0.8)))
        self.budget = max(0, self.budget - part)
        return part

    # What strings and numbers are made of.

    def text(self, byte_count):
        unit = self.pick(["a", "\u0301", "\u0316\u0301", "é", "e\u0301", "\u202e", "日", "😀", "\\", '"', "\u0001", "\u1161", "\u0f71\u0f72"])
        text = unit * max(1, byte_count // len(unit.encode()))
        if unicodedata.combining(unit[-1]) and not self.chance(4):
            # As many marks in a row as may be.
            text = ("a" + (unit * 30)[:30]) * max(1, byte_count // len(("a" + (unit * 30)[:30]).encode()))
        if self.chance(3):
            text = "a" + text[:-1]
        return text

    def number(self, limit=2**63 - 1):
        return min(limit, self.pick([0, 1, 2, 3, 255, 4096, 2**20, 2**31 - 1, 2**31, 2**40, 2**53 - 1, 2**62 - 1, limit]))

    def value(self, byte_count):
        """An attribute's value."""
        kind = self.random.randrange(10)
        n = max(1, byte_count)
        if kind == 0:
            return self.text(n)
        if kind == 1:
            return {self.text(n): 1}
        if kind == 2:
            return [0] * (n // 2)
        if kind == 3:
            return [[0]] * (n // 4)
        if kind == 4:
            return [{}] * (n // 3)
        if kind == 5:
            deep = 0
            depth = self.pick([8, 32, 62])
            for _ in range(depth):
                deep = [deep]
            return [deep] * max(1, n // (2 * depth + 2))
        if kind == 6:
            deep = 0
            for _ in range(60):
                deep = {"": deep}
            return [deep] * max(1, n // 250)
        if kind == 7:
            return {f"{i:x}": self.pick([i, [], {}, ""]) for i in range(n // 8)}
        if kind == 8:
            return {self.text(60)[: 20] + str(i): i for i in range(n // 64)}
        return [self.pick([1e308, 5e-324, 0.1, -0.0, 2**64 - 1, None, True, ""])] * (n // 5)

    def attributes(self):
        if self.chance(2):
            return {}
        if self.chance(6):
            return self.as_object(self.value(self.share()))
        return {self.pick(["a", self.text(self.share(1) // 4)]): self.value(self.share() // 2)}

    @staticmethod
    def as_object(value):
        return value if isinstance(value, dict) else {"a": value}

    def name(self):
        byte_count = self.pick([1, 2, 12, 255])
        unit = self.pick(["a", "\u0301", "\u0316", "é", "日", "\u0316\u0301", "\u0f71"])
        start = self.pick(["a", "é", "z"])
        if unicodedata.combining(unit[-1]) and not self.chance(8):
            unit = (unit * 30)[:30] + "b"
        return (start + unit * 255).encode()[:byte_count].decode(errors="ignore") or "a"

    # Nodes.

    def nodes(self):
        nodes = {"": {"kind": "group", "attributes": self.attributes()}}
        kind = self.random.randrange(6)
        names = []
        if kind == 0:
            count = min(self.pick([1, 10, 4095, 4096, 4097]), max(1, self.share() // 45))
            names = [f"{i:x}" for i in range(count)]
            names = ["c_" if name == "c" else name for name in names]
        elif kind == 1:
            path = ""
            while len(path.encode()) < 1000:
                path = f"{path}/{self.name()}" if path else self.name()
                if len(path.encode()) > 1024:
                    break
                names.append(path)
                if self.chance(40):
                    break
        elif kind == 2:
            count = max(1, self.share() // 300)
            names = list({str(i) + self.name()[:-6] for i in range(count)})
        elif kind == 3:
            path = "a"
            while len(path) < 1022:
                names.append(path)
                path += "/a"
        else:
            names = [self.name() for _ in range(self.pick([1, 2, 5]))]
        for name in dict.fromkeys(names):
            nodes[name] = {"kind": "group", "attributes": {} if self.chance(2) else self.attributes()}
        parents = list(nodes)
        for number in range(self.pick([0, 1, 1, 2, 3, 10])):
            parent = self.pick(parents)
            path = f"{parent}/d{number}" if parent else f"d{number}"
            if len(path.encode()) <= 1024:
                nodes[path] = self.dataset(number, path)
        if self.chance(12):
            nodes |= {f"e{i}": self.dataset(20 + i, f"e{i}", small=True) for i in range(self.share() // 500)}
        return nodes

    def shapes(self):
        kind = self.random.randrange(6)
        if kind == 0:
            return [2**40], [1]
        if kind == 1:
            return [2**62 - 1], [2**22]
        if kind == 2:
            rank = self.pick([2, 8, 32])
            return [2 ** (40 // rank)] * rank, [1] * rank
        if kind == 3:
            return [2**20, 2**20], [1, 1]
        if kind == 4:
            length = self.pick([2**20, 2**28, 2**30, 2**31 - 2**22])
            return [length + self.pick([0, 1, -1]), 3][: self.pick([1, 1, 2])], [length, 2][:1] + [2] * 0
        return self.pick([([], []), ([0], [1]), ([100, 6], [4, 4]), ([1, 2**40], [1, 1])])

    def dataset(self, number, path, small=False):
        shape, chunk = self.shapes()
        while len(chunk) < len(shape):
            chunk = chunk + [1]
        dtype, size = self.pick([("int8", 1), ("uint8", 1), ("int16", 2), ("float64", 8), ("complex128", 16), ("bool", 1)])
        grid = [-(-length // step) for length, step in zip(shape, chunk)]
        total = 1
        for length in grid:
            total *= length
        block = self.pick([4096, 65536, 2**22])
        repeats = self.chance(2)
        stored = self.pick([0, min(total, self.number(2**40))])
        node = {
            "kind": "dataset",
            "id": f"d{number}",
            "shape": shape,
            "max_shape": [self.pick([None, 2**62 - 1]) for _ in shape],
            "chunk_shape": chunk,
            "dtype": dtype,
            "fill_value": False if dtype == "bool" else [0, 0] if size == 16 else 0,
            "codec": {"name": "blosc1-lz4", "filter": self.pick(["shuffle", "none", "bitshuffle"]), "block": block, "level": 12},
            "dims": None if small or not self.chance(4) else [self.text(self.share() // 9) + str(i) for i in range(len(shape))],
            "unit": None if small or not self.chance(5) else self.text(self.share()),
            "attributes": {} if small else self.attributes(),
            "commit": self.number(self.commit),
            "chunks": {"stored": stored, "fill": self.pick([0, max(0, total - stored)])},
            "stored_bytes": self.number(2**53 - 1),
            "min": None,
            "max": None,
            "nan": self.number(2**53 - 1),
            "runs": [],
        }
        if repeats:
            node["codec"]["repeats"] = True
            self.read_features.add("repeats")
        if self.chance(8):
            node["source"] = {"fingerprint": self.text(1024)[:1000]}
        if small:
            return node
        self.runs(node, number, path, grid, total, size, block, repeats)
        if node["runs"] and self.chance(2):
            self.pending(node, grid, total)
        return node

    def runs(self, node, number, path, grid, total, size, block, repeats):
        for index in range(self.pick([0, 1, 1, 2, 8, min(4096, max(1, self.share() // 150))])):
            run_grid = list(grid) if self.chance(2) or not grid else [2**40] + [1] * (len(grid) - 1)
            limit = 1
            for length in run_grid:
                limit *= length
            if limit < 1:
                return
            commit = self.pick([self.commit, 1, index])
            if self.chance(2):
                # One that is not there.
                claimed = self.pick([16 << 20, 6, 1000])
                high = self.pick([limit - 1, min(limit - 1, 2**16), min(limit - 1, claimed)])
                rows = min(high + 1, claimed // 6, self.pick([1, 2**20, 16384, 2**40]))
                if rows >= 1:
                    node["runs"].append({"commit": commit, "crc": f"{index:08x}", "size": claimed, "grid": run_grid, "lo": 0, "hi": high, "rows": rows})
                continue
            self.run(node, number, path, run_grid, limit, commit, size, block, repeats, grid)

    def run(self, node, number, path, run_grid, limit, commit, size, block, repeats, grid):
        count = min(limit, max(1, self.pick([1, 3, self.share() // 16])))
        gap = self.pick([1, 1, max(1, limit // count)])
        state = self.pick(["s", "f", "n"])
        files = state == "s" and count <= 40
        ids = [[0, count]] if gap == 1 else [[i * gap, 1] for i in range(count)]
        sizes = [self.number(2**31 - 1) if state == "s" else 0] * count
        sums = [self.number(2**32 - 1) if state == "s" else 0] * count
        byte_count = size
        for length in node["chunk_shape"]:
            byte_count *= length
        if files and run_grid == list(grid) and byte_count <= 2**31 - 2**23 and -(-byte_count // block) < 20000 and (repeats or byte_count < 2**26):
            flags = {"none": 0x30, "shuffle": 0x31, "bitshuffle": 0x34}[node["codec"]["filter"]]
            data, header = frame(byte_count, size, block, repeats, flags)
            if len(data) < 300_000:
                for position in range(count):
                    coordinates, rest = [], ids[0][0] + position if gap == 1 else position * gap
                    for length in reversed(run_grid):
                        coordinates.append(str(rest % length))
                        rest //= length
                    self.files["/".join(filter(None, [path, "c", *reversed(coordinates)]))] = data
                sizes, sums = [len(data)] * count, [header] * count
                node["chunks"]["stored"] = count
        value = {"bool": 1, "complex128": None}.get(node["dtype"], 1)
        run = {
            "slab_run": 1, "store": UUID, "dataset": f"d{number}", "path": path, "commit": commit, "grid": run_grid,
            "id": ids, "state": state * count, "bytes": sizes, "crc": sums,
            "min": [value] * count, "max": [value] * count, "nan": [0] * count,
        }
        data = seal(run, compact=True)
        crc = crc32c(data)
        self.files[f"__slab/t/d{number}/{commit:06d}-{crc:08x}.json"] = data
        node["runs"].append({"commit": commit, "crc": f"{crc:08x}", "size": len(data), "grid": run_grid, "lo": ids[0][0], "hi": ids[-1][0] + ids[-1][1] - 1, "rows": count})

    def pending(self, node, grid, total):
        rows = sum(run["rows"] for run in node["runs"])
        pending_grid = list(grid) if self.chance(2) or not grid else [2**40] + [1] * (len(grid) - 1)
        limit = 1
        for length in pending_grid:
            limit *= length
        count = min(rows, limit)
        if count < 1:
            return
        whole = [[0, count]]
        if self.chance(3):
            whole = [[2 * i, 1] for i in range(min(count, limit // 2, self.share() // 8))]
        kind = self.random.randrange(3)
        node["pending"] = {
            "writer": WRITER, "slot": self.number(2**53 - 1), "batch": self.number(2**53 - 1), "grid": pending_grid,
            "rows": whole if kind == 0 else [], "drop": whole if kind != 0 else [],
        }
        if self.chance(3):
            self.files[f"__slab/w/{WRITER}/lock"] = b""
            for i in range(self.pick([1, 50])):
                self.files[f"__slab/w/{WRITER}/{i}-{i}-{i}"] = b"x"

    @staticmethod
    def make_directory(path, made):
        """With those above it; nothing, where the kernel takes no such name."""
        if path not in made:
            made.add(path)
            with contextlib.suppress(OSError):
                os.makedirs(path, exist_ok=True)

    def make(self):
        root = {
            "slab": 1, "read_features": [], "write_features": ["runs"], "uuid": UUID, "commit": self.commit,
            "time": self.text(self.pick([1, 1000])), "writer": self.text(self.pick([1, 1000])), "state": self.pick(["open", "complete"]),
            "next_id": self.pick([10000, 2**53 - 1]), "nodes": self.nodes(),
        }
        root["read_features"] = sorted(self.read_features)
        if self.chance(4):
            count = max(1, self.share() // 40)
            path = self.pick(["gone", self.name(), "/".join(["a"] * 500)])
            root["removed"] = [{"id": self.pick([None, f"d{9000 - i % 9000}"]), "path": path if self.chance(2) else f"gone{i}"} for i in range(count)]
        if self.chance(6):
            root["x-" + self.text(self.share())] = self.value(self.share())
        if self.chance(30):
            root[self.text(self.share())] = 1
        data = seal(root, self.chance(2))
        self.files["slab.json"] = data
        if self.chance(8):
            self.files["slab.json"] = data[: len(data) // 2]
        for commit in (self.commit - 1, self.commit - 2):
            if commit >= 0 and self.chance(2):
                self.files[f"__slab/root-{commit}"] = seal(root | {"commit": commit}, self.chance(2))
        if self.chance(8):
            claim = {"writer": WRITER, "host": self.text(self.share()), "pid": 2**62, "since": "x"}
            self.files[f"__slab/claim-{self.commit + 1}"] = json.dumps(claim).encode()
        self.files.setdefault("__slab/lock", self.text(self.share()).encode() if self.chance(10) else b"")
        if self.chance(4):
            consolidated = {"kind": "inline", "must_understand": False, "metadata": {"a": self.value(self.share())}}
            document = {"zarr_format": 3, "node_type": "group", "attributes": {}, "consolidated_metadata": consolidated}
            self.files["zarr.json"] = json.dumps(document).encode()
        (self.folder / "__slab/w").mkdir(parents=True)
        (self.folder / "__slab/t").mkdir()
        Surroundings(self, root).add()
        made = set()
        for name in self.directories:
            self.make_directory(f"{self.folder}/{name}", made)
        for name, data in self.files.items():
            path = f"{self.folder}/{name}"
            self.make_directory(os.path.dirname(path), made)
            try:
                with open(path, "wb") as file:
                    file.write(data)
            except OSError:
                continue
        datasets = [name for name, node in root["nodes"].items() if node["kind"] == "dataset"]
        return self.pick(datasets) if datasets else "", sum(len(name) + len(data) for name, data in self.files.items())


class Surroundings:
    """What lies beside the newest index and what it lists. Drawn apart, so that what a number makes of the
    rest stays as it is."""

    def __init__(self, maker, root):
        self.maker, self.root = maker, root
        self.files = maker.files
        self.random = random.Random(f"surroundings {maker.number_}")
        self.pick = self.random.choice
        self.large = maker.large
        self.budget = max(0, (950_000 if self.large else 40_000) - sum(map(len, self.files.values())))
        self.groups = [name for name, node in root["nodes"].items() if node["kind"] == "group"]
        self.datasets = [name for name, node in root["nodes"].items() if node["kind"] == "dataset"]

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def put(self, name, data):
        """Unless something is there, or the whole would be too large."""
        byte_count = len(name) + len(data)
        if name not in self.files and byte_count <= self.budget:
            self.files[name] = data
            self.budget -= byte_count

    def put_directory(self, name):
        if len(name) <= self.budget:
            self.maker.directories.append(name)
            self.budget -= len(name)

    def count(self, byte_count, most=2000):
        """How many things of some bytes each."""
        counts = [1, 3, 30, 300, most] if self.large else [1, 3, 30]
        return min(self.pick(counts), self.budget // max(1, byte_count))

    def below(self, parent, name):
        return f"{parent}/{name}" if parent else name

    def add(self):
        kinds = [
            self.kept, self.notes, self.lost, self.trash, self.strays, self.trees, self.documents, self.unlisted,
            self.pending, self.nested, self.removals,
        ]
        for kind in self.random.sample(kinds, self.pick([0, 1, 1, 2, 3])):
            kind()

    def kept(self):
        """Indexes under numbers: newer ones, of others, cut short, with other nodes."""
        commit = self.root["commit"]
        for step in self.random.sample([-3, -2, -1, 0, 1, 2, 3, 4], self.pick([1, 3, 8])):
            number = commit + step
            if number < 0:
                continue
            other = dict(self.root, commit=number)
            if self.chance(3):
                other["uuid"] = WRITER
            if self.chance(2):
                names = [name for name in self.root["nodes"] if name == "" or self.chance(2)]
                other["nodes"] = {name: self.root["nodes"][name] for name in names}
            data = seal(other, self.chance(2))
            name = f"__slab/root-{number}"
            if len(data) > self.budget:
                continue
            self.files.pop(name, None)
            self.put(name, data[: len(data) - self.pick([0, 0, 0, 1, 40, len(data) // 2])])
        if self.chance(3):
            small = seal(dict(self.root, nodes={"": {"kind": "group", "attributes": {}}}, removed=[]), True)
            for index in range(self.count(len(small), 500)):
                self.put(f"__slab/root-{commit + 10 + index}", small)

    def notes(self):
        """Directories of writers, with notes of what they were about to place."""
        paths = self.datasets + ["gone/" + self.maker.text(20)[:12] + str(i) for i in range(self.count(40))]
        if self.chance(3):
            paths += ["/".join(["a"] * depth) for depth in range(1, 512, self.pick([1, 7, 50]))]
        for index in range(self.pick([1, 2, 50])):
            writer = f"{index:032x}"
            note = seal({"placing": paths, "commit": self.root["commit"] + self.pick([0, 1])}, False)
            self.put(f"__slab/w/{writer}/placing", note)
            if self.chance(2):
                self.put(f"__slab/w/{writer}/lock", b"")
            if index == 0:
                for i in range(self.count(1)):
                    self.put(f"__slab/w/{writer}/{i % 7}-{i}-{i}", b"x")
        if self.chance(2):
            for index in range(self.count(60, 300)):
                self.put(f"__slab/claim-{self.root['commit'] + index}", b'{"writer": "%s", "pid": 1}' % WRITER.encode())

    def lost(self):
        name = "a" * self.pick([1, 230])
        for index in range(self.count(1)):
            self.put(f"__slab/lost/{name}{index}", b"")

    def trash(self):
        for index in range(self.count(1, 500)):
            place = f"__slab/trash/{self.pick(['d%d', 'x%d', 'adopted-%d']) % index}"
            self.put(self.pick([f"{place}/c/0/{index}", f"{place}/zarr.json", f"{place}/mine", place]), b"{}")
        if self.chance(3):
            self.maker.directories.append("__slab/trash/d1/c" + "/0" * self.pick([60, 900, 1900]))

    def strays(self):
        """Files in the places of chunks, and of nothing."""
        data, _ = frame(4096, 1, 4096, True)
        long = self.chance(3)
        for index in range(self.count(len(data), 3000)):
            parent = self.pick(self.datasets + self.groups)
            name = self.pick(["c/0/%d", "c/%d", "%d", "c/%d/0/0", "o%d/c/0"]) % index
            if long:
                name = "w" * 240 + name
            self.put(self.below(parent, name), data)

    def trees(self):
        """Directories without end, and many without anything."""
        parent = self.pick(self.datasets + self.groups)
        for index in range(self.pick([1, 100, 3000] if self.large else [1, 100])):
            self.put_directory(self.below(parent, f"e{index}"))
        deep = self.pick(["/a", "/0", "/c", "/" + "d" * 200])
        self.maker.directories.append(self.below(parent, "t" + deep * min(1900 // len(deep), self.pick([40, 1000]))))

    def documents(self):
        """Documents of nodes: as this store's programs write them, as others do, and neither."""
        own = b'{\n  "zarr_format": 3,\n  "node_type": "group",\n  "attributes": {}\n}\n'
        array = {
            "zarr_format": 3, "node_type": "array", "shape": [2**40], "data_type": "int8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0, "codecs": [{"name": "bytes"}, {"name": "blosc"}, {"name": "crc32c"}], "attributes": {},
        }
        kind = self.random.randrange(5)
        names = self.groups + self.datasets
        if self.chance(2):
            names = names + [self.below(self.pick(self.groups), f"n{i}") for i in range(self.count(400, 500))]
        for name in names:
            data = [
                own, json.dumps(array).encode(), b'{"zarr_format": 3}', b"{",
                json.dumps(dict(array, shape=[5, 2**31], attributes={"a": self.pick([[], {}, [[0]] * 50])})).encode(),
            ][kind if self.chance(5) else 0]
            self.put(self.below(name, "zarr.json"), data)
        if self.chance(3):
            value = self.maker.value(self.random.randrange(max(1, self.budget // 2)))
            document = json.loads(own) | {"attributes": {"a": value}}
            self.files.pop("zarr.json", None)
            self.put("zarr.json", json.dumps(document, indent=self.pick([2, None])).encode())

    def unlisted(self):
        """Runs that no index lists, of this commit, later ones, and data sets that are not there."""
        later = self.root["commit"] + 1
        for index in range(self.count(600, 500)):
            count = min(self.pick([1, 1, 100, 20000]), self.budget // 20)
            if count < 1:
                return
            name = self.pick(self.datasets + ["gone", f"gone{index}", "/".join(["a"] * 500)])
            number = self.random.randrange(3000)
            node = self.root["nodes"].get(name)
            if node and node["kind"] == "dataset":
                number = int(node["id"][1:])
            rank = len(node["shape"]) if node and node["kind"] == "dataset" else 1
            if rank < 1:
                continue
            run = {
                "slab_run": 1, "store": self.pick([UUID, UUID, WRITER]), "dataset": f"d{number}", "path": name,
                "commit": later, "grid": [2**40] + [1] * (rank - 1), "id": [[0, count]],
                "state": "s" * count, "bytes": [self.pick([0, 60, 2**31 - 1])] * count,
                "crc": [self.pick([0, 7, 2**32 - 1])] * count, "min": [1] * count, "max": [1] * count, "nan": [0] * count,
            }
            data = seal(run, compact=True)
            self.put(f"__slab/t/d{number}/{later:06d}-{crc32c(data):08x}.json", data)

    def again(self):
        """Writes the newest index anew, with what was added."""
        data = seal(self.root, self.chance(2))
        if len(data) < self.budget + len(self.files["slab.json"]) and len(data) < 1_000_000:
            self.budget -= len(data) - len(self.files["slab.json"])
            self.files["slab.json"] = data

    def plain(self, number, rank=1, **others):
        return {
            "kind": "dataset", "id": f"d{number}", "shape": [2**40] + [1] * (rank - 1), "max_shape": [None] * rank,
            "chunk_shape": [1] * rank, "dtype": "int8", "fill_value": 0,
            "codec": {"name": "blosc1-lz4", "filter": "bitshuffle", "block": 4096, "level": 1}, "dims": None, "unit": None,
            "attributes": {}, "commit": 1, "chunks": {"stored": 0, "fill": 0}, "stored_bytes": 0, "min": None, "max": None,
            "nan": 0, "runs": [],
        } | others

    def pending(self):
        """Many data sets with a few chunks pending each, and runs that are not there."""
        for index in range(self.count(900, 1000)):
            rows = self.pick([1, 16, 64, 4096])
            claim = {"commit": 1, "crc": f"{index:08x}", "size": 6 * rows, "grid": [2**40], "lo": 0, "hi": rows - 1, "rows": rows}
            pending = {"writer": WRITER, "slot": 0, "batch": index, "grid": [2**40], "rows": [], "drop": []}
            pending[self.pick(["rows", "drop"])] = [[0, rows]]
            self.root["nodes"][f"p{index}"] = self.plain(5000 + index, runs=[claim], pending=pending)
        self.again()

    def nested(self):
        """Groups in groups with data sets of many axes, some with delta."""
        path, number = "", 6000
        rank = self.pick([1, 4, 32])
        for depth in range(self.pick([20, 200, 500])):
            path = self.below(path, "n")
            self.root["nodes"].setdefault(path, {"kind": "group", "attributes": {}})
            if len(path) > 1000:
                break
            codec = {"name": "blosc1-lz4", "filter": "bitshuffle", "block": 4096, "level": 1}
            if self.chance(3):
                codec["delta"] = 0
            dims = None if self.chance(2) else [f"{depth}x{i}" for i in range(rank)]
            self.root["nodes"][path + "/d"] = self.plain(number, rank, codec=codec, dims=dims)
            number += 1
        if any("delta" in node.get("codec", {}) for node in self.root["nodes"].values()):
            self.root["read_features"] = sorted({*self.root["read_features"], "delta"})
        self.again()

    def removals(self):
        count = self.count(60, 4096)
        self.root["removed"] = [
            {"id": self.pick([None, f"d{8000 + i}"]), "path": self.pick([f"r{i}", f"r/{i}", "r"])} for i in range(count)
        ]
        self.again()


def measure(*arguments):
    """Runs the tool; its exit code, processor seconds, megabytes, and what it said."""
    with open(os.devnull) as nothing, tempfile.TemporaryFile(buffering=0) as output:
        actions = [(os.POSIX_SPAWN_DUP2, file.fileno(), number) for number, file in enumerate((nothing, output, output))]
        process = os.posix_spawn(tool(), [tool(), *arguments], os.environ, file_actions=actions)
        # One that waits for ever takes no processor time.
        signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
        signal.alarm(600)
        _, status, usage = os.wait4(process, 0)
        signal.alarm(0)
        said = os.pread(output.fileno(), 400, 0).decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    return code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def commands(number, store, node):
    """What is asked of a store; of the ways to ask the same, one after the other gets its turn."""
    place = f"{store}/{node}"
    yield ["ls", store, "-l" if number % 2 else "--json"]
    yield ["info", place, "--chunks"] if number % 3 else ["info", store]
    yield ["verify", store]
    if number % 4 == 0:
        yield ["attr", "get", place]
    yield ["attr", "set", place, "k", "5"]
    if number % 2:
        yield ["adopt", store]
    yield ["repair", store]


def look(number, folder, keep, budget):
    """What is wrong with one input: a list of texts; and what each command took."""
    store = Path(folder) / f"{number}.slab"
    figures = {}
    # Other work on the machine makes processor time longer: what takes too long is tried again.
    for _ in range(3):
        node, byte_count = Maker(store, number).make()
        # More than a megabyte may take as much more.
        factor = max(1.0, byte_count / 1e6)
        original = None
        if keep:
            original = Path(keep) / f"{number}.slab"
            shutil.rmtree(original, ignore_errors=True)
            shutil.copytree(store, original)
        wrong, late = [], []
        for arguments in commands(number, str(store), node):
            code, seconds, megabytes, said = measure(*arguments)
            line = " ".join(arguments)
            known = figures.get(line, (seconds, megabytes))
            figures[line] = (min(seconds, known[0]), max(megabytes, known[1]))
            if code not in (0, 1, 2, 64):
                wrong.append(f"{line}: exit {code}: {said}")
            if figures[line][0] > budget * factor:
                late.append(f"{line}: {figures[line][0]:.2f} s")
            if megabytes > MEGABYTES * factor:
                wrong.append(f"{line}: {megabytes:.0f} MB")
        shutil.rmtree(store)
        if not late:
            break
    wrong += late
    if original is not None and not wrong:
        shutil.rmtree(original)
    return wrong, [(*took, line.split()[0]) for line, took in figures.items()], byte_count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=default_seed())
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", help="a folder for the stores that fail")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(10000)
    if arguments.keep:
        os.makedirs(arguments.keep, exist_ok=True)
    passed = failed = 0
    slowest, largest = {}, {}
    with tempfile.TemporaryDirectory(prefix="slab-hostile-") as folder, ProcessPoolExecutor(arguments.jobs) as pool:
        numbers = range(arguments.seed, arguments.seed + arguments.inputs)
        results = pool.map(partial(look, folder=folder, keep=arguments.keep, budget=arguments.seconds), numbers)
        for number, (wrong, figures, byte_count) in zip(numbers, results):
            for seconds, megabytes, verb in figures:
                slowest[verb] = max(slowest.get(verb, (0, 0)), (seconds, number))
                largest[verb] = max(largest.get(verb, (0, 0)), (megabytes, number))
            for text in wrong:
                print(f"FAILED: input {number} of {byte_count} bytes: {text}", flush=True)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"seed {arguments.seed}")
    for verb in slowest:
        seconds, megabytes = slowest[verb], largest[verb]
        print(
            f"{verb}: slowest {seconds[0]:.2f} s (input {seconds[1]}), "
            f"largest {megabytes[0]:.0f} MB (input {megabytes[1]})"
        )
    print(f"hostile: {passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
