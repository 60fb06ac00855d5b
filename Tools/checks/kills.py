"""Kills real imports at random moments and continues them.

usage: kills.py [--alone 20] [--together 5] [--seed N]

Alone: one process imports and is killed with SIGKILL; then the store, if there is one yet, must open and
verify, `--resume` must finish the import, and the values must be the source's, bit for bit. Every third
time the resumed import is killed as well, and every fifth import replaces a data set, which must be there
whole until then. Together: four processes fill disjoint parts of one data set; one to four of them are
killed, the others must finish undisturbed, and the killed parts are resumed.

A buffer of the import takes some milliseconds, so that kills fall everywhere: before the store exists, in
the middle of chunk files, between the steps of a commit, while closing.
"""
import argparse
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np

from support import Tally, scratch, seed, slab, tool

SHAPE, CHUNK, BUFFER = (192, 96, 64), (16, 48, 64), (16, 96, 64)
PARTS = 4


def source(path):
    values = np.random.default_rng(11).integers(0, 400, SHAPE, dtype=np.int32)
    values[64:80] = 0  # A buffer of fill-only chunks.
    np.save(path, values)
    return values


def arguments(npy, target, *more):
    shapes = [option for name, shape in (("--chunk-shape", CHUNK), ("--buffer-shape", BUFFER))
              for option in (name, ",".join(map(str, shape)))]
    return ["import", str(npy), target, *shapes, "--quiet", *more]


class Kills:
    def __init__(self, directory, random_, tally):
        self.directory, self.random, self.tally = Path(directory), random_, tally
        self.npy, self.store = self.directory / "in.npy", self.directory / "s.slab"
        self.values = source(self.npy)
        self.small = self.directory / "small.npy"
        np.save(self.small, np.arange(40, dtype=np.int16))
        self.killed = self.finished_first = self.before_store = self.redone = 0
        self.seconds = self.time_of_an_import()

    def time_of_an_import(self):
        begun = time.monotonic()
        slab(*arguments(self.npy, f"{self.directory}/timing.slab/a/x"))
        return time.monotonic() - begun

    def start(self, target, *more):
        return subprocess.Popen([tool(), *arguments(self.npy, target, *more)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def kill(self, process, after):
        time.sleep(max(0, after - time.monotonic()))
        process.send_signal(signal.SIGKILL)
        code = process.wait()
        message = process.stderr.read().decode()
        process.stderr.close()
        if code == -signal.SIGKILL:
            self.killed += 1
        else:
            self.finished_first += 1
            assert code == 0, f"exit {code}: {message}"

    def moment(self):
        return time.monotonic() + self.random.random() * 1.15 * self.seconds

    def check_sound(self, store):
        if not (store / "slab.json").exists():
            self.before_store += 1
            assert not store.exists(), "a store without an index under its name"
            return
        slab("ls", store)
        self.verify(store)

    def verify(self, store):
        done = subprocess.run([tool(), "verify", store], capture_output=True)
        assert done.returncode == 0, f"verify: {done.stdout.decode()[:1000]}"

    def check_values(self, store, node):
        out = self.directory / "out.npy"
        slab("export", f"{store}/{node}", out)
        found = np.load(out)
        out.unlink()
        assert found.tobytes() == self.values.tobytes() and found.shape == SHAPE, "the values differ"
        self.verify(store)

    def alone(self, number):
        store, node = self.store, "a/x"
        if number % 2:
            # A store that was complete before.
            slab("import", self.small, f"{store}/other", "--quiet")
        if number % 5 == 4:
            old = self.values[::-1].copy()
            np.save(self.directory / "old.npy", old)
            slab("import", self.directory / "old.npy", f"{store}/{node}", "--quiet")
            self.replace(store, node, old)
        else:
            self.kill(self.start(f"{store}/{node}"), self.moment())
            self.check_sound(store)
            if number % 3 == 2:
                self.kill(self.start(f"{store}/{node}", "--resume"), self.moment())
                self.check_sound(store)
            slab(*arguments(self.npy, f"{store}/{node}", "--resume"))
        self.check_values(store, node)

    def replace(self, store, node, old):
        """An overwriting import is all or nothing: until its end the old values stand."""
        self.kill(self.start(f"{store}/{node}", "--overwrite"), self.moment())
        self.check_sound(store)
        out = self.directory / "out.npy"
        slab("export", f"{store}/{node}", out)
        found = np.load(out).tobytes()
        assert found in (old.tobytes(), self.values.tobytes()), "neither the old nor the new values"
        if found == old.tobytes():
            slab(*arguments(self.npy, f"{store}/{node}", "--overwrite"))

    def together(self):
        store = self.store
        target = f"{store}/a/x"
        processes = [self.start(target, "--part", f"{part}/{PARTS}") for part in range(PARTS)]
        victims = self.random.sample(range(PARTS), self.random.randint(1, PARTS))
        for when, part in sorted((self.moment(), part) for part in victims):
            self.kill(processes[part], when)
        for part in set(range(PARTS)) - set(victims):
            message = processes[part].communicate()[1].decode()
            assert processes[part].returncode == 0, f"part {part} was disturbed: {message}"
        self.check_sound(store)
        again = [self.start(target, "--part", f"{part}/{PARTS}", "--resume") for part in victims]
        for process in again:
            message = process.communicate()[1].decode()
            assert process.returncode == 0, f"resuming a part: {message}"
        self.check_values(store, "a/x")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alone", type=int, default=20)
    parser.add_argument("--together", type=int, default=5)
    parser.add_argument("--seed", type=int, default=seed())
    options = parser.parse_args()
    tally = Tally("kills")
    with scratch() as directory:
        kills = Kills(directory, random.Random(options.seed), tally)
        for number in range(options.alone):
            tally.run(f"alone {number}", kills.alone, number)
            shutil.rmtree(kills.store, ignore_errors=True)
        for number in range(options.together):
            tally.run(f"together {number}", kills.together)
            shutil.rmtree(kills.store, ignore_errors=True)
    print(f"seed {options.seed}: {kills.killed} processes killed in {options.alone + options.together} rounds, "
          f"{kills.before_store} times before there was a store, {kills.finished_first} finished first; "
          f"an import takes {kills.seconds:.2f} s")
    tally.finish()


main()
