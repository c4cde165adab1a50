"""The layout of a tracker, against `json.dumps`, which reproduces it byte for byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT

from jit_hooks.store.canonical import DECLARED, MAP, canonical, is_canonical
from jit_hooks.store.layout import kind_of
from jit_hooks.testing.stores import healthy_store, mixed_store

if TYPE_CHECKING:
    from jit_hooks.store.canonical import Shape

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXT, below, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(TEXT, VALUES, max_size=4)
SCHEMAS = ROOT / "schemas"


def pretty(document: object, **options: Any) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False, **options).encode()


@given(DOCUMENTS)
def test_what_is_written_sorted_is_canonical(document: dict[str, object]) -> None:
    data = pretty(document, sort_keys=True)
    assert canonical("issue", document, sorted_members=True) == data
    assert is_canonical("issue", json.loads(data), data)
    assert canonical("schema", document, sorted_members=False) == data + b"\n"
    assert is_canonical("schema", json.loads(data), data + b"\n")
    assert not is_canonical("issue", json.loads(data), data + b"\n")


@given(DOCUMENTS, st.data())
def test_any_other_spelling_is_not(document: dict[str, object], data: st.DataObject) -> None:
    right = pretty(document, sort_keys=True).decode()
    at = data.draw(st.integers(0, len(right)))
    junk = data.draw(st.sampled_from((" ", "\n", "\t", "\\u0041", "\r", "\\/", "\\u001F", "\\u000a", "\\\\")))
    wrong = (right[:at] + junk + right[at:]).encode()
    try:
        found = json.loads(wrong)
    except ValueError:
        return
    assert is_canonical("preset-of-none", found, wrong) == (wrong == pretty(found) and list_sorted(found))


def list_sorted(found: object) -> bool:
    return pretty(found) == pretty(found, sort_keys=True)


@pytest.mark.parametrize("files", [healthy_store(1, "june"), healthy_store(1, "v1"), mixed_store(2)])
def test_the_records_of_a_tracker_are_canonical_and_reproduced(files: dict[str, bytes]) -> None:
    seen = set()
    for path, data in files.items():
        kind = kind_of(path)
        if kind in DECLARED or kind == "schema":
            seen.add(kind)
            document = json.loads(data)
            assert is_canonical(kind, document, data), path
            is_sorted = data.rstrip() == pretty(document, sort_keys=True)
            assert canonical(kind, document, sorted_members=is_sorted) == data
            for wrong in (data + b"\n", data.replace(b"\n", b"\r\n"), json.dumps(document).encode()):
                assert not is_canonical(kind, document, wrong)
    assert {"issue", "index", "run"} <= seen


def test_members_in_neither_order_are_not_canonical() -> None:
    document = {"schema_version": 2, "deleted_ids": [], "all_ids": []}
    assert not is_canonical("index", document, pretty(document))
    assert canonical("index", document, sorted_members=False) == pretty(
        {"schema_version": 2, "all_ids": [], "deleted_ids": []}
    )


def test_declared_order_is_that_of_the_schemas() -> None:
    names = {"issue": "issue", "index": "index", "run": "gate-run", "preset": "preset"}
    for kind, name in names.items():
        assert_same(DECLARED[kind], schema := load(name), schema)
    gates = load("gates")
    assert_same(DECLARED["gates-json"][1]["gates"][1][MAP], gates["definitions"]["gate-json"], gates)


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return found


def assert_same(shape: Shape, schema: dict[str, Any], top: dict[str, Any]) -> None:
    properties = schema["properties"]
    assert shape[0] == tuple(properties)
    for name, below in shape[1].items():
        part = resolved(properties[name], top)
        if part.get("type") == "array":
            part = resolved(part["items"], top)
        if MAP in below[1]:
            part, below = resolved(part["additionalProperties"], top), below[1][MAP]
        if "allOf" in part:  # Told apart by a tag: every variant is a part of the declared whole.
            for variant in top["definitions"].values():
                if variant is not part and "type" in variant.get("properties", {}):
                    order = [member for member in below[0] if member in variant["properties"]]
                    assert order == [member for member in variant["properties"] if member in below[0]]
        else:
            assert_same(below, part, top)


def resolved(part: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    for rule in ("allOf", "anyOf", "oneOf"):
        if "$ref" not in part and "properties" not in part and "type" not in part and len(part.get(rule, ())) == 1:
            part = part[rule][0]
    return resolved(top["definitions"][part["$ref"].rsplit("/", 1)[1]], top) if "$ref" in part else part
