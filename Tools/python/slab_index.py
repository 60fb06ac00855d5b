"""The JSON side of slab stores: `slab.json` and runs, read as Spec/slab-format.md says.

Part of `slab_reader.py`; every rule of §§ 2, 3, 6, 8, 9, 13 and 14 that concerns readers is here.
"""

import json
import math
import re
import unicodedata

ELEMENT_BYTES = {
    "bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8,
    "float16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16}
FLOAT_BYTES = {"float16": 2, "float32": 4, "float64": 8, "complex64": 4, "complex128": 8}
POLYNOMIAL = 0x82F63B78
LARGEST_COUNT, LARGEST_AXIS, MOST_CHUNKS = 2**53 - 1, 2**62 - 1, 2**40


class Damage(Exception):
    """Something is not what the format says; `kind` is a name that `slab verify` or errors use."""

    def __init__(self, kind, what):
        super().__init__(f"{kind}: {what}")
        self.kind = kind


def require(condition, kind, what):
    if not condition:
        raise Damage(kind, what)


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


# JSON (§ 6.1) ----------------------------------------------------------------------------------

def canonical(text):
    return unicodedata.normalize("NFC", text)


def member_name(text):
    return canonical(text) if len(text.encode()) <= 255 else text


def _object(pairs):
    for name, value in pairs:
        name.encode()
    result = {member_name(name): value for name, value in pairs}
    if len(result) < len(pairs):
        raise ValueError("a member name stands twice")
    return dict(pairs)


def _integer(text):
    if text == "-0":
        return -0.0
    if not -2**63 <= int(text) < 2**64:
        raise ValueError(f"the integer {text} does not fit into 64 bits")
    return int(text)


def _real(text):
    if math.isinf(float(text)):
        raise ValueError(f"the number {text} does not fit into a double")
    return float(text)


def _constant(word):
    raise ValueError(f"{word} is no JSON")


def _stream_safe(text):
    marks = 0
    for character in text if not text.isascii() else "":
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > 30:
            raise ValueError("more than 30 combining marks in a row")


def _depth(value):
    """How deep the deepest value stands; lone halves of surrogate pairs, and more combining marks in a row
    than may be, are found on the way."""
    if isinstance(value, str):
        value.encode()
        _stream_safe(value)
    if isinstance(value, dict):
        for name in value:
            _stream_safe(name)
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return max((1 + _depth(part) for part in inner), default=0)
    return 0


def parse(data, kind, depth):
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer,
                           parse_float=_real, parse_constant=_constant)
        if _depth(value) > depth:
            raise ValueError(f"nested deeper than {depth}")
        return value
    except (ValueError, RecursionError) as error:
        raise Damage(kind, f"not readable: {error}") from None


def self_check(data, kind):
    tail = re.fullmatch(rb'"crc32c": "([0-9a-f]{8})"\}\n', data[-22:])
    require(tail and int(tail[1], 16) == crc32c(data[:-22]), kind, "the self-check does not hold")


# Kinds of values: each says whether a value is one ----------------------------------------------

def integer(low, high):
    return lambda value: type(value) is int and low <= value <= high


def array(of, most=None):
    return lambda value: isinstance(value, list) and all(map(of, value)) and len(value) <= (most or len(value))


def word(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def either(*kinds):
    return lambda value: any(kind(value) for kind in kinds)


def null(value):
    return value is None


def text(value):
    return isinstance(value, str)


def mapping(value):
    return isinstance(value, dict)


def anything(value):
    return True


def ranges(value):
    """[start, count] pairs, rising and without overlap."""
    end = 0
    for pair in value if isinstance(value, list) else [None]:
        if not (array(count)(pair) and len(pair) == 2 and pair[0] >= end and pair[1] >= 1):
            return False
        end = sum(pair)
    return end <= MOST_CHUNKS


def grid(value):
    return array(integer(0, MOST_CHUNKS), 32)(value) and math.prod(value) <= MOST_CHUNKS


def path(value):
    """Whether a text may name a node (§ 3); the root may not."""
    return isinstance(value, str) and len(value.encode()) <= 1024 and all(
        1 <= len(name.encode()) <= 255 and not name.startswith((".", "__"))
        and not any(letter == "\\" or unicodedata.category(letter) == "Cc" for letter in name)
        and name not in ("c", "zarr.json", "slab.json") for name in value.split("/"))


count = integer(0, LARGEST_COUNT)
length = integer(0, LARGEST_AXIS)
identifier = word(r"[0-9a-f]{32}")
checksum = word(r"[0-9a-f]{8}")
dataset_id = word(r"d(0|[1-9][0-9]{0,15})")

ROOT = {
    "slab": integer(1, 1), "read_features": array(text), "write_features": array(text), "uuid": identifier,
    "commit": count, "time": text, "writer": text, "state": word("open|complete"), "next_id": count,
    "nodes": mapping, "crc32c": checksum}
GROUP = {"kind": word("group"), "attributes": mapping}
DATASET = {
    "kind": word("dataset"), "id": dataset_id, "shape": array(length, 32), "max_shape": array(either(null, length)),
    "chunk_shape": array(integer(1, LARGEST_AXIS)), "dtype": lambda name: text(name) and name in ELEMENT_BYTES, "fill_value": anything,
    "codec": mapping, "attributes": mapping, "commit": count, "chunks": mapping, "stored_bytes": count,
    "nan": count, "runs": array(mapping, 4096)}
DATASET_OPTIONAL = {
    "dims": either(null, array(either(null, text))), "unit": either(null, text), "min": anything, "max": anything,
    "source": mapping, "pending": mapping, "incoming": identifier}
SOURCE = {"fingerprint": lambda value: text(value) and len(value.encode()) <= 1024}
CODEC = {
    "name": word("blosc1-lz4"), "filter": word("none|shuffle|bitshuffle|auto"), "block": integer(4096, 1 << 22),
    "level": integer(1, 12)}
CODEC_OPTIONAL = {"delta": either(null, integer(0, 31)), "repeats": lambda value: value is None or value is True}
CHUNKS = {"stored": count, "fill": count}
REFERENCE = {
    "commit": count, "crc": checksum, "size": integer(0, 1 << 24), "grid": grid, "lo": count, "hi": count,
    "rows": count}
PENDING = {"writer": identifier, "slot": count, "batch": count, "grid": grid, "rows": ranges, "drop": ranges}
REMOVED = {"id": either(null, dataset_id), "path": path}
RUN = {
    "slab_run": integer(1, 1), "store": text, "dataset": text, "path": path, "commit": count, "grid": grid,
    "id": ranges, "state": word("[sfn]*"), "bytes": array(integer(0, 2**31 - 1)),
    "crc": array(integer(0, 2**32 - 1)), "min": array(anything), "max": array(anything),
    "nan": array(integer(0, 2**31 - 1)), "crc32c": checksum}


def members(value, what, kind, required, optional=None):
    """Checks an object of the format: all that must be there, nothing unknown, each of its kind."""
    require(isinstance(value, dict), kind, f"{what} is no object")
    for name in required:
        require(name in value, kind, f"{what} has no {name!r}")
    known = required | (optional or {})
    for name, member in value.items():
        require(name in known or name.startswith("x-"), kind, f"unknown member {name!r} in {what}")
        require(name not in known or known[name](member), kind, f"{what}: {name!r} is {member!r:.60}")


# Values of elements (§§ 6.6, 6.7) ---------------------------------------------------------------

def is_float(value, size):
    if isinstance(value, str):
        return value in ("NaN", "Infinity", "-Infinity") or bool(re.fullmatch(f"0x[0-9a-fA-F]{{{2 * size}}}", value))
    if type(value) not in (int, float):
        return False
    # Halfway from the largest finite value to the next power of two rounds to infinity.
    return abs(value) < {2: 65520, 4: 2**128 - 2**103, 8: math.inf}[size]


def is_fill_value(value, dtype):
    if dtype == "bool":
        return isinstance(value, bool)
    if "int" in dtype:
        bits = int(dtype.strip("uint"))
        low, high = (0, 2**bits - 1) if dtype[0] == "u" else (-2**(bits - 1), 2**(bits - 1) - 1)
        return integer(low, high)(value)
    if dtype.startswith("complex"):
        return isinstance(value, list) and len(value) == 2 and all(is_float(v, FLOAT_BYTES[dtype]) for v in value)
    return is_float(value, FLOAT_BYTES[dtype])


def is_statistic(value, dtype):
    if value is None:
        return True
    if dtype.startswith("float"):
        return type(value) in (int, float) or value in ("Infinity", "-Infinity")
    return type(value) is int and (value >= 0 or dtype.startswith("int")) and not dtype.startswith("complex")


# The index root (§ 6) ---------------------------------------------------------------------------

def read_root(data):
    """The contents of `slab.json`, checked, with nodes by their path."""
    require(len(data) <= 1 << 24, "limit", "an index above 16 MiB")
    root = parse(data, "index", 68)
    require(isinstance(root, dict), "index", "not a JSON object")
    version = root.get("slab")
    require(type(version) is int and version == 1, "unsupported_version", f"format version {version!r}, not 1")
    self_check(data, "index")
    features = root.get("read_features")
    require(array(text)(features), "index", "read_features")
    require(set(features) <= {"delta", "repeats"}, "unsupported_feature", f"the store needs {features}")
    members(root, "the root", "index", ROOT, {"removed": array(mapping, 8192)})
    nodes = root["nodes"]
    require(len(nodes) <= 4096, "index", "more than 4096 nodes")
    names = {canonical(name) for name in nodes}
    groups = set()
    for name, node in nodes.items():
        require(name == "" or path(name), "index", f"the node name {name!r}")
        require(mapping(node) and node.get("kind") in ("group", "dataset"), "index", f"{name}: kind")
        if node["kind"] == "group":
            members(node, name, "index", GROUP)
            groups.add(canonical(name))
        else:
            check_dataset(name, node)
            for feature in ("delta", "repeats"):
                require(node["codec"].get(feature) is None or feature in features, "index", f"the feature {feature} is not listed")
    require("" in groups, "index", "no root group")
    for name in names - {""}:
        require(name.rpartition("/")[0] in groups, "index", f"{name} stands in no group")
    ids = [node["id"] for node in nodes.values() if node["kind"] == "dataset"]
    require(len(set(ids)) == len(ids), "index", "two data sets of one id")
    require(all(int(name[1:]) < root["next_id"] for name in ids), "index", "an id not below next_id")
    for entry in root.get("removed", []):
        members(entry, "removed", "index", REMOVED)
        require(entry["id"] not in ids, "index", "removed and there")
    return root


def check_dataset(name, node):
    def must(condition, what):
        require(condition, "index", f"{name}: {what}")

    members(node, name, "index", DATASET, DATASET_OPTIONAL)
    members(node["codec"], f"{name}: codec", "index", CODEC, CODEC_OPTIONAL)
    members(node["chunks"], f"{name}: chunks", "index", CHUNKS)
    if "source" in node:
        members(node["source"], f"{name}: source", "index", SOURCE)
    rank, dtype = len(node["shape"]), node["dtype"]
    must(len(node["max_shape"]) == rank == len(node["chunk_shape"]), "as many lengths as axes")
    must(all(m is None or m >= n for n, m in zip(node["shape"], node["max_shape"])), "max_shape below shape")
    names = node.get("dims") or [None] * rank
    known = [canonical(dim) for dim in names if dim is not None]
    must(len(names) == rank and len(set(known)) == len(known), "dims")
    must(all(len(dim.encode()) <= 255 for dim in names if dim is not None), "a long name in dims")
    must(is_fill_value(node["fill_value"], dtype), "fill_value")
    must(is_statistic(node.get("min"), dtype) and is_statistic(node.get("max"), dtype), "statistics")
    if node["codec"].get("delta") is not None:
        must("int" in dtype and node["codec"]["filter"] == "bitshuffle", "delta of no integers, or without bitshuffle")
        must(node["codec"]["delta"] < rank, "delta along no axis")
    must(node["codec"].get("repeats") is None or node["codec"]["filter"] != "auto", "repeats without a filter")
    size = math.prod(node["chunk_shape"]) * ELEMENT_BYTES[dtype]
    unit = 8 * ELEMENT_BYTES[dtype]
    blocks = -(-size // min(node["codec"]["block"] // unit * unit, size))
    must(24 + 12 * blocks + size <= 2**31 - 1, "chunks too large")
    chunks = math.prod(-(-n // c) for n, c in zip(node["shape"], node["chunk_shape"]))
    must(chunks <= MOST_CHUNKS, "more than 2^40 chunks")
    stored = node["chunks"]["stored"]
    must(stored + node["chunks"]["fill"] <= chunks, "more chunks written than there are")
    must(stored == 0 or node["codec"]["filter"] != "auto", "stored chunks but no filter")
    for run in node["runs"]:
        members(run, f"{name}: runs", "index", REFERENCE)
        must(len(run["grid"]) == rank and run["lo"] <= run["hi"] < math.prod(run["grid"]), "runs: lo or hi")
        must(1 <= run["rows"] <= min(run["hi"] - run["lo"] + 1, run["size"] // 6), "runs: rows")
    must(len({(run["commit"], run["crc"]) for run in node["runs"]}) == len(node["runs"]), "runs: a file twice")
    must("pending" not in node or "incoming" not in node, "incoming beside pending")
    if "pending" in node:
        pending = node["pending"]
        members(pending, f"{name}: pending", "index", PENDING)
        must(len(pending["grid"]) == rank, "pending: grid")
        listed = pending["rows"] + pending["drop"]
        must(all(sum(pair) <= math.prod(pending["grid"]) for pair in listed), "pending: numbers")
        must(sum(n for _, n in listed) <= sum(run["rows"] for run in node["runs"]), "pending: too many")


# Runs (§ 8) -------------------------------------------------------------------------------------

def read_run(data, listed, name, store, dataset, dtype):
    """A run's rows: chunk number to (state, bytes, crc)."""
    def must(condition, what):
        require(condition, "table", f"{name}: {what}")

    must(len(data) == listed["size"] and f"{crc32c(data):08x}" == listed["crc"], "not the one listed")
    run = parse(data, "table", 32)
    self_check(data, "table")
    members(run, name, "table", RUN)
    must((run["store"], run["dataset"], run["commit"]) == (store, dataset, listed["commit"]), "belongs elsewhere")
    ids = run["id"]
    must(run["grid"] == listed["grid"] and sum(n for _, n in ids) == listed["rows"], "grid or rows")
    must(ids[0][0] == listed["lo"] and sum(ids[-1]) - 1 == listed["hi"], "lo or hi")
    columns = [run[column] for column in ("state", "bytes", "crc", "min", "max", "nan")]
    must(all(len(column) == listed["rows"] for column in columns), "columns")
    must(all(is_statistic(value, dtype) for value in run["min"] + run["max"]), "statistics")
    numbers = (number for start, n in ids for number in range(start, start + n))
    return dict(zip(numbers, zip(*columns[:3])))
