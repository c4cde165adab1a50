"""JSON text with one thing changed: what it parses to, and that all else keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from jit_hooks.store.rewrite import remove_member, replace_value, rewrite_list, set_member, value_at

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
documents = st.dictionaries(st.text(max_size=4), values, max_size=5)
layouts = st.sampled_from([{"indent": 2}, {"indent": 4}, {}, {"separators": (",", ":")}, {"indent": "\t"}])


def spelled(document: object, layout: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, **layout).encode("utf-8", "surrogatepass")


def pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


@given(documents, values, layouts, st.data())
def test_a_member_is_set_and_taken_away(
    document: dict[str, Any], value: object, layout: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*document, "new"]))
    after = set_member(spelled(document, layout), "", name, value)
    assert json.loads(after) == {**document, name: value}
    without = remove_member(after, "", name)
    assert json.loads(without) == {key: kept for key, kept in document.items() if key != name}
    for key in json.loads(without):
        assert value_at(without, pointer(key)) == value_at(after, pointer(key))


@given(st.lists(values, max_size=6), st.lists(values, max_size=2), layouts, st.data())
def test_a_list_keeps_some_and_gains_some(
    items: list[object], more: list[object], layout: dict[str, Any], data: st.DataObject
) -> None:
    keep = data.draw(st.lists(st.integers(0, len(items) - 1), unique=True) if items else st.just([]))
    before = spelled({"a": 1.50, "list": items, "z": [1]}, layout)
    after = rewrite_list(before, "/list", keep, more)
    assert json.loads(after)["list"] == [*(items[at] for at in keep), *more]
    begin, end = before.split(spelled(items, layout), 1) if items and "indent" not in layout else (b"", b"")
    assert after.startswith(begin)
    assert after.endswith(end)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{\n  "a": [\n    1,\n    2e0\n  ]\n}', b'{\n  "a": [\n    2e0,\n    "x"\n  ]\n}'),
        (b'{"a": [1, 2e0]}\n', b'{"a": [2e0, "x"]}\n'),
        (b'{"a":[1,2e0]}', b'{"a":[2e0,"x"]}'),
    ],
)
def test_a_list_keeps_its_layout_and_the_spelling_of_what_stays(before: bytes, after: bytes) -> None:
    assert rewrite_list(before, "/a", [1], ["x"]) == after


def test_an_empty_list_takes_the_layout_of_its_document() -> None:
    before = b'{\n    "a": {\n        "b": []\n    }\n}\n'
    assert rewrite_list(before, "/a/b", (), [1]) == (
        b'{\n    "a": {\n        "b": [\n            1\n        ]\n    }\n}\n'
    )
    assert rewrite_list(before, "/a/b", (), []) == before


def test_a_new_member_goes_where_it_belongs() -> None:
    assert set_member(b'{"a": 1, "c": 2}', "", "b", 3) == b'{"a": 1, "b": 3, "c": 2}'
    declared = b'{\n  "schema_version": 2,\n  "all_ids": []\n}'
    assert set_member(declared, "", "deleted_ids", [], "index").endswith(b'"all_ids": [],\n  "deleted_ids": []\n}')
    assert set_member(b"{}", "", "a", 1) == b'{"a": 1}'


def test_a_value_is_replaced_in_its_place() -> None:
    assert replace_value(b'{"a": {"b": 1.0}, "c": 2e0}', "/a/b", "x") == b'{"a": {"b": "x"}, "c": 2e0}'
    with pytest.raises(ValueError, match="no value"):
        replace_value(b'{"a": [1]}', "/a/3/b", 2)
