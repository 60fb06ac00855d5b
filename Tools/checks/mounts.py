"""File systems of our own for checks: a tmpfs, or ext4 and xfs in a file. Needs root; else checks skip."""
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

# _IOR('X', 125, __u32): the file system stops at once, as if the power were cut.
SHUTDOWN = 0x8004587D
LOG_FLUSH, NO_LOG_FLUSH = 1, 2


def command(*arguments):
    done = subprocess.run(arguments, capture_output=True)
    if done.returncode:
        raise OSError(f"{' '.join(arguments)}: {done.stderr.decode().strip()}")


class Mount:
    """A mounted file system; `again` unmounts and mounts it, as a machine that starts anew."""

    def __init__(self, kind, directory, megabytes):
        self.kind, self.place = kind, Path(directory) / f"mounted-{kind}"
        self.image = Path(directory) / f"{kind}.image"
        self.place.mkdir()
        if kind != "tmpfs":
            with open(self.image, "wb") as file:
                file.truncate(megabytes << 20)
            options = {"ext4": ["-q", "-m", "0", "-F"], "xfs": ["-q", "-f"]}[kind]
            command(f"mkfs.{kind}", *options, str(self.image))
        self.megabytes = megabytes
        self.mount()

    def mount(self):
        if self.kind == "tmpfs":
            command("mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "tmpfs", str(self.place))
        else:
            command("mount", "-t", self.kind, "-o", "loop", str(self.image), str(self.place))

    def unmount(self):
        for _ in range(50):
            try:
                return command("umount", str(self.place))
            except OSError:
                # Somebody looks at it still.
                time.sleep(0.1)
        command("umount", str(self.place))

    def cut_power(self, flags=NO_LOG_FLUSH):
        place = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(place, SHUTDOWN, struct.pack("I", flags))
        finally:
            os.close(place)

    def again(self):
        self.unmount()
        self.mount()

    def free(self):
        sync(self.place)
        status = os.statvfs(self.place)
        return status.f_bavail * status.f_frsize

    def clear(self):
        for path in self.place.iterdir():
            if path.name != "lost+found":
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def sync(place):
    descriptor = os.open(place, os.O_RDONLY)
    try:
        ctypes.CDLL(None).syncfs(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def mounted(kind, directory, megabytes, tally):
    """A mounted file system; None, and a word, where mounting is not allowed."""
    mount = None
    try:
        mount = Mount(kind, directory, megabytes)
    except (OSError, FileNotFoundError) as error:
        tally.skip(f"{kind}: cannot be mounted here: {error}")
    try:
        yield mount
    finally:
        if mount:
            mount.unmount()
