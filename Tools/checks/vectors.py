"""Runs the vectors of Spec/vectors with `Tools/python/slab_reader.py`, the independent reader.

Golden stores must read as expected.jsonl says, variants of them as well, damaged ones must be
refused with the listed code, and whatever the damage does not concern must still read. The values
of golden stores are also worked out anew where the line gives a formula. The Swift reader runs the
same files in Tests/HyperslabTests/Vectors.
"""
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import slab_reader  # noqa: E402
from slab_index import Damage  # noqa: E402
from make_vectors import tree_digest  # noqa: E402
from slab_writer import pattern  # noqa: E402
from support import ROOT, Tally, scratch  # noqa: E402

FOLDER = ROOT / "Spec/vectors"


def lines(name):
    with open(FOLDER / f"{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


EXPECTED = {}
for line in lines("expected"):
    EXPECTED.setdefault(line["store"], []).append(line)


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def reads(store, line):
    """Whether a data set reads as expected, whole or in its box, values and states."""
    dataset = store.dataset(line["dataset"])
    assert dataset.node["dtype"] == line["dtype"] and list(dataset.shape) == line["shape"], "type or shape"
    box = line.get("box") or [[0, n] for n in dataset.shape]
    values = dataset.read(tuple(slice(*ends) for ends in box), missing="fill")
    assert digest(values) == line["sha256"], "values"
    chunks = [range(a // c, -(-b // c)) for (a, b), c in zip(box, dataset.chunk_shape)]
    count = int(np.prod([len(part) for part in chunks], dtype=np.int64))
    states = "".join(dataset.row(tuple(part[i] for part, i in zip(chunks, index)))[0]
                     for index in (np.ndindex(*map(len, chunks)) if count else ()))
    assert states == line["states"], f"states {states}"
    return True


def formula_holds(line):
    count = int(np.prod(line["shape"], dtype=np.int64))
    return digest(pattern(line["values"], line["dataset"], count, line["dtype"])) == line["sha256"]


def content(edit):
    data = bytes.fromhex(edit["hex"]) if "hex" in edit else edit["text"].encode()
    if "repeat" in edit:
        return b"".join(data.replace(b"#", b"%d" % index) for index in range(edit["repeat"]))
    return data


def apply(store, edits):
    """Changes a copy of a store as the vector says (Spec/vectors/README.md)."""
    for edit in edits:
        path, op = store / edit["file"], edit["op"]
        if op == "splice":
            data = path.read_bytes()
            path.write_bytes(data[:edit["at"]] + content(edit) + data[edit["at"] + edit["remove"]:])
        elif op == "create":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content(edit))
        elif op == "delete":
            path.rmdir() if path.is_dir() else path.unlink()
        elif op == "copy":
            shutil.copy(path, store / edit["to"])
        elif op == "directory":
            path.mkdir()
        elif op == "link":
            path.symlink_to(edit["target"])
        elif op == "fifo":
            os.mkfifo(path)
        else:
            raise ValueError(op)


def restore(store, golden, edits):
    """Undoes edits: what they name becomes what it is in the golden store."""
    names = sorted({edit[member] for edit in edits for member in ("file", "to") if member in edit})
    for name in names:
        path = store / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
    for name in names:
        if (golden / name).is_dir():
            shutil.copytree(golden / name, store / name, dirs_exist_ok=True)
        elif (golden / name).exists():
            shutil.copy(golden / name, store / name)


def refused(action, code):
    try:
        action()
    except Damage as error:
        assert error.kind == code, f"{error.kind}, not {code}: {error}"
        return True
    raise AssertionError(f"not refused; {code} expected")


def check_edited(path, line):
    expect = line["expect"]
    if "open" in expect:
        return refused(lambda: slab_reader.Store(path), expect["open"])
    store = slab_reader.Store(path)
    for golden in EXPECTED[line["store"]]:
        if golden["dataset"] in expect.get("affected", []):
            refused(lambda: store.dataset(golden["dataset"]).read(missing="fill"), expect["read"])
        else:
            reads(store, golden)
    return True


def main():
    tally = Tally("vectors")
    counts = {"valid": 0, "variants": 0, "invalid": 0}

    def run(kind, what, body, *arguments):
        before = tally.passed
        tally.run(what, body, *arguments)
        counts[kind] += tally.passed - before

    digests = json.loads((FOLDER / "stores.json").read_text())
    tally.check(sorted(digests) == sorted(EXPECTED), "stores.json lists every store")
    for name, golden in EXPECTED.items():
        tally.check(tree_digest(FOLDER / "stores" / name) == digests[name], f"{name} is as it was made")
        store = slab_reader.Store(FOLDER / "stores" / name)
        assert {store.nodes[slab_reader.canonical(line["dataset"])][0] for line in golden} == {
            d.path for d in store.datasets()}, f"{name} holds other data sets than listed"
        for line in golden:
            run("valid", line["id"], reads, store, line)
            if "values" in line and not formula_holds(line):
                tally.check(False, f"{line['id']}: the formula")
    with scratch() as folder:
        for name in {line["store"] for kind in ("variants", "invalid") for line in lines(kind)}:
            shutil.copytree(FOLDER / "stores" / name, Path(folder) / name)
        for kind in ("variants", "invalid"):
            for line in lines(kind):
                copy = Path(folder) / line["store"]
                apply(copy, line["edits"])
                run(kind, line["id"], check_edited, copy, line)
                restore(copy, FOLDER / "stores" / line["store"], line["edits"])
    print("agreeing with the independent reader: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    tally.finish()


if __name__ == "__main__":
    main()
