"""Opens a data set, as it lies on disk, with independent Zarr v3 implementations.

usage: open_in_peers.py STORE/DATASET REFERENCE.npy

Each of zarr-python, zarrs and TensorStore must give the bytes of the reference. A peer that does not
know a data type, or loses the bits of a NaN that is the fill value (both found out by letting it read
a little array that zarr-python wrote), is skipped.
"""
import functools
import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import tensorstore
import zarr
import zarrs  # noqa: F401 (registers its pipeline)

from support import Tally, same


def zarr_python(path):
    return zarr.open_array(path, mode="r")[...]


def zarrs_rust(path):
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        return zarr.open_array(path, mode="r")[...]


def tensorstore_cpp(path):
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
    return tensorstore.open(spec, read=True).result()[...].read().result()


PEERS = (zarr_python, zarrs_rust, tensorstore_cpp)


@functools.cache
def knows(peer, dtype):
    """Whether a peer reads an array of a type at all, whoever wrote it."""
    folder = tempfile.mkdtemp(prefix="peer-probe-")
    try:
        array = zarr.create_array(
            folder, shape=(3,), chunks=(2,), dtype=dtype, overwrite=True, compressors=None
        )
        array[...] = np.ones(3, dtype)
        return same(np.asarray(peer(folder)), np.ones(3, dtype))
    except Exception:
        return False
    finally:
        shutil.rmtree(folder)


@functools.cache
def keeps_fill(peer, dtype, spelled):
    """Whether a peer gives the bits of a fill value spelled as bits, where no chunk was written."""
    folder = tempfile.mkdtemp(prefix="peer-probe-")
    try:
        zarr.create_array(folder, shape=(3,), chunks=(3,), dtype=dtype, overwrite=True, compressors=None)
        file = Path(folder, "zarr.json")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"fill_value": spelled}))
        bits = np.array([int(spelled, 16)] * 3, f"u{np.dtype(dtype).itemsize}")
        return same(np.asarray(peer(folder)), bits.view(dtype))
    except Exception:
        return False
    finally:
        shutil.rmtree(folder)


def compare(path, expected):
    """Yields (peer, verdict): `same`, `skipped …`, or what is wrong."""
    fill = json.loads(Path(path, "zarr.json").read_text())["fill_value"]
    for peer in PEERS:
        if isinstance(fill, str) and fill.startswith("0x"):
            if not keeps_fill(peer, expected.dtype.name, fill):
                yield peer.__name__, f"skipped: loses the bits of the fill value {fill}"
                continue
        if not knows(peer, expected.dtype.name):
            yield peer.__name__, f"skipped: does not know {expected.dtype.name}"
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = np.asarray(peer(path))
            verdict = "same" if same(found, expected) else f"DIFFERENT {found.shape} {found.dtype}"
        except Exception as error:
            verdict = f"FAILED {type(error).__name__}: {error}"
        yield peer.__name__, verdict


def tally_peers(tally, path, expected):
    for peer, verdict in compare(path, expected):
        if verdict.startswith("skipped"):
            tally.skip(f"{path} in {peer}: {verdict}")
        else:
            tally.check(verdict == "same", f"{path} in {peer}: {verdict}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    counts = Tally("peers")
    array = np.load(sys.argv[2], mmap_mode="r")
    for name, outcome in compare(sys.argv[1], array):
        print(f"{name}: {outcome}")
        if not outcome.startswith("skipped"):
            counts.check(outcome == "same", name)
    counts.finish()
