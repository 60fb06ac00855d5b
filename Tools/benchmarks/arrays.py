"""Makes the arrays that are measured, as .npy files; those that are there are left alone.

usage: arrays.py DIRECTORY NAME… [--volume FILE.npy] [--scale S]

d1: 20000 × 5000 int32, uniform in 0…9. d2: 3,000,000 × 64 int16 like extracellular recordings, an
AR(1) process a channel. d3: eight views of one volume as float32: of an MRI scan if --volume names
one, else of something as smooth. growth-MB: d2's kind, so many megabytes. commits-N: N + 20 tiny
chunks of one row each.
"""
import argparse
import os
from pathlib import Path

import numpy as np

SEED = 20251124


def uniform(scale, options):
    rows = max(64, round(20_000 * scale))
    return np.random.default_rng(SEED).integers(0, 10, (rows, 5_000), dtype=np.int32)


def ephys(scale, options, rows=None):
    from scipy.signal import lfilter

    random = np.random.default_rng(SEED)
    samples = np.empty((rows or max(64, round(3_000_000 * scale)), 64), np.int16)
    for channel in range(samples.shape[1]):
        noise = random.normal(scale=20, size=len(samples))
        samples[:, channel] = np.round(lfilter([1], [1, -0.9], noise))
    return samples


def smooth_volume():
    """Blobs and background as in a scan: whole numbers, exactly 0 outside an ellipsoid."""
    from scipy.ndimage import gaussian_filter

    shape = (197, 233, 189)
    noise = np.random.default_rng(SEED).normal(size=shape).astype(np.float32)
    tissue = gaussian_filter(noise, 4)
    grain = gaussian_filter(noise, 1)
    values = 110 + 60 * tissue / tissue.std() + 4 * grain / grain.std()
    axes = np.meshgrid(*(np.linspace(-1.15, 1.15, n) for n in shape), indexing="ij", sparse=True)
    inside = sum(axis**2 for axis in axes) < 1
    return np.where(inside, np.clip(np.round(values), 1, 255), 0)


def middle(length, count):
    return slice((length - count) // 2, (length + count) // 2)


def volumes(scale, options):
    one = np.load(options.volume) if options.volume else smooth_volume()
    one = one.astype(np.float32)
    if scale < 1:
        one = one[tuple(middle(n, max(16, round(n * scale ** (1 / 3)))) for n in one.shape)]
    views = [one, one[::-1], one[:, ::-1], one[:, :, ::-1], one * 2, 255 - one]
    views += [one[::-1, ::-1], one[:, ::-1, ::-1]]
    return np.stack(views)


def growth(path, megabytes):
    """Written piece by piece: it may be larger than memory."""
    tile = ephys(1, None, rows=200_000)
    rows = round(megabytes * 1e6 / tile[0].nbytes)
    with open(path, "wb") as file:
        header = {"descr": "<i2", "fortran_order": False, "shape": (rows, tile.shape[1])}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, rows, len(tile)):
            # Rolled, so that no two pieces are the same to a compressor.
            np.roll(tile, start // len(tile), axis=1)[: rows - start].tofile(file)


def commits(path, count):
    rows = np.random.default_rng(SEED).integers(1, 100, (count + 20, 16), dtype=np.int32)
    np.save(path, rows)


MAKERS = {"d1": uniform, "d2": ephys, "d3": volumes}


def make(path, name, options):
    kind, _, number = name.partition("-")
    if kind == "growth":
        growth(path, int(number))
    elif kind == "commits":
        commits(path, int(number))
    else:
        np.save(path, MAKERS[name](options.scale, options))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--volume", type=Path, help="a .npy file of three axes")
    parser.add_argument("--scale", type=float, default=1.0, help="of the usual size, for trying out")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        path = options.directory / f"{name}.npy"
        if path.exists():
            continue
        # Under another name until it is whole, so that what is there can be trusted.
        unfinished = path.with_suffix(".part.npy")
        make(unfinished, name, options)
        os.replace(unfinished, path)


if __name__ == "__main__":
    main()
