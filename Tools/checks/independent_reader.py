"""Reads stores with `Tools/python/slab_reader.py`, which was written from the specification alone.

Every type × filter, integers with delta along each axis, ragged edges, fill-only chunks and several ranks, whole and as a box; then one
damaged bit in each file that carries data, which that reader must notice, too.
"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import slab_reader  # noqa: E402
from support import DTYPES, FILTERS, Tally, reference, same, scratch, seed, slab  # noqa: E402

SHAPES = [((), None), ((37,), "8"), ((11, 13), "4,6"), ((7, 5, 9), "3,2,4")]


def reads_equal(store, path, array):
    found = slab_reader.Store(str(store)).dataset(path).read()
    return same(np.asarray(found).reshape(array.shape), array)


def damage_is_noticed(store, path, name):
    file = store / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    whole = file.read_bytes()
    file.write_bytes(data)
    try:
        slab_reader.Store(str(store)).dataset(path).read()
        return False
    except (slab_reader.Damage, ValueError, KeyError):
        return True
    finally:
        file.write_bytes(whole)


def main():
    tally = Tally("independent reader")
    random = np.random.default_rng(seed())
    with scratch() as folder:
        folder = Path(folder)
        store = folder / "all.slab"
        for dtype in DTYPES:
            for filter_ in FILTERS:
                for number, (shape, chunk) in enumerate(SHAPES):
                    array = reference(random, shape, dtype)
                    np.save(folder / "in.npy", array)
                    path = f"{dtype}/{filter_}{number}"
                    flags = ["--chunk-shape", chunk] if chunk else []
                    slab("import", folder / "in.npy", store / path, "--quiet", "--filter", filter_, *flags)
                    tally.run(f"{path} {shape}", reads_equal, store, path, array)
            for number, (shape, chunk) in enumerate(SHAPES if "int" in dtype else []):
                array = reference(random, shape, dtype)
                np.save(folder / "in.npy", array)
                for axis in range(len(shape)):
                    path = f"{dtype}/delta{number}-{axis}"
                    slab("import", folder / "in.npy", store / path, "--quiet", "--delta", axis, "--chunk-shape", chunk)
                    tally.run(f"{path} {shape}", reads_equal, store, path, array)
        path = "int16/shuffle2"
        dataset = slab_reader.Store(str(store)).dataset(path)
        files = ["slab.json", f"{path}/c/2/1", f"{path}/c/1/2"]
        files += [f.relative_to(store).as_posix() for f in (store / "__slab/t" / dataset.node["id"]).iterdir()]
        for name in files:
            tally.run(f"{name} damaged", damage_is_noticed, store, path, name)
    tally.finish()


if __name__ == "__main__":
    main()
