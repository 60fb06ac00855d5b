"""Every verb of the tool as others.py runs it, the store that its cases begin with, and two views of a node."""
import logging
import shutil
import subprocess
from pathlib import Path

import numpy as np
import zarr

from support import slab, tool

# zarr-python looks at slab.json and __slab as members of a group, and is loud about it.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def run(*arguments):
    done = subprocess.run([tool(), *map(str, arguments)], capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    text = (done.stdout + done.stderr).decode(errors="surrogateescape")
    assert done.returncode in (0, 1, 2), f"{' '.join(map(str, arguments))}: exit {done.returncode}: {text[:500]}"
    assert done.returncode == 0 or text.strip(), f"{' '.join(map(str, arguments))}: no word, exit {done.returncode}"
    return done.returncode, text


def zarr_sees(store, node):
    try:
        opened = zarr.open(f"{store}/{node}", mode="r", use_consolidated=False)
        return opened[...] if isinstance(opened, zarr.Array) else None
    except Exception:
        return None


def slab_sees(store, node):
    out = f"{store.parent}/seen.npy"
    Path(out).unlink(missing_ok=True)
    code, _ = run("export", f"{store}/{node}", out, "--fill-missing")
    return np.load(out) if code == 0 else None


def is_same(found, expected):
    if found is None or expected is None:
        return False
    return found.shape == expected.shape and found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


class Verbs:
    """Every verb of the tool as a case can run it: arguments, nodes that it means to change, what must hold then."""

    def __init__(self, directory):
        self.small, self.rows = directory / "small.npy", directory / "rows.npy"
        np.save(self.small, np.arange(60, dtype=np.int16).reshape(6, 10))
        np.save(self.rows, np.full((3, 16), 7, np.int16))
        reads = {name: (arguments, None, None) for name, arguments in {
            "ls": ["ls", "S", "-l"], "ls json": ["ls", "S", "--json"], "info": ["info", "S"],
            "info of a data set": ["info", "S/a", "--chunks"], "info json": ["info", "S/g", "--json"],
            "read": ["read", "S/a", "0:20,:3"], "read all": ["read", "S/log", "--format", "json"],
            "export": ["export", "S/g/b", "OUT"],
            "verify": ["verify", "S"], "verify quick": ["verify", "S", "--quick"], "verify a node": ["verify", "S/g"],
            "verify links": ["verify", "S", "--follow-links"], "attr get": ["attr", "get", "S/g/b"]}.items()}
        self.reads = set(reads)
        self.all = {**reads, "repair": (["repair", "S"], set(), None), "adopt": (["adopt", "S"], set(), None)}
        for node in ("", "g", "a", "log", "g/b"):
            self.all[f"attr set {node or '/'}"] = (
                ["attr", "set", f"S/{node}", "ours", "5"], set(),
                lambda store, node=node: slab("attr", "get", f"{store}/{node}", "ours").strip() == b"5")
        self.all["attr rm"] = (["attr", "rm", "S/g/b", "k"], set(), None)
        self.all["append"] = (["append", self.rows, "S/log"], {"log"},
                              lambda store: bool((slab_sees(store, "log")[-3:] == 7).all()))
        new = lambda node: (lambda store: is_same(slab_sees(store, node), np.load(self.small)))
        for node in ("new", "mine", "g/new", "g/mine", "n1/n2/new", "src/c/main.c", "g/z", "backup/z", "a copy", "a2", "c"):
            self.all[f"import {node}"] = (self.importing(node), {node}, new(node))
        self.all["import under a data set"] = (["import", self.small, "S/a/under"], {"a/under"}, None)
        for node in ("a", "g/b", "mine", "log", "g/mine"):
            self.all[f"overwrite {node}"] = ([*self.importing(node), "--overwrite"], {node}, new(node))
        self.all["overwrite with delta"] = ([*self.importing("a"), "--delta", "0", "--overwrite"], {"a"}, new("a"))
        self.all["overwrite a group"] = (["import", self.small, "S/g", "--overwrite"], {"g"}, None)
        resume = ["import", directory / "a.npy", "S/a", "--chunk-shape", "8,64", "--resume"]
        self.all["resume"] = (resume, {"a"}, None)
        self.all["part"] = ([*resume, "--part", "0/2"], {"a"}, None)
        gone = lambda node: (lambda store: run("info", f"{store}/{node}")[0] == 2)
        for node in ("a", "g", "g/b", "g/h", "log", "mine", "x"):
            self.all[f"rm {node}"] = (["rm", f"S/{node}"], {node}, gone(node))

    def importing(self, node):
        return ["import", self.small, f"S/{node}", "--chunk-shape", "4,10"]

    def arguments(self, name, store):
        out = store.parent / "exported.npy"
        out.unlink(missing_ok=True)
        return [str(one).replace("S", str(store), 1) if str(one) == "S" or str(one).startswith("S/")
                else out if one == "OUT" else one for one in self.all[name][0]]


class Fixture:
    """The store that every case begins with, and what it holds."""

    def __init__(self, directory):
        self.store = directory / "template/s.slab"
        self.store.parent.mkdir()
        a = np.arange(24 * 64, dtype=np.int32).reshape(24, 64)
        a[8:16] = 0
        log = np.arange(160, dtype=np.int16).reshape(10, 16)
        b = np.arange(120, dtype="f8").reshape(12, 10) / 3
        series = np.arange(40, dtype="f4").reshape(8, 5)
        self.values = {"a": a, "log": np.concatenate([log, log[:1]]), "g/b": b, "g/h/d": log[0], "x/series": series,
                       "delta": a}
        for name, values in {"a": a, "log": log, "b": b, "d": log[0], "series": series, "more": log[:1]}.items():
            np.save(directory / f"{name}.npy", values)

        def put(name, node, *options, verb="import"):
            slab(verb, directory / f"{name}.npy", f"{self.store}/{node}", "--quiet", *options)

        put("a", "a", "--chunk-shape", "8,64", "--attribute", "k=1")
        put("log", "log", "--max-shape", "?,16", "--chunk-shape", "4,16")
        put("b", "g/b", "--chunk-shape", "4,5", "--dims", "t,x", "--unit", "mV", "--attribute", "k=1")
        shutil.copy(self.store / "slab.json", self.store.parent / "old.json")
        shutil.copy(self.store / "log/c/2/0", self.store.parent / "old-chunk")
        put("d", "g/h/d", "--chunk-shape", "4")
        put("series", "x/series", "--chunk-shape", "4,5", "--max-shape", "?,5", "--dims", "time,site")
        put("a", "delta", "--delta", "0", "--chunk-shape", "8,8")
        put("more", "log", verb="append")
        slab("attr", "set", f"{self.store}/g", "k", "1")
        slab("import", directory / "b.npy", f"{self.store.parent}/another.slab/z", "--quiet", "--chunk-shape", "4,10")
        slab("verify", self.store)
