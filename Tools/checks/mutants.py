"""Breaks one rule of the writing session at a time and asks that the tests see it.

usage: mutants.py [--only NAME] [--schedules N]

A rule that no test misses when it is gone is a rule that no test holds. Each mutant is a change of one place
in a copy of the sources, built and run against the schedules of several operations and the tests of
transactions, until one of them fails.
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support import ROOT, Tally

COMMIT = "Sources/HyperslabFormat/Commit"
STORE = "Sources/HyperslabFormat/Store"
TESTS = (
    "ScheduleTests|ReplacedBeneathTests|TransactionMisuseTests|TransactionTests|BesideCommitTests|FailureTests"
    "|CounterTests|CreationTests|HalfChunkTests"
)

# What is broken, where, what stands there, and what takes its place.
MUTANTS = [
    (
        "a failed transaction is published", f"{STORE}/SlabStore+Transactions.swift",
        """    defer { changes.discard(newest: nil) }
    let result = try""",
        """    defer { changes.discard(newest: nil) }
    defer { try? SlabStore(opened, changes, role: .operation).commit() }
    let result = try""",
    ),
    (
        "a commit publishes what another operation has not finished", f"{STORE}/SlabStore+Transactions.swift",
        """    let changes = ChangeSet(opened, own.session, view: try opened.newest())
    defer { changes.leaveLines() }
    if appends { try changes.standInLine(path, checkWanted) }
""",
        """    let changes = own
    defer { changes.leaveLines() }
    if appends { try changes.standInLine(path, checkWanted) }
    if role == .direct { return try body(self) }
""",
    ),
    (
        "who has read values takes the same of another for its own", f"{COMMIT}/CommitPlan+Rows.swift",
        "if !isSeen, staged == found.row", "if staged == found.row",
    ),
    (
        "half a chunk is committed", "Sources/HyperslabIteration/Writing/WriteJob.swift",
        "options.chunksAreWhole(plan) ? options.commit : .atEnd", "options.commit",
    ),
    (
        "a view knows a number before the commit that gave it", "Sources/HyperslabFormat/Reading/SlabDataset+Reading.swift",
        "= id(in: view) {", "= self.id {",
    ),
    (
        "a spoiled set is published", f"{COMMIT}/ChangeSet+Publishing.swift",
        "\n      if let failure = state.failure { throw failure }\n", "\n",
    ),
    (
        "appends do not queue", f"{STORE}/SlabStore+Transactions.swift",
        "    if isInLine { return }\n", "    if isInLine || number >= 0 { return }\n",
    ),
    (
        "who waited for its turn does not look again", f"{STORE}/SlabStore+Transactions.swift",
        "      guard let view = state.view, view.index.commit < newest.index.commit else { return }\n",
        "      guard let view = state.view, view.index.commit < 0 else { return }\n",
    ),
    (
        "a chunk written twice reuses a staging name", f"{COMMIT}/ChangeSet+Staging.swift",
        "      if rows?[chunk] == nil, !removing.contains(place), reserved.insert(place).inserted {\n",
        "      if reserved.insert(place).inserted || copies >= 0 {\n",
    ),
    (
        "a name is given again before its old file is removed", f"{COMMIT}/ChangeSet+Staging.swift",
        "      if rows?[chunk] == nil, !removing.contains(place), reserved.insert(place).inserted {\n",
        "      if rows?[chunk] == nil, reserved.insert(place).inserted {\n",
    ),
    (
        "a batch's names are used by the next commit", f"{COMMIT}/ChangeSet+Publishing.swift",
        """      state.changes = Changes()
      state.batch += 1
      state.epoch += 1
      return sealed""",
        """      state.changes = Changes()
      state.epoch += 1
      return sealed""",
    ),
    (
        "the files of a set that is thrown away stay", f"{COMMIT}/ChangeSet+Publishing.swift",
        "    for path in directories { try? files.removeTree(path) }\n", "    _ = directories\n",
    ),
    (
        "the file of a chunk that failed to encode is published", f"{COMMIT}/ChangeSet+Staging.swift",
        "      for sink in sinks { discard(sink, batch: staging.batch) }\n", "",
    ),
    (
        "what was staged for a data set is its successor's", f"{COMMIT}/ChangeSet.swift",
        "      if let slot = state.slots[path], id == nil || state.ids[slot] == id { return slot }\n",
        "      if let slot = state.slots[path] { return slot }\n",
    ),
    (
        "another writer's commit is taken for settled", f"{COMMIT}/CommitProtocol.swift",
        "    if newest.index.commit != settled {\n", "    if settled == nil {\n",
    ),
]


def copy_package(folder):
    files = subprocess.run(
        ["git", "ls-files", "-z", "Package.swift", "Sources", "Tests", "Tools/slab", "Spec"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, files):
        target = folder / name
        data = (ROOT / name).read_bytes()
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def run(folder, schedules):
    """Whether all tests pass, and the first lines that say why not."""
    built = subprocess.run(
        ["swift", "build", "--build-tests"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if built.returncode != 0:
        sys.exit(f"does not build:\n{built.stdout[-3000:]}")
    environment = os.environ | {"HYPERSLAB_SCHEDULES": str(schedules)}
    try:
        tests = subprocess.run(
            ["swift", "test", "--skip-build", "--filter", TESTS], cwd=folder, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800)
    except subprocess.TimeoutExpired:
        return False, "waits for ever"
    failures = [line for line in tests.stdout.splitlines() if "recorded an issue" in line]
    return tests.returncode == 0, failures[0][:160] if failures else tests.stdout[-160:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="a part of the names of the mutants to try")
    parser.add_argument("--schedules", type=int, default=1500)
    arguments = parser.parse_args()
    folder = ROOT / ".build/mutants"
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally("mutants")
    copy_package(folder)
    passed, why = run(folder, arguments.schedules)
    tally.check(passed, f"the tests without a change: {why}")
    for name, path, old, new in MUTANTS:
        if arguments.only and arguments.only not in name:
            continue
        text = (ROOT / path).read_text()
        if text.count(old) != 1:
            tally.check(False, f"{name}: its place in {path} is not there once")
            continue
        (folder / path).write_text(text.replace(old, new))
        passed, why = run(folder, arguments.schedules)
        (folder / path).write_text(text)
        print(f"mutant: {name}: {'NOT CAUGHT' if passed else 'caught: ' + why}", flush=True)
        tally.check(not passed, f"not caught: {name}")
    shutil.rmtree(folder / "Sources", ignore_errors=True)
    tally.finish()


if __name__ == "__main__":
    main()
