"""How time, memory and commits go with size: curves of our own, no peers."""
import os

from runs import remove, say

SIZES_MB = (100, 300, 1_000, 3_000, 10_000)
COMMIT_CHUNKS = (10, 100, 1_000, 10_000, 100_000)


def touch(path, size):
    """Leaves so many free pages that were in use before: in a virtual machine the first use of a page
    costs many times what filling it does, and small arrays would only ever get used ones."""
    block = bytes(1 << 22)
    with open(path, "wb") as file:
        remove(path)
        for _ in range(0, size, len(block)):
            file.write(block)


def cache(array, store):
    """Has the store in the page cache and the array not: with both, and the result, the largest would
    be the only one to be read from the disk."""
    with open(array, "rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    for path in store.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                while file.read(1 << 22):
                    pass


def sizes(bench, limit_gb):
    """Time per byte, writing and reading; each array goes when it is done."""
    rows = []
    for megabytes in (size for size in SIZES_MB if size <= limit_gb * 1e3):
        say(f"growth: {megabytes} MB")
        (array,) = bench.make_arrays([f"growth-{megabytes}"])
        chunk = bench.chunk(array)
        out = bench.place(array, "hyperslab", chunk)
        for op in ("import", "read"):
            os.sync()
            if op == "read":
                cache(array.path, out)
            touch(bench.stores / "pages", array.size)
            run = bench.run_ours(array, op, chunk, out, ["--repeat", 1])
            rows.append({"mb": megabytes, **run, "op": op})
        remove(out)
        remove(array.path)
    return rows


def commits(bench, limit):
    """What one more chunk costs, committed."""
    rows = []
    for count in (count for count in COMMIT_CHUNKS if count <= limit):
        say(f"growth: a commit after {count} chunks")
        (array,) = bench.make_arrays([f"commits-{count}"])
        out = bench.place(array, "hyperslab", [1, 16])
        run = bench.run_ours(array, "commits", [1, 16], out)
        rows.append({"chunks": count, **run})
        remove(out)
        remove(array.path)
    return rows


def threads(bench, arrays, rounds):
    """One thread against two; reading has no option for it, so that one processor is all it gets."""
    rows = []
    for array in arrays:
        chunk = bench.chunk(array)
        out = bench.place(array, "hyperslab", chunk)
        for _ in range(rounds):
            for count in (1, 2):
                say(f"threads: {array.name}, {count}")
                options = ["--threads", count]
                for op in ("write", "read"):
                    run = bench.run_ours(array, op, chunk, out, options, cpus=set(range(count)))
                    rows.append({"threads": count, **run, "array": array.name, "op": op})
        remove(out)
    return rows


def memory(bench, array, budgets):
    """The peak of an import that was given a budget."""
    rows = []
    for budget in budgets:
        say(f"memory: {array.name} in {budget} MB")
        out = bench.stores / "budget.slab"
        run = bench.run_import(array, None, out, ["--memory-mb", budget])
        rows.append({"array": array.name, "budget_mb": budget, **run})
        remove(out)
    return rows
