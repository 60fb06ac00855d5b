"""Runs the verbs with few threads, little memory and few open files allowed: done, or a typed error.

usage: low_limits.py [--quick]

Never a signal, a trap or a hang, and never a store that another process cannot go on with: the same command
without limits then ends as it would have. The limits are those of ulimit -u, -v and -n. Root is not bound
by -u: where the check runs as root, the tool runs as a user of its own.
"""
import argparse
import os
import resource
import shutil
import subprocess
from pathlib import Path

import numpy as np

from support import Tally, scratch, slab, tool

# A user that has no other processes, so that a limit of processes counts ours alone.
NOBODY = 50_000 + os.getpid() % 10_000
LIMITS = {
    "threads": (resource.RLIMIT_NPROC, [1, 2, 3, 4, 6]),
    "memory": (resource.RLIMIT_AS, [kilobytes << 10 for kilobytes in (
        40_000, 50_000, 60_000, 70_000, 80_000, 100_000, 120_000, 150_000, 200_000, 300_000, 500_000)]),
    "files": (resource.RLIMIT_NOFILE, [3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24]),
    "file size": (resource.RLIMIT_FSIZE, [0, 100, 4096, 20_000, 100_000]),
}


def limited(program, kind, limit, arguments):
    """Runs the tool under a limit; returns its exit code and what it said."""
    number, _ = LIMITS[kind]

    def prepare():
        resource.setrlimit(number, (limit, limit))
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)

    # The loader needs memory and descriptors before there is any of our code.
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=60, preexec_fn=prepare,
                          stdin=subprocess.DEVNULL)
    return done.returncode, (done.stderr + done.stdout).decode(errors="replace")


class Limits:
    def __init__(self, directory):
        self.directory = Path(directory)
        # Where any user can run it.
        self.program = str(self.directory / "slab")
        shutil.copy(tool(), self.program)
        values = np.random.default_rng(5).integers(0, 1 << 16, (2048, 1024), dtype=np.int32)
        self.values = values
        np.save(self.directory / "in.npy", values)
        np.save(self.directory / "small.npy", values[:64])
        self.template = self.directory / "template"
        self.template.mkdir()
        shapes = ["--chunk-shape", "64,256", "--buffer-gb", "0.001", "--quiet"]
        slab("import", self.directory / "in.npy", f"{self.template}/s.slab/x", "--max-shape", "?,1024", *shapes)
        slab("import", self.directory / "small.npy", f"{self.template}/s.slab/small", *shapes)
        self.work = self.directory / "work"
        store = f"{self.work}/s.slab"
        self.verbs = {
            "import": (["import", self.directory / "in.npy", f"{store}/new", *shapes], ["--resume"]),
            "import in large buffers": (["import", self.directory / "in.npy", f"{store}/new", "--quiet"], ["--resume"]),
            "import into a new store": (["import", self.directory / "in.npy", f"{self.work}/t.slab/new", *shapes], ["--resume"]),
            "overwrite": (["import", self.directory / "in.npy", f"{store}/small", "--overwrite", *shapes], []),
            "append": (["append", self.directory / "small.npy", f"{store}/x", "--quiet"], None),
            "attr": (["attr", "set", f"{store}/x", "k", "1"], []),
            "rm": (["rm", f"{store}/small"], None),
            "read": (["read", f"{store}/x", "0:2,0:4"], []),
            "export": (["export", f"{store}/x", f"{self.work}/out.npy"], []),
            "verify": (["verify", store], []),
            "repair": (["repair", store], []),
            "adopt": (["adopt", store], []),
            "ls": (["ls", store], []),
        }

    def run(self, kind, limit, verb):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.template, self.work)
        if os.getuid() == 0:
            os.chmod(self.directory, 0o755)
            for path in [self.work, *self.work.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        arguments, again = self.verbs[verb]
        code, said = limited(self.program, kind, limit, arguments)
        if code == 127 and "error while loading shared libraries" in said:
            return None
        assert code in (0, 2), f"exit {code}: {said[:300]}"
        assert code == 0 or said.strip(), "no word"
        slab("verify", f"{self.work}/s.slab")
        if code != 0 and again is not None:
            slab(*arguments, *again)
        out = self.directory / "out.npy"
        out.unlink(missing_ok=True)
        slab("export", f"{self.work}/s.slab/x", out)
        assert np.array_equal(np.load(out)[:2048], self.values), "x reads otherwise"
        if verb.startswith("import") or verb == "overwrite":
            out.unlink()
            slab("export", arguments[2], out)
            assert np.array_equal(np.load(out), self.values), "what was imported reads otherwise"
        return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    tally = Tally("low limits")
    with scratch() as directory:
        limits = Limits(directory)
        for kind, (_, values) in LIMITS.items():
            codes = []
            for limit in values[:: 3 if options.quick else 1]:
                for verb in limits.verbs:
                    tally.run(f"{kind} {limit}, {verb}", lambda: codes.append(limits.run(kind, limit, verb)))
            done, refused, unloaded = map(codes.count, (0, 2, None))
            print(f"{kind}: {done} done, {refused} refused, {unloaded} not even loaded", flush=True)
    tally.finish()


if __name__ == "__main__":
    main()
