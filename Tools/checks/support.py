"""What the checks share: the tool, reference arrays, counting."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DTYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128"
).split()
FILTERS = "none shuffle bitshuffle auto".split()


def seed():
    return int(os.environ.get("HYPERSLAB_SEED", "24301")) % 2**32


def tool():
    """The release build of the tool; SLAB names another one."""
    path = Path(os.environ.get("SLAB", ROOT / ".build/release/slab"))
    if not path.exists():
        sys.exit(f"{path} is missing: swift build -c release --product slab")
    return str(path)


class ToolFailure(Exception):
    """The tool ended with another exit code than it should."""


def slab(*arguments, code=0):
    """Runs the tool; returns what it printed, as bytes."""
    command = [tool(), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True)
    if done.returncode != code:
        raise ToolFailure(
            f"{' '.join(command)}: exit {done.returncode}, expected {code}: {done.stderr.decode()[:600]}"
        )
    return done.stdout


def scratch(parent=None):
    """A directory that is removed in the end."""
    return tempfile.TemporaryDirectory(prefix="slab-checks-", dir=parent)


def special_values(dtype):
    """Values that get lost: NaNs with payloads, -0.0, infinities, subnormals, ends of ranges."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.array([0, 1, info.min, info.max], dtype)
    part = {"f": dtype.itemsize, "c": dtype.itemsize // 2}[dtype.kind]
    bits = {
        2: [0, 0x8000, 0x7C00, 0xFC00, 0x7E00, 0x7E01, 0xFFFF, 0x7C01, 1],
        4: [0, 1 << 31, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7FC00001, 0xFFFFFFFF, 0x7F800001, 1],
        8: [0, 1 << 63, 0x7FF << 52, 0xFFF << 52, 0x7FF8 << 48, (0x7FF8 << 48) + 1, 2**64 - 1, (0x7FF << 52) + 1, 1],
    }[part]
    words = np.array(bits, f"u{part}")
    if dtype.kind == "c":
        words = np.stack([words, words[::-1]], axis=1)
    return words.reshape(-1).view(dtype)


def reference(random, shape, dtype):
    """An array of random bits, special values, and runs of zeros that make chunks fill-only."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    if dtype.kind == "b":
        flat = random.integers(0, 2, count, dtype=np.uint8).astype(bool)
    else:
        flat = np.frombuffer(random.bytes(count * dtype.itemsize), dtype).copy()
    special = special_values(dtype)
    places = random.random(count) < 0.3
    picks = random.integers(0, len(special), int(places.sum()))
    # Bits, not values: assigning a signalling NaN as a value would quieten it.
    raw = flat.view(f"V{dtype.itemsize}")
    raw[places] = special.view(f"V{dtype.itemsize}")[picks]
    array = flat.reshape(shape)
    if len(shape) and shape[0] > 1:
        array[: shape[0] // 2] = 0
    return array


def same(found, expected):
    """Equal to the last bit, type and shape included."""
    return (
        found.shape == expected.shape
        and found.dtype == expected.dtype
        and np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(expected).tobytes()
    )


class Tally:
    """Counts cases; the last line is for the script that sums up."""

    def __init__(self, name):
        self.name, self.passed, self.failed, self.skipped = name, 0, 0, 0

    def check(self, condition, what):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {self.name}: {what}", flush=True)

    def run(self, what, body, *arguments):
        """Counts a body that must not raise and not return False."""
        try:
            self.check(body(*arguments) is not False, what)
        except Exception as error:
            self.check(False, f"{what}: {type(error).__name__}: {error}")

    def skip(self, what):
        self.skipped += 1
        print(f"skipped {self.name}: {what}", flush=True)

    def finish(self):
        tail = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed{tail}")
        sys.exit(1 if self.failed else 0)
