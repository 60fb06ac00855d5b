"""Draws what `compare` measured, given as JSON on standard input, into the file named.

A panel an array; bars show speed at writing, reading and slices, the fastest peer being 1.
"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 (after the backend is settled)

from verdict import FLOOR, OURS, USUAL, Runs, is_hc  # noqa: E402

OPS = ("write", "read", "slices")


def panel(axes, runs, case, title):
    ops = [op for op in OPS if runs.fastest(case, op)]
    peers = list(dict.fromkeys(peer for op in ops for peer in runs.peers(case, op)))
    peers = [peer for peer in peers if peer != FLOOR and not is_hc(peer)]
    colours = plt.get_cmap("tab20").colors
    width = 0.85 / max(1, len(peers))
    for place, peer in enumerate(peers):
        heights = []
        for op in ops:
            cost = runs.cost(case, op, peer)
            heights.append(runs.cost(case, op, runs.fastest(case, op)) / cost if cost else 0)
        places = [n + (place - (len(peers) - 1) / 2) * width for n in range(len(ops))]
        colour = "black" if peer == OURS else colours[place % len(colours)]
        # Up from 1 is faster, down is slower, both in proportion.
        rises = [height - 1 if height else 0 for height in heights]
        axes.bar(places, rises, width, bottom=1, label=peer, color=colour)
        for at, height in zip(places, heights) if peer == OURS else ():
            side = "bottom" if height >= 1 else "top"
            axes.text(at, height, f"{height:.2f}×", ha="center", va=side, fontsize=8)
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}×")
    axes.set_xticks(range(len(ops)), ops)
    axes.set_title(title, fontsize=10)
    axes.margins(y=0.1)


def main():
    result = json.load(sys.stdin)
    runs = Runs(result["runs"])
    cases = [case for case in runs.cases() if case[1] == USUAL]
    figure, panels = plt.subplots(1, len(cases), figsize=(4.6 * len(cases), 4.8), squeeze=False)
    for axes, case in zip(panels[0], cases):
        facts = result["arrays"][case[0]]
        shape = "×".join(map(str, facts["shape"]))
        panel(axes, runs, case, f"{case[0]}: {shape}, {facts['bytes'] / 1e6:.0f} MB")
    panels[0][0].set_ylabel("speed, the fastest peer = 1")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, fontsize=8, frameon=False)
    machine = result["machine"]
    when = f"{machine['cpu']}, {machine['cores']} cores, {machine['date'][:10]}"
    figure.suptitle(f"Medians of {result['rounds']} rounds, {when}", fontsize=10)
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    figure.savefig(sys.argv[1], dpi=150)


if __name__ == "__main__":
    main()
