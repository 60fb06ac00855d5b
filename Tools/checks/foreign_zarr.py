"""What zarr-python and xarray do to a store. See foreigners.py."""
import warnings

import numpy as np
import xarray
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec

from foreigners import ACTIONS, action, edited, text

warnings.simplefilter("ignore")
# Codecs that adopt can take in.
OWN_KIND = dict(serializer=BytesCodec(),
                compressors=[BloscCodec(cname="lz4", shuffle="bitshuffle"), Crc32cCodec()])
PLAIN = dict(compressors=None)


def numbers(random, shape, dtype="i4"):
    bits = np.random.default_rng(random.getrandbits(32))
    return bits.integers(1, 100, shape).astype(dtype)


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
