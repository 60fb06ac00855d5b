"""Starting processes and taking down what they say and what they took."""
import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from verdict import OURS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def say(text):
    print(text, file=sys.stderr, flush=True)


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)


def empty(path):
    """Gives up what files hold, but not the files."""
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            os.truncate(file, 0)


class Array:
    """A .npy file: its header is all that is needed of it here."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        with open(path, "rb") as file:
            start = file.read(10)
            header = ast.literal_eval(file.read(int.from_bytes(start[8:10], "little")).decode())
        self.shape = header["shape"]
        self.size = path.stat().st_size - 10 - int.from_bytes(start[8:10], "little")
        kind = {"i": "int", "u": "uint", "f": "float"}[header["descr"][1]]
        self.dtype = f"{kind}{8 * int(header['descr'][2:])}"

    @property
    def text(self):
        return f"{self.name} {'×'.join(map(str, self.shape))} {self.dtype}"


class Bench:
    """The programs, and where arrays and stores go."""

    def __init__(self, python, data, operation, slab):
        self.python, self.data = str(python), data
        self.operation, self.slab = str(operation), str(slab)
        self.stores = data / "stores"
        self.stores.mkdir(parents=True, exist_ok=True)
        os.environ["SLAB"] = self.slab

    def installed(self):
        """The versions of every peer; None for one that is not there."""
        command = [self.python, str(HERE / "peers.py"), "--list"]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    def make_arrays(self, names, volume=None, scale=1.0):
        command = [self.python, str(HERE / "arrays.py"), str(self.data), *names]
        command += ["--scale", str(scale)] + (["--volume", str(volume)] if volume else [])
        subprocess.run(command, check=True)
        return [Array(self.data / f"{name}.npy") for name in names]

    def plan(self, array, *options):
        command = [self.slab, "plan", "--json", "--shape", ",".join(map(str, array.shape))]
        command += ["--dtype", array.dtype, *options]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    def chunk(self, array, megabytes=None):
        """HDMF's rule, as the library resolves it."""
        options = ["--chunk-mb", str(megabytes)] if megabytes else []
        return self.plan(array, *options)["chunk_shape"]

    def place(self, array, peer, chunk):
        suffix = ".slab" if OURS in peer else ""
        return self.stores / f"{array.name}-{'x'.join(map(str, chunk))}-{peer}{suffix}"

    def process(self, command, cpus=None):
        """Runs a process; what it printed, how it ended, its seconds and its peak of memory."""
        canPin = hasattr(os, "sched_setaffinity")
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus and canPin else None
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=pin
        )
        output, errors = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        unit = 1 if sys.platform == "darwin" else 1024
        return output, errors, child.returncode, seconds, usage.ru_maxrss * unit / 1e6

    def measured(self, command, cpus=None):
        """The line of JSON that `operation` and `peers.py` print."""
        output, errors, code, _, _ = self.process(command, cpus)
        try:
            return json.loads(output)
        except ValueError:
            return {"ok": False, "error": errors.decode(errors="replace")[-300:], "exit": code}

    def run_ours(self, array, op, chunk, out, options=(), cpus=None):
        command = [self.operation, str(array.path), op, "--out", str(out)]
        command += ["--chunk", ",".join(map(str, chunk)), *map(str, options)]
        return self.measured(command, cpus)

    def run_peer(self, peer, array, op, chunk, out):
        command = [self.python, str(HERE / "peers.py"), peer, str(array.path), op]
        command += ["--out", str(out), "--chunk", ",".join(map(str, chunk))]
        return self.measured(command)

    def run_import(self, array, chunk, out, options=()):
        """The tool as people run it: the whole process, from its start to its end."""
        remove(out)
        command = [self.slab, "import", str(array.path), f"{out}/data", "--quiet"]
        if chunk:
            command += ["--chunk-shape", ",".join(map(str, chunk))]
        _, errors, code, seconds, peak = self.process([*command, *map(str, options)])
        result = {"seconds": seconds, "rss_mb": peak, "ok": code == 0}
        if code:
            result["error"] = errors.decode(errors="replace")[-300:]
        else:
            stored = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
            result |= {"ratio": array.size / stored, "MBps": array.size / 1e6 / seconds}
        return result

    def run_command(self, name, store, times=21):
        """A command of the tool that is over at once: the median of whole processes."""
        taken = []
        for _ in range(times):
            _, errors, code, seconds, peak = self.process([self.slab, name, str(store)])
            if code:
                return {"ok": False, "error": errors.decode(errors="replace")[-300:]}
            taken.append(seconds)
        return {"median_ms": sorted(taken)[times // 2] * 1e3, "rss_mb": peak, "ok": True}
