"""Writes `invalid.jsonl` and `variants.jsonl` of Spec/vectors: edits of golden stores.

    python3 make_damage.py Spec/vectors

Every checksum that an edit touches is made right again unless it is what the vector is about, so
that a reader has to find the fault itself. The verdicts are stated here, from the specification.
"""

import difflib
import json
import os
import re
import sys

from slab_writer import close_frame, crc32c, frame, pattern, seal


class Patch:
    """A golden store and what becomes of its files: bytes, None (gone), or a directory, link, FIFO."""

    def __init__(self, folder, store):
        self.store, self.base, self.now, self.ops = store, {}, {}, []
        top = os.path.join(folder, "stores", store)
        for place, _, names in os.walk(top):
            for name in names:
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    self.base[os.path.relpath(path, top)] = file.read()
        self.now = dict(self.base)

    def root(self, old, new, node=None, seal_=True):
        """Replaces one text in the index; `node` names the line where it is to be."""
        text = self.now["slab.json"].decode("utf-8", "surrogateescape")
        start, end = 0, len(text)
        if node == "first line":
            end = text.index("\n")
        elif node is not None:
            start = text.index(f'\n{json.dumps(node, ensure_ascii=False)}: ') + 1
            end = text.index("\n", start)
        part = text[start:end]
        assert part.count(old) == 1, (node, old, part.count(old))
        data = (text[:start] + part.replace(old, new) + text[end:]).encode("utf-8", "surrogateescape")
        self.now["slab.json"] = reseal(data) if seal_ else data

    def run(self, dataset, index):
        names = sorted(n for n in self.now if n.startswith(f"__slab/t/{dataset}/"))
        return names[index]

    def edit_run(self, dataset, index, old, new, seal_=True):
        """Replaces a text in a run, and lets the index refer to what comes out."""
        name = self.run(dataset, index)
        text = self.now[name]
        assert text.count(old.encode()) == 1, (name, old)
        text = text.replace(old.encode(), new.encode("utf-8", "surrogateescape"))
        self.replace_run(name, reseal(text) if seal_ else text)

    def replace_run(self, name, data):
        before = self.now[name]
        was, crc = name[-13:-5], f"{crc32c(data):08x}"
        after = name.replace(was, crc)
        self.now[after] = data
        # The kept older indexes may still list the one before.
        self.ops.append({"op": "copy", "file": name, "to": after})
        self.base[after] = before
        self.root(f'"crc": "{was}", "size": {len(before)}', f'"crc": "{crc}", "size": {len(data)}')

    def edit_chunk(self, name, data, dataset=None, index=0, blocks=1):
        """Puts in another chunk file; with a data set, the run lists it as if it were right."""
        before, self.now[name] = self.now[name], data
        if dataset:
            run = self.run(dataset, index)
            text = self.now[run].decode()
            sums = [int.from_bytes(d[16 + 8 * blocks:20 + 8 * blocks], "little") for d in (before, data)]
            assert text.count(str(sums[0])) == 1
            at = re.search(r'"crc": \[([^\]]*)\]', text)
            row = at[1].split(", ").index(str(sums[0]))
            sizes = re.search(r'"bytes": \[([^\]]*)\]', text)
            listed = sizes[1].split(", ")
            assert listed[row] == str(len(before))
            listed[row] = str(len(data))
            text = text.replace(sizes[0], f'"bytes": [{", ".join(listed)}]').replace(str(sums[0]), str(sums[1]))
            self.replace_run(run, reseal(text.encode()))
            if len(data) != len(before):
                node = json.loads(text)["path"]
                total = int(re.search(rf'\n"{node}": .*"stored_bytes": (\d+)', self.now["slab.json"].decode())[1])
                self.root(f'"stored_bytes": {total}', f'"stored_bytes": {total + len(data) - len(before)}', node=node)

    def edits(self):
        result = list(self.ops)
        for name in sorted(self.base.keys() | self.now.keys()):
            old, new = self.base.get(name), self.now.get(name)
            if new is None:
                result.append({"op": "delete", "file": name})
            elif isinstance(new, dict):
                result += ([{"op": "delete", "file": name}] if old is not None else []) + [new | {"file": name}]
            elif old is None:
                result.append({"op": "create", "file": name} | spelled(new))
            elif old != new:
                result += splices(name, old, new)
        return result


def reseal(data):
    """The same with the self-check right again."""
    return seal(data[:-22].decode()) if data[-22:-13] == b'"crc32c":' and is_text(data) else \
        data[:-22] + b'"crc32c": "%08x"}\n' % crc32c(data[:-22])


def is_text(data):
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


def spelled(data):
    if is_text(data) and all(c >= " " or c in "\n" for c in data.decode()):
        return {"text": data.decode()}
    return {"hex": data.hex()}


def splices(name, old, new):
    """Edits in the order of the file, places counted in the file as it is by then."""
    start, tail = 0, 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    if len(old) == len(new):
        found = [(a, b, c, d) for tag, a, b, c, d in ([("", i, i + 1, i, i + 1) for i in range(len(old)) if old[i] != new[i]])]
        merged = []
        for a, b, c, d in found:
            if merged and a - merged[-1][1] < 12:
                merged[-1][1] = b
            else:
                merged.append([a, b])
        parts = [(a, b, new[a:b]) for a, b in merged]
    else:
        limit = min(len(old), len(new)) - start
        ends = 22 if min(len(old), len(new)) > start + 22 and old[-13:] != new[-13:] and new[-22:-12] == old[-22:-12] else 0
        tail = ends
        while tail < limit and old[-tail - 1] == new[-tail - 1]:
            tail += 1
        parts = [(start, len(old) - tail, new[start:len(new) - tail])]
        if ends:
            inner = splices(name, old[len(old) - tail:], new[len(new) - tail:])
            shift = len(new) - tail
            return [{"op": "splice", "file": name, "at": start, "remove": len(old) - tail - start}
                    | spelled(parts[0][2])] + [i | {"at": i["at"] + shift} for i in inner]
    return [{"op": "splice", "file": name, "at": a, "remove": b - a} | spelled(text) for a, b, text in parts]


class Collection:
    def __init__(self, folder):
        self.folder, self.invalid, self.variants = folder, [], []
        self.patches = {name: Patch(folder, name) for name in ("target.slab", "pending.slab", "delta.slab", "repeats.slab")}

    def patch(self, store="target.slab"):
        fresh = Patch.__new__(Patch)
        source = self.patches[store]
        fresh.store, fresh.base, fresh.now, fresh.ops = store, dict(source.base), dict(source.base), []
        return fresh

    def bad(self, id_, rule, patch, edits=None, **expect):
        """`open` or `read`: the code that opening, or reading the data sets in `affected`, fails with;
        `kind` and `file`: what `slab verify` says; nothing where it refuses like `open`."""
        expect = {"affected": []} | expect
        self.invalid.append({"id": id_, "rule": rule, "store": patch.store,
                             "edits": patch.edits() + (edits or []), "expect": expect})

    def index(self, id_, rule, old, new, node=None, store="target.slab", **expect):
        patch = self.patch(store)
        patch.root(old, new, node)
        self.bad(f"index/{id_}", rule, patch, **({"open": "index", "kind": "index", "file": "slab.json"} | expect))

    def table(self, id_, old, new, dataset="d0", path="a", index=0, **options):
        patch = self.patch()
        patch.edit_run(dataset, index, old, new, **options)
        self.bad(f"table/{id_}", "§ 8", patch, read="table", kind="table", affected=[path], file=self.added(patch))

    def fine(self, id_, patch, **expect):
        self.variants.append({"id": id_, "store": patch.store, "edits": patch.edits(), "expect": expect})

    def added(self, patch):
        """The file that the golden store does not have."""
        return next(name for name in patch.now if name not in self.patches[patch.store].now)

    # The index root ---------------------------------------------------------------------------

    def syntax(self):
        u = '"uuid": "0a8327092d015b565d2a614924e4333c"'
        for id_, old, new in [
                ("comma", '"next_id": 3,', '"next_id": 3,,'), ("member-twice", u, f"{u}, {u}"),
                ("node-twice", '"g": {"kind"', '"g": {"kind": "group", "attributes": {}},\n"g": {"kind"'),
                ("escaped-twice", u, u + ', "\\u0075uid": "x"'), ("codec-member-twice", '"filter": "shuffle"', '"filter": "none", "filter": "shuffle"'),
                ("attribute-twice", '"gain": 2.5', '"gain": 2.5, "gain": 2.5'),
                ("equivalent-attributes", '"gain": 2.5', '"\u00e9": 1, "e\u0301": 2'),
                ("byte-order-mark", '{"slab"', '\ufeff{"slab"'), ("not-utf8", '"mV"', '"m\udcff"'),
                ("overlong-utf8", '"mV"', '"m\udcc0\udc80"'), ("surrogate-utf8", '"mV"', '"\udced\udca0\udc80"'),
                ("half-a-pair", '"mV"', '"\\ud83d"'), ("wrong-pair", '"mV"', '"\\ud83d\\u0041"'),
                ("control-character", '"mV"', '"m\tV"'), ("unknown-escape", '"mV"', '"\\x41"'),
                ("nan", '"gain": 2.5', '"gain": NaN'), ("comment", '"next_id": 3,', '"next_id": 3, /* */'),
                ("leading-zero", '"next_id": 3', '"next_id": 03'), ("plus", '"next_id": 3', '"next_id": +3'),
                ("beyond-64-bits", '"gain": 2.5', '"gain": 18446744073709551616'),
                ("below-64-bits", '"gain": 2.5', '"gain": -9223372036854775809'),
                ("beyond-doubles", '"gain": 2.5', '"gain": 1e999'), ("bare-point", '"gain": 2.5', '"gain": 2.'),
                ("too-deep", '"gain": 2.5', '"gain": ' + "[" * 66 + "]" * 66),
                ("two-documents", '{"slab"', '{} {"slab"'), ("no-object", '{"slab"', '[{"slab"'),
                ("quotes", '"mV"', "'mV'"), ("vertical-space", '"next_id": 3', '"next_id":\u00a03')]:
            patch = self.patch()
            patch.root(old, new, seal_=False)
            patch.now["slab.json"] = reseal(patch.now["slab.json"])
            self.bad(f"index/json-{id_}", "§ 6.1", patch, open="index", kind="index", file="slab.json")

    def self_check(self):
        good = self.patch().now["slab.json"]
        flipped = bytes([*good[:200], good[200] ^ 1, *good[201:]])
        sum_ = good[-11:-3]
        for id_, data in [
                ("empty", b""), ("cut", good[:-1]), ("half", good[:1000]), ("line-added", good + b"\n"),
                ("crlf", good[:-1] + b"\r\n"), ("bit", flipped), ("wrong", good[:-11] + b"00000000" + good[-3:]),
                ("upper-case", good[:-11] + b"ABCDEF01" + good[-3:]), ("no-space", good[:-13] + b'"' + sum_ + b'"}\n'),
                ("space-before-end", good[:-2] + b" }\n"), ("space", seal(good[:-22].decode() + " ")[:-23] + b" " + good[-22:]),
                ("not-last", good[:-2] + b', "x-after": 1}\n'), ("missing", good[:-24] + b"}\n"),
                ("number", good[:-12] + b"12345678" + b"}\n")]:
            patch = self.patch()
            patch.now["slab.json"] = data
            self.bad(f"index/self-check-{id_}", "§ 6.2", patch, open="index", kind="index", file="slab.json")

    def root(self):
        text = self.patch().now["slab.json"].decode()
        for member in ("read_features", "write_features", "uuid", "commit", "time", "writer", "state", "next_id"):
            found = re.search(rf'"{member}": (\[[^\]]*\]|"[^"]*"|\d+), ?', text)[0]
            self.index(f"no-{member}", "§ 6.3", found, "", node="first line")
        self.index("no-nodes", "§ 6.3", '"nodes": {\n', '"x-nodes": {\n')
        for id_, old, new in [
                ("commit-real", '"commit": 3, "time"', '"commit": 3.0, "time"'), ("commit-exponent", '"commit": 3, "time"', '"commit": 3e0, "time"'),
                ("commit-text", '"commit": 3, "time"', '"commit": "3", "time"'), ("commit-negative", '"commit": 3, "time"', '"commit": -1, "time"'),
                ("commit-too-large", '"commit": 3, "time"', '"commit": 9007199254740992, "time"'),
                ("commit-minus-zero", '"commit": 3, "time"', '"commit": -0, "time"'),
                ("next_id-real", '"next_id": 3', '"next_id": 3.0'), ("next_id-null", '"next_id": 3', '"next_id": null'),
                ("next_id-too-low", '"next_id": 3', '"next_id": 2'),
                ("uuid-upper-case", "0a8327092d015b56", "0A8327092d015b56"), ("uuid-short", "0a8327092d015b56", "a8327092d015b56"),
                ("uuid-dashes", "0a8327092d015b56", "0a83-7092-015b56"), ("uuid-other-digits", "0a8327092d015b56", "０a8327092d015b56"),
                ("state", '"complete"', '"done"'), ("state-null", '"complete"', "null"), ("time", '"2026-11-23T02:10:23.000Z"', "1763863823"),
                ("writer", '"slab_writer.py"', "{}"), ("write_features-number", '["runs"]', "[1]"), ("write_features-text", '["runs"]', '"runs"'),
                ("read_features-null", '"read_features": []', '"read_features": null'), ("read_features-number", '"read_features": []', '"read_features": [3]'),
                ("unknown-member", '"next_id": 3', '"next_id": 3, "branch": "main"'), ("X-member", '"next_id": 3', '"next_id": 3, "X-lab": 1'),
                ("removed-object", '"next_id": 3', '"next_id": 3, "removed": {}'),
                ("removed-entry", '"next_id": 3', '"next_id": 3, "removed": [1]'),
                ("removed-member", '"next_id": 3', '"next_id": 3, "removed": [{"id": "d9", "path": "z", "as": 1}]'),
                ("removed-no-path", '"next_id": 3', '"next_id": 3, "removed": [{"id": "d9"}]'),
                ("removed-live", '"next_id": 3', '"next_id": 3, "removed": [{"id": "d0", "path": "z"}]'),
                ("removed-id", '"next_id": 3', '"next_id": 3, "removed": [{"id": "0", "path": "z"}]'),
                ("removed-root", '"next_id": 3', '"next_id": 3, "removed": [{"id": "d9", "path": ""}]'),
                ("removed-outside", '"next_id": 3', '"next_id": 3, "removed": [{"id": "d9", "path": "../z"}]')]:
            self.index(id_, "§ 6.3", old, new)
        for id_, old, new, code in [
                ("newer", '"slab": 1', '"slab": 2', "unsupported_version"), ("older", '"slab": 1', '"slab": 0', "unsupported_version"),
                ("real", '"slab": 1', '"slab": 1.0', "unsupported_version"), ("text", '"slab": 1', '"slab": "1"', "unsupported_version"),
                ("true", '"slab": 1', '"slab": true', "unsupported_version"), ("none", '"slab": 1, ', "", "unsupported_version"),
                ("before-features", '"slab": 1, "read_features": []', '"slab": 3, "read_features": ["magic"]', "unsupported_version"),
                ("before-members", '"slab": 1', '"slab": 2, "commits": []', "unsupported_version"),
                ("feature", '"read_features": []', '"read_features": ["magic"]', "unsupported_feature"),
                ("two-features", '"read_features": []', '"read_features": ["a", "b"]', "unsupported_feature"),
                ("feature-before-members", '"read_features": []', '"read_features": ["magic"], "magical": 1', "unsupported_feature"),
                ("feature-before-types", '"read_features": [], "write_features": ["runs"]', '"read_features": ["magic"], "write_features": 7', "unsupported_feature")]:
            patch = self.patch()
            patch.root(old, new)
            self.bad(f"version/{id_}", "§ 14", patch, open=code)
        patch = self.patch()
        patch.root('"slab": 1', '"slab": 2', seal_=False)
        self.bad("version/newer-and-wrong-sum", "§ 6.3", patch, open="unsupported_version", kind="index", file="slab.json")
        patch = self.patch()
        patch.root('"read_features": []', '"read_features": ["magic"]', seal_=False)
        self.bad("version/feature-and-wrong-sum", "§ 6.3", patch, open="index", kind="index", file="slab.json")

    def names(self):
        group = '{"kind": "group", "attributes": {}}'
        for id_, name in [
                ("up", "../x"), ("up-inside", "g/../x"), ("here", "g/./x"), ("leading-slash", "/x"), ("trailing-slash", "g/x/"),
                ("empty-component", "g//x"), ("only-slash", "/"), ("dot", ".x"), ("reserved", "__slab"), ("reserved-inside", "g/__x"),
                ("chunks", "g/c"), ("zarr", "zarr.json"), ("slab", "g/slab.json"), ("backslash", "x\\\\y"), ("nul", "x\\u0000"),
                ("control", "x\\u001f"), ("delete", "x\\u007f"), ("control-latin", "x\\u0085"), ("long", "n" * 256),
                ("long-bytes", "é" * 128), ("long-path", "/".join(["g"] + ["n" * 250] * 5)), ("dot-mark", ".\u0301x"),
                ("orphan", "h/x"), ("below-a-dataset", "a/x")]:
            self.index(f"name-{id_}", "§ 3", f'"g": {group}', f'"g": {group}, "{name}": {group}')
        self.index("name-equivalent", "§ 3", f'"g": {group}', f'"g": {group}, "\u00e9": {group}, "e\u0301": {group}')
        for id_, old, new in [
                ("no-root", f'"": {group},\n', ""), ("root-kind", f'"": {group}', '"": {"kind": "link", "attributes": {}}'),
                ("no-kind", f'"g": {group}', '"g": {"attributes": {}}'), ("null-node", f'"g": {group}', '"g": null'),
                ("no-attributes", f'"g": {group}', '"g": {"kind": "group"}'),
                ("attributes-array", f'"g": {group}', '"g": {"kind": "group", "attributes": []}'),
                ("group-member", f'"g": {group}', '"g": {"kind": "group", "attributes": {}, "shape": []}')]:
            self.index(id_, "§ 6.4", old, new)
        patch = self.patch()
        patch.root(f'"g": {group}', f'"g": {group}' + "".join(f',"n{i}":{group}' for i in range(4096)))
        edits = patch.edits()
        at = next(e for e in edits if len(e.get("text", "")) > 9999)
        assert at["text"].startswith(',"n0"') or True
        self.repeated("index/too-many-nodes", patch, at, f',"n#":{group}', 4096)

    def repeated(self, id_, patch, edit, text, times):
        """A long insertion in few letters: `text`, # being 0, 1, … in turn."""
        whole = "".join(text.replace("#", str(i)) for i in range(times))
        edits = patch.edits()
        position = next(i for i, e in enumerate(edits) if e == edit)
        found = edit["text"].find(whole) if whole in edit["text"] else None
        if found is None:  # The common beginning of old and new may have moved the place.
            shift = next(k for k in range(1, 40) if edit["text"] == whole[k:] + whole[:k])
            edit = edit | {"at": edit["at"] - shift}
        edit = {k: v for k, v in edit.items() if k != "text"} | {"text": text, "repeat": times}
        edits[position] = edit
        self.invalid.append({"id": id_, "rule": "§ 13", "store": patch.store, "edits": edits, "expect": {
            "affected": [], "open": "index", "kind": "index", "file": "slab.json"}})

    def datasets(self):
        text = self.patch().now["slab.json"].decode()
        line = next(part for part in text.split("\n") if part.startswith('"a": '))
        members = json.loads(line[5:].rstrip(","))
        for member, value in members.items():
            if member in ("dims", "unit", "min", "max", "kind"):
                continue
            spelling = json.dumps(value)
            tail = f', "{member}": {spelling}'
            self.index(f"dataset-no-{member}", "§ 6.5", tail, "", node="a")
        run = members["runs"][0]
        for member, value in run.items():
            whole = json.dumps(run)
            less = json.dumps({k: v for k, v in run.items() if k != member})
            self.index(f"run-no-{member}", "§ 8", whole, less, node="a")
        huge, axes = 2**62, ", ".join(["1"] * 33)
        for id_, node, old, new in [
                ("id-number", "a", '"id": "d0"', '"id": 0'), ("id-letter", "a", '"id": "d0"', '"id": "x0"'),
                ("id-zeros", "a", '"id": "d0"', '"id": "d00"'), ("id-sign", "a", '"id": "d0"', '"id": "d-0"'),
                ("id-path", "a", '"id": "d0"', '"id": "d0/../d1"'), ("id-twice", "a", '"id": "d0"', '"id": "d1"'),
                ("id-not-below-next", "a", '"id": "d0"', '"id": "d3"'), ("id-plus", "a", '"id": "d0"', '"id": "d+0"'),
                ("shape-real", "a", '"shape": [5, 6], "m', '"shape": [5.0, 6], "m'), ("shape-negative", "a", '"shape": [5, 6], "m', '"shape": [-1, 6], "m'),
                ("shape-text", "a", '"shape": [5, 6], "m', '"shape": ["5", 6], "m'), ("shape-rank", "a", '"shape": [5, 6], "m', '"shape": [5, 6, 1], "m'),
                ("shape-number", "a", '"shape": [5, 6], "m', '"shape": 30, "m'), ("shape-too-long", "a", '"shape": [5, 6], "m', f'"shape": [{huge}, 6], "m'),
                ("shape-null", "b", '"shape": [1200], "m', '"shape": [null], "m'),
                ("rank33", "u", "", ""), ("grid-too-large", "b", '"shape": [1200], "m', f'"shape": [{2**51}], "m'),
                ("max_shape-below", "a", "[null, 6]", "[4, 6]"), ("max_shape-rank", "a", "[null, 6]", "[null]"),
                ("max_shape-negative", "a", "[null, 6]", "[-1, 6]"), ("max_shape-real", "a", "[null, 6]", "[null, 6.0]"),
                ("max_shape-too-long", "a", "[null, 6]", f"[{huge}, 6]"),
                ("chunk_shape-zero", "a", '"chunk_shape": [4, 4]', '"chunk_shape": [0, 4]'), ("chunk_shape-negative", "a", '"chunk_shape": [4, 4]', '"chunk_shape": [-4, 4]'),
                ("chunk_shape-rank", "a", '"chunk_shape": [4, 4]', '"chunk_shape": [4]'), ("chunk-too-large", "a", '"chunk_shape": [4, 4]', '"chunk_shape": [1073741824, 1]'),
                ("chunk-overflow", "a", '"chunk_shape": [4, 4]', f'"chunk_shape": [{2**61}, {2**61}]'),
                ("chunk-too-large-for-small-blocks", "b", '"chunk_shape": [1024]', '"chunk_shape": [268000000]'),
                ("dtype", "a", '"int16"', '"int24"'), ("dtype-numpy", "a", '"int16"', '"<i2"'), ("dtype-null", "a", '"int16"', "null"), ("dtype-case", "a", '"int16"', '"Int16"'),
                ("fill-real", "a", '"fill_value": -1', '"fill_value": -1.0'), ("fill-range", "a", '"fill_value": -1', '"fill_value": 32768'),
                ("fill-text", "a", '"fill_value": -1', '"fill_value": "-1"'), ("fill-null", "a", '"fill_value": -1', '"fill_value": null'),
                ("fill-boolean", "a", '"fill_value": -1', '"fill_value": true'), ("fill-minus-zero", "a", '"fill_value": -1', '"fill_value": -0'),
                ("fill-unsigned", "g/u", '"fill_value": 0', '"fill_value": -1'), ("fill-unsigned-range", "g/u", '"fill_value": 0', '"fill_value": 256'),
                ("fill-word", "b", '"fill_value": 0.0', '"fill_value": "nan"'), ("fill-short-bits", "b", '"fill_value": 0.0', '"fill_value": "0x7ff8"'),
                ("fill-no-bits", "b", '"fill_value": 0.0', '"fill_value": "0x7ff800000000000g"'), ("fill-pair", "b", '"fill_value": 0.0', '"fill_value": [0.0, 0.0]'),
                ("fill-bits-case", "b", '"fill_value": 0.0', '"fill_value": "0X7ff8000000000001"'),
                ("codec-name", "a", '"blosc1-lz4"', '"zstd"'), ("codec-filter", "a", '"filter": "bitshuffle"', '"filter": "delta"'),
                ("codec-filter-null", "a", '"filter": "bitshuffle"', '"filter": null'), ("codec-auto", "a", '"filter": "bitshuffle"', '"filter": "auto"'),
                ("codec-block-small", "a", '"block": 65536', '"block": 4095'), ("codec-block-large", "a", '"block": 65536', '"block": 4194305'),
                ("codec-block-real", "a", '"block": 65536', '"block": 65536.0'), ("codec-level-zero", "a", '"level": 1', '"level": 0'),
                ("codec-level-large", "a", '"level": 1', '"level": 13'), ("codec-member", "a", '"level": 1', '"level": 1, "deltas": 1'),
                ("codec-no-filter", "a", '"filter": "bitshuffle", ', ""), ("codec-no-level", "a", ', "level": 1', ""),
                ("codec-text", "a", '{"name": "blosc1-lz4", "filter": "bitshuffle", "block": 65536, "level": 1}', '"blosc1-lz4"'),
                ("dims-few", "a", '["y", "x"]', '["y"]'), ("dims-twice", "a", '["y", "x"]', '["y", "y"]'), ("dims-number", "a", '["y", "x"]', '["y", 1]'),
                ("dims-text", "a", '["y", "x"]', '"yx"'), ("dims-equivalent", "a", '["y", "x"]', '["\u00e9", "e\u0301"]'),
                ("unit", "a", '"unit": "mV"', '"unit": 5'), ("attributes", "a", '"attributes": {}', '"attributes": []'),
                ("commit-negative", "a", '"commit": 2, "chunks"', '"commit": -2, "chunks"'), ("commit-real", "a", '"commit": 2, "chunks"', '"commit": 2.0, "chunks"'),
                ("chunks-too-many", "a", '{"stored": 4, "fill": 0}', '{"stored": 5, "fill": 0}'), ("chunks-sum", "a", '{"stored": 4, "fill": 0}', '{"stored": 4, "fill": 1}'),
                ("chunks-text", "a", '{"stored": 4, "fill": 0}', '{"stored": "4", "fill": 0}'), ("chunks-member", "a", '{"stored": 4, "fill": 0}', '{"stored": 4, "fill": 0, "lost": 0}'),
                ("chunks-none", "a", '{"stored": 4, "fill": 0}', '{"stored": 4}'),
                ("stored_bytes-negative", "a", '"stored_bytes": 249', '"stored_bytes": -249'), ("stored_bytes-exponent", "a", '"stored_bytes": 249', '"stored_bytes": 249e0'),
                ("nan-null", "a", '"nan": 0', '"nan": null'), ("nan-negative", "a", '"nan": 0', '"nan": -1'),
                ("min-real", "a", '"min": -24027', '"min": -24027.0'), ("min-text", "a", '"min": -24027', '"min": "Infinity"'),
                ("max-negative", "g/u", '"max": 222', '"max": -222'), ("max-word", "b", '"max": 2.2410086018648882e+307', '"max": "NaN"'),
                ("runs-object", "a", '"runs": [', '"runs": {}, "x-runs": ['), ("unknown-member", "a", '"nan": 0', '"nan": 0, "shards": 2'),
                ("source-text", "a", '"attributes": {}', '"attributes": {}, "source": "npy"'), ("source-empty", "a", '"attributes": {}', '"attributes": {}, "source": {}'),
                ("source-number", "a", '"attributes": {}', '"attributes": {}, "source": {"fingerprint": 7}'),
                ("source-member", "a", '"attributes": {}', '"attributes": {}, "source": {"fingerprint": "f", "settings": ""}'),
                ("source-long", "a", '"attributes": {}', '"attributes": {}, "source": {"fingerprint": "' + "é" * 513 + '"}'),
                ("run-number", "a", '"runs": [', '"runs": [1, '), ("run-member", "a", '"lo": 0', '"lo": 0, "level": 1'),
                ("run-crc-case", "a", '"crc": "80e65f9c"', '"crc": "80E65F9C"'), ("run-crc-short", "a", '"crc": "80e65f9c"', '"crc": "0e65f9c"'),
                ("run-crc-number", "a", '"crc": "80e65f9c"', '"crc": 2162581404'), ("run-crc-path", "a", '"crc": "80e65f9c"', '"crc": "../../ab"'),
                ("run-commit-text", "a", '{"commit": 1', '{"commit": "1"'), ("run-commit-real", "a", '{"commit": 1', '{"commit": 1.0'),
                ("run-size", "a", '"size": 335', '"size": 16777217'), ("run-size-few", "a", '"size": 335', '"size": 23'),
                ("run-low-above-high", "a", '"lo": 0, "hi": 3', '"lo": 3, "hi": 2'), ("run-high-outside", "a", '"lo": 0, "hi": 3', '"lo": 0, "hi": 4'),
                ("run-no-rows", "a", '"rows": 4', '"rows": 0'), ("run-many-rows", "a", '"rows": 4', '"rows": 5'),
                ("run-grid-rank", "a", '"grid": [2, 2], "lo": 0', '"grid": [4], "lo": 0'), ("run-grid-too-large", "a", '"grid": [2, 2], "lo": 0', f'"grid": [{2**40}, 2], "lo": 0'),
                ("run-grid-overflow", "a", '"grid": [2, 2], "lo": 0', f'"grid": [{2**40}, {2**40}], "lo": 0'), ("run-grid-negative", "a", '"grid": [2, 2], "lo": 0', '"grid": [-2, -2], "lo": 0'),
                ("run-grid-empty", "a", '"grid": [2, 2], "lo": 0', '"grid": [2, 0], "lo": 0')]:
            if id_ == "rank33":
                self.index("dataset-rank33", "§ 13", '"shape": [8], "max_shape": [null], "chunk_shape": [2]',
                           f'"shape": [{axes}], "max_shape": [{axes}], "chunk_shape": [{axes}]', node="g/u")
                continue
            self.index(f"dataset-{id_}", "§ 6.5", old, new, node=node)
        patch = self.patch()
        reference = json.dumps(members["runs"][0])
        patch.root(reference, ", ".join([reference] * 4097), node="a")
        edit = next(e for e in patch.edits() if len(e.get("text", "")) > 9999)
        self.repeated("index/dataset-too-many-runs", patch, edit, ", " + reference, 4096)

    def totals(self):
        for id_, old, new in [("stored", '"stored": 4', '"stored": 3'), ("fill", '"stored": 4, "fill": 0', '"stored": 3, "fill": 1'),
                              ("bytes", '"stored_bytes": 249', '"stored_bytes": 250'), ("min", '"min": -24027', '"min": -24026'),
                              ("max", '"max": 32202', '"max": null'), ("nan", '"nan": 0', '"nan": 1')]:
            self.index(f"totals-{id_}", "§ 6.5", old, new, node="a", open=None)

    def pending(self):
        rows = '"grid": [4], "rows": [[0, 2], [3, 1]], "drop": []'
        for id_, old, new in [
                ("writer", '"writer": "7883461b4161f21268dda29ed0840a58"', '"writer": "../../../../etc"'),
                ("writer-case", '"writer": "7883461b', '"writer": "7883461B'), ("slot", '"slot": 7', '"slot": -1'),
                ("slot-text", '"slot": 7', '"slot": "7"'), ("batch", '"batch": 2', '"batch": 2.0'), ("no-slot", '"slot": 7, ', ""),
                ("no-batch", '"batch": 2, ', ""), ("no-grid", '"grid": [4], "rows": [[', '"rows": [['), ("no-rows", '"rows": [[0, 2], [3, 1]], ', ""),
                ("no-drop", ', "drop": []', ""), ("member", '"slot": 7', '"slot": 7, "commit": 2'),
                ("outside", rows, rows.replace("[3, 1]", "[3, 2]")), ("far-outside", rows, rows.replace("[3, 1]", f"[{2**53 - 1}, 1]")),
                ("falling", rows, rows.replace("[[0, 2], [3, 1]]", "[[3, 1], [0, 2]]")), ("overlap", rows, rows.replace("[3, 1]", "[1, 1]")),
                ("no-count", rows, rows.replace("[3, 1]", "[3, 0]")), ("negative", rows, rows.replace("[[0, 2]", "[[-1, 2]")),
                ("triple", rows, rows.replace("[3, 1]", "[3, 1, 0]")), ("numbers", rows, rows.replace("[[0, 2], [3, 1]]", "[0, 1, 3]")),
                ("drop-outside", rows, rows.replace('"drop": []', '"drop": [[4, 1]]')), ("grid-rank", rows, rows.replace("[4]", "[2, 2]")),
                ("grid-too-large", rows, rows.replace("[4]", f"[{2**40 + 1}]")), ("text", rows, rows.replace("[[0, 2], [3, 1]]", '"all"')),
                ("more-than-rows", rows, rows.replace("[4]", "[99]").replace("[[0, 2], [3, 1]]", "[[0, 8]]"))]:
            self.index(f"pending-{id_}", "§ 9.1", old, new, node="moved", store="pending.slab")
        name = "__slab/w/7883461b4161f21268dda29ed0840a58/"
        for id_, file, path, code, kind in [
                ("staged-gone", "0-0.1-2", "over/none", "torn", "stale"), ("staged-cut", "1-2.0-2", "over/shuffle", "torn", "stale"),
                ("staged-bit", "5-0.0-2", "turned", "swapped", "stale"), ("staged-moved-twice", "7-1-2", "moved", "swapped", "stale"),
                ("staged-new", "9-1.1-2", "replaced", "foreign", "foreign"), ("staged-scalar", "3--2", "scalar", "swapped", "stale")]:
            patch = self.patch("pending.slab")
            data = patch.now[name + file]
            patch.now[name + file] = {"cut": data[:-1], "bit": data[:-1] + bytes([data[-1] ^ 1])}.get(id_[7:])
            self.bad(f"pending/{id_}", "§ 7", patch, read=code, kind=kind, affected=[path])
        for id_, op in [("link", {"op": "link", "target": "/dev/zero"}), ("directory", {"op": "directory"}), ("fifo", {"op": "fifo"})]:
            patch = self.patch("pending.slab")
            patch.now[name + "7-1-2"] = op
            self.bad(f"pending/staged-{id_}", "§ 2", patch, read="swapped", kind="stale", affected=["moved"])

    # Runs -------------------------------------------------------------------------------------

    def runs(self):
        text = self.patch().now[self.patch().run("d0", 0)].decode()
        members = json.loads(text)
        for member, value in members.items():
            if member != "crc32c":
                spelling = json.dumps(value)
                self.table(f"no-{member}", f'"{member}": {spelling}, ', "")
        for column in ("bytes", "crc", "min", "max", "nan"):
            value = json.dumps(members[column])
            self.table(f"{column}-short", f'"{column}": {value}', f'"{column}": {json.dumps(members[column][:-1])}')
            self.table(f"{column}-long", f'"{column}": {value}', f'"{column}": {json.dumps(members[column] + [0])}')
        size, crc = members["bytes"][0], members["crc"][0]
        for id_, old, new in [
                ("version", '"slab_run": 1', '"slab_run": 2'), ("version-real", '"slab_run": 1', '"slab_run": 1.0'),
                ("other-store", '"store": "0a', '"store": "0b'), ("other-dataset", '"dataset": "d0"', '"dataset": "d1"'),
                ("path-number", '"path": "a"', '"path": 1'), ("path-outside", '"path": "a"', '"path": "../a"'),
                ("other-commit", '"commit": 1', '"commit": 2'), ("other-grid", '"grid": [2, 2]', '"grid": [1, 4]'),
                ("grid-text", '"grid": [2, 2]', '"grid": "2,2"'), ("ids-falling", '"id": [[0, 4]]', '"id": [[2, 2], [0, 2]]'),
                ("ids-overlap", '"id": [[0, 4]]', '"id": [[0, 2], [1, 2]]'), ("ids-empty-range", '"id": [[0, 4]]', '"id": [[0, 4], [4, 0]]'),
                ("ids-few", '"id": [[0, 4]]', '"id": [[0, 3]]'), ("ids-many", '"id": [[0, 4]]', '"id": [[0, 5]]'), ("ids-other", '"id": [[0, 4]]', '"id": [[1, 4]]'),
                ("ids-none", '"id": [[0, 4]]', '"id": []'), ("ids-plain", '"id": [[0, 4]]', '"id": [0, 1, 2, 3]'), ("ids-huge", '"id": [[0, 4]]', f'"id": [[0, {2**53 - 1}]]'),
                ("ids-overflow", '"id": [[0, 4]]', f'"id": [[{2**63 - 1}, 4]]'),
                ("state-letter", '"ssss"', '"ssxs"'), ("state-case", '"ssss"', '"Ssss"'), ("state-short", '"ssss"', '"sss"'), ("state-long", '"ssss"', '"sssss"'),
                ("state-array", '"ssss"', '["s", "s", "s", "s"]'), ("state-wide", '"ssss"', '"sssé"'),
                ("bytes-negative", f'"bytes": [{size}', '"bytes": [-1'), ("bytes-large", f'"bytes": [{size}', f'"bytes": [{2**31}'),
                ("bytes-real", f'"bytes": [{size}', f'"bytes": [{size}.0'), ("bytes-text", f'"bytes": [{size}', f'"bytes": ["{size}"'),
                ("crc-negative", f'"crc": [{crc}', '"crc": [-1'), ("crc-large", f'"crc": [{crc}', f'"crc": [{2**32}'), ("crc-text", f'"crc": [{crc}', f'"crc": ["{crc:08x}"'),
                ("nan-negative", '"nan": [0', '"nan": [-1'), ("nan-large", '"nan": [0', f'"nan": [{2**31}'), ("nan-null", '"nan": [0', '"nan": [null'),
                ("min-text", '"min": [1', '"min": ["1"'), ("min-real", '"min": [1', '"min": [1.0'), ("max-object", '"max": [', '"max": [{}], "x-max": ['),
                ("member", '"slab_run": 1', '"slab_run": 1, "codec": 1'), ("member-twice", '"slab_run": 1', '"slab_run": 1, "slab_run": 1'),
                ("too-deep", '"slab_run": 1', '"slab_run": 1, "x-deep": ' + "[" * 33 + "]" * 33), ("comma", '"slab_run": 1,', '"slab_run": 1,,'),
                ("not-utf8", '"slab_run": 1', '"slab_run": 1, "x-": "\udcff"')]:
            patch = self.patch()
            name = patch.run("d0", 0)
            data = patch.now[name]
            assert data.count(old.encode()) == 1, old
            patch.replace_run(name, reseal(data.replace(old.encode(), new.encode("utf-8", "surrogateescape"))))
            self.bad(f"table/{id_}", "§ 8", patch, read="table", kind="table", affected=["a"], file=self.added(patch))
        self.table("self-check", '"crc32c": "', '"crc32c": "f', seal_=False)
        self.table("self-check-wrong", '"state": "ssss"', '"state": "ssss" ', seal_=False)
        for id_, old, new in [("listed-low", '"lo": 0', '"lo": 1'), ("listed-high", '"lo": 0, "hi": 3', '"lo": 0, "hi": 2'),
                              ("listed-rows", '"rows": 4', '"rows": 3'), ("listed-grid", '"grid": [2, 2], "lo": 0', '"grid": [4, 1], "lo": 0'),
                              ("listed-commit", '{"commit": 1, "crc"', '{"commit": 2, "crc"'), ("listed-size", '"size": 335', '"size": 336'),
                              ("listed-crc", '"8186585d"', '"8186585e"')]:
            patch = self.patch()
            if id_ == "listed-high":
                new, old = '"lo": 0, "hi": 2, "rows": 3', '"lo": 0, "hi": 3, "rows": 4'
            if id_ == "listed-low":
                new, old = '"lo": 1, "hi": 3, "rows": 3', '"lo": 0, "hi": 3, "rows": 4'
            patch.root(old, new, node="a")
            self.bad(f"table/{id_}", "§ 8", patch, read="table", kind="table", affected=["a"])
        first, second = self.patch().run("d0", 0), self.patch().run("d1", 0)
        good = self.patch().now[first]
        for id_, now in [("gone", None), ("cut", good[:-1]), ("emptied", b""), ("longer", good + b" "),
                         ("bit", good[:90] + bytes([good[90] ^ 4]) + good[91:]), ("another", self.patch().now[second]),
                         ("link", {"op": "link", "target": "../d1/" + second[-20:]}), ("directory", {"op": "directory"}), ("fifo", {"op": "fifo"})]:
            patch = self.patch()
            patch.now[first] = now
            self.bad(f"table/file-{id_}", "§ 8", patch, read="table", kind="table", affected=["a"], file=first)
        last = self.patch().run("d2", 2)
        patch = self.patch()
        patch.now[last] = None
        self.bad("table/newest-gone", "§ 8", patch, read="table", kind="table", affected=["g/u"], file=last)

    # Chunk files ------------------------------------------------------------------------------

    def files(self):
        chunk = "b/c/0"
        good = self.patch().now[chunk]
        places = {"version": 0, "lz4-version": 1, "flags": 2, "element-size": 3, "size": 4, "block-size": 9, "frame-size": 12,
                  "offset": 16, "last-offset": 21, "block-sum": 24, "last-block-sum": 31, "header-sum": 32, "length-word": 36,
                  "block": 2000, "second-block": 6000, "trailer": len(good) - 4, "last-byte": len(good) - 1}
        for id_, at in places.items():
            patch = self.patch()
            patch.now[chunk] = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1:]
            self.bad(f"chunk/bit-{id_}", "§ 4.3", patch, read="checksum", kind="checksum", affected=["b"], file=chunk)
        for id_, now in [("cut", good[:-1]), ("cut-in-half", good[:4000]), ("cut-in-header", good[:20]), ("emptied", b""),
                         ("longer", good + b"\0"), ("much-longer", good * 2), ("zeros", bytes(len(good)))]:
            patch = self.patch()
            patch.now[chunk] = now
            code = "checksum" if id_ == "zeros" else "torn"
            self.bad(f"chunk/{id_}", "§ 4.3", patch, read=code, kind=code, affected=["b"], file=chunk)
        for id_, now, code in [("gone", None, "missing"), ("link", {"op": "link", "target": "1"}, "foreign"),
                               ("link-outside", {"op": "link", "target": "/dev/zero"}, "foreign"),
                               ("directory", {"op": "directory"}, "foreign"), ("fifo", {"op": "fifo"}, "foreign")]:
            patch = self.patch()
            patch.now[chunk] = now
            self.bad(f"chunk/{id_}", "§ 2", patch, read=code, kind=code, affected=["b"], file=chunk)
        patch = self.patch()
        for n in ("0", "1"):
            patch.now[f"a/c/0/{n}"] = None
        edits = [{"op": "delete", "file": "a/c/0"}, {"op": "link", "file": "a/c/0", "target": "1"}]
        self.bad("chunk/linked-directory", "§ 2", patch, edits, read="foreign", kind="foreign", affected=["a"])
        patch = self.patch()
        for n in ("0", "1"):
            patch.now[f"b/c/{n}"] = None
        patch.now["b/zarr.json"] = None
        edits = [{"op": "delete", "file": "b/c"}, {"op": "delete", "file": "b"}, {"op": "create", "file": "b", "text": ""}]
        self.bad("chunk/node-is-a-file", "§ 2", patch, edits, read="foreign", kind="foreign", affected=["b"])
        patch = self.patch()
        patch.now["g/u/c/0"], patch.now["g/u/c/3"] = patch.now["g/u/c/3"], patch.now["g/u/c/0"]
        self.bad("chunk/swapped", "§ 4.3", patch, read="swapped", kind="swapped", affected=["g/u"])
        patch = self.patch()
        patch.now["a/c/0/0"], patch.now["a/c/0/1"] = patch.now["a/c/0/1"], patch.now["a/c/0/0"]
        same = len(patch.now["a/c/0/0"]) == len(patch.now["a/c/0/1"])
        self.bad("chunk/swapped-sizes", "§ 4.3", patch, read="swapped" if same else "torn", kind="swapped", affected=["a"])
        patch = self.patch()
        patch.now["g/u/c/3"] = patch.now["g/u/c/0"]
        self.bad("chunk/copied", "§ 4.3", patch, read="swapped", kind="swapped", affected=["g/u"], file="g/u/c/3")
        patch = self.patch()
        patch.now["g/u/c/3"] = frame(pattern("ramp", "", 8, "uint8").tobytes()[6:], 1, "none", 65536)
        self.bad("chunk/stale", "§ 4.3", patch, read="swapped", kind="stale", affected=["g/u"], file="g/u/c/3")
        patch = self.patch()
        patch.now["a/c/1/1"] = frame(bytes([40, 0, 41, 0] + [255] * 28), 2, "bitshuffle", 65536)
        self.bad("chunk/stale-size", "§ 4.3", patch, read="torn", kind="stale", affected=["a"], file="a/c/1/1")
        patch = self.patch()
        patch.now["b/c/1"] = frame(pattern("steps", "", 1024, "float64").tobytes(), 8, "none", 4096)
        same = len(patch.now["b/c/1"]) == len(self.patch().now["b/c/1"])
        self.bad("chunk/other-filter", "§ 4.3", patch, read="checksum" if same else "torn", kind="checksum" if same else "torn",
                 affected=["b"], file="b/c/1")

    def frames(self):
        """Frames that are sound by their own checksums and listed as they are, but not canonical."""
        chunk = "b/c/0"
        good = self.patch().now[chunk]
        head, first, second = good[:32], good[36:36 + 4100], good[36 + 4100:-4]

        def words(*values):
            return b"".join(v.to_bytes(4, "little") for v in values)

        def built(blocks, offsets=None, sums=None, start=head[:16], gap=b"", size=None):
            at = [36 + len(gap) + sum(map(len, blocks[:i])) for i in range(len(blocks))]
            frame_size = 36 + len(gap) + sum(map(len, blocks))
            start = start[:12] + words(size or frame_size)
            return close_frame(start + words(*(offsets or at)) + words(*(sums or map(crc32c, blocks))), gap + b"".join(blocks))

        def set_byte(at, value):
            start = bytearray(head[:16])
            start[at] = value
            return bytes(start)

        def block(data, length=None):
            return words(len(data) if length is None else length) + data

        assert built([first, second]) == good
        literal = bytes([0xF0, 10]) + bytes(25)  # 25 literals
        for id_, data in [
                ("version-3", built([first, second], start=set_byte(0, 3))), ("version-1", built([first, second], start=set_byte(0, 1))),
                ("lz4-version", built([first, second], start=set_byte(1, 2))),
                ("flags-none", built([first, second], start=set_byte(2, 0x30))), ("flags-bitshuffle", built([first, second], start=set_byte(2, 0x34))),
                ("flags-split", built([first, second], start=set_byte(2, 0x21))), ("flags-memcpy", built([first, second], start=set_byte(2, 0x33))),
                ("flags-zstd", built([first, second], start=set_byte(2, 0x91))), ("element-size", built([first, second], start=set_byte(3, 4))),
                ("size", built([first, second], start=head[:4] + words(8184) + head[8:16])), ("size-huge", built([first, second], start=head[:4] + words(2**32 - 1) + head[8:16])),
                ("block-size", built([first, second], start=head[:8] + words(2048) + head[12:16])),
                ("frame-size-less", built([first, second], size=36 + 8199)), ("frame-size-more", built([first, second], size=36 + 8204)),
                ("first-offset", built([first, second], offsets=[40, 36 + 4100])), ("gap", built([first[:4000], second], gap=bytes(8))),
                ("offset-before", built([first, second], offsets=[36, 20])), ("offset-beyond", built([first, second], offsets=[36, 2**32 - 1])),
                ("offset-same", built([first, second], offsets=[36, 36])), ("offsets-swapped", built([first, second], offsets=[36 + 4100, 36])),
                ("block-empty", built([block(b""), second])), ("block-too-long", built([block(bytes(4097)), block(bytes(4000))])),
                ("block-sum", built([first, second], sums=[crc32c(first) ^ 1, crc32c(second)])),
                ("block-sums-swapped", built([first, second], sums=[crc32c(second), crc32c(first)])),
                ("length-less", built([block(first[4:], 4095), second])), ("length-more", built([first, block(second[4:], 4097)])),
                ("length-negative", built([first, block(second[4:], 2**32 - 1)])), ("length-zero", built([block(first[4:], 0), second])),
                ("lz4-short", built([block(literal), second])), ("lz4-long", built([block(bytes([0x1F, 7, 1, 0]) + b"\xff" * 20 + bytes([9, 0x50]) + bytes(5)), second])),
                ("lz4-before-start", built([block(bytes([0x1F, 7, 2, 0]) + b"\xff" * 15 + bytes([200, 0x50]) + bytes(5)), second])),
                ("lz4-offset-zero", built([block(bytes([0x1F, 7, 0, 0]) + b"\xff" * 15 + bytes([200, 0x50]) + bytes(5)), second])),
                ("lz4-cut", built([block(bytes([0xF0, 200]) + bytes(9)), second])), ("lz4-token-only", built([block(b"\x00"), second])),
                ("raw-short", built([block(first[4:-8]), second])),
                ("trailer", good[:-4] + words(int.from_bytes(good[-4:], "little") ^ 1)), ("trailer-of-all-but", good[:-4] + words(crc32c(good[32:-4])))]:
            patch = self.patch()
            patch.edit_chunk(chunk, data, *(() if id_.startswith("trailer") else ("d1", 0, 2)))
            self.bad(f"frame/{id_}", "§ 4.3", patch, read="checksum", kind="checksum", affected=["b"], file=chunk)
        patch = self.patch()
        patch.edit_chunk(chunk, close_frame(head, bytes(9)), "d1", 0, 2)
        self.bad("frame/too-small", "§ 4.3", patch, read="torn", kind="torn", affected=["b"], file=chunk)
        patch = self.patch()
        patch.edit_chunk(chunk, good + bytes(8), "d1", 0, 2)
        self.bad("frame/too-large", "§ 4.3", patch, read="torn", kind="torn", affected=["b"], file=chunk)

    def around(self):
        """Files beside the data: readers do not care, verification does."""
        good = self.patch().now
        for id_, name, now, kind in [
                ("orphan", "g/u/c/2", good["g/u/c/0"], "orphan"), ("orphan-outside", "g/u/c/17", good["g/u/c/0"], "orphan"),
                ("zeros-in-name", "g/u/c/00", b"x", "foreign"), ("no-number", "g/u/c/x", b"x", "foreign"), ("sign", "g/u/c/-1", b"x", "foreign"),
                ("in-root", "notes.txt", b"x", "foreign"), ("in-group", "g/notes.txt", b"x", "foreign"), ("in-dataset", "a/.DS_Store", b"x", "foreign-harmless"),
                ("in-reserved", "__slab/notes", b"x", "foreign"), ("in-tables", "__slab/t/notes", b"x", "foreign"), ("in-table", "__slab/t/d0/notes", b"x", "foreign"),
                ("in-writers", "__slab/w/notes", b"x", "foreign"), ("run-misnamed", "__slab/t/d0/000001-00000000.json", next(good[n] for n in sorted(good) if n.startswith("__slab/t/d0/")), "table"),
                ("directory", "d", {"op": "directory"}, "foreign"), ("link", "g/l", {"op": "link", "target": "u"}, "foreign"),
                ("no-lock", "__slab/lock", None, "missing"), ("lock-directory", "__slab/lock", {"op": "directory"}, "foreign"),
                ("lock-link", "__slab/lock", {"op": "link", "target": "root-1"}, "foreign"),
                ("no-old-root", "__slab/root-2", None, "missing"), ("old-root-damaged", "__slab/root-1", good["__slab/root-1"][:-9], "index"),
                ("old-root-misnamed", "__slab/root-2", good["__slab/root-1"], "index"), ("old-root-link", "__slab/root-2", {"op": "link", "target": "../slab.json"}, "index"),
                ("no-derived", "a/zarr.json", None, "missing"), ("derived-changed", "b/zarr.json", good["b/zarr.json"].replace(b"1200", b"1201"), "stale"),
                ("derived-spaced", "g/zarr.json", good["g/zarr.json"] + b"\n", "stale"), ("derived-link", "zarr.json", {"op": "link", "target": "g/zarr.json"}, "foreign"),
                ("derived-directory", "g/u/zarr.json", {"op": "directory"}, "foreign")]:
            patch = self.patch()
            patch.now[name] = now
            if id_ == "directory":
                patch.now["d/notes"] = b"x"
            self.bad(f"around/{id_}", "§ 2", patch, kind=kind, file=name)
        for id_, now, code in [("gone", None, "index"), ("link", {"op": "link", "target": "__slab/root-2"}, "foreign"),
                               ("directory", {"op": "directory"}, "foreign"), ("fifo", {"op": "fifo"}, "foreign")]:
            patch = self.patch()
            patch.now["slab.json"] = now
            self.bad(f"index/file-{id_}", "§ 2", patch, open=code, kind="index", file="slab.json")
        # An unlisted element beyond the edge is not the fill value.
        patch = self.patch()
        old = patch.now["a/c/0/1"]
        values = bytearray(pattern("ramp", "", 30, "int16").reshape(5, 6, 2)[:4, 4:].tobytes())
        rows = [bytes(values[i * 4:i * 4 + 4]) + b"\xff" * 4 for i in range(4)]
        assert frame(b"".join(rows), 2, "bitshuffle", 65536) == old
        rows[3] = rows[3][:6] + b"\x09\x00"
        patch.edit_chunk("a/c/0/1", frame(b"".join(rows), 2, "bitshuffle", 65536), "d0", 0)
        self.bad("around/padding", "§ 4", patch, kind="checksum", file="a/c/0/1")

    def delta(self):
        """The filter delta where it cannot be, and a store that uses it without saying so."""
        line, rows, block = "types/int16/line", "types/int16/rows", '"level": 1, "delta": 0}'
        for id_, node, old, new in [
                ("float", "plain/float", '"level": 1}', block), ("shuffle", "plain/shuffled", '"level": 1}', block),
                ("auto", "plain/open", '"level": 1}', block),
                ("none", line, '"filter": "bitshuffle"', '"filter": "none"'),
                ("axis-beyond", line, '"delta": 0', '"delta": 1'), ("axis-rank", rows, '"delta": 0', '"delta": 2'),
                ("axis-huge", rows, '"delta": 0', '"delta": 18446744073709551615'),
                ("axis-negative", rows, '"delta": 0', '"delta": -1'), ("axis-real", rows, '"delta": 0', '"delta": 0.0'),
                ("axis-text", rows, '"delta": 0', '"delta": "0"'), ("axis-array", rows, '"delta": 0', '"delta": [0]'),
                ("axis-true", rows, '"delta": 0', '"delta": true')]:
            self.index(f"delta-{id_}", "§ 6.5", old, new, node, "delta.slab")
        self.index("delta-unlisted", "§ 14", '"read_features": ["delta"]', '"read_features": []', store="delta.slab")
        patch = self.patch("delta.slab")
        patch.root('"read_features": ["delta"]', '"read_features": ["delta", "Delta"]')
        self.bad("version/feature-beside-known", "§ 14", patch, open="unsupported_feature")
        patch = self.patch("delta.slab")
        good = patch.now["types/int16/line/c/0"]
        patch.now["types/int16/line/c/0"] = good[:-5] + bytes([good[-5] ^ 1]) + good[-4:]
        self.bad("chunk/delta-bit", "§ 4.3", patch, read="checksum", kind="checksum", affected=[line], file="types/int16/line/c/0")

    def repeats(self):
        """Blocks that repeat another one where that cannot be; all checksums are right."""
        store = "repeats.slab"
        ids = {path: node["id"] for path, node in json.loads(self.patch(store).now["slab.json"])["nodes"].items()
               if node["kind"] == "dataset"}

        def words(*values):
            return b"".join(v.to_bytes(4, "little") for v in values)

        def edited(path, edit):
            """The chunk file with other offsets and checksums, and what there is of blocks."""
            data = self.patch(store).now[f"{path}/c/0"]
            n = -(-int.from_bytes(data[4:8], "little") // int.from_bytes(data[8:12], "little"))
            table = [int.from_bytes(data[i:i + 4], "little") for i in range(16, 16 + 8 * n, 4)]
            offsets, sums, blocks = table[:n], table[n:], data[20 + 8 * n:-4]
            blocks = edit(offsets, sums, blocks) or blocks
            return n, close_frame(data[:12] + words(20 + 8 * n + len(blocks), *offsets, *sums), blocks)

        def put(into, **values):
            """An edit that sets entries: `at1=…` of the offsets or checksums."""
            def edit(offsets, sums, blocks):
                for name, value in values.items():
                    (offsets if into == "offsets" else sums)[int(name[2:])] = value(offsets, sums)
            return edit

        def like(block, other):
            def edit(offsets, sums, blocks):
                offsets[block], sums[block] = offsets[other], sums[other]
            return edit

        def nothing(offsets, sums, blocks):
            pass

        def slack(offsets, sums, blocks):
            return blocks + bytes(8)

        def stored_again(offsets, sums, blocks):
            """Every repeat gets bytes of its own."""
            first, stored = offsets[0], b""
            ends = sorted(set(offsets)) + [first + len(blocks)]
            for i, offset in enumerate(list(offsets)):
                offsets[i] = first + len(stored)
                stored += blocks[offset - first:ends[ends.index(offset) + 1] - first]
            return stored

        for id_, path, edit in [
                ("of-two", "none/xfffx-0", like(3, 0)), ("short-last", "none/xffff-8", like(4, 1)),
                ("of-last", "shuffle/xfx-0", like(0, 1)), ("of-itself-later", "shuffle/fxx-0", like(1, 2)),
                ("sum", "bitshuffle/fxfxf-0", put("sums", at2=lambda o, s: s[2] ^ 1)),
                ("inside", "bitshuffle/fxfxf-0", put("offsets", at2=lambda o, s: o[0] + 4)),
                ("prefix", "none/fxfxf-0", put("offsets", at2=lambda o, s: 20)),
                ("zero", "none/fxfxf-0", put("offsets", at4=lambda o, s: 0)),
                ("beyond", "none/xfffx-0", put("offsets", at2=lambda o, s: 2**32 - 1)),
                ("first", "shuffle/ffffx-0", put("offsets", at0=lambda o, s: o[4])),
                ("slack", "none/xxxxf-0", slack), ("lost-block", "none/ffffx-0", like(4, 0))]:
            n, data = edited(path, edit)
            patch = self.patch(store)
            patch.edit_chunk(f"{path}/c/0", data, ids[path], 0, n)
            self.bad(f"frame/repeat-{id_}", "§ 4.3", patch, read="checksum", kind="checksum", affected=[path], file=f"{path}/c/0")
        path = "none/fxfxf-0"
        patch = self.patch(store)
        patch.root(', "repeats": true}', "}", node=path)
        self.bad("frame/repeat-unsaid", "§ 4.3", patch, read="checksum", kind="checksum", affected=[path], file=f"{path}/c/0")
        for id_, value in [("false", "false"), ("one", "1"), ("text", '"true"'), ("array", "[]")]:
            self.index(f"repeats-{id_}", "§ 6.5", '"repeats": true', f'"repeats": {value}', path, store)
        self.index("repeats-unlisted", "§ 14", '"read_features": ["delta", "repeats"]', '"read_features": ["delta"]', store=store)
        self.index("repeats-auto", "§ 6.5", '"level": 1}', '"level": 1, "repeats": true}', "plain/open", "delta.slab")
        for again in ("none/ffffx-0", "bitshuffle/ffxfxxfff-3"):
            n, data = edited(again, stored_again)
            patch = self.patch(store)
            patch.edit_chunk(f"{again}/c/0", data, ids[again], 0, n)
            self.fine(f"repeats-none-{again.split('/')[0]}", patch)
        n, data = edited(path, nothing)
        assert data == self.patch(store).now[f"{path}/c/0"]
        patch = self.patch()
        patch.root('"level": 1}', '"level": 1, "repeats": null}', node="a")
        self.fine("repeats-null", patch)

    # What is to be read all the same -----------------------------------------------------------

    def variants_(self):
        u = '"next_id": 3'
        for id_, old, new in [
                ("x-root", u, f'{u}, "x-lab": {{"deep": [1, 1.5, null]}}, "x-": 0'), ("x-group", '"g": {', '"g": {"x-a": 1, '),
                ("x-dataset", '"id": "d0"', '"id": "d0", "x-b": "c"'), ("x-codec", '"filter": "shuffle"', '"filter": "shuffle", "x-speed": 9'),
                ("x-chunks", '{"stored": 4, ', '{"stored": 4, "x-lost": 0, '), ("x-run", '"lo": 0, "hi": 3, "rows": 4', '"lo": 0, "x-r": [], "hi": 3, "rows": 4'),
                ("source", '"attributes": {}, "commit": 2', '"attributes": {}, "source": {"fingerprint": "' + "é" * 512 + '"}, "commit": 2'),
                ("spaces", u, '\r\n\t "next_id" \t:\n 3 '), ("escapes", '"next_id"', '"\\u006eext\\u005Fid"'),
                ("order", '"slab": 1, "read_features": []', '"read_features": [], "slab": 1'), ("no-stats", '"min": -24027, "max": 32202, ', '"x-no": 1, '),
                ("no-dims", '"dims": ["y", "x"], "unit": "mV", ', ""), ("null-dims", '"dims": ["y", "x"], "unit": "mV"', '"dims": null, "unit": null'),
                ("fill-integer", '"fill_value": 0.0', '"fill_value": 0'), ("fill-bits", '"fill_value": 0.0', '"fill_value": "0x0000000000000000"'),
                ("next-id", u, '"next_id": 9007199254740991'), ("level", '"filter": "shuffle", "block": 4096, "level": 1', '"filter": "shuffle", "block": 4096, "level": 12'),
                ("removed", u, f'"next_id": 8, "removed": [{{"id": "d7", "path": "old"}}, {{"id": null, "path": "g/old"}}]'),
                ("depth", '"gain": 2.5', '"gain": ' + "[" * 65 + "]" * 65), ("integers", '"gain": 2.5', '"gain": [18446744073709551615, -9223372036854775808]'),
                ("pair", '"gain": 2.5', '"\\ud83e\\uddea": "\\u00e9"'),
                ("no-time", '"2026-11-23T02:10:23.000Z"', '"yesterday"'), ("no-writer", '"slab_writer.py"', '""')]:
            patch = self.patch()
            patch.root(old, new)
            verify = {"derived": False} if id_ in ("no-dims", "null-dims", "depth", "integers", "pair") else {}
            self.fine(id_, patch, **(verify | ({"totals": False} if id_ == "no-stats" else {})))
        for id_, features in (("write-feature", '["runs", "magic"]'), ("write-features", '["later", "runs"]')):
            patch = self.patch()
            patch.root('["runs"]', features)
            self.fine(id_, patch, write="unsupported_feature")
        for id_, old, new in [("x-in-run", '"slab_run": 1', '"slab_run": 1, "x-r": {}'), ("run-path", '"path": "a"', '"path": "elsewhere"'),
                              ("run-spaces", '"slab_run": 1', '\n "slab_run": 1\n')]:
            patch = self.patch()
            patch.edit_run("d0", 0, old, new)
            self.fine(id_, patch)
        for id_, features in (("feature-unneeded", '["delta"]'), ("features-unneeded", '["repeats", "delta"]'), ("feature-twice", '["delta", "delta"]')):
            patch = self.patch()
            patch.root('"read_features": []', f'"read_features": {features}')
            self.fine(id_, patch)
        patch = self.patch()
        patch.root('"level": 1}', '"level": 1, "delta": null}', node="a")
        self.fine("delta-null", patch)
        patch = self.patch()
        patch.root('"block": 65536', '"block": 4194304', node="a")
        self.fine("block-largest", patch)
        patch = self.patch("pending.slab")
        patch.root('"slot": 7', '"slot": 7, "x-p": 1', node="moved")
        self.fine("x-pending", patch)
        patch = self.patch("pending.slab")
        patch.root('{"id": "d8", "path": "replaced"}', '{"x-e": 1, "id": "d8", "path": "replaced"}')
        self.fine("x-removed", patch)


def main(folder):
    all_ = Collection(folder)
    for part in ("syntax", "self_check", "root", "names", "datasets", "totals", "pending", "runs", "files", "frames", "around", "delta", "repeats", "variants_"):
        getattr(all_, part)()
    for name, lines in (("invalid", all_.invalid), ("variants", all_.variants)):
        assert len({line["id"] for line in lines}) == len(lines)
        with open(os.path.join(folder, f"{name}.jsonl"), "w") as file:
            for line in lines:
                line["expect"] = {k: v for k, v in line["expect"].items() if v is not None}
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        print(f"{len(lines)} {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
