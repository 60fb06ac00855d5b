"""What a Zarr reader sees of a data set that is being replaced or removed when the tool is killed.

usage: zarr_view.py [--kills 40] [--seed N]

One of two arrays stands in a store. The tool replaces it by the other (of the same type, of another type,
with another filter, with --delta) or removes it, and is killed with SIGKILL at a random moment. zarr-python
then reads it by its own path and by way of the root, whose consolidated metadata it believes: it must find
the old array or the new one, whole (or, after a removal, nothing). Anything else is a third state. `verify`
must not say that both views are the same unless they are. At last the next writer must bring all in order.
"""
import argparse
import json
import random
import shutil
import signal
import subprocess
import time
import warnings
from pathlib import Path

import numpy as np
import zarr

from support import Tally, scratch, seed, slab, tool

warnings.simplefilter("ignore")
SHAPE, CHUNK = (240, 64), "8,64"
KINDS = "same type filter delta remove".split()
ABSENT = "absent"


def arrays(random_, kind):
    """The array that stands, the one that comes, and the options to import them."""
    old = random_.integers(1, 10_000, SHAPE, dtype=np.int32)
    new = random_.integers(-10_000, -1, SHAPE, dtype=np.int32)
    if kind == "type":
        new = new.astype("f8") + 0.5
    options = {"filter": (["--filter", "shuffle"], ["--filter", "none"]), "delta": ([], ["--delta", "0"])}
    return old, new, *options.get(kind, ([], []))


def zarr_sees(store):
    """What zarr-python reads, by way of the root and by the array's own path."""
    views = []
    for open_ in (lambda: zarr.open_group(store, mode="r")["g/a"], lambda: zarr.open_array(f"{store}/g/a", mode="r")):
        try:
            views.append(open_()[...])
        except Exception as error:  # Not there, refused, or damaged: that is told apart below.
            missing = isinstance(error, (KeyError, FileNotFoundError)) or "ArrayNotFound" in type(error).__name__
            refused = "delta-blosc" in str(error)
            views.append(ABSENT if missing or refused else f"{type(error).__name__}: {error}")
    return views


def slab_sees(store, directory):
    done = subprocess.run([tool(), "export", f"{store}/g/a", f"{directory}/out.npy", "--force"], capture_output=True)
    if done.returncode != 0:
        done = subprocess.run([tool(), "export", f"{store}/g/a", f"{directory}/out.npy"], capture_output=True)
    return np.load(f"{directory}/out.npy") if done.returncode == 0 else ABSENT


def is_same(found, expected):
    if isinstance(found, str) or isinstance(expected, str):
        return isinstance(found, str) and isinstance(expected, str) and found == expected
    return found.dtype == expected.dtype and np.array_equal(found, expected)


class Kill:
    def __init__(self, directory, random_, tally):
        self.directory, self.random, self.tally = Path(directory), random_, tally
        self.third = self.killed = self.behind = 0
        self.seconds = {}

    def run(self, number):
        kind = KINDS[number % len(KINDS)]
        numbers = np.random.default_rng(self.random.getrandbits(32))
        old, new, before, after = arrays(numbers, kind)
        store = self.directory / "s.slab"
        shutil.rmtree(store, ignore_errors=True)
        np.save(self.directory / "old.npy", old)
        np.save(self.directory / "new.npy", new)
        slab("import", self.directory / "old.npy", f"{store}/g/a", "--chunk-shape", CHUNK, "--quiet", *before)
        slab("import", self.directory / "old.npy", f"{store}/other", "--chunk-shape", CHUNK, "--quiet")
        if kind == "remove":
            command = ["rm", f"{store}/g/a"]
        else:
            command = ["import", str(self.directory / "new.npy"), f"{store}/g/a", "--chunk-shape", CHUNK,
                       "--quiet", "--overwrite", *after]
        begun = time.monotonic()
        process = subprocess.Popen([tool(), *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kind in self.seconds:
            # Places are changed near the end; every other kill falls there.
            begin = 0.7 if self.random.random() < 0.5 else 0
            time.sleep(self.random.uniform(begin, 1.05) * self.seconds[kind])
            process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            self.killed += 1
        else:
            self.seconds[kind] = time.monotonic() - begun
        self.look(store, kind, old, new, f"kill {number} ({kind})")

    def look(self, store, kind, old, new, what):
        # A data set with --delta is refused by Zarr readers: to them it is not there.
        wanted = [old, ABSENT if kind in ("delta", "remove") else new]
        report = json.loads(subprocess.run([tool(), "verify", str(store), "--json"], capture_output=True).stdout)
        views = zarr_sees(store)
        allowed = wanted + [ABSENT] if kind in ("delta", "remove") else wanted
        are_whole = all(any(is_same(view, one) for one in allowed) for view in views)
        self.third += not are_whole
        self.tally.check(are_whole, f"{what}: a third state: {[str(view)[:200] for view in views]}")
        ours = slab_sees(store, self.directory)
        expected = ABSENT if kind == "delta" and is_same(ours, new) else ours
        agree = all(is_same(view, expected) for view in views)
        self.behind += report["zarr_view"] == "differs"
        self.tally.check(agree or report["zarr_view"] == "differs", f"{what}: verify is silent")
        # The next writer brings all in order.
        slab("attr", "set", f"{store}/other", "k", "1")
        views = zarr_sees(store)
        self.tally.check(all(is_same(view, expected) for view in views), f"{what}: behind after the next writer")
        report = json.loads(slab("verify", store, "--json"))
        self.tally.check(report["zarr_view"] == "same", f"{what}: {report['zarr_differences']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=seed())
    options = parser.parse_args()
    tally = Tally("zarr view")
    with scratch() as directory:
        kill = Kill(directory, random.Random(options.seed), tally)
        for number in range(options.kills + len(KINDS)):
            tally.run(f"kill {number}", kill.run, number)
    print(f"seed {options.seed}: {kill.killed} killed, {kill.third} third states, {kill.behind} times verify told of a difference")
    tally.finish()


if __name__ == "__main__":
    main()
