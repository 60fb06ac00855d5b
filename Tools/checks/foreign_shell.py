"""What people do to a store with a shell, an editor or a backup. See foreigners.py."""
import json
import os
import shutil

from foreigners import ACTIONS, action, edited, text

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
            if place.startswith("__slab/w/") and name in ("0", "0.new", "lock"):
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
