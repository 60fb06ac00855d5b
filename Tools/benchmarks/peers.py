"""The operations of `operation`, done by the peers: one operation on one array in one process.

usage: peers.py PEER ARRAY.npy OP --out PATH [--chunk 3160,790] [--repeat N]
       peers.py --list

Prints one line of JSON with the fields that `operation` prints. Two threads; LZ4 at the peer's own
default effort unless its name says HC, then at 9. Results are compared with the array, byte for
byte, outside the time taken.
"""
import argparse
import importlib
import importlib.metadata
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

THREADS = 2
for variable in ("BLOSC_NTHREADS", "OMP_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(variable, str(THREADS))

import numpy as np  # noqa: E402 (after the number of threads is settled)

ROOT = Path(__file__).resolve().parents[2]
HC_EFFORT = 9


# Peers. Each opens what lies at a path, or creates it, and moves selections.


class Peer:
    """One way to store an array; `modules` are what it needs."""

    modules = ()

    def __init__(self, path, codec):
        self.path, self.codec = path, codec

    def create(self, array, chunk):
        raise NotImplementedError

    def open(self):
        raise NotImplementedError

    def write(self, box, values):
        self.array[box] = values

    def read(self, box):
        return np.asarray(self.array[box])

    def read_into(self, memory):
        np.copyto(memory, self.read(...))

    def close(self):
        self.array = None


class Zarr(Peer):
    modules = ("zarr", "numcodecs")

    def settle(self):
        import zarr

        zarr.config.set({"threading.max_workers": THREADS, "async.concurrency": 2 * THREADS})
        return zarr

    def create(self, array, chunk):
        zarr = self.settle()
        if self.codec == "lz4":
            import numcodecs

            options = dict(zarr_format=2, compressors=numcodecs.LZ4())
        else:
            hc = self.codec.endswith("hc")
            blosc = zarr.codecs.BloscCodec(
                cname="lz4hc" if hc else "lz4", clevel=HC_EFFORT if hc else 5, shuffle="shuffle"
            )
            options = dict(zarr_format=3, compressors=blosc)
        self.array = zarr.create_array(
            self.path, shape=array.shape, chunks=chunk, dtype=array.dtype, **options
        )

    def open(self):
        self.array = self.settle().open_array(self.path, mode="r")

    def read_into(self, memory):
        from zarr.core.buffer import default_buffer_prototype

        out = default_buffer_prototype().nd_buffer.from_numpy_array(memory)
        self.array.get_basic_selection(Ellipsis, out=out)


class Zarrs(Zarr):
    modules = ("zarr", "zarrs")

    def settle(self):
        import zarrs  # noqa: F401 (registers itself)

        zarr = super().settle()
        zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
        return zarr


class TensorStore(Peer):
    modules = ("tensorstore",)

    def spec(self):
        return {
            "driver": "zarr3",
            "kvstore": {"driver": "file", "path": self.path},
            "context": {
                "data_copy_concurrency": {"limit": THREADS},
                "file_io_concurrency": {"limit": 2 * THREADS},
                "file_io_sync": self.codec != "nosync",
            },
        }

    def create(self, array, chunk):
        import tensorstore

        blosc = {"cname": "lz4", "clevel": 5, "shuffle": "shuffle"}
        grid = {"name": "regular", "configuration": {"chunk_shape": list(chunk)}}
        metadata = {
            "shape": list(array.shape),
            "data_type": array.dtype.name,
            "chunk_grid": grid,
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "blosc", "configuration": blosc},
            ],
        }
        self.array = tensorstore.open(self.spec() | {"create": True, "metadata": metadata}).result()

    def open(self):
        import tensorstore

        self.array = tensorstore.open(self.spec()).result()

    def write(self, box, values):
        self.array[box].write(values).result()

    def read(self, box):
        return self.array[box].read(order="C").result()

    def read_into(self, memory):
        import tensorstore

        tensorstore.array(memory, copy=False, write=True).write(self.array).result()


class HDF5(Peer):
    modules = ("h5py", "hdf5plugin")

    def create(self, array, chunk):
        import h5py
        import hdf5plugin

        filters = {
            "lz4": hdf5plugin.LZ4(),
            "blosclz4": hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE),
            "bslz4": hdf5plugin.Bitshuffle(cname="lz4"),
        }
        self.file = h5py.File(self.path, "w")
        self.array = self.file.create_dataset(
            "data", shape=array.shape, chunks=chunk, dtype=array.dtype, **filters[self.codec]
        )

    def open(self):
        import h5py
        import hdf5plugin  # noqa: F401 (registers its filters)

        self.file = h5py.File(self.path, "r")
        self.array = self.file["data"]

    def read_into(self, memory):
        self.array.read_direct(memory)

    def close(self):
        self.file.close()


class Blosc2(Peer):
    modules = ("blosc2",)

    def create(self, array, chunk):
        import blosc2

        hc = self.codec == "lz4hc"
        packing = dict(
            codec=blosc2.Codec.LZ4HC if hc else blosc2.Codec.LZ4,
            clevel=HC_EFFORT if hc else 5,
            nthreads=THREADS,
        )
        self.array = blosc2.empty(
            array.shape, dtype=array.dtype, chunks=chunk, urlpath=self.path, mode="w",
            cparams=packing, dparams=dict(nthreads=THREADS),
        )  # fmt: skip

    def open(self):
        import blosc2

        self.array = blosc2.open(self.path, mode="r", dparams=dict(nthreads=THREADS))


class Npy(Peer):
    """No peer, the floor: a plain file, mapped."""

    def create(self, array, chunk):
        self.array = np.lib.format.open_memmap(
            self.path, mode="w+", dtype=array.dtype, shape=array.shape
        )

    def open(self):
        self.array = np.load(self.path, mmap_mode="r")

    def read(self, box):
        return np.array(self.array[box])

    def read_into(self, memory):
        np.copyto(memory, self.array)


PEERS = {
    "zarr-blosclz4": (Zarr, "blosclz4"),
    "zarr-lz4": (Zarr, "lz4"),
    "zarrs-blosclz4": (Zarrs, "blosclz4"),
    "tensorstore": (TensorStore, "sync"),
    "tensorstore-nosync": (TensorStore, "nosync"),
    "h5-lz4": (HDF5, "lz4"),
    "h5-blosclz4": (HDF5, "blosclz4"),
    "h5-bslz4": (HDF5, "bslz4"),
    "blosc2": (Blosc2, "lz4"),
    "npy": (Npy, "none"),
    "zarr-blosclz4hc": (Zarr, "blosclz4hc"),
    "blosc2-lz4hc": (Blosc2, "lz4hc"),
}


def versions(peer):
    """The versions of what a peer needs; None unless all of it can be imported."""
    try:
        modules = PEERS[peer][0].modules or ("numpy",)
        for module in modules:
            importlib.import_module(module)
        return {module: importlib.metadata.version(module) for module in modules}
    except Exception:
        return None


# What is read: the same boxes as in Sources/Operation/Boxes.swift.


class SplitMix64:
    def __init__(self):
        self.state = 1

    def below(self, bound):
        mask = 2**64 - 1
        self.state = self.state + 0x9E3779B97F4A7C15 & mask
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        return (z ^ z >> 31) % bound


def slice_box(shape, random):
    box = []
    for axis, length in enumerate(shape):
        edge = min(64 if len(shape) < 4 else 1 if axis == 0 else 32, length)
        start = random.below(length - edge + 1)
        box.append(slice(start, start + edge))
    return tuple(box)


def whole_box(shape, random, whole):
    box = []
    for axis, length in enumerate(shape):
        start = random.below(length)
        box.append(slice(0, length) if whole(axis) else slice(start, start + 1))
    return tuple(box)


def strided_box(shape, random):
    return tuple(slice(random.below(min(7, length)), length, 7) for length in shape)


PARTIAL = {
    "slices": (200, slice_box),
    "row": (20, lambda s, r: whole_box(s, r, lambda axis: axis == len(s) - 1)),
    "column": (20, lambda s, r: whole_box(s, r, lambda axis: axis == len(s) - 2)),
    "frame": (20, lambda s, r: whole_box(s, r, lambda axis: axis >= len(s) - 2)),
    "pixel": (20, lambda s, r: whole_box(s, r, lambda axis: axis == 0)),
    "strided": (3, strided_box),
}


# Measuring.


def timed(body):
    start = time.perf_counter()
    result = body()
    return time.perf_counter() - start, result


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def stored_bytes(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(Path(d, f)) for d, _, files in os.walk(path) for f in files)


def same(found, expected):
    """Equal to the last bit; a large array piece by piece, so that it is mapped and not loaded."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    if not expected.flags.c_contiguous:
        return np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(expected).tobytes()
    found = np.ascontiguousarray(found).reshape(-1).view(np.uint8)
    expected = expected.reshape(-1).view(np.uint8)
    step = 1 << 26
    return all(
        np.array_equal(found[at : at + step], expected[at : at + step])
        for at in range(0, len(found), step)
    )


class Measurement:
    def __init__(self, options):
        kind, codec = PEERS[options.peer]
        self.peer = kind(options.out, codec)
        self.file = options.array
        self.expected = np.load(options.array, mmap_mode="r")
        self.repetitions = options.repeat
        self.chunk, self.buffer = self.plan(options.chunk)

    def plan(self, chunk):
        """Chunk and buffer as the iterator resolves them: asked for, not derived a second time."""
        command = [
            os.environ.get("SLAB", str(ROOT / ".build/release/slab")), "plan", "--json",
            "--shape", ",".join(map(str, self.expected.shape)), "--dtype", self.expected.dtype.name,
        ]  # fmt: skip
        if chunk:
            command += ["--chunk-shape", chunk]
        plan = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return tuple(plan["chunk_shape"]), tuple(plan["buffer_shape"])

    def remove(self):
        if os.path.isdir(self.peer.path):
            shutil.rmtree(self.peer.path)
        elif os.path.exists(self.peer.path):
            os.remove(self.peer.path)

    def write_all(self, array):
        self.peer.create(array, self.chunk)
        steps = (range(0, n, b) for n, b in zip(array.shape, self.buffer))
        for corner in itertools.product(*steps):
            box = tuple(
                slice(at, min(at + b, n)) for at, b, n in zip(corner, self.buffer, array.shape)
            )
            self.peer.write(box, array[box])
        self.peer.close()

    def read_all(self):
        self.peer.open()
        values = self.peer.read(...)
        self.peer.close()
        return values

    def write(self):
        array = np.load(self.file)
        times = []
        for _ in range(self.repetitions or 1):
            self.remove()
            times.append(timed(lambda: self.write_all(array))[0])
        peak = peak_mb()
        del array
        return self.throughput(times, peak) | {"ok": same(self.read_all(), self.expected)}

    def read(self):
        times, values = [], None
        for _ in range(self.repetitions or 3):
            values = None  # Freed before, so that every repetition gets untouched memory.
            seconds, values = timed(self.read_all)
            times.append(seconds)
        return self.throughput(times, peak_mb()) | {"ok": same(values, self.expected)}

    def warm(self):
        memory = np.full(self.expected.shape, 1, self.expected.dtype)

        def fill():
            self.peer.open()
            self.peer.read_into(memory)
            self.peer.close()

        times = [timed(fill)[0] for _ in range(self.repetitions or 5)]
        return self.throughput(times, peak_mb()) | {"ok": same(memory, self.expected)}

    def open(self):
        first = tuple(slice(0, 1) for _ in self.expected.shape)

        def open_and_read():
            self.peer.open()
            value = self.peer.read(first)
            self.peer.close()
            return value

        done = [timed(open_and_read) for _ in range(self.repetitions or 50)]
        peak = peak_mb()
        isRight = all(same(value, self.expected[first]) for _, value in done)
        return self.latency([seconds for seconds, _ in done], peak) | {"ok": isRight}

    def partial(self, op):
        usual, box_of = PARTIAL[op]
        random = SplitMix64()
        self.peer.open()
        done = []
        for _ in range(self.repetitions or usual):
            box = box_of(self.expected.shape, random)
            seconds, values = timed(lambda: self.peer.read(box))
            done.append((seconds, box, values))
        peak = peak_mb()
        isRight = all(same(values, self.expected[box]) for _, box, values in done)
        return self.latency([seconds for seconds, _, _ in done], peak) | {"ok": isRight}

    def throughput(self, times, peak):
        median = sorted(times)[len(times) // 2]
        speed = self.expected.nbytes / 1e6 / median
        return {"seconds": median, "MBps": speed, "repeat": len(times), "rss_mb": peak}

    def latency(self, times, peak):
        times = sorted(times)
        return {
            "median_ms": times[len(times) // 2] * 1e3,
            "p90_ms": times[len(times) * 9 // 10] * 1e3,
            "repeat": len(times),
            "rss_mb": peak,
        }

    def run(self, op):
        result = self.partial(op) if op in PARTIAL else getattr(self, op)()
        return result | {"ratio": self.expected.nbytes / max(1, stored_bytes(self.peer.path))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", nargs="?", choices=PEERS)
    parser.add_argument("array", nargs="?", help="a .npy file")
    parser.add_argument("op", nargs="?", choices=["write", "read", "warm", "open", *PARTIAL])
    parser.add_argument("--chunk", help="chunk shape; default: HDMF's rule, asked of slab plan")
    parser.add_argument("--out", help="where the peer's file or directory is")
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--list", action="store_true", help="print what is installed, as JSON")
    options = parser.parse_args()
    if options.list:
        print(json.dumps({peer: versions(peer) for peer in PEERS}))
        return 0
    if not (options.op and options.out):
        parser.error("give PEER ARRAY.npy OP --out PATH, or --list")
    measurement = Measurement(options)
    report = {
        "peer": options.peer, "array": os.path.basename(options.array), "op": options.op,
        "chunk": measurement.chunk,
    }  # fmt: skip
    try:
        report |= measurement.run(options.op)
    except Exception as error:
        report |= {"ok": False, "error": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps(report))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
