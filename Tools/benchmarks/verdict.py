"""From single runs to medians, ratios, tables and targets."""
import statistics
from collections import defaultdict

OURS = "hyperslab"
USUAL = "usual chunks"
FLOOR = "npy"
ZARR_READERS = ("zarr-blosclz4", "zarr-lz4", "zarrs-blosclz4", "tensorstore", "tensorstore-nosync")
# What every peer and we are held to.
THREADS = 2
THROUGHPUT = ("write", "import", "slab import", "read", "warm")


def is_hc(peer):
    return peer.endswith("hc")


class Runs:
    """Every run there was, by array, chunking, operation and peer."""

    def __init__(self, runs):
        self.by_key = defaultdict(dict)
        for run in runs:
            key = (run["array"], run["chunking"], run["op"], run["peer"])
            self.by_key[key][run["round"]] = run

    def cases(self):
        """Arrays and chunkings, in the order of the first run of each."""
        return list(dict.fromkeys(key[:2] for key in self.by_key))

    def ops(self, case):
        return list(dict.fromkeys(key[2] for key in self.by_key if key[:2] == case))

    def peers(self, case, op):
        """Who did it and did it right, every time."""
        return [
            key[3]
            for key, rounds in self.by_key.items()
            if key[:3] == (*case, op) and all(run.get("ok") for run in rounds.values())
        ]

    def of(self, case, op, peer):
        return self.by_key.get((*case, op, peer), {})

    def cost(self, case, op, peer):
        """Seconds, the median of the rounds; None where there is none."""
        costs = [cost_of(run) for run in self.of(case, op, peer).values()]
        return statistics.median(costs) if costs and None not in costs else None

    def median(self, case, op, peer, field):
        values = [run[field] for run in self.of(case, op, peer).values() if field in run]
        return statistics.median(values) if values else None

    def fastest(self, case, op, among=None):
        """The fastest peer at an operation; the floor and the HC variants are no peers of it."""
        peers = [
            peer
            for peer in self.peers(case, op)
            if peer not in (OURS, FLOOR)
            and (peer in among if among is not None else not is_hc(peer))
        ]
        return min(peers, key=lambda peer: self.cost(case, op, peer), default=None)

    def speedup(self, case, op, peer, ours=OURS, our_op=None):
        """How many times faster than a peer: the median of each round's ratio, and the ratio of
        the medians."""
        mine = self.of(case, our_op or op, ours)
        theirs = self.of(case, op, peer)
        ratios = [cost_of(theirs[n]) / cost_of(mine[n]) for n in mine if n in theirs]
        if not ratios:
            return None
        medians = self.cost(case, op, peer) / self.cost(case, our_op or op, ours)
        return statistics.median(ratios), medians

    def best_ratio(self, case, hc=False):
        """The peer that stores smallest, and its ratio."""
        found = [
            (self.median(case, "write", peer, "ratio"), peer)
            for peer in self.peers(case, "write")
            if peer not in (OURS, FLOOR, OURS + "-hc") and is_hc(peer) == hc
        ]
        return max(found, default=(None, None))


def cost_of(run):
    if "seconds" in run:
        return run["seconds"]
    return run["median_ms"] / 1e3 if "median_ms" in run else None


def figure(cost, op, size):
    """A cost as people read it."""
    if cost is None:
        return "-"
    if op in THROUGHPUT:
        return f"{size / 1e6 / cost:.0f} MB/s"
    return f"{cost * 1e3:.3g} ms"


def aligned(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]


def peer_of(runs, case, op):
    """The operation and the peer that ours is measured against."""
    theirs = "write" if op in ("import", "slab import") else op
    return theirs, runs.fastest(case, theirs)


def case_table(runs, case, size):
    rows = [("", OURS, "fastest peer", "", "paired", "medians", "floor: npy")]
    for op in runs.ops(case):
        theirs, peer = peer_of(runs, case, op)
        cells = [op, figure(runs.cost(case, op, OURS), op, size)]
        if peer:
            cells += [peer, figure(runs.cost(case, theirs, peer), theirs, size)]
            speedup = runs.speedup(case, theirs, peer, our_op=op)
            cells += [f"{value:.2f}×" for value in speedup] if speedup else ["-", "-"]
        else:
            cells += ["-"] * 4
        rows.append((*cells, figure(runs.cost(case, theirs, FLOOR), theirs, size)))
    ratio, peer = runs.best_ratio(case)
    ours = runs.median(case, "write", OURS, "ratio")
    if ours and ratio:
        comparison = f"{ours / ratio:.3f}×"
        rows.append(("stored ratio", f"{ours:.3f}", peer, f"{ratio:.3f}", comparison, "", ""))
    for op in ("write", "slab import", "read"):
        ours = runs.median(case, op, OURS, "rss_mb")
        theirs, peer = peer_of(runs, case, op)
        if ours:
            other = runs.median(case, theirs, peer, "rss_mb") if peer else None
            cells = (peer, f"{other:.0f} MB", f"{other / ours:.2f}×") if other else ("-", "-", "-")
            rows.append((f"peak, {op}", f"{ours:.0f} MB", *cells, "", ""))
    return aligned(rows)


def matrix(runs, case, size):
    """Everybody at everything, medians."""
    ops = runs.ops(case)
    peers = list(dict.fromkeys(key[3] for key in runs.by_key if key[:2] == case))
    rows = [("", *ops, "ratio")]
    for peer in peers:
        cells = []
        for op in ops:
            done = runs.of(case, op, peer)
            isWrong = any(not run.get("ok") for run in done.values())
            cells.append("FAILED" if isWrong else figure(runs.cost(case, op, peer), op, size))
        ratio = runs.median(case, "write", peer, "ratio")
        rows.append((peer, *cells, f"{ratio:.3f}" if ratio else "-"))
    return aligned(rows)


class Targets:
    """What was to be reached, and whether it was."""

    def __init__(self):
        self.entries = []

    def add(self, what, value, isReached):
        self.entries.append({"target": what, "found": value, "reached": isReached})

    def lines(self):
        mark = {True: "reached", False: "NOT reached", None: "not measured"}
        rows = [(mark[e["reached"]], f"{e['target']}:", str(e["found"])) for e in self.entries]
        if not rows:
            return []
        width = max(len(row[1]) for row in rows)
        return [f"{row[0]:<12}  {row[1]:<{width}}  {row[2]}" for row in rows]

    def speed(self, runs, case, what, op, at_least, among=None):
        peer = runs.fastest(case, op, among)
        found = runs.speedup(case, op, peer) if peer else None
        name = f"{' '.join(case)}: {what}"
        if found is None:
            if runs.of(case, op, OURS):
                self.add(name, "no such peer was measured", None)
        else:
            self.add(name, f"{found[0]:.2f}× ({peer})", found[0] >= at_least)


def judge(runs, sizes):
    """The targets that follow from the runs alone, and the arrays' sizes in bytes."""
    targets = Targets()
    for case in runs.cases():
        name = " ".join(case)
        if case[1] == USUAL:
            judge_usual(targets, runs, case, name, sizes[case[0]])
        else:
            for op in ("write", "read"):
                what = f"{op} no slower than the fastest file-a-chunk peer"
                targets.speed(runs, case, what, op, 1.0, ZARR_READERS)
    return targets


def judge_usual(targets, runs, case, name, size):
    targets.speed(runs, case, "write at least 2.0× the fastest peer", "write", 2.0)
    ours = runs.median(case, "write", OURS, "ratio")
    best, peer = runs.best_ratio(case)
    if ours and best:
        what = f"{name}: ratio at least the best LZ4-class peer's"
        targets.add(what, f"{ours:.3f} against {best:.3f} ({peer})", ours >= best)
    targets.speed(runs, case, "read at least 1.5× the fastest peer", "read", 1.5)
    floor = runs.speedup(case, "warm", FLOOR)
    if floor:
        what = f"{name}: warm read at least 60 % of a plain copy"
        targets.add(what, f"{floor[0] * 100:.0f} %", floor[0] >= 0.6)
    peak = runs.median(case, "read", OURS, "rss_mb")
    if peak:
        beyond = (peak - size / 1e6) / THREADS
        what = f"{name}: a read takes its result and at most 16 MB a thread"
        targets.add(what, f"{beyond:.1f} MB a thread, the process itself included", beyond <= 16)
    targets.speed(runs, case, "slices no slower than blosc2", "slices", 1.0, ("blosc2",))
    what = "slices at least 10× the fastest Zarr reader"
    targets.speed(runs, case, what, "slices", 10.0, ZARR_READERS)
    opening = runs.cost(case, "open", OURS)
    if opening:
        what = f"{name}: open and first element in 1 ms"
        targets.add(what, f"{opening * 1e3:.2f} ms", opening <= 1e-3)
    for command in ("ls", "info"):
        whole = runs.cost(case, f"slab {command}", OURS)
        if whole:
            what = f"{name}: slab {command}, whole process, in 30 ms"
            targets.add(what, f"{whole * 1e3:.1f} ms", whole <= 30e-3)
    ours = runs.median(case, "write", OURS + "-hc", "ratio")
    best, peer = runs.best_ratio(case, hc=True)
    if ours and best:
        what = f"{name}: HC ratio at least the best HC peer's"
        targets.add(what, f"{ours:.3f} against {best:.3f} ({peer})", ours >= best)
        speedup = runs.speedup(case, "write", peer, ours=OURS + "-hc")
        what = f"{name}: HC write no slower than that peer's"
        targets.add(what, f"{speedup[0]:.2f}×", speedup[0] >= 1.0)


def judge_growth(targets, extra):
    """Whether what a byte, and a commit, costs stays the same."""
    for op in ("import", "read"):
        rows = [row for row in extra.get("sizes", ()) if row["op"] == op and "seconds" in row]
        if len(rows) > 1:
            first, last = (rows[n]["seconds"] / rows[n]["mb"] for n in (0, -1))
            what = f"{op}: a byte of {rows[-1]['mb']} MB costs what one of {rows[0]['mb']} MB does"
            targets.add(what, f"{last / first:.2f}×", last <= 1.25 * first)
    rows = [row for row in extra.get("commits", ()) if "median_ms" in row]
    if len(rows) > 1:
        found = rows[-1]["median_ms"] / rows[0]["median_ms"]
        what = f"a commit after {rows[-1]['chunks']} chunks costs what one after {rows[0]['chunks']} does"
        targets.add(what, f"{found:.2f}×", found <= 1.5)
    times = {}
    for row in extra.get("threads", ()):
        if "seconds" in row:
            key = (row["array"], row["op"])
            times.setdefault(key, {}).setdefault(row["threads"], []).append(row["seconds"])
    for (array, op), by_count in times.items():
        one, two = (statistics.median(by_count[count]) for count in (1, 2))
        name = f"{array} {op}: two threads at least 1.8× as fast as one"
        targets.add(name, f"{one / two:.2f}×", one >= 1.8 * two)
