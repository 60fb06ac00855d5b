"""Writes the golden stores of Spec/vectors and what they hold, `expected.jsonl`.

    python3 make_vectors.py NEW_FOLDER SLAB

Values come from formulas, files from `slab_writer.py` and, for the store `tool`, from the tool
SLAB; neither reader takes part. What lies in
Spec/vectors was made once, with format version 1 of release 0.1, and is not to be made again:
a later release must read it as it is. So this refuses a folder that exists. New vectors are new
stores beside the old ones: write all to another folder, and take what is new from there.
"""

import hashlib
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from slab_writer import Dataset, Store, pattern

TYPES = ("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
         "float16 float32 float64 complex64 complex128").split()
FILTERS = "none shuffle bitshuffle".split()


class Vectors:
    def __init__(self, folder):
        self.folder, self.lines = folder, []

    def store(self, name, **members):
        return Store(os.path.join(self.folder, "stores"), f"{name}.slab", **members)

    def expect(self, store, dataset, as_path=None, formula=None, box=None, model=None):
        """One line; `as_path` is another spelling of the path, `model` the bytes in `box`."""
        path = as_path or dataset.path
        values = dataset.model if model is None else model
        if box:
            touched = [range(a // c, -(-b // c)) for (a, b), c in zip(box, dataset.chunk_shape)]
        else:
            touched = [range(n) for n in dataset.grid]
        line = {"id": f"{store.name[:-5]}/{path}", "store": store.name, "dataset": path, "dtype": dataset.dtype,
                "shape": dataset.shape}
        line |= {"values": formula} if formula else {}
        line |= {"box": box} if box else {}
        line["sha256"] = hashlib.sha256(values.tobytes()).hexdigest()
        line["states"] = "".join(dataset.state(c) for c in itertools.product(*touched))
        self.lines.append(line)

    def types(self):
        """Every type and filter; ranks 0 to 6, ragged edges, no elements, one, whole chunks only."""
        store, formulas = self.store("types"), itertools.cycle(["ramp", "noise", "steps"])
        shapes = {"scalar": ((), ()), "edge": ((13,), (8,)), "edges": ((5, 6), (4, 4))}
        more = {"one": ((1,), (3,)), "exact": ((4, 8), (2, 8)), "empty": ((0, 3), (2, 3)),
                "nothing": ((4, 0), (2, 1)), "rank3": ((3, 2, 5), (2, 2, 4)), "rank4": ((2, 3, 1, 4), (2, 2, 1, 4)),
                "rank5": ((2, 1, 3, 2, 2), (2, 1, 2, 2, 2)), "rank6": ((1, 2, 2, 1, 2, 3), (1, 1, 2, 1, 2, 2)),
                "large": ((3, 3), (8, 8))}
        turn = itertools.cycle(TYPES)
        for filter_ in FILTERS:
            cases = [(d, n, *s) for d in TYPES for n, s in shapes.items()]
            cases += [(next(turn), n, *s) for n, s in more.items()]
            for dtype, name, shape, chunk in cases:
                d = store.add(Dataset(f"{filter_}/{dtype}/{name}", shape, chunk, dtype, filter=filter_))
                formula = next(formulas)
                d.write(formula)
                self.expect(store, d, formula=formula)
        store.commit()

    def blocks(self):
        """Blocks: how many, how the last ends, raw and compressed ones, block sizes, levels."""
        store = self.store("blocks")
        sizes = {1: "uint8", 2: "int16", 4: "float32", 8: "int64", 16: "complex128"}
        formulas = itertools.cycle(["steps", "ramp", "steps", "ramp", "noise", "ramp", "steps"])
        for (e, dtype), filter_ in itertools.product(sizes.items(), FILTERS):
            for tail in (0, 1, 8, 7)[:3 if e > 4 else 4]:
                count = 4096 // e * (2 if tail == 8 else 1) + tail
                d = store.add(Dataset(f"{filter_}/{dtype}-{count}", (count,), (count,), dtype, filter=filter_, block=4096))
                formula = next(formulas)
                d.write(formula)
                self.expect(store, d, formula=formula)
        odd = [("block5000", "float32", 2500, dict(block=5000)), ("block4097", "complex128", 300, dict(block=4097)),
               ("block-largest", "int16", 40000, dict(block=1 << 20)), ("two-usual", "int16", 33000, {}),
               ("level3", "int32", 5000, dict(level=3)), ("level12", "int32", 5000, dict(level=12, block=4096)),
               ("level9", "float64", 2048, dict(level=9, block=8192))]
        for (name, dtype, count, options), filter_ in zip(odd, itertools.cycle(["bitshuffle", "shuffle", "none"])):
            d = store.add(Dataset(f"sizes/{name}", (count,), (count,), dtype, filter=filter_, **options))
            d.write("steps")
            self.expect(store, d, formula="steps")
        # Blocks of one chunk: constant (some ten bytes), raw, and what LZ4 barely shrinks.
        d = store.add(Dataset("sizes/mixed", (12288,), (12288,), "uint8", block=4096))
        values = np.concatenate([np.full(4096, 7, np.uint8), pattern("noise", d.path, 4096, "uint8")[:, 0],
                                 np.arange(4096).astype(np.uint8)])
        d.put((0,), values.reshape(-1, 1))
        self.expect(store, d)
        store.commit()

    def fills(self):
        """Fill values in all their spellings, beside stored, fill-only and never written chunks."""
        store = self.store("fills")
        cases = {
            "bool": [True, False], "int8": [-128, 127], "int16": [-1], "int32": [-2147483648], "uint8": [255],
            "int64": [-9223372036854775808, 9223372036854775807], "uint16": [65535], "uint32": [4294967295],
            "uint64": [18446744073709551615, 9223372036854775808],
            "float16": [0, -0.0, 0.1, 65504, "NaN", "Infinity", "-Infinity", "0x7e01", "0xFC01", 5.960464477539063e-08],
            "float32": [-0.0, 0.1, 16777217, "NaN", "-Infinity", "0x7fc00001", "0xffC00000", "0x7F800001", 1e-45],
            "float64": [-0.0, 0.1, 1e300, "NaN", "Infinity", "0x7ff8000000000001", "0xfff8000000000000", 5e-324],
            "complex64": [[0.0, -0.0], ["NaN", 1.5], ["0x7fc00001", "-Infinity"]],
            "complex128": [[-0.0, 0], ["Infinity", "0xFFF8000000000001"], [1e-300, "NaN"]]}
        for (dtype, fills), filter_ in zip(cases.items(), itertools.cycle(FILTERS)):
            for index, fill in enumerate(fills):
                d = store.add(Dataset(f"{dtype}-{index}", (11,), (4,), dtype, fill=fill, filter=filter_))
                turn = index % 3
                d.write("noise", [(turn,)])
                d.write("fill", [((turn + 1) % 3,)])
                self.expect(store, d)
        # What equals the fill value as a number but not in its bits has to be stored.
        for dtype, fill, bits in (("float32", 0.0, "00000080"), ("float64", -0.0, "00" * 8),
                                  ("float16", "NaN", "00fe"), ("complex64", [0.0, 0.0], "0000000000000080")):
            d = store.add(Dataset(f"unlike/{dtype}", (6,), (4,), dtype, fill=fill))
            part = np.frombuffer(bytes.fromhex(bits), np.uint8)
            d.put((0,), np.tile(part, 4).reshape(4, -1))
            d.put((1,), np.tile(part, 2).reshape(2, -1))
            self.expect(store, d)
        for name, chunks in (("never", []), ("all-fill", [(0,), (1,)])):
            d = store.add(Dataset(name, (7,), (4,), "float32", fill="NaN", filter="auto"))
            d.write("fill", chunks)
            self.expect(store, d)
        store.commit()

    def shapes(self):
        """Several commits: shapes that change, runs of several grids, in pieces, merged; removals."""
        store, sets = self.store("shapes", **{"x-lab": {"note": ["kept", 1.5]}}), {}

        def add(name, shape, chunk, formula="ramp", **options):
            sets[name] = store.add(Dataset(name, shape, chunk, options.pop("dtype", "int32"), **options))
            return sets[name].write(formula) if formula else sets[name]

        for filter_ in FILTERS:
            add(f"grown/{filter_}", (5,), (4,), filter=filter_, fill=-1)
            add(f"grown-across/{filter_}", (3, 5), (2, 4), "noise", filter=filter_, dtype="uint16")
            add(f"shrunk/{filter_}", (9, 6), (4, 4), filter=filter_, fill=7)
            add(f"regrown/{filter_}", (9, 6), (4, 4), "noise", filter=filter_, dtype="float64", fill="NaN")
            add(f"turned/{filter_}", (2, 8), (2, 2), filter=filter_)
        add("appended", (3, 2), (4, 2), dtype="float32", max_shape=[None, 2])
        add("overwritten", (8, 8), (4, 4), "noise", dtype="uint8")
        add("dropped", (8,), (2,))
        add("in-pieces", (30,), (2,))
        add("merged", (10, 10), (5, 2))
        add("merged-tail", (6, 6), (2, 2))
        add("merged-all", (6, 6), (2, 2))
        add("from-nothing", (0, 4), (3, 2), None)
        add("to-nothing", (5, 4), (3, 2))
        add("to-nothing-and-back", (5, 4), (3, 2))
        add("removed", (4,), (2,))
        add("gone/inside", (4,), (2,))
        store.commit("open", split=4)
        for filter_ in FILTERS:
            sets[f"grown/{filter_}"].resize((14,)).write("noise", [(2,)])
            sets[f"grown-across/{filter_}"].resize((3, 9)).write("steps", [(0, 2), (1, 1)])
            sets[f"shrunk/{filter_}"].resize((6, 3))
            sets[f"regrown/{filter_}"].resize((3, 5))
            sets[f"turned/{filter_}"].resize((6, 3))
        for index, name in enumerate(("appended", "from-nothing")):
            sets[name].resize((7 + index, sets[name].shape[1])).write("ramp")
        sets["overwritten"].write("steps", [(0, 1), (1, 0)])
        sets["dropped"].drop((1,))
        sets["dropped"].write("fill", [(2,)])
        for name in ("merged", "merged-tail", "merged-all"):
            sets[name].write("noise", [(0, 0), (1, 1)])
        sets["to-nothing"].resize((0, 4))
        sets["to-nothing-and-back"].resize((5, 0))
        store.remove("removed")
        store.commit("open", split=3)
        for filter_ in FILTERS:
            sets[f"grown/{filter_}"].resize((17,)).write("ramp", [(4,)])
            sets[f"grown-across/{filter_}"].resize((7, 9)).write("ramp", [(3, 0), (2, 2)])
            sets[f"regrown/{filter_}"].resize((11, 9)).write("ramp", [(2, 2), (1, 0)])
            sets[f"turned/{filter_}"].write("noise", [(2, 1), (0, 0)])
        sets["to-nothing-and-back"].resize((5, 6)).write("steps", [(1, 1), (0, 0)])
        sets["merged-tail"].resize((6, 4)).write("steps", [(2, 0)])
        sets["appended"].resize((9, 2)).write("noise", [(2, 0)], key="more")
        store.remove("gone/inside")
        store.remove("gone")
        store.commit("open")
        sets["merged"].resize((12, 7)).write("steps", [(2, 3), (0, 1)])
        sets["merged-tail"].resize((8, 6)).write("ramp", [(3, 2)])
        sets["merged-all"].drop((0, 0))
        sets["merged-all"].resize((6, 3)).write("ramp", [(1, 0)])
        add("removed", (3,), (2,), "noise", dtype="int8")
        store.commit(merge=2)
        sets["merged-all"].write("noise", [(2, 1)], key="again")
        store.commit(merge=9)
        for d in sets.values():
            if d.path != "gone/inside":
                self.expect(store, d)

    def sparse(self):
        """Shapes and chunk numbers at the limits; only boxes can be read."""
        store = self.store("sparse")
        longest = store.add(Dataset("longest", (2**62 - 1, 0), (2**20, 1), "int8"))
        self.expect(store, longest, box=[[5, 9], [0, 0]], model=np.empty((0, 1), np.uint8))
        cases = [("most-chunks", (2**41,), (2,), "int16", (2**40 - 1,), [[2**41 - 4, 2**41]]),
                 ("square", (2**21, 2**21), (2, 2), "uint8", (2**20 - 1, 2**20 - 1), [[2**21 - 2, 2**21]] * 2),
                 ("rank32", (1,) * 31 + (3,), (1,) * 31 + (2,), "float32", (0,) * 31 + (1,), None),
                 ("rank12", (2,) * 12, (1,) * 12, "uint8", (1,) * 12, [[1, 2]] * 12)]
        for name, shape, chunk, dtype, place, box in cases:
            d = Dataset(name, shape, chunk, dtype)
            store.add(d)
            inside = d.inside(place)
            count = int(np.prod([s.stop - s.start for s in inside]))
            values = pattern("noise", name, count, dtype).reshape(*[s.stop - s.start for s in inside], -1)
            d.put(place, values)
            if box is None:
                self.expect(store, d)
                continue
            model = d.filled([b - a for a, b in box])
            model[tuple(slice(s.start - a, s.stop - a) for s, (a, b) in zip(inside, box))] = values
            self.expect(store, d, box=box, model=model)
        store.commit()

    def names(self):
        """Names, attributes, dimensions, units, members of other software."""
        store = self.store("names", **{"x-root": None})
        nested = "end"
        for depth in range(63):
            nested = [nested] if depth % 2 else {"in": nested}
        deep = {"nested": nested, "ümläut \u0007\u007f\"\\/\n": "\U0001f9ea", "integers": [2**64 - 1, -2**63, 0],
                "reals": [0.1, -0.0, 1e300, 5e-324, 1.0], "empty": [{}, [], ""], "null": None, "units": "V"}
        store.group("", {"title": "names", "tags": ["a", "b"]})
        store.group("groups/inner", deep)
        cases = [("Größe", "Gro\u0308\u00dfe", {}), ("e\u0301tudes/n\u00ba 5", "\u00e9tudes/n\u00ba 5", {}),
                 ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", {}), ("n" * 255, None, {}),
                 ("/".join(["d" * 200] * 3), None, {}), ("spaces and ~!@#$%^&()", None, {}),
                 ("con", None, {}), ("_one", None, {}), ("C", None, {}), ("C.json", None, {}), ("zarr.json.", None, {}),
                 ("cc/c0", None, {}), ("🧪", None, dict(attributes=deep | {"nested": {"a": [[1], {}]}}, unit="µV", dims=["t", None])),
                 ("dims", None, dict(dims=["y", "x"], unit="m s⁻¹")), ("bounded", None, dict(max_shape=[3, 2])),
                 ("with-source", None, dict(extra={"source": {"fingerprint": "npy:24301 \u00b5"}})),
                 ("foreign-members", None, dict(extra={"x-tool": {"any": [1, "two", None]}, "x-": 1}))]
        for path, spelled, members in cases:
            d = store.add(Dataset(path, (3, 2), (2, 2), "int16", filter="bitshuffle", **members))
            d.write("ramp")
            self.expect(store, d, as_path=spelled, formula="ramp")
        store.commit()

    def pending(self):
        """Killed right after step 7: staged chunks, some moved already, chunks to drop, removals."""
        store, sets = self.store("pending"), {}
        for filter_ in FILTERS:
            sets[filter_] = store.add(Dataset(f"over/{filter_}", (9, 5), (4, 4), "int32", filter=filter_)).write("ramp")
        for name, shape, chunk in (("scalar", (), ()), ("shrunk", (9, 6), (4, 4)), ("turned", (2, 8), (2, 2)),
                                   ("dropped", (8,), (2,)), ("moved", (8,), (2,)), ("replaced", (6,), (2,)),
                                   ("untouched", (6,), (2,)), ("gone/inside", (4,), (2,)), ("gone/first", (4,), (2,))):
            sets[name] = store.add(Dataset(name, shape, chunk, "uint16", fill=9)).write("noise")
        store.commit("open")
        for filter_ in FILTERS:
            sets[filter_].write("noise", [(0, 1), (2, 0)])
        sets["scalar"].write("ramp")
        sets["shrunk"].resize((6, 3))
        sets["turned"].resize((6, 3)).write("ramp", [(2, 0), (0, 0)])
        sets["dropped"].drop((1,))
        sets["dropped"].write("fill", [(2,)])
        sets["moved"].write("ramp", [(0,), (1,), (3,)])
        store.remove("replaced")
        sets["replaced"] = store.add(Dataset("replaced", (3, 3), (2, 2), "float64", filter="shuffle")).write("ramp")
        for path in ("gone/inside", "gone/first", "gone"):
            store.remove(path)
        store.commit("open", stop=True)
        slot = store.datasets().index(sets["moved"])
        for chunk in ((0,), (3,)):
            os.rename(os.path.join(store.folder, store.staged_name(slot, chunk)),
                      os.path.join(store.folder, store.chunk_name("moved", chunk)))
        for name, d in sets.items():
            if not name.startswith("gone"):
                self.expect(store, d)

    def target(self):
        """What the damaged vectors start from: small, so that each line of them is."""
        store = self.store("target")
        a = store.add(Dataset("a", (5, 6), (4, 4), "int16", fill=-1, filter="bitshuffle", max_shape=[None, 6],
                              dims=["y", "x"], unit="mV")).write("ramp")
        b = store.add(Dataset("b", (1200,), (1024,), "float64", filter="shuffle", block=4096)).write("noise", [(0,)])
        b.write("steps", [(1,)])
        c = store.add(Dataset("g/u", (8,), (2,), "uint8", attributes={"gain": 2.5})).write("ramp", [(0,), (3,)])
        store.commit("open")
        c.write("fill", [(1,)])
        a.write("noise", [(1, 1)])
        store.commit("open")
        c.write("noise", [(3,)])
        store.commit()
        for d in (a, b, c):
            self.expect(store, d)

    def delta(self):
        """The filter delta: integer types, axes, strides; columns and blocks that end anywhere."""
        store, sets = self.store("delta"), {}
        turn, integers = itertools.cycle(["ramp", "noise", "steps"]), [t for t in TYPES if "int" in t]

        def add(name, shape, chunk, dtype, axis, formula=None, **options):
            formula = formula or next(turn)
            sets[name] = store.add(Dataset(name, shape, chunk, dtype, delta=axis, **options)).write(formula)
            sets[name].formula = formula

        for dtype in integers:
            add(f"types/{dtype}/line", (21,), (8,), dtype, 0)
            add(f"types/{dtype}/rows", (5, 6), (4, 4), dtype, 0, fill=3)
            add(f"types/{dtype}/columns", (5, 6), (4, 4), dtype, 1)
        shapes = [((3, 4, 5), (2, 3, 4), 1), ((3, 4, 5), (3, 2, 2), 0), ((2, 3, 1, 4), (2, 2, 1, 4), 2),
                  ((1, 2, 2, 1, 2, 3), (1, 1, 2, 1, 2, 2), 4), ((1,), (3,), 0), ((0, 3), (2, 3), 1), ((3, 3), (8, 8), 0),
                  ((5, 1), (5, 1), 0), ((1, 9), (1, 9), 0)]
        for (shape, chunk, axis), dtype in zip(shapes, itertools.cycle(integers)):
            add(f"shapes/{len(shape)}-{axis}-{dtype}", shape, chunk, dtype, axis)
        # Several blocks; the last one may be no multiple of eight elements. Strides of one, of a few
        # elements, of no divisor of a block, of a block, and beyond it.
        for dtype, shape, axis in [
                ("int16", (4101,), 0), ("int16", (700, 10), 0), ("int16", (430, 10), 1), ("int8", (3, 5000), 0),
                ("uint8", (3, 4096), 0), ("uint8", (4, 1025, 2), 1), ("int32", (70, 3, 7), 0), ("int32", (2051, 1), 0),
                ("int64", (9, 130), 0), ("uint64", (33, 33), 0), ("uint64", (2, 2, 300), 2), ("uint16", (40, 1000), 0),
                ("uint32", (3, 1024), 0), ("int64", (5, 512), 1)]:
            name = f"blocks/{dtype}-{'x'.join(map(str, shape))}-{axis}"
            add(name, shape, shape, dtype, axis, "steps" if len(shape) > 1 else "ramp", block=4096)
        add("blocks/usual", (3500, 10), (3500, 10), "int16", 0, "noise")
        add("blocks/odd-size", (999, 3), (999, 3), "int16", 0, "steps", block=5000, level=9)
        for dtype in integers:
            # From one end of the range to the other: differences wrap around.
            d = sets[f"ends/{dtype}"] = store.add(Dataset(f"ends/{dtype}", (6, 4), (4, 4), dtype, delta=0))
            low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
            values = np.array([[low, high, 0, 1], [high, low, high, low]] * 3, np.dtype(dtype).newbyteorder("<"))
            flat = np.frombuffer(values.tobytes(), np.uint8).reshape(6, 4, -1)
            d.put((0, 0), flat[:4])
            d.put((1, 0), flat[4:])
        d = sets["states"] = store.add(Dataset("states", (11,), (4,), "int16", fill=-2, delta=0))
        d.write("noise", [(0,)]).write("fill", [(1,)])
        sets["never"] = store.add(Dataset("never", (7, 2), (4, 2), "uint8", delta=1, attributes={"a": 1}))
        add("grown", (5, 6), (4, 4), "int32", 0, fill=9)
        add("shrunk", (9, 6), (4, 4), "int32", 1)
        add("over", (9, 5), (4, 4), "uint16", 0)
        for name, dtype, filter_ in (("plain/float", "float32", "bitshuffle"), ("plain/shuffled", "int16", "shuffle"),
                                     ("plain/open", "int16", "auto"), ("types/plain", "int16", "bitshuffle")):
            d = sets[name] = store.add(Dataset(name, (6,), (4,), dtype, filter=filter_))
            d.write("fill" if filter_ == "auto" else "ramp")
        # A group that holds one, in a group that does.
        add("types/int16/more/inner", (6,), (6,), "int16", 0)
        store.commit("open")
        sets["grown"].resize((11, 6)).write("noise", [(2, 0)])
        sets["shrunk"].resize((6, 3))
        sets["over"].write("steps", [(0, 1), (2, 0)])
        store.commit()
        for name, d in sets.items():
            self.expect(store, d, formula=None if name in ("grown", "shrunk", "over") else getattr(d, "formula", None))

    def repeats(self):
        """Blocks of the fill value that a chunk stores once: where they stand, last blocks, every filter."""
        store = self.store("repeats")
        turn = itertools.cycle([("int16", -3), ("float64", 0.0), ("uint8", 0), ("complex64", [1.5, -0.5]), ("bool", True)])
        # A letter a block: of the fill value, or of others; the last may be short by some elements.
        patterns = ["fxfxf", "xfffx", "ffffx", "xxxxf", "xffff", "xfx", "fxx", "ffxfxxfff"]
        for filter_, short, letters in itertools.product(FILTERS, (0, 8, 3), patterns):
            dtype, fill = next(turn)
            e = np.dtype(dtype).itemsize
            d = store.add(Dataset(f"{filter_}/{letters}-{short}", *2 * ((len(letters) * 4096 // e - short,),), dtype, fill=fill,
                                  filter=filter_, block=4096, repeats=True))
            values = pattern("noise" if letters == "xfx" else "steps", d.path, d.shape[0], dtype)
            for i in (i for i, letter in enumerate(letters) if letter == "f"):
                values[i * 4096 // e:(i + 1) * 4096 // e] = d.filled(values[i * 4096 // e:(i + 1) * 4096 // e].shape[:1])
            d.put((0,), values)
            self.expect(store, d)
        # Edge chunks: padding is blocks of the fill value, too.
        for filter_ in FILTERS:
            d = store.add(Dataset(f"edges/{filter_}", (5, 900), (8, 2048), "int32", fill=7, filter=filter_, block=4096, repeats=True))
            d.write("steps")
            self.expect(store, d, formula="steps")
        d = store.add(Dataset("edges/delta", (5, 900), (8, 2048), "int16", delta=0, block=4096, repeats=True))
        d.write("steps")
        self.expect(store, d, formula="steps")
        store.commit()

    def tool(self, slab):
        """What the tool of this release writes; first the worked example of the specification."""
        folder = os.path.join(self.folder, "stores", "tool.slab")
        row, column = np.ogrid[:5, :6]
        other, last = np.ogrid[:4, :3]
        cases = [("a", 10 * row + column, "int16", "4,4", ["--filter", "bitshuffle", "--fill-value=-1"]),
                 ("g/b", 100 * other + last - 1, "int16", "3,2", ["--filter", "bitshuffle"])]
        shapes = [((3000,), "1024"), ((40, 30), "16,30"), ((6, 5, 4), "3,2,4"), ((), None)]
        options = [["--filter", "none"], ["--filter", "shuffle"], ["--filter", "bitshuffle", "--level", "12"], []]
        for index, dtype in enumerate(TYPES):
            shape, chunk = shapes[index % 4]
            name = f"more/{dtype}"
            flat = pattern("steps", f"tool:{name}", int(np.prod(shape)), dtype)
            values = np.frombuffer(flat.tobytes(), np.dtype(dtype).newbyteorder("<")).reshape(shape)
            cases.append((name, values, dtype, chunk, options[index // 4] + ["--commit", "buffer"]))
        for name, values, dtype, chunk, flags in cases:
            values = np.asarray(values).astype(np.dtype(dtype).newbyteorder("<"))
            with tempfile.NamedTemporaryFile() as file:
                file.write(values.tobytes())
                file.flush()
                shape = ",".join(map(str, values.shape))
                flags = flags + (["--chunk-shape", chunk] if chunk else [])
                subprocess.run([slab, "import", file.name, f"{folder}/{name}", "--raw", "--dtype", dtype,
                                "--shape", shape, "--quiet", *flags], check=True)
            chunks = tuple(map(int, chunk.split(","))) if chunk else ()
            grid = [-(-n // c) for n, c in zip(values.shape, chunks)]
            line = {"id": f"tool/{name}", "store": "tool.slab", "dataset": name, "dtype": dtype,
                    "shape": list(values.shape)} | ({"values": "steps"} if "/" in name[2:] else {})
            self.lines.append(line | {"sha256": hashlib.sha256(values.tobytes()).hexdigest(),
                                      "states": "s" * int(np.prod(grid))})


def tree_digest(store):
    """SHA-256 over a store's files: name, length and contents of each, by name."""
    digest = hashlib.sha256()
    for path in sorted((p for p in store.rglob("*") if p.is_file()), key=lambda p: p.as_posix().encode()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(store).as_posix()} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def main(folder, slab):
    if os.path.exists(folder):
        sys.exit(f"{folder} is there already; golden stores are not made again")
    vectors = Vectors(folder)
    for part in ("types", "blocks", "fills", "shapes", "sparse", "names", "pending", "target"):
        getattr(vectors, part)()
    vectors.tool(slab)
    vectors.delta()
    vectors.repeats()
    for place, _, _ in os.walk(folder, topdown=False):
        if not os.listdir(place):
            os.rmdir(place)  # What version control would lose.
    with open(os.path.join(folder, "expected.jsonl"), "w") as file:
        for line in vectors.lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    stores = sorted(pathlib.Path(folder, "stores").iterdir())
    with open(os.path.join(folder, "stores.json"), "w") as file:
        json.dump({store.name: tree_digest(store) for store in stores}, file, indent=2)
        file.write("\n")
    print(f"{len(vectors.lines)} valid vectors")


if __name__ == "__main__":
    main(*sys.argv[1:])
