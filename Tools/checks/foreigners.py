"""What other programs do to a store: zarr-python, xarray, and people with a shell. See others.py.

Each action is a function of the store's path and a random generator, and is listed by name in ACTIONS. What
it writes is different each time, so that it can be found again by its contents wherever it is moved to.
"""
import json

ACTIONS = {}


def action(function):
    ACTIONS[function.__name__.strip("_").replace("_", " ")] = function
    return function


def text(random):
    return f"somebody's {random.getrandbits(64):x}\n"


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
