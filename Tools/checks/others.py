"""Other programs write into a store, every verb of ours runs, in all orders of two: nothing of theirs is lost.

usage: others.py [--cases 100 | --pairs | --all] [--action NAME]… [--verb NAME]… [--seed N] [--keep DIRECTORY]

A case is an action of another program (foreigners.py), a verb of the tool, another action or none, another
verb. By default cases are drawn at random; --pairs runs each verb after each action, --all each two verbs. With
--action or --verb only those are drawn from. After each verb, of each file that another program wrote:

* its bytes are somewhere in the store, where they were or in __slab/lost; or
* `adopt` took it in: the tool and zarr-python read the values, attributes and names of axes that
  zarr-python read before.

Data sets that nobody touched keep their values, a verb that says it is done has done it, verbs that read
change nothing, `verify` names what another program wrote or deleted, and where it says that both views
are the same, they are. No command is ended by a signal or takes more than 20 seconds.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import foreign_shell  # noqa: F401
import foreign_zarr  # noqa: F401
import foreigners
from support import Tally, scratch, seed
from verbs import Fixture, Verbs, is_same, run, slab_sees, zarr_sees

HARMLESS = {".DS_Store", "._a"}
# The holder of a lock writes its name into it.
EXEMPT = {"__slab/lock"}
# Kept on purpose; and on its way to where it is kept.
SILENT = ("__slab/lost/", "__slab/trash/")


def tree(store):
    """What is in a store: by path, its kind and what tells its contents."""
    found = {}
    for place, directories, files in os.walk(store):
        for name in directories + files:
            path = os.path.join(place, name)
            relative = os.path.relpath(path, store)
            if os.path.islink(path):
                found[relative] = ("link", os.readlink(path))
            elif os.path.isfile(path):
                found[relative] = ("file", Path(path).read_bytes())
            else:
                found[relative] = ("directory" if os.path.isdir(path) else "other", None)
    return found


def is_there(path, thing, now):
    """Whether something that another program wrote is where it was, or kept by its contents or name."""
    if now.get(path) == thing:
        return True
    kind, contents = thing
    if contents:
        return thing in now.values()
    name = os.path.basename(path)
    return any(now[place][0] == kind and place.startswith("__slab/lost/") and place.endswith(name) for place in now)


def is_told(written, now):
    """Whether a document says all that another program's said, but for what is derived and for codecs."""
    skipped = {"consolidated_metadata", "codecs", "storage_transformers", "dimension_names", "chunk_key_encoding"}
    names = written.get("dimension_names")
    if names and any(names) and names != now.get("dimension_names"):
        return False
    return all(now.get(key) == written[key] or key == "attributes" and not written[key]
               for key in written if key not in skipped)


class Case:
    """A store, what others wrote into it, and what must hold of it."""

    def __init__(self, fixture, verbs, directory):
        self.fixture, self.verbs, self.directory = fixture, verbs, directory
        self.store = directory / "s.slab"
        self.steps, self.theirs, self.values, self.whole = [], {}, dict(fixture.values), True
        self.deleted = self.is_hopeless = False
        self.copy_from(fixture.store.parent)

    def copy_from(self, directory):
        shutil.rmtree(self.directory, ignore_errors=True)
        subprocess.run(["cp", "-a", str(directory), str(self.directory)], check=True)

    def fork(self, directory):
        """The same case, going on elsewhere."""
        other = object.__new__(Case)
        other.__dict__.update(self.__dict__)
        other.directory, other.store = directory, directory / "s.slab"
        other.steps, other.theirs, other.values = list(self.steps), dict(self.theirs), dict(self.values)
        other.copy_from(self.directory)
        return other

    def act(self, name, random_):
        self.steps.append(name)
        before = tree(self.store)
        try:
            foreigners.ACTIONS[name](self.store, random_)
        except Exception as error:
            # What it cannot do after another step it has not done; how far it came counts all the same.
            self.steps[-1] += f" (not done: {type(error).__name__})"
        after = tree(self.store)
        changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
        for path in changed:
            thing = after.get(path)
            self.theirs.pop(path, None)
            if thing and thing[0] != "directory" and not self.is_ours(path, thing, before):
                self.theirs[path] = thing
        for node in list(self.values):
            if any(path == node or path.startswith(f"{node}/") or node.startswith(f"{path}/") for path in changed):
                del self.values[node]
        if any(path.split("/")[0] in ("slab.json", "__slab") for path in changed & set(before)):
            self.whole = False
        # Without the indexes kept nobody knows what there was.
        self.is_hopeless |= any(path.startswith("__slab/root-") and path not in after for path in before)
        self.deleted = any(path in before and path not in after and "/c/" in path for path in changed)
        return bool(changed)

    @staticmethod
    def is_ours(path, thing, before):
        """Whether what is new is nothing of theirs: of systems, empty, our own file at another name of its node."""
        if path in EXEMPT or os.path.basename(path) in HARMLESS or path.endswith("zarr.json") and thing[1] == b"":
            return True
        node = path.split("/c/")[0]
        return any(one == thing and other.startswith(f"{node}/c/") for other, one in before.items())

    def named(self):
        """`verify` says what others wrote and deleted."""
        code, said = run("verify", self.store, "--json")
        if not said.startswith("{"):
            return
        report = json.loads(said.splitlines()[0])
        told = [one["path"] for one in report["problems"] + report["unchecked"]]
        now = tree(self.store)
        # What looks like the store's own is taken for a dead writer's where one left its directory.
        is_mistaken = any(path.startswith("__slab/w/") for path in now) and any(
            "copy" in step or "renamed" in step for step in self.steps)
        for path, thing in self.theirs.items():
            if is_mistaken or now.get(path) != thing or path.startswith(SILENT):
                continue
            assert code != 0, f"verify exits 0 beside {path!r}"
            # Without an index and tables there is nothing to compare with.
            if path == "slab.json" or any(one == "slab.json" or one.startswith("__slab/t") for one in told):
                continue
            parents = [path[:end] for end in range(len(path)) if path[end] == "/"] + [path]
            readable = {os.fsencode(one).decode(errors="replace") for one in parents}
            assert readable & set(told) or any(one.startswith(path) for one in told), \
                f"verify (exit {code}) does not name {path!r}: {told}"
        if self.deleted:
            assert code == 1, f"chunks were deleted and verify exits {code}"
        if code == 0 and report["zarr_view"] == "same":
            for node in self.values:
                if node != "delta":
                    theirs, ours = zarr_sees(self.store, node), slab_sees(self.store, node)
                    assert theirs is None and ours is None or is_same(theirs, ours), f"two views of {node}"

    def seen(self, paths):
        """What zarr-python reads of the nodes that files belong to."""
        views = {}
        for path in paths:
            node = os.path.dirname(path)
            while node and not (self.store / node / "zarr.json").is_file():
                node = os.path.dirname(node)
            inner = os.path.relpath(path, node) if node else path
            views[path] = (node, inner, zarr_sees(self.store, node) if node else None)
        return views

    def do(self, name):
        self.steps.append(name)
        _, targets, effect = self.verbs.all[name]
        views = self.seen(self.theirs) if name == "adopt" else {}
        before = tree(self.store)
        code, said = run(*self.verbs.arguments(name, self.store))
        self.deleted = False
        now = tree(self.store)
        if name in self.verbs.reads:
            changed = [path for path in {*now, *before} if now.get(path) != before.get(path)]
            assert not changed, f"a verb that reads changed {changed}"
        values = {}
        if self.is_hopeless and code == 0:
            # An older index with nothing newer beside it is the store's from here on.
            self.theirs.pop("slab.json", None)
        for path, thing in list(self.theirs.items()):
            if name == "adopt" and self.is_taken(path, thing, views[path], now, values):
                # It is the store's from here on.
                del self.theirs[path]
                continue
            where = now.get(path, ("nothing",))[0]
            assert is_there(path, thing, now), \
                f"lost: {path!r} ({thing[0]}, {str(thing[1])[:60]!r}; there is now {where}); exit {code}: {said[:400]}"
        self.values.update(values)
        if code == 0 and effect:
            assert effect(self.store) is not False, f"done, it says, but has not: {said[:300]}"
        for target in targets or ():
            for node in list(self.values):
                if node == target or node.startswith(f"{target}/"):
                    del self.values[node]
        if name == "repair" and code != 2 and not self.is_hopeless:
            self.whole = True
        return code

    def is_taken(self, path, thing, view, now, values):
        """Whether `adopt` took in a file that is not there any more."""
        node, inner, array = view
        if inner == "zarr.json" and thing[0] == "file" and now.get(path, ("", b""))[0] == "file":
            try:
                written, told = json.loads(thing[1]), json.loads(now[path][1])
            except ValueError:
                return False
            if not is_told(written, told):
                return False
            # Nothing of what a document says is the tool's before it knows the node.
            if written.get("node_type") == "group":
                nodes = json.loads(run("ls", self.store, "--json")[1])["nodes"]
                return any(one["path"] == node and one["kind"] == "group" for one in nodes)
        elif not inner.startswith("c/") and inner != "c":
            return False
        elif array is not None and any(not part.isdecimal() for part in inner.split("/")[1:]):
            return False
        ours = values.get(node)
        if ours is None:
            ours = slab_sees(self.store, node)
        if array is None or not is_same(ours, array) or not is_same(zarr_sees(self.store, node), array):
            return False
        values[node] = array
        return True

    def settled(self, random_):
        """What must hold when all steps are done."""
        self.named()
        if self.whole:
            # Some of them, for the time it takes.
            for node, expected in random_.sample(list(self.values.items()), min(2, len(self.values))):
                found = slab_sees(self.store, node)
                assert is_same(found, expected), f"{node}, which nobody touched, reads " + (
                    "not at all: " + run("export", f"{self.store}/{node}", f"{self.directory}/x.npy")[1][:300]
                    if found is None else "otherwise")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--share", default="0/1", help="K/N: this process runs the K-th of N shares of --pairs or --all")
    parser.add_argument("--action", action="append")
    parser.add_argument("--verb", action="append")
    parser.add_argument("--seed", type=int, default=seed())
    parser.add_argument("--keep")
    options = parser.parse_args()
    actions, verbs_used = options.action or list(foreigners.ACTIONS), options.verb
    tally = Tally("others")
    random_ = random.Random(options.seed)
    with scratch("/dev/shm" if os.path.isdir("/dev/shm") else None) as directory:
        directory = Path(directory)
        fixture, verbs = Fixture(directory), Verbs(directory)
        names = verbs_used or list(verbs.all)
        # Verbs that write are drawn more often.
        weights = [1 if name in verbs.reads else 3 for name in names]
        draw = lambda: ("do", random_.choices(names, weights)[0])
        kept = [0]

        def case(one, steps):
            """Runs the steps of a case; false where one failed."""
            try:
                then(one, steps)
                tally.check(True, "")
                return True
            except Exception as error:
                tally.check(False, " | ".join(one.steps) + f": {type(error).__name__}: {error}")
                if options.keep:
                    kept[0] += 1
                    shutil.rmtree(f"{options.keep}/{kept[0]}", ignore_errors=True)
                    shutil.copytree(one.directory, f"{options.keep}/{kept[0]}", symlinks=True)
                return False

        def then(one, steps):
            # The last word is verify's, and the values'.
            for kind, name in steps:
                if kind == "act":
                    one.act(name, random_)
                    if one.steps[-1] == name:
                        one.named()
                else:
                    one.do(name)
            one.settled(random_)

        if options.pairs or options.all:
            share, shares = map(int, options.share.split("/"))
            for name in actions[share::shares]:
                first = Case(fixture, verbs, directory / "first")
                case(first, [("act", name)])
                for verb in names:
                    second = first.fork(directory / "second")
                    if not case(second, [("do", verb)]):
                        continue
                    # After a verb that changed nothing the next finds what it found.
                    if options.pairs or verb in verbs.reads:
                        continue
                    for last in names:
                        case(second.fork(directory / "third"), [("do", last)])
        else:
            for _ in range(options.cases):
                steps = [("act", random_.choice(actions)), draw()]
                if random_.random() < 0.5:
                    steps.append(("act", random_.choice(actions)))
                steps.append(draw())
                if random_.random() < 0.2:
                    steps.insert(0, draw())
                case(Case(fixture, verbs, directory / "case"), steps)
    print(f"seed {options.seed}: {len(actions)} actions of others, {len(names)} verbs")
    tally.finish()


if __name__ == "__main__":
    main()
