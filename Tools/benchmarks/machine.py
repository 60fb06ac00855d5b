"""What was measured on, for publishing beside every figure."""
import datetime
import os
import platform
import subprocess
from pathlib import Path


def first_value(path, key):
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return None


def output(*command, cwd=None):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd).stdout.strip()
    except OSError:
        return ""


def processor():
    return (
        first_value("/proc/cpuinfo", "model name")
        or output("sysctl", "-n", "machdep.cpu.brand_string")
        or platform.processor()
    )


def describe(root):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    commit = output("git", "rev-parse", "HEAD", cwd=root)
    isChanged = bool(output("git", "status", "--porcelain", "--untracked-files=no", cwd=root))
    return {
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "swift": output("swift", "--version").splitlines()[:1],
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit + ("+changes" if isChanged else ""),
    }
