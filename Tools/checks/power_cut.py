"""Cuts the power under writers, on real file systems: everything acknowledged is there when they come up again.

usage: power_cut.py [--rounds 40] [--kinds ext4,xfs] [--seed N]

A writer (import, import --overwrite, append, attr, rm, in turns, several one after another in a round) works on
a file system of its own, which is shut down at a random moment by FS_IOC_SHUTDOWN: nothing more reaches the
disk, and what was not made permanent is gone. Every third time the journal is written out first. Then it is
mounted again; every third time the power is cut once more while the next writer or `repair` recovers. What was
acknowledged (a command that ended with 0) must read bit for bit, by the tool and by zarr-python; what was under
way is old or new; `verify` finds nothing but leftovers; the next writer brings all in order, and then the same
work goes on. Skipped with a word where mounting is not allowed.
"""
import argparse
import json
import random
import subprocess
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import zarr

from mounts import LOG_FLUSH, NO_LOG_FLUSH, mounted
from support import Tally, scratch, seed, slab, tool

warnings.simplefilter("ignore")
# Of writers that are gone; the next one sweeps them.
LEFTOVERS = {"orphan", "stale"}
NODES = ("a", "g/b", "g/h/d")
VERBS = ("import", "overwrite", "append", "attr", "rm")


class Expected:
    """What was acknowledged of each node, and what is under way: a node's values, nil where there is none."""

    def __init__(self):
        self.values = {node: None for node in NODES}
        self.attributes = {}
        self.pending = None


class Cut:
    def __init__(self, directory, mount, random_, tally):
        self.directory, self.mount, self.random, self.tally = Path(directory), mount, random_, tally
        self.store = mount.place / "s.slab"
        self.numbers = np.random.default_rng(random_.getrandbits(32))
        self.expected = Expected()
        self.acknowledged = self.cut = self.again = self.leftovers = self.behind = 0
        self.seconds = 0.1
        self.serial = 0

    def control(self):
        """What was not made permanent must be lost, or nothing here is tested."""
        (self.mount.place / "lost").write_bytes(bytes(100_000))
        self.mount.cut_power()
        self.mount.again()
        found = self.mount.place / "lost"
        assert not found.exists() or found.stat().st_size == 0, "a cut loses nothing"

    def array(self, rows):
        values = self.numbers.integers(1, 1 << 12, (rows, 96), dtype=np.int32)
        np.save(self.directory / "in.npy", values)
        return values

    def next_step(self):
        """A command, and what a node is then; None of it before it is acknowledged."""
        expected, target = self.expected, None
        node = self.random.choice(NODES)
        verb = self.random.choice(VERBS)
        address = f"{self.store}/{node}"
        if expected.values[node] is None:
            verb = "import"
        if verb == "import" and expected.values[node] is not None:
            verb = "overwrite"
        options = ["--chunk-shape", "16,96", "--max-shape", "?,96", "--quiet"]
        if verb in ("import", "overwrite"):
            target = self.array(self.random.choice((20, 200, 900)))
            more = ["--commit", "end"] if verb == "import" else ["--overwrite"]
            return node, verb, ["import", self.directory / "in.npy", address, *options, *more], target
        if verb == "append":
            target = np.concatenate([expected.values[node], self.array(self.random.choice((3, 40, 300)))])
            return node, verb, ["append", self.directory / "in.npy", address, "--commit", "end", "--quiet"], target
        if verb == "attr":
            self.serial += 1
            return node, verb, ["attr", "set", address, "serial", self.serial], expected.values[node]
        return node, verb, ["rm", address], None

    def work(self, stop):
        """Commands one after another until the power is gone."""
        while not stop.is_set():
            node, verb, arguments, target = self.next_step()
            self.expected.pending = (node, verb, target)
            done = subprocess.run([tool(), *map(str, arguments)], capture_output=True, timeout=60)
            if done.returncode == 2 and (stop.is_set() or self.off.is_set()):
                return
            if done.returncode != 0:
                time.sleep(0.2)
                if not self.off.is_set():
                    self.tally.check(False, f"{verb} {node}: exit {done.returncode}: {done.stderr.decode()[:300]}")
                return
            self.acknowledged += 1
            self.expected.values[node] = target
            if verb == "attr":
                self.expected.attributes[node] = self.serial
            elif verb == "rm":
                self.expected.attributes.pop(node, None)
            self.expected.pending = None

    def round(self, number):
        stop, self.off = threading.Event(), threading.Event()
        worker = threading.Thread(target=self.work, args=(stop,))
        worker.start()
        time.sleep(self.random.uniform(0.05, 2.5))
        # Set first: a command may fail before the call returns.
        self.off.set()
        self.mount.cut_power(LOG_FLUSH if number % 3 == 2 else NO_LOG_FLUSH)
        stop.set()
        worker.join()
        self.mount.again()
        self.cut += 1
        if self.random.random() < 1 / 3 and self.store.exists():
            self.cut_again()
        self.look()

    def cut_again(self):
        """Once more, while somebody recovers what the first cut left."""
        verb = self.random.choice((["attr", "set", f"{self.store}/", "round", "0"], ["repair", str(self.store)]))
        process = subprocess.Popen([tool(), *verb], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0, 0.15))
        self.mount.cut_power()
        assert process.wait(60) in (0, 1, 2), f"{verb[0]}: exit {process.returncode}"
        self.mount.again()
        self.again += 1

    def look(self):
        pending, self.expected.pending = self.expected.pending, None
        if not self.store.exists():
            acknowledged = [node for node, values in self.expected.values.items() if values is not None]
            assert not acknowledged, f"the store is not there; acknowledged were {acknowledged}"
            return
        done = subprocess.run([tool(), "verify", str(self.store), "--json"], capture_output=True)
        report = json.loads(done.stdout or "{}")
        problems = report.get("problems", [{"kind": "failed", "detail": "verify printed nothing"}])
        worse = [one for one in problems if one["kind"] not in LEFTOVERS]
        self.leftovers += bool(problems)
        self.behind += report.get("zarr_view") == "differs"
        assert not worse, f"verify: {worse[:3]}"
        # Zarr readers before any writer of ours: all that was acknowledged and that nothing was under way on.
        differs = report["zarr_view"] == "differs"
        for node, values in self.expected.values.items():
            allowed = [values]
            if pending and pending[0] == node:
                allowed.append(pending[2])
            found = self.ours(node)
            what = f"({pending and pending[:2]} under way): {self.say(found)}, acknowledged {self.say(values)}"
            assert self.is_one_of(found, allowed), f"{node} reads otherwise {what}"
            theirs = self.theirs(node)
            mixed = pending and pending[1] == "append" and differs
            assert mixed or self.is_one_of(theirs, allowed), f"zarr-python reads {node} as {self.say(theirs)} {what}"
            assert differs or self.is_one_of(theirs, [found]), f"two views of {node}, and verify is silent"
            if pending and pending[0] == node:
                self.expected.values[node] = found
                if found is None:
                    self.expected.attributes.pop(node, None)
        for node, serial in self.expected.attributes.items():
            found = json.loads(slab("attr", "get", f"{self.store}/{node}", "serial"))
            under_way = pending and pending[:2] == (node, "attr")
            known = found == serial or under_way and found == self.serial
            assert known, f"attribute of {node}: {found}, acknowledged {serial}"
            self.expected.attributes[node] = found
        # An attribute that was under way and arrived, or went with what was replaced, is looked up.
        slab("attr", "set", f"{self.store}/", "round", "1")
        report = json.loads(slab("verify", self.store, "--json"))
        assert not report["problems"] and report["zarr_view"] == "same", f"after the next writer: {report}"
        for node in NODES:
            assert self.is_one_of(self.theirs(node), [self.expected.values[node]]), f"{node}: behind after the next writer"
        left = [path.name for place in ("w", "trash") for path in (self.store / "__slab" / place).glob("*")]
        assert not left, f"left behind: {left}"

    @staticmethod
    def is_one_of(found, allowed):
        return any(found is None and one is None or found is not None and one is not None and np.array_equal(found, one)
                   for one in allowed)

    @staticmethod
    def say(values):
        return "nothing" if values is None else values if isinstance(values, str) else f"{values.shape}, sum {values.sum()}"

    def ours(self, node):
        out = self.directory / "out.npy"
        out.unlink(missing_ok=True)
        if subprocess.run([tool(), "info", f"{self.store}/{node}"], capture_output=True).returncode != 0:
            return None
        slab("export", f"{self.store}/{node}", out)
        return np.load(out)

    def theirs(self, node):
        try:
            by_root = zarr.open_group(self.store, mode="r")
            found = by_root[node][...] if node in by_root else None
        except KeyError:
            found = None
        alone = None
        if (self.store / node / "zarr.json").exists():
            alone = zarr.open_array(f"{self.store}/{node}", mode="r")[...]
        assert self.is_one_of(found, [alone]), f"{node}: by way of the root, another"
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--kinds", default="ext4,xfs")
    parser.add_argument("--seed", type=int, default=seed())
    options = parser.parse_args()
    tally = Tally("power cut")
    for kind in options.kinds.split(","):
        with scratch() as directory, mounted(kind, directory, 384, tally) as mount:
            if mount is None:
                continue
            cut = Cut(directory, mount, random.Random(options.seed), tally)
            tally.run(f"{kind}, a file without fsync is lost", cut.control)
            for number in range(options.rounds):
                tally.run(f"{kind}, round {number}", cut.round, number)
            print(f"seed {options.seed}: {kind}: {cut.cut} cuts and {cut.again} more while recovering, "
                  f"{cut.acknowledged} commands acknowledged before, {cut.leftovers} times leftovers, {cut.behind} times verify told of a difference")
    tally.finish()


if __name__ == "__main__":
    main()
