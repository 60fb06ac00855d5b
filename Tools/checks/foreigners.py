"""What other programs do to a store: zarr-python, xarray, and people with a shell. See others.py.

Each action is a function of the store's path and a random generator, and is listed by name in ACTIONS. What
it writes is different each time, so that it can be found again by its contents wherever it is moved to.
"""
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import xarray
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec

warnings.simplefilter("ignore")
ACTIONS = {}
# Codecs that adopt can take in.
OWN_KIND = dict(serializer=BytesCodec(), compressors=[BloscCodec(cname="lz4", shuffle="bitshuffle"), Crc32cCodec()])
PLAIN = dict(compressors=None)


def action(function):
    ACTIONS[function.__name__.strip("_").replace("_", " ")] = function
    return function


def numbers(random, shape, dtype="i4"):
    bits = np.random.default_rng(random.getrandbits(32))
    return bits.integers(1, 100, shape).astype(dtype)


def text(random):
    return f"somebody's {random.getrandbits(64):x}\n"


def group(store):
    return zarr.open_group(str(store), mode="r+", use_consolidated=False)


def array(store, path):
    return zarr.open_array(f"{store}/{path}", mode="r+")


# zarr-python: new nodes


def saves(name, path, **options):
    def body(store, random):
        shape, dtype = options.get("shape", (10, 6)), options.get("dtype", "i4")
        settings = {key: options[key] for key in options if key not in ("shape", "dtype")}
        group(store).create_array(path, data=numbers(random, shape, dtype), **{"chunks": (4,) * len(shape), **settings})
        array(store, path).attrs["by"] = text(random)
    ACTIONS[name] = body


saves("new array in the root, default codecs", "mine")
saves("new array in the root, plain", "mine", **PLAIN)
saves("new array in the root, our codecs", "mine", **OWN_KIND)
saves("new array in a group", "g/mine", **OWN_KIND)
saves("new array in new groups", "n1/n2/mine", **PLAIN)
saves("new array inside a data set", "a/inner", **PLAIN)
saves("new array inside a data set's c", "a/c/inner", **PLAIN)
saves("new array below __slab", "__slab/mine", **PLAIN)
saves("new array in shards", "mine", shape=(16, 16), shards=(8, 8))
saves("new array of bool", "mine", dtype="bool", **PLAIN)
saves("new array of complex128 and one axis", "mine", dtype="c16", shape=(9,), **OWN_KIND)
saves("new big-endian array", "mine", serializer=BytesCodec(endian="big"), **PLAIN)
saves("new array with a dot in its chunk keys", "mine",
      chunk_key_encoding={"name": "default", "separator": "."}, **PLAIN)
saves("new array of chunk keys as in format 2", "mine", chunk_key_encoding={"name": "v2", "separator": "/"}, **PLAIN)
saves("new array with names of axes", "mine", dimension_names=("u", "v"), **PLAIN)
saves("new array called c", "g/c", **PLAIN)
saves("new array called 0", "g/0", **PLAIN)
saves("new array with a letter in two parts", "g/re\u0301sume\u0301", **PLAIN)
saves("new array with a name of spaces", "g/ my array ", **PLAIN)
saves("data set replaced by an array of another type", "a", dtype="f8", overwrite=True)
saves("data set replaced by one of our codecs", "g/b", dtype="f8", shape=(12, 10), overwrite=True, **OWN_KIND)
saves("group replaced by an array", "g", overwrite=True, **PLAIN)


@action
def new_group(store, random):
    group(store).create_group("mygroup").attrs["k"] = text(random)


@action
def new_array_of_texts(store, random):
    group(store).create_array("texts", shape=(3,), dtype=str)[:] = np.array([text(random), "b", "c"])


@action
def new_array_of_format_2(store, random):
    zarr.create_array(str(store / "old2"), data=numbers(random, (8, 8)), chunks=(4, 4), zarr_format=2)


@action
def new_data_set_replaced_by_a_group(store, random):
    zarr.open_group(str(store / "a"), mode="w").create_array("x", data=numbers(random, (6,)), **PLAIN)


# zarr-python: values


@action
def whole_chunk(store, random):
    array(store, "a")[0:8] = numbers(random, (8, 64))


@action
def part_of_a_chunk(store, random):
    array(store, "a")[17:19, 3] = -random.getrandbits(20)


@action
def chunk_that_was_fill_only(store, random):
    array(store, "a")[8:16] = numbers(random, (8, 64))


@action
def all_of_a_data_set(store, random):
    array(store, "g/b")[...] = numbers(random, (12, 10), "f8")


@action
def chunk_of_fill_values(store, random):
    array(store, "a")[0:8] = 0


@action
def rows_appended_to_the_next_chunk(store, random):
    array(store, "log").append(numbers(random, (10, 16), "i2"))


@action
def one_row_appended(store, random):
    array(store, "log").append(numbers(random, (1, 16), "i2"))


@action
def rows_appended_where_nothing_may_grow(store, random):
    array(store, "a").append(numbers(random, (5, 64)))


@action
def columns_appended(store, random):
    array(store, "g/b").append(numbers(random, (12, 3), "f8"), axis=1)


@action
def made_longer(store, random):
    array(store, "log").resize((30, 16))


@action
def made_shorter(store, random):
    array(store, "log").resize((5, 16))


@action
def data_set_deleted(store, random):
    del group(store)["a"]


@action
def group_deleted(store, random):
    del group(store)["g"]


# zarr-python: what is said of nodes


@action
def attributes_of_the_root(store, random):
    group(store).attrs["theirs"] = text(random)


@action
def attributes_of_a_group(store, random):
    group(store)["g"].attrs.update({"theirs": text(random), "n": [1, 2.5, None]})


@action
def attributes_of_a_data_set(store, random):
    array(store, "g/b").attrs["theirs"] = text(random)


@action
def attributes_of_all_nodes(store, random):
    for node in (group(store), group(store)["g"], array(store, "a"), array(store, "log")):
        node.attrs["theirs"] = text(random)


@action
def attribute_removed(store, random):
    del array(store, "g/b").attrs["k"]


@action
def unit_changed(store, random):
    array(store, "g/b").attrs["units"] = text(random)


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@action
def axes_renamed(store, random):
    names = [f"u{random.getrandbits(32)}", "v"]
    edited(store / "g/b/zarr.json", lambda document: document.update(dimension_names=names))


@action
def metadata_consolidated_in_the_root(store, random):
    zarr.consolidate_metadata(str(store))


@action
def metadata_consolidated_in_a_group(store, random):
    zarr.consolidate_metadata(str(store / "g"))


# xarray


def month(random, length=6):
    return xarray.Dataset({"temperature": (("time", "site"), numbers(random, (length, 4), "f4"))},
                          coords={"time": np.arange(length) + random.getrandbits(20)}, attrs={"by": text(random)})


@action
def xarray_adds_variables_to_the_root(store, random):
    month(random).to_zarr(str(store), mode="a", consolidated=False)


@action
def xarray_adds_variables_and_consolidates(store, random):
    month(random).to_zarr(str(store), mode="a", consolidated=True)


@action
def xarray_writes_a_new_group(store, random):
    month(random).to_zarr(str(store), group="g/model", mode="w-", consolidated=False)


@action
def xarray_appends_twice(store, random):
    month(random).to_zarr(str(store), group="model", mode="w", consolidated=False)
    month(random).to_zarr(str(store), group="model", append_dim="time", consolidated=False)


@action
def xarray_appends_to_a_data_set(store, random):
    new = xarray.Dataset({"series": (("time", "site"), numbers(random, (4, 5), "f4"))})
    new.to_zarr(str(store), group="x", append_dim="time", consolidated=False)


@action
def xarray_replaces_a_group(store, random):
    month(random).to_zarr(str(store), group="g", mode="w", consolidated=False)


# A shell

NAMES = ["notes.txt", ".DS_Store", "._a", ".hidden", "0", "c", "main.c", "slab.json.tmp-0f3a01c2", "slab.json.bak", "0.new",
         "zarr.json.bak", ".zarray", "000042-9f3a01c2.json", "claim-7", "claim-99", "root-3", "root-99", "d0", "d99",
         "__slab-new", "__slab", "placing", "trash", "lost", "a b\n\x1b[31mc", "x" * 255, os.fsdecode(b"\xff\xfe"),
         "e\u0301", "-rf", "lock"]
PLACES = ["", "a", "a/c", "a/c/0", "a/c/7", "g", "g/h", "x", "src/c", "__slab", "__slab/t", "__slab/t/d0", "__slab/w",
          "__slab/w/0f3a01c2", "__slab/trash", "__slab/trash/d7", "__slab/lost", "__slab/mine"]


def dropped(place):
    def body(store, random):
        directory = store / place
        directory.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            # In a writer's own directory names of digits are the writer's (Spec, 10.5).
            if place.startswith("__slab/w/") and name in ("0", "0.new", "lock", "placing"):
                continue
            if not os.path.lexists(directory / name):
                (directory / name).write_text(text(random))
    ACTIONS[f"files of many names in {place or 'the root'}"] = body


for place in PLACES:
    dropped(place)


def one_name(place, name):
    def body(store, random):
        (store / place).mkdir(parents=True, exist_ok=True)
        (store / place / name).write_text(text(random))
    ACTIONS[f"a file {place}/{name}"] = body


for place, name in (("src/c", "main.c"), ("a", ".DS_Store"), ("a/c", "9"), ("a/c/0", "7"), ("__slab", "root-99"),
                    ("__slab/trash", "d7"), ("", "mine"), ("g", "new"), ("__slab", "claim-8"), ("__slab/lost", "4-a")):
    one_name(place, name)


@action
def mkdir_with_things_inside(store, random):
    for place in ("mine", "g/new/deep", "a/c/0/deep", "src/c"):
        (store / place).mkdir(parents=True)
        (store / place / "README").write_text(text(random))


@action
def empty_directories(store, random):
    for place in ("mine", "a/c/9", "g/new/deep"):
        (store / place).mkdir(parents=True)


@action
def touched(store, random):
    for path in store.rglob("*"):
        os.utime(path)


@action
def copy_of_another_store(store, random):
    shutil.copytree(store.parent / "another.slab", store / "backup")
    (store / "backup/slab.json").write_text(text(random))


@action
def copy_of_a_whole_other_store(store, random):
    shutil.copytree(store.parent / "another.slab", store / "backup")


@action
def copy_of_another_store_in_a_group(store, random):
    shutil.copytree(store.parent / "another.slab", store / "g/backup.slab")


@action
def copy_of_a_data_set_of_another_store(store, random):
    shutil.copytree(store.parent / "another.slab/z", store / "g/z")


@action
def copy_of_another_store_s_chunk(store, random):
    for chunk in ("0", "1"):
        (store / "a/c" / chunk).mkdir(exist_ok=True)
        shutil.copy(store.parent / "another.slab/z/c" / chunk / "0", store / "a/c" / chunk / "0")


@action
def copy_of_a_data_set(store, random):
    shutil.copytree(store / "a", store / "a copy")


@action
def copy_of_the_store_into_itself(store, random):
    shutil.copytree(store, store.parent / "copy")
    shutil.move(store.parent / "copy", store / "copy")


@action
def data_set_renamed(store, random):
    (store / "a").rename(store / "a2")


@action
def group_renamed(store, random):
    (store / "g").rename(store / "g2")


@action
def data_set_s_chunks_renamed(store, random):
    (store / "g/b/c").rename(store / "g/b/c.old")


@action
def chunk_renamed(store, random):
    (store / "a/c/0/0").rename(store / "a/c/0/0.bak")


@action
def chunk_renamed_to_another_s_place(store, random):
    (store / "a/c/1").mkdir(exist_ok=True)
    (store / "a/c/0/0").rename(store / "a/c/1/0")


@action
def chunks_swapped(store, random):
    first, second, aside = store / "a/c/0/0", store / "a/c/2/0", store / "aside"
    first.rename(aside), second.rename(first), aside.rename(second)


@action
def older_version_of_a_chunk(store, random):
    shutil.copy(store.parent / "old-chunk", store / "log/c/2/0")


@action
def chunk_written_into(store, random):
    with open(store / "a/c/0/0", "r+b") as file:
        file.seek(20)
        file.write(text(random).encode())


@action
def chunk_lengthened(store, random):
    with open(store / "a/c/0/0", "ab") as file:
        file.write(text(random).encode())


@action
def text_in_the_place_of_chunks(store, random):
    for path in ("a/c/0/0", "a/c/2/0", "g/b/c/0/0"):
        (store / path).write_text(text(random))


@action
def directory_in_the_place_of_a_chunk(store, random):
    (store / "a/c/0/0").unlink()
    (store / "a/c/0/0").mkdir()
    (store / "a/c/0/0/mine").write_text(text(random))


@action
def file_in_the_place_of_a_data_set(store, random):
    shutil.rmtree(store / "a")
    (store / "a").write_text(text(random))


@action
def file_in_the_place_of_c(store, random):
    shutil.rmtree(store / "a/c")
    (store / "a/c").write_text(text(random))


@action
def symbolic_links(store, random):
    outside = store.parent / f"outside-{random.getrandbits(32):x}"
    outside.mkdir()
    (outside / "thing").write_text(text(random))
    for place in ("link", "a/link", "a/c/5", "a/c/0/link", "g/new", "__slab/link", "__slab/w/link", "__slab/trash/link"):
        (store / place).parent.mkdir(exist_ok=True, parents=True)
        (store / place).symlink_to(outside)
    (store / "dangling").symlink_to("nowhere")


@action
def data_set_moved_away_and_linked(store, random):
    away = store.parent / f"away-{random.getrandbits(32):x}"
    shutil.move(store / "a", away)
    (store / "a").symlink_to(away)


@action
def chunk_moved_away_and_linked(store, random):
    away = store.parent / f"away-{random.getrandbits(32):x}"
    shutil.move(store / "a/c/0/0", away)
    (store / "a/c/0/0").symlink_to(away)


@action
def pipe(store, random):
    os.mkfifo(store / "pipe")
    os.mkfifo(store / "a/c/0/pipe")


@action
def document_edited_attributes(store, random):
    edited(store / "a/zarr.json", lambda document: document["attributes"].update(note=text(random)))


@action
def document_edited_another_member(store, random):
    edited(store / "a/zarr.json", lambda document: document.update(comment={"must_understand": False, "v": text(random)}))


@action
def document_edited_another_member_of_a_group(store, random):
    edited(store / "g/zarr.json", lambda document: document.update(comment={"must_understand": False, "v": text(random)}))


@action
def document_edited_another_member_of_the_root(store, random):
    edited(store / "zarr.json", lambda document: document.update(comment={"must_understand": False, "v": text(random)}))


@action
def document_edited_fill_value(store, random):
    edited(store / "a/zarr.json", lambda document: document.update(fill_value=random.getrandbits(20)))


@action
def document_edited_type(store, random):
    edited(store / "a/zarr.json", lambda document: document.update(data_type="uint32", attributes={"k": text(random)}))


@action
def document_of_a_group_edited_into_an_array(store, random):
    shutil.copy(store / "a/zarr.json", store / "g/zarr.json")
    edited(store / "g/zarr.json", lambda document: document.update(attributes={"k": text(random)}))


@action
def document_reformatted(store, random):
    edited(store / "g/b/zarr.json", lambda document: None)


@action
def document_broken(store, random):
    for place in ("a/zarr.json", "g/zarr.json"):
        (store / place).write_text('{"zarr_format": 3, ' + text(random))


@action
def document_of_nothing_of_zarr(store, random):
    (store / "a/zarr.json").write_text(json.dumps({"note": text(random)}))


@action
def document_emptied(store, random):
    (store / "a/zarr.json").write_text("")


@action
def documents_deleted(store, random):
    for place in ("zarr.json", "a/zarr.json", "g/zarr.json"):
        (store / place).unlink()


@action
def document_that_is_a_directory(store, random):
    (store / "a/zarr.json").unlink()
    (store / "a/zarr.json").mkdir()
    (store / "a/zarr.json/mine").write_text(text(random))


@action
def old_index_put_back(store, random):
    shutil.copy(store.parent / "old.json", store / "slab.json")


@action
def old_index_and_its_copies_put_back(store, random):
    shutil.copy(store.parent / "old.json", store / "slab.json")
    for path in (store / "__slab").glob("root-*"):
        path.unlink()


@action
def index_edited(store, random):
    index = store / "slab.json"
    index.write_text(index.read_text().replace('"k": 1', f'"k": {random.getrandbits(30)}'))


@action
def index_replaced_by_text(store, random):
    (store / "slab.json").write_text(text(random))


@action
def index_deleted(store, random):
    (store / "slab.json").unlink()


@action
def index_of_another_store(store, random):
    shutil.copy(store.parent / "another.slab/slab.json", store / "slab.json")


@action
def tables_deleted(store, random):
    shutil.rmtree(store / "__slab/t")


@action
def table_written_into(store, random):
    next((store / "__slab/t").rglob("*.json")).write_text(text(random))


@action
def all_below__slab_deleted(store, random):
    shutil.rmtree(store / "__slab")


@action
def lock_deleted(store, random):
    (store / "__slab/lock").unlink()


@action
def chunks_deleted(store, random):
    shutil.rmtree(store / "a/c")
    (store / "g/b/c/0/0").unlink()


@action
def data_set_deleted_by_rm(store, random):
    shutil.rmtree(store / "a")
