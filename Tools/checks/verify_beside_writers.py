"""Verifies a store again and again while others write into it, and counts what is said against it.

usage: verify_beside_writers.py [--runs 40]

Five loops of the real tool write beside it: attributes are set, a data set is replaced, one is appended to,
one is made and removed, one is written in parts by two processes. `verify --quick` and `verify` take turns.
Nothing is ever damaged, so any exit code but 0 is a false alarm.
"""
import argparse
import json
import subprocess
import threading
from pathlib import Path

import numpy as np

from support import Tally, scratch, slab, tool


class Writers:
    """Loops that go on until they are stopped, each in a thread of its own."""

    def __init__(self, directory):
        self.directory, self.store = Path(directory), Path(directory) / "s.slab"
        self.done, self.rounds, self.failures = threading.Event(), {}, []
        self.arrays = {}
        for name, values in {
            "small": np.arange(4000, dtype=np.int32).reshape(40, 100),
            "other": np.arange(4000, dtype=np.int32)[::-1].reshape(40, 100),
            "rows": np.arange(300, dtype=np.int16).reshape(3, 100),
        }.items():
            self.arrays[name] = self.directory / f"{name}.npy"
            np.save(self.arrays[name], np.ascontiguousarray(values))
        slab("import", self.arrays["small"], f"{self.store}/still", "--chunk-shape", "8,50", "--quiet")
        slab("import", self.arrays["small"], f"{self.store}/replaced", "--chunk-shape", "8,50", "--quiet")
        rows = self.directory / "rows.bin"
        rows.write_bytes(bytes(600))
        self.rows = rows
        slab("import", rows, f"{self.store}/log", "--raw", "--dtype", "int16", "--shape", "?,100",
             "--chunk-shape", "2,100", "--quiet")

    def loop(self, name, body):
        def run():
            while not self.done.is_set():
                try:
                    body(self.rounds.setdefault(name, 0))
                    self.rounds[name] += 1
                except Exception as error:
                    self.failures.append(f"{name}: {error}")
                    return
        return threading.Thread(target=run, name=name)

    def attribute(self, number):
        slab("attr", "set", f"{self.store}/still", "turn", str(number))

    def replace(self, number):
        array = self.arrays["other" if number % 2 == 0 else "small"]
        slab("import", array, f"{self.store}/replaced", "--chunk-shape", "8,50", "--overwrite", "--quiet")

    def append(self, number):
        slab("append", self.rows, f"{self.store}/log", "--raw", "--dtype", "int16", "--shape", "?,100",
             "--quiet")

    def remove(self, number):
        slab("import", self.arrays["small"], f"{self.store}/passing/x", "--chunk-shape", "8,50", "--quiet")
        slab("rm", f"{self.store}/passing")

    def parts(self, number):
        target = f"{self.store}/parts/p{number % 3}"
        arguments = [tool(), "import", str(self.arrays["small"]), target, "--chunk-shape", "8,50",
                     "--buffer-shape", "8,100", "--quiet", "--resume"]
        both = [subprocess.Popen([*arguments, "--part", f"{part}/2"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE) for part in range(2)]
        for process in both:
            message = process.communicate()[1].decode()
            if process.returncode:
                raise RuntimeError(message)

    def all(self):
        return [self.loop(name, getattr(self, name))
                for name in ("attribute", "replace", "append", "remove", "parts")]


def verify(store, quick):
    command = [tool(), "verify", str(store), "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True)
    if done.returncode == 0:
        return
    said = done.stderr.decode()
    if done.stdout:
        report = json.loads(done.stdout)
        said = json.dumps({key: report[key] for key in ("problems", "unchecked")})
    raise AssertionError(f"exit {done.returncode}: {said[:1200]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40)
    options = parser.parse_args()
    tally = Tally("verify beside writers")
    with scratch() as directory:
        writers = Writers(directory)
        threads = writers.all()
        for thread in threads:
            thread.start()
        try:
            for number in range(options.runs):
                quick = number % 2 == 0
                tally.run(f"run {number}{', quick' if quick else ''}", verify, writers.store, quick)
        finally:
            writers.done.set()
            for thread in threads:
                thread.join()
        for failure in writers.failures:
            tally.check(False, failure)
        tally.run("when all is over", verify, writers.store, False)
        print("rounds of the writers meanwhile:", ", ".join(f"{n} {c}" for n, c in writers.rounds.items()))
    tally.finish()


main()
