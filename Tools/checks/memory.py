"""Imports an array far larger than the memory allowed and measures what the tool really takes.

usage: memory.py [--megabytes 3000] [--memory-mb 300] [--allowance-mb 64]

The peak resident size of `slab import`, file pages included, must stay within what --memory-mb or
--buffer-gb allows, or a gigabyte, and the allowance; that of `slab verify` and `slab export`, which
promise nothing, is reported. What comes out must be what went in, and nothing may be left staged.
"""
import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from support import ROOT, Tally, scratch, slab, tool


def write_input(path, shape):
    """int16 in waves with noise and a silent part: compresses some, fills some chunks."""
    random = np.random.default_rng(5)
    array = np.lib.format.open_memmap(path, mode="w+", dtype="<i2", shape=shape)
    noise = random.integers(-60, 60, (4096, shape[1]), dtype=np.int16)
    for start in range(0, shape[0], 4096):
        rows = min(4096, shape[0] - start)
        if (start // 4096) % 16 == 15:
            continue  # A hole in the file: zeros.
        time_axis = np.arange(start, start + rows)[:, None]
        wave = (900 * np.sin(time_axis * 0.01 + np.arange(shape[1]) * 0.1)).astype(np.int16)
        array[start : start + rows] = wave + np.roll(noise, start // 4096 * 7, axis=0)[:rows]
    array.flush()
    del array


# A process is charged with the peak of the one that started it, so a small one in between starts the tool.
LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def peak(*arguments):
    """Runs the tool; returns exit code, peak resident bytes and seconds."""
    begun = time.monotonic()
    command = [sys.executable, "-c", LAUNCHER, tool(), *map(str, arguments)]
    code, used = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()
    return int(code), int(used), time.monotonic() - begun


def check_fortran(tally, folder, source):
    """The least there can be, from an array in the other order: the bound is that of the whole process."""
    rows = min(len(source), 400_000)
    np.save(folder / "f.npy", np.asfortranarray(source[:rows]))
    target = folder / "big.slab" / "fortran"
    code, used, seconds = peak("import", folder / "f.npy", target, "--quiet", "--memory-mb", 50)
    print(f"fortran: {rows * source.shape[1] * 2 / 1e6:.0f} MB in {seconds:.1f} s, peak {used / 1e6:.0f} MB")
    tally.check(code == 0, f"fortran: import exits {code}")
    tally.check(used <= 50_000_000, f"fortran: peak {used / 1e6:.0f} MB, allowed 50")
    for start in (0, rows // 3, rows - 40):
        found = slab("read", target, f"{start}:{start + 40}", "--format", "raw")
        tally.check(found == source[start : start + 40].tobytes(), f"fortran: rows from {start}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=3000)
    parser.add_argument("--memory-mb", type=int, default=300)
    parser.add_argument("--allowance-mb", type=int, default=64)
    options = parser.parse_args()
    tally = Tally("memory")
    # Not the usual place, which may itself be memory.
    place = ROOT / ".build"
    place.mkdir(exist_ok=True)
    if shutil.disk_usage(place).free < 6_000_000 * options.megabytes:
        tally.skip(f"needs {6 * options.megabytes} MB of disk in {place}")
        tally.finish()
    with scratch(place) as temporary:
        folder = Path(temporary)
        shape = (options.megabytes * 1_000_000 // (2 * 384), 384)
        write_input(folder / "in.npy", shape)
        source = np.load(folder / "in.npy", mmap_mode="r")
        bounded = ["--memory-mb", options.memory_mb]
        narrow = ["--chunk-shape", f"{min(shape[0], 250_000)},16"]
        # Row chunks; chunks of few columns, each of which gathers from all over the file; buffers alone
        # as the bound; and nobody's bound, which is HDMF's of a gigabyte.
        cases = {
            "rows": (bounded, options.memory_mb),
            "columns": ([*bounded, *narrow], options.memory_mb),
            "buffers": (["--buffer-gb", options.memory_mb / 1000], options.memory_mb),
            "usual": ([], 1000),
        }
        for name, (flags, megabytes) in cases.items():
            limit = (megabytes + options.allowance_mb) * 1_000_000
            target = folder / "big.slab" / name
            code, used, seconds = peak("import", folder / "in.npy", target, "--quiet", *flags)
            rate = source.nbytes / 1e6 / seconds
            print(f"{name}: {source.nbytes / 1e6:.0f} MB in {seconds:.1f} s, {rate:.0f} MB/s, peak {used / 1e6:.0f} MB")
            tally.check(code == 0, f"{name}: import exits {code}")
            tally.check(used <= limit, f"{name}: peak {used / 1e6:.0f} MB, allowed {limit / 1e6:.0f}")
            for start in (0, shape[0] // 3, shape[0] - 40):
                found = slab("read", target, f"{start}:{start + 40}", "--format", "raw")
                tally.check(found == source[start : start + 40].tobytes(), f"{name}: rows from {start}")
            staged = [file for file in (folder / "big.slab/__slab").glob("w/*/*")]
            tally.check(not staged, f"{name}: left staged: {staged[:3]}")
            temporary_files = [file for file in folder.rglob("*tmp*")]
            tally.check(not temporary_files, f"{name}: left over: {temporary_files[:3]}")
        check_fortran(tally, folder, source)
        for verb, arguments in {
            "verify": [folder / "big.slab"],
            "export": [folder / "big.slab/rows", folder / "out.npy"],
        }.items():
            code, used, seconds = peak(verb, *arguments)
            print(f"{verb}: {seconds:.1f} s, peak {used / 1e6:.0f} MB")
            tally.check(code == 0, f"{verb} exits {code}")
        done = subprocess.run(["cmp", folder / "in.npy", folder / "out.npy"], capture_output=True)
        tally.check(done.returncode == 0, f"exported file differs: {done.stdout[:200]}")
    tally.finish()


if __name__ == "__main__":
    main()
