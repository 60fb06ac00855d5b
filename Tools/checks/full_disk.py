"""Runs writing verbs on a disk that is full, almost full, and less so.

usage: full_disk.py [--levels 30] [--kinds tmpfs,ext4] [--verbs import,append,…] [--seed N]

At every level a store is put on a file system of its own, of which so much is left. The verb does it or ends
with exit 2. At once, and when there is room again: what was there and what was acknowledged reads bit for bit, and
`verify` finds nothing but leftovers that the next writer or `repair` sweeps. The same command (with --resume,
or for an append what had not arrived) then ends like on an empty disk: the same values, the same chunk files.
Every other level there is no room for new names instead, on tmpfs, where inodes can be counted out.
Skipped with a word where mounting is not allowed.
"""
import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from mounts import mounted
from support import Tally, scratch, seed, slab, tool

# Of dead or failed writers, which the next one sweeps.
LEFTOVERS = {"orphan", "stale"}
ROWS, CHUNK, BUFFER = 256, "32,256", "64,256"


def run(*arguments):
    done = subprocess.run([tool(), *map(str, arguments)], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    said = done.stderr.decode(errors="replace")
    assert done.returncode in (0, 1, 2), f"{arguments[0]}: exit {done.returncode}: {said[:600]}"
    assert done.returncode == 0 or said or done.stdout, f"{arguments[0]}: no word, exit {done.returncode}"
    return done.returncode, said, done.stdout


def problems(store, *options):
    code, said, out = run("verify", store, "--json", *options)
    if not out:
        return code, [{"path": str(store), "kind": "failed", "detail": said}]
    return code, json.loads(out)["problems"]


class Disk:
    """The verbs, the store that they begin with, and what they make of it on an empty disk."""

    def __init__(self, directory, mount, random, tally):
        self.directory, self.mount, self.tally = Path(directory), mount, tally
        self.store = mount.place / "s.slab"
        self.arrays = {}
        for name in ("still", "old", "new", "more"):
            values = random.integers(0, 1 << 14, (ROWS, 256), dtype=np.int32)
            self.arrays[name] = values
            np.save(self.path(name), values)
        self.attribute = self.directory / "attribute.json"
        self.attribute.write_text(json.dumps("".join(map(chr, random.integers(97, 122, 100_000)))))
        self.acknowledged = self.refused = self.behind = 0

    def path(self, name):
        return self.directory / f"{name}.npy"

    # The verbs: how a store is prepared, the command, the same once more, and how much room it may need.

    def shapes(self):
        return ["--chunk-shape", CHUNK, "--buffer-shape", BUFFER, "--quiet"]

    def prepare(self, verb, store):
        slab("import", self.path("still"), f"{store}/still", *self.shapes())
        if verb == "append":
            slab("import", self.path("old"), f"{store}/x", "--max-shape", "?,256", *self.shapes())
        elif verb in ("overwrite", "rm"):
            slab("import", self.path("old"), f"{store}/x", *self.shapes())
        elif verb in ("repair", "adopt"):
            slab("import", self.path("old"), f"{store}/x", *self.shapes())
            if verb == "adopt":
                import zarr
                zarr.open_array(f"{store}/x", mode="r+")[0:64] = self.arrays["new"][0:64]
                zarr.open_array(f"{store}/x", mode="r+").attrs["theirs"] = "k"
            else:
                # A damaged chunk, another that is missing, no tables, a stray file, no derived file.
                with open(store / "x/c/0/0", "r+b") as file:
                    file.seek(100)
                    file.write(b"damage")
                (store / "x/c/2/0").unlink()
                shutil.rmtree(store / "__slab/t/d1")
                (store / "x/notes").write_text("somebody's")
                (store / "zarr.json").unlink()

    def command(self, verb, store, again=False):
        new = [self.path("new"), f"{store}/x"]
        return {
            "import": ["import", *new, *self.shapes(), *(["--resume"] if again else [])],
            "first": ["import", *new, *self.shapes(), *(["--resume"] if again else [])],
            "append": ["append", *new, "--quiet"],
            "overwrite": ["import", *new, *self.shapes(), "--overwrite"],
            "attr": ["attr", "set", f"{store}/still", "long", f"@{self.attribute}"],
            "rm": ["rm", f"{store}/x"],
            "repair": ["repair", store],
            "adopt": ["adopt", store],
        }[verb]

    def template(self, verb):
        """The store before, after on an empty disk, and how much room that took."""
        before, after = self.directory / f"{verb}-before", self.directory / f"{verb}-after"
        before.mkdir(), after.mkdir()
        if verb != "first":
            self.prepare(verb, before / "s.slab")
        self.mount.clear()
        if verb != "first":
            shutil.copytree(before / "s.slab", self.store)
        free = self.mount.free()
        code, said, _ = run(*self.command(verb, self.store))
        assert code in (0, 1), said
        # What is replaced stands beside the new one for a time.
        needed = max(free - self.mount.free(), 0) + (0x60000 if verb == "overwrite" else 0)
        shutil.copytree(self.store, after / "s.slab")
        return before / "s.slab", after / "s.slab", max(needed, 0x18000 if verb in ("rm", "repair") else 0x60000)

    # One level

    def level(self, verb, free, inodes, templates):
        before, after, _ = templates
        self.mount.clear()
        if verb != "first":
            shutil.copytree(before, self.store)
        filler = self.mount.place / "filler"
        if inodes is not None:
            subprocess.run(["mount", "-o", f"remount,nr_inodes={self.inodes() + inodes}", str(self.mount.place)], check=True)
        else:
            with open(filler, "wb") as file:
                size = self.mount.free() - free
                while size > 0:
                    try:
                        os.posix_fallocate(file.fileno(), 0, size)
                        break
                    except OSError:
                        size -= 4096
        try:
            code, said, _ = run(*self.command(verb, self.store))
            self.acknowledged += code == 0
            self.refused += code == 2
            if code == 2:
                assert "space" in said.lower() or "ENOSPC" in said, f"does not say why: {said[:400]}"
            self.look(verb, code, "while it is full")
            behind = "Zarr readers still see" in said
        finally:
            filler.unlink(missing_ok=True)
            if inodes is not None:
                subprocess.run(["mount", "-o", "remount,nr_inodes=100000", str(self.mount.place)], check=True)
        self.look(verb, code, "when there is room")
        self.finish(verb, code, behind, after)

    def inodes(self):
        status = os.statvfs(self.mount.place)
        return status.f_files - status.f_ffree

    def look(self, verb, code, when):
        if verb == "first" and not self.store.exists():
            assert code == 2, "nothing is there, and it says that it is"
            return
        if verb not in ("repair", "adopt"):
            result, found = problems(self.store)
            worse = [one for one in found if one["kind"] not in LEFTOVERS]
            assert not worse, f"{when}, verify (exit {result}): {worse[:3]}"
            self.behind += bool(found)
        if verb != "first":
            self.same("still", self.arrays["still"], when)
        old, new = self.arrays["old"], self.arrays["new"]
        if verb == "overwrite":
            self.same("x", new if code == 0 else (old, new), when)
        elif verb == "append":
            found = self.read("x")
            whole = np.concatenate([old, new])
            assert len(found) >= ROWS and (code != 0 or len(found) == len(whole)), f"{when}: {len(found)} rows"
            assert found.tobytes() == whole[: len(found)].tobytes(), f"{when}: other rows"
        elif verb in ("import", "first") and code == 0:
            self.same("x", new, when)
        elif verb == "rm" and code != 0 and (self.store / "x/zarr.json").exists():
            listed = b'"x"' in slab("ls", self.store, "--json")
            if listed:
                self.same("x", old, when)
        elif verb == "attr" and code == 0:
            assert slab("attr", "get", f"{self.store}/still", "long").strip().decode() == self.attribute.read_text(), when

    def read(self, node):
        out = self.directory / "out.npy"
        out.unlink(missing_ok=True)
        slab("export", f"{self.store}/{node}", out)
        return np.load(out)

    def same(self, node, expected, when):
        found = self.read(node).tobytes()
        allowed = expected if isinstance(expected, tuple) else (expected,)
        assert any(found == one.tobytes() for one in allowed), f"{node} reads otherwise, {when}"

    def next_writer(self):
        slab("attr", "set", f"{self.store}/", "k", "1")
        slab("attr", "rm", f"{self.store}/", "k")

    def finish(self, verb, code, behind, after):
        """The same command again; the store is then as if there had been room from the first."""
        if behind:
            # Done, and told that derived files are not: the next writer's.
            self.next_writer()
        if code == 2:
            arguments = self.command(verb, self.store, again=True)
            if verb == "append":
                arrived = len(self.read("x")) - ROWS
                np.save(self.path("rest"), self.arrays["new"][arrived:])
                arguments[1] = self.path("rest")
            if verb == "rm" and run("info", f"{self.store}/x")[0] == 2 or verb == "append" and arrived == ROWS:
                self.next_writer()
            else:
                result, said, _ = run(*arguments)
                assert result in ((0, 1) if verb in ("repair", "adopt") else (0,)), f"again: exit {result}: {said[:400]}"
        if verb != "repair":
            result, found = problems(self.store)
            assert result == 0, f"in the end: {found[:3]}"
        here, there = self.files(self.store), self.files(after)
        others = sorted(path for path in {*here, *there} if here.get(path) != there.get(path))
        assert not others, f"other files: {others[:6]}"
        left = [path.name for place in ("w", "trash") for path in (self.store / "__slab" / place).glob("*")]
        assert not left, f"left behind: {left}"

    @staticmethod
    def files(store):
        """Chunk files and derived ones, which depend on values alone but for the seal that each store has."""
        def text(path):
            data = path.read_bytes()
            return data.rstrip() if path.name == "zarr.json" else data
        return {str(path.relative_to(store)): text(path) for path in store.rglob("*")
                if path.is_file() and "__slab" not in path.parts and path.name != "slab.json"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--levels", type=int, default=30)
    parser.add_argument("--kinds", default="tmpfs,ext4")
    parser.add_argument("--verbs", default="import,first,append,rm,attr,overwrite,repair,adopt")
    parser.add_argument("--seed", type=int, default=seed())
    options = parser.parse_args()
    tally = Tally("full disk")
    verbs = options.verbs.split(",")
    for kind in options.kinds.split(","):
        with scratch() as directory, mounted(kind, directory, 24, tally) as mount:
            if mount is None:
                continue
            disk = Disk(directory, mount, np.random.default_rng(options.seed), tally)
            for verb in verbs:
                templates = disk.template(verb)
                for number in range(options.levels):
                    free = int(templates[2] * 1.3 * number / max(1, options.levels - 1)) // 4096 * 4096
                    tally.run(f"{kind}, {verb}, {free >> 10} KiB free", disk.level, verb, free, None, templates)
                    if kind == "tmpfs" and number % 2:
                        tally.run(f"{kind}, {verb}, {number} names free", disk.level, verb, 0, number, templates)
            print(f"seed {options.seed}: {kind}: {disk.acknowledged} done, {disk.refused} refused, "
                  f"{disk.behind} times verify told of leftovers")
    tally.finish()


if __name__ == "__main__":
    main()
