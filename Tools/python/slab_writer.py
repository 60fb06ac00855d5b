"""A small writer of slab stores, from Spec/slab-format.md alone, for test vectors.

It shares no code with the Swift writer and none with `slab_reader.py`, so that what both read back
is measured against a third. It knows nothing of locks, threads and crashes: it writes the files
that a commit leaves, or those that one cut short leaves. Needs numpy and lz4.
"""

import hashlib
import itertools
import math
import os
import shutil
import unicodedata

import lz4.block
import numpy as np

FLAGS = {"none": 0x30, "shuffle": 0x31, "bitshuffle": 0x34}


# CRC-32C ---------------------------------------------------------------------------------------

def _entry(byte):
    for _ in range(8):
        byte = byte // 2 ^ 0x82F63B78 * (byte % 2)
    return byte


_ENTRIES = [_entry(byte) for byte in range(256)]


def crc32c(data):
    register = 0xFFFFFFFF
    for byte in data:
        register = _ENTRIES[(register ^ byte) % 256] ^ register // 256
    return register ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


# JSON ------------------------------------------------------------------------------------------

def spell(text):
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " or c == "\x7f" else c) for c in text) + '"'


def is_scalar(value):
    return not isinstance(value, (dict, list))


def is_plain(value):
    """An array of plain values, or of arrays of such."""
    return all(is_scalar(v) or isinstance(v, list) and all(map(is_scalar, v)) for v in value)


def dump(value, indent=None):
    """JSON text; with an indent as § 12 lays out derived files."""
    deeper = None if indent is None else indent + 1
    if isinstance(value, (dict, list)):
        if isinstance(value, dict):
            parts = [f"{spell(k)}: {dump(v, deeper)}" for k, v in value.items()]
        else:
            parts = [dump(v, deeper) for v in value]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        lines = indent is not None and parts and not (isinstance(value, list) and is_plain(value))
        if lines:
            pad = "\n" + "  " * deeper
            return opening + pad + ("," + pad).join(parts) + "\n" + "  " * indent + closing
        return opening + ", ".join(parts) + closing
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and 2**53 < abs(value) < 1e16:
        digits = str(int(abs(value))).rstrip("0")
        return f"{'-' * (value < 0)}{digits[0]}.{digits[1:] or '0'}e+15".replace(".0e", "e")
    return spell(value) if isinstance(value, str) else repr(value)


def seal(text):
    """A file's text, which ends before `"crc32c"`, with its self-check."""
    body = text.encode()
    return body + f'"crc32c": "{crc32c(body):08x}"}}\n'.encode()


# Chunks ----------------------------------------------------------------------------------------

def deltas(block, e, stride):
    """The differences along an axis, a column of the block after the other (§ 4.5), element by element."""
    values = [int.from_bytes(block[i:i + e], "little") for i in range(0, len(block), e)]
    out = b""
    for j in range(min(stride, len(values))):
        before = 0
        for value in values[j::stride]:
            out += ((value - before) % 256**e).to_bytes(e, "little")
            before = value
    return out


def filtered(block, filter_, e, stride=None):
    m = len(block) // e
    if stride:
        block = deltas(block, e, stride)
    if filter_ == "shuffle":
        return b"".join(block[j::e] for j in range(e))
    if filter_ == "bitshuffle" and m % 8 == 0:
        planes = []
        for j in range(e):
            column = np.frombuffer(block[j::e], np.uint8)
            for b in range(8):
                bits = (column >> b & 1).reshape(-1, 8)
                planes.append((bits << np.arange(8)).sum(axis=1).astype(np.uint8).tobytes())
        return b"".join(planes)
    return block


def frame(data, e, filter_, block, level=1, stride=None, repeated=None):
    """A chunk file (§ 4); `stride` in elements, with the filter delta; `repeated` is the element of which a
    block is stored once."""
    b = min(block // (8 * e) * (8 * e), len(data))
    stored, first_like, repeats = [], None, {}
    for start in range(0, len(data), b):
        if repeated is not None and data[start:start + b] == repeated * (b // e):
            if first_like is not None:
                repeats[len(stored)] = first_like
                stored.append(b"")
                continue
            first_like = len(stored)
        plain = filtered(data[start:start + b], filter_, e, stride)
        mode = {"mode": "high_compression", "compression": level} if level > 2 else {}
        packed = lz4.block.compress(plain, store_size=False, **mode)
        if len(packed) >= len(plain):
            packed = plain
        stored.append(len(packed).to_bytes(4, "little") + packed)
    n = len(stored)
    first = 16 + 8 * n + 4
    offsets = [first + sum(map(len, stored[:i])) for i in range(n)]
    size = first + sum(map(len, stored))
    for block, like in repeats.items():
        offsets[block] = offsets[like]
    words = [len(data), b, size, *offsets, *(crc32c(stored[repeats.get(i, i)]) for i in range(n))]
    return close_frame(bytes([2, 1, FLAGS[filter_], e]) + b"".join(w.to_bytes(4, "little") for w in words),
                       b"".join(stored))


def close_frame(head, blocks):
    """Adds the header checksum and the trailer."""
    body = head + crc32c(head).to_bytes(4, "little") + blocks
    return body + crc32c(body).to_bytes(4, "little")


def header_sum(file, blocks):
    return int.from_bytes(file[16 + 8 * blocks:20 + 8 * blocks], "little")


# Values ----------------------------------------------------------------------------------------

def pattern(formula, key, count, dtype):
    """Element bytes by one of the formulas that `Spec/vectors/README.md` lists, count × e."""
    dtype = np.dtype(dtype).newbyteorder("<")
    if formula == "noise":
        need = count * dtype.itemsize
        parts = (hashlib.sha256(f"{key}:{k}".encode()).digest() for k in range(-(-need // 32)))
        flat = np.frombuffer(b"".join(parts)[:need], np.uint8).copy()
        return (flat & 1 if dtype.kind == "b" else flat).reshape(count, dtype.itemsize)
    index = np.arange(count, dtype=np.int64) // {"ramp": 1, "steps": 37}[formula]
    if dtype.kind == "b":
        values = index % 3 == 0
    elif dtype.kind in "iu":
        values = (index * 7 + 1).astype(dtype)
    else:
        values = (index / 4 + 0.5).astype(f"f{dtype.itemsize // 2}" if dtype.kind == "c" else dtype)
        if dtype.kind == "c":
            values = np.stack([values, -values], axis=-1).reshape(-1).view(dtype)
    return np.frombuffer(values.astype(dtype).tobytes(), np.uint8).reshape(count, dtype.itemsize).copy()


def fill_bits(fill, dtype):
    """The bytes of a fill value from its JSON spelling."""
    dtype = np.dtype(dtype).newbyteorder("<")
    if dtype.kind == "c":
        half = f"f{dtype.itemsize // 2}"
        return fill_bits(fill[0], half) + fill_bits(fill[1], half)
    if isinstance(fill, str):
        quiet = {2: "7e00", 4: "7fc00000", 8: "7ff8000000000000"}[dtype.itemsize]
        if fill.endswith("Infinity"):
            return np.array(float(fill.replace("Infinity", "inf")), dtype).tobytes()
        return bytes.fromhex(quiet if fill == "NaN" else fill[2:])[::-1]
    return np.array(fill, dtype).tobytes()


def statistics(elements, dtype):
    """min, max and nan of bytes, count × e."""
    dtype = np.dtype(dtype).newbyteorder("<")
    flat = np.frombuffer(elements.tobytes(), dtype)
    if dtype.kind == "c":
        with np.errstate(all="ignore"):
            return None, None, int((np.isnan(flat.real) | np.isnan(flat.imag)).sum())
    if dtype.kind in "biu":
        values = [int(v) for v in flat]
        return (min(values), max(values), 0) if values else (None, None, 0)
    values = [float(v) for v in flat if not math.isnan(float(v))]
    order = sorted(values, key=lambda v: (v, math.copysign(1, v)))
    ends = (order[0], order[-1]) if order else (None, None)
    return *ends, len(flat) - len(values)


def union(parts):
    parts = list(parts)
    key = lambda v: (v, math.copysign(1, v))  # noqa: E731
    low = sorted((p[0] for p in parts if p[0] is not None), key=key)
    high = sorted((p[1] for p in parts if p[1] is not None), key=key)
    return (low[0] if low else None, high[-1] if high else None, sum(p[2] for p in parts))


def told(value):
    """A statistic in JSON."""
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


# Store -----------------------------------------------------------------------------------------

def order(path):
    """Where a node stands among all: by its components, these by their scalars in form C."""
    return unicodedata.normalize("NFC", path).split("/")


def number(chunk, grid):
    result = 0
    for coordinate, length in zip(chunk, grid):
        result = result * length + coordinate
    return result


def pairs(numbers):
    """Rising numbers as [start, count]."""
    result = []
    for n in numbers:
        if result and sum(result[-1]) == n:
            result[-1][1] += 1
        else:
            result.append([n, 1])
    return result


class Dataset:
    def __init__(self, path, shape, chunk_shape, dtype, fill=None, filter="none", block=65536, level=1, delta=None,
                 repeats=False, **members):
        self.path, self.shape, self.chunk_shape, self.dtype = path, list(shape), list(chunk_shape), dtype
        self.e = np.dtype(dtype).itemsize
        kind = np.dtype(dtype).kind
        self.fill = fill if fill is not None else {"b": False, "f": 0.0, "c": [0.0, 0.0]}.get(kind, 0)
        self.fill_bytes = fill_bits(self.fill, dtype)
        self.filter, self.block, self.level, self.members = filter, block, level, members
        self.repeats, self.delta, self.stride = repeats, delta, None
        if delta is not None:
            self.filter, self.stride = "bitshuffle", math.prod(self.chunk_shape[delta + 1:])
        self.rows, self.runs, self.run_rows, self.files = {}, [], [], {}
        self.dirty, self.dropped, self.before = set(), set(), set()
        self.id = self.commit = None
        self.pending = None
        self.model = None
        if math.prod(self.shape) <= 1 << 20:
            self.model = self.filled(self.shape)

    @property
    def grid(self):
        return [-(-n // c) for n, c in zip(self.shape, self.chunk_shape)]

    def filled(self, shape):
        return np.tile(np.frombuffer(self.fill_bytes, np.uint8), math.prod(shape)).reshape(*shape, self.e)

    def inside(self, chunk):
        return tuple(slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(chunk, self.chunk_shape, self.shape))

    def chunks(self):
        return itertools.product(*map(range, self.grid))

    def write(self, formula, chunks=None, key=None):
        """Writes whole chunks with the formula's values, "fill" for nothing but the fill value."""
        if formula == "fill":
            values = self.filled(self.shape)
        else:
            flat = pattern(formula, key or self.path, math.prod(self.shape), self.dtype)
            values = flat.reshape(*self.shape, self.e)
        for chunk in self.chunks() if chunks is None else chunks:
            self.put(tuple(chunk), values[self.inside(chunk)])
        return self

    def put(self, chunk, values):
        """Writes one chunk from the bytes of its elements inside the array."""
        padded = self.filled(self.chunk_shape)
        padded[tuple(slice(n) for n in values.shape[:-1])] = values
        if self.model is not None:
            self.model[self.inside(chunk)] = values
        told = statistics(values, self.dtype)
        data = padded.tobytes()
        if data == self.fill_bytes * (len(data) // self.e):
            self.change(chunk, ("f", 0, 0, *told), None)
        else:
            file = frame(data, self.e, self.filter, self.block, self.level, self.stride,
                         self.fill_bytes if self.repeats else None)
            blocks = -(-len(data) // min(self.block // (8 * self.e) * (8 * self.e), len(data)))
            self.change(chunk, ("s", len(file), header_sum(file, blocks), *told), file)

    def change(self, chunk, row, file):
        self.rows[chunk] = row
        self.dirty.add(chunk)
        self.files.pop(chunk, None)
        if file:
            self.files[chunk] = file
        if row[0] == "n" and self.model is not None and all(map(int.__lt__, chunk, self.grid)):
            self.model[self.inside(chunk)] = np.frombuffer(self.fill_bytes, np.uint8)

    def drop(self, chunk):
        self.change(chunk, ("n", 0, 0, None, None, 0), None)

    def resize(self, shape):
        """Changes the shape as § 11 says."""
        old, old_grid, self.shape = self.model, self.grid, list(shape)
        self.model = self.filled(shape)
        common = tuple(slice(min(a, b)) for a, b in zip(old.shape, shape))
        self.model[common] = old[common]
        shrinks = [n < o for n, o in zip(shape, old.shape)]
        self.numbered_in = [max(a, b) for a, b in zip(self.grid, old_grid)] if any(shrinks) else self.grid
        for chunk, row in list(self.rows.items()):
            if any(i >= n for i, n in zip(chunk, self.grid)):
                if row[0] != "n":
                    self.drop(chunk)
            elif row[0] == "s" and any(s and (i + 1) * c > n for s, i, c, n in
                                       zip(shrinks, chunk, self.chunk_shape, shape)):
                self.put(chunk, self.model[self.inside(chunk)].copy())
        return self

    numbered_in = None

    def state(self, chunk):
        return self.rows.get(tuple(chunk), ("n",))[0]

    def node(self):
        live = [r for c, r in self.rows.items() if all(map(int.__lt__, c, self.grid))]
        low, high, nan = union(r[3:] for r in live if r[0] != "n")
        node = {
            "kind": "dataset", "id": f"d{self.id}", "shape": self.shape,
            "max_shape": self.members.get("max_shape", [None] * len(self.shape)), "chunk_shape": self.chunk_shape,
            "dtype": self.dtype, "fill_value": self.fill,
            "codec": {"name": "blosc1-lz4", "filter": self.filter, "block": self.block, "level": self.level},
            "dims": self.members.get("dims"), "unit": self.members.get("unit"),
            "attributes": self.members.get("attributes", {}), "commit": self.commit,
            "chunks": {"stored": sum(r[0] == "s" for r in live), "fill": sum(r[0] == "f" for r in live)},
            "stored_bytes": sum(r[1] for r in live), "min": told(low), "max": told(high), "nan": nan,
            "runs": self.runs,
        }
        if self.delta is not None:
            node["codec"]["delta"] = self.delta
        if self.repeats:
            node["codec"]["repeats"] = True
        if self.pending:
            node["pending"] = self.pending
        return node | self.members.get("extra", {})


class Store:
    """Writes the files of one store, commit by commit; all names and times follow from `name`."""

    def __init__(self, folder, name, **members):
        self.folder, self.name, self.members = os.path.join(folder, name), name, members
        shutil.rmtree(self.folder, ignore_errors=True)
        self.uuid = hashlib.sha256(name.encode()).hexdigest()[:32]
        self.writer = hashlib.sha256(f"{name} writer".encode()).hexdigest()[:32]
        self.nodes, self.removed, self.next_id, self.commits, self.roots = {"": {}}, [], 0, 0, []
        self.put("__slab/lock", b"")
        self.publish("open", 0)

    def put(self, name, data):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def delete(self, name):
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.remove(path)

    def group(self, path, attributes=None):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            self.nodes.setdefault("/".join(parts[:depth]), {})
        self.nodes[path] = attributes or {}

    def add(self, dataset):
        parent = dataset.path.rpartition("/")[0]
        if parent and parent not in self.nodes:
            self.group(parent)
        dataset.id, self.next_id = self.next_id, self.next_id + 1
        self.nodes[dataset.path] = dataset
        return dataset

    def remove(self, path):
        """Removes a node; its files go with `commit`, unless that stops short."""
        node = self.nodes.pop(path)
        self.removed.append({"id": f"d{node.id}" if isinstance(node, Dataset) else None, "path": path})

    def datasets(self):
        return [node for node in self.nodes.values() if isinstance(node, Dataset)]

    def chunk_name(self, path, chunk):
        return "/".join([path, "c", *map(str, chunk)])

    def commit(self, state="complete", stop=False, split=0, merge=None):
        """One commit; `stop`: killed right after step 7. `merge` is how many of the newest runs of
        each data set touched become one with the new rows."""
        self.commits += 1
        replaced = {r["path"] for r in self.removed}
        for slot, d in enumerate(self.datasets()):
            d.pending = None
            if not d.dirty and not d.numbered_in and d.commit is not None:
                continue
            d.commit = self.commits
            grid = d.numbered_in or d.grid
            fresh = [c for c in d.files if c not in d.before and d.path not in replaced]
            over = [c for c in d.files if c not in fresh]
            gone = [c for c in d.before if c in d.dirty and c not in d.files]
            for chunk in fresh:
                self.put(self.chunk_name(d.path, chunk), d.files[chunk])
            if stop and (over or gone):
                d.pending = {
                    "writer": self.writer, "slot": slot, "batch": self.commits, "grid": grid,
                    "rows": pairs(sorted(number(c, grid) for c in over)),
                    "drop": pairs(sorted(number(c, grid) for c in gone))}
                for chunk in over:
                    self.put(self.staged_name(slot, chunk), d.files[chunk])
            else:
                for chunk in over:
                    self.put(self.chunk_name(d.path, chunk), d.files[chunk])
                for chunk in gone:
                    self.delete(self.chunk_name(d.path, chunk))
            self.write_rows(d, grid, split, merge)
            d.before = {c for c, r in d.rows.items() if r[0] == "s"}
            d.dirty, d.files, d.numbered_in = set(), {}, None
        if not stop:
            for entry in self.removed:
                shutil.rmtree(os.path.join(self.folder, entry["path"]), ignore_errors=True)
            for entry in self.removed:
                if entry["path"] in self.nodes:
                    d = self.nodes[entry["path"]]
                    for chunk in d.before:
                        raise ValueError(f"{d.path}: replacing needs a commit in between")
            self.removed = []
        self.publish(state, self.commits)
        return self

    def staged_name(self, slot, chunk):
        return f"__slab/w/{self.writer}/{slot}-{'.'.join(map(str, chunk))}-{self.commits}"

    def write_rows(self, d, grid, split, merge):
        rows = {c: d.rows[c] for c in d.dirty}
        if merge and d.runs:
            old, d.runs, d.run_rows = d.run_rows[-merge:], d.runs[:-merge], d.run_rows[:-merge]
            grid = [max(column) for column in zip(grid, *(g for g, _ in old))]
            merged = {}
            for _, part in old:
                merged.update(part)
            rows = {c: r for c, r in (merged | rows).items() if r[0] != "n" or d.runs}
        order = sorted(rows, key=lambda c: number(c, grid))
        step = split or max(len(order), 1)
        for start in range(0, len(order), step):
            part = order[start:start + step]
            self.write_run(d, grid, {c: rows[c] for c in part})

    def write_run(self, d, grid, rows):
        numbers = [number(c, grid) for c in rows]
        columns = list(zip(*rows.values()))
        run = {
            "slab_run": 1, "store": self.uuid, "dataset": f"d{d.id}", "path": d.path, "commit": self.commits,
            "grid": grid, "id": pairs(numbers), "state": "".join(columns[0]), "bytes": list(columns[1]),
            "crc": list(columns[2]), "min": [told(v) for v in columns[3]], "max": [told(v) for v in columns[4]],
            "nan": list(columns[5])}
        data = seal(dump(run)[:-1] + ", ")
        crc = crc32c(data)
        self.put(f"__slab/t/d{d.id}/{self.commits:06d}-{crc:08x}.json", data)
        d.runs = d.runs + [{"commit": self.commits, "crc": f"{crc:08x}", "size": len(data), "grid": grid,
                            "lo": numbers[0], "hi": numbers[-1], "rows": len(numbers)}]
        d.run_rows = d.run_rows + [(grid, rows)]

    def features(self):
        used = {"delta": any(d.delta is not None for d in self.datasets()), "repeats": any(d.repeats for d in self.datasets())}
        return [name for name, is_used in used.items() if is_used]

    def publish(self, state, commit):
        nodes = {p: n.node() if isinstance(n, Dataset) else {"kind": "group", "attributes": n}
                 for p, n in sorted(self.nodes.items(), key=lambda item: order(item[0]))}
        root = {
            "slab": 1, "read_features": self.features(), "write_features": ["runs"], "uuid": self.uuid, "commit": commit,
            "time": f"2026-11-23T02:10:{20 + commit}.000Z", "writer": "slab_writer.py", "state": state,
            "next_id": self.next_id}
        if self.removed:
            root["removed"] = self.removed
        text = dump(root | self.members)[:-1] + ',\n"nodes": {\n'
        text += ",\n".join(f"{spell(p)}: {dump(n)}" for p, n in nodes.items()) + "},\n"
        self.roots.append(seal(text))
        self.put("slab.json", self.roots[-1])
        for kept in (commit - 1, commit - 2):
            if kept >= 0:
                self.put(f"__slab/root-{kept}", self.roots[kept])
        self.delete(f"__slab/root-{commit - 3}")
        self.derive(nodes)

    def derive(self, nodes):
        """zarr.json of every node (§ 12)."""
        documents = {path: self.zarr(node) for path, node in nodes.items()}
        refused = {path for path, node in nodes.items() if node.get("codec", {}).get("delta") is not None}
        holders = {path.rpartition("/")[0] for path in refused} - {""}
        outermost = {h for h in holders if not any(h.startswith(f"{other}/") for other in holders)}
        for path, document in documents.items():
            if path == "" or path in outermost:
                above = f"{path}/" if path else ""
                below = {p[len(above):]: (p, d) for p, d in documents.items() if p and p.startswith(above)}
                document = document | {"consolidated_metadata": {
                    "kind": "inline", "must_understand": False,
                    "metadata": {name: d for name, (p, d) in below.items() if p not in refused}}}
                if refused and not path:
                    document["consolidated_metadata"]["hyperslab"] = {p: documents[p] for p in documents if p in refused}
            self.put(f"{path}/zarr.json".lstrip("/"), (dump(document, 0) + "\n").encode())

    def zarr(self, node):
        if node["kind"] == "group":
            return {"zarr_format": 3, "node_type": "group", "attributes": node["attributes"]}
        attributes = dict(node["attributes"])
        if node["unit"] and "units" not in attributes:
            attributes["units"] = node["unit"]
        shuffle = {"none": "noshuffle", "auto": "noshuffle"}.get(node["codec"]["filter"], node["codec"]["filter"])
        fill, dtype = node["fill_value"], np.dtype(node["dtype"])
        blosc = {"name": "blosc", "configuration": {"cname": "lz4", "clevel": 5, "shuffle": shuffle,
                                                    "typesize": dtype.itemsize, "blocksize": 0}}
        if "delta" in node["codec"]:
            ours = {"axis": node["codec"]["delta"], "block": node["codec"]["block"]}
            blosc = {"name": "hyperslab.delta-blosc", "configuration": ours | blosc["configuration"]}
        document = {
            "zarr_format": 3, "node_type": "array", "shape": node["shape"], "data_type": node["dtype"],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": node["chunk_shape"]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": fill if dtype.kind in "biu" else canonical(fill, dtype),
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                blosc,
                {"name": "crc32c"}],
            "attributes": attributes}
        if node["dims"] is not None:
            document["dimension_names"] = node["dims"]
        return document


def canonical(fill, dtype):
    """A float's fill value in the spelling of derived files."""
    if dtype.kind == "c":
        return [canonical(part, np.dtype(f"f{dtype.itemsize // 2}")) for part in fill]
    bits = fill_bits(fill, dtype)
    value = float(np.frombuffer(bits, dtype)[0])
    if math.isnan(value):
        return "NaN" if bits == fill_bits("NaN", dtype) else "0x" + bits[::-1].hex()
    return told(value)
