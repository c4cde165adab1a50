"""Line and column of what a pointer names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jit_hooks.judging.report import Report
from jit_hooks.problem import Graded, Problem, parts_of
from jit_hooks.report.locate import Places, locate_toml, position
from jit_hooks.store.snapshot import Files
from jit_hooks.store.spans import locate

KEYS = st.text(max_size=4) | st.sampled_from(["a/b", "~", "~1", '"', "\\", "0"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def pointers(value: Any, at: str = "") -> list[tuple[str, Any]]:
    found = [(at, value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += pointers(inner, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += pointers(inner, f"{at}/{number}")
    return found


@given(DOCUMENTS, st.sampled_from([None, 2]), st.booleans())
def test_it_finds_the_value_that_json_reads_there(document: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    data = text.encode("utf-8", "surrogatepass")
    for pointer, value in pointers(document):
        offset = locate(data, pointer)
        assert offset is not None
        read, _ = json.JSONDecoder().raw_decode(data[offset:].decode("utf-8", "surrogatepass"))
        assert read == value


@given(st.binary(max_size=60), st.sampled_from(["", "/a", "/0/b", "/a/1", "/~0"]))
def test_broken_text_gets_a_place_inside_it(data: bytes, pointer: str) -> None:
    offset = locate(data, pointer)
    assert offset is None or 0 <= offset <= len(data)


@pytest.mark.parametrize(
    ("data", "pointer", "offset"),
    [
        pytest.param(b'{"a": 1}', "/b", 0, id="missing member: its object"),
        pytest.param(b' {"a": {"c": 2}}', "/a/b", 7, id="missing member inside"),
        pytest.param(b"[1, 2]", "/5", 0, id="missing element"),
        pytest.param(b'{"a": [1, {"b": "x', "/a/1/b", 16, id="cut: the last sound place"),
        pytest.param(b'{"a": 1, "a": 2}', "/a", 14, id="a key twice: the one that counts"),
        pytest.param(b'{"a', "/a", 0, id="cut in a key"),
        pytest.param(b"", "/a", None, id="empty"),
        pytest.param(b"{}", "a", None, id="no pointer"),
    ],
)
def test_where_nothing_stands(data: bytes, pointer: str, offset: int | None) -> None:
    assert locate(data, pointer) == offset


def test_depth_is_no_problem() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert locate(deep, "/0/0/0") == 3
    assert locate(b'{"x": ' + deep + b', "y": 1}', "/y") == len(deep) + 13


def test_columns_count_characters() -> None:
    data = '{\n  "é": "日本", "x": 1}'.encode()
    offset = locate(data, "/x")
    assert offset is not None
    assert position(data, offset) == (2, 19)


def test_parts() -> None:
    assert parts_of("/a~1b/~01/0") == ["a/b", "~1", "0"]


TOML = b"""# gates
schema_version = 1

[[gates]]
key = "tests"
  mode = "auto"

[[gates]]
key = "review"
[gates.checker]
command = "x"
"""


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("/schema_version", (2, 1)),
        ("/gates/0/mode", (6, 3)),
        ("/gates/1/key", (9, 1)),
        ("/gates/1/checker/command", (11, 1)),
        ("/gates/1/title", (8, 1)),
        ("/nothing", (1, 1)),
    ],
)
def test_toml_keys(pointer: str, place: tuple[int, int]) -> None:
    assert locate_toml(TOML, pointer) == place


@pytest.mark.parametrize(
    ("problem", "place"),
    [
        pytest.param(Problem("event-malformed", "events.jsonl", "", line=2, pointer="/b"), (2, 7), id="in a line"),
        pytest.param(Problem("event-lost", "events.jsonl", ""), (0, 0), id="a line that is gone"),
        pytest.param(Problem("issue-vanished", "issues/x.json", ""), (0, 0), id="a file that is gone"),
        pytest.param(Problem("json-unparsable", "index.json", "", offset=4), (2, 3), id="an offset"),
        pytest.param(
            Problem("config-malformed", "config.toml", "is not TOML: x (at line 3, column 5)", offset=0),
            (3, 5),
            id="what tomllib says",
        ),
    ],
)
def test_places_of_problems(problem: Problem, place: tuple[int, int]) -> None:
    files = {"events.jsonl": b'{"a": 1}\n{"b": 2}\n', "index.json": b"{\n  x", "config.toml": b"\n\n    ="}
    (placed,) = Places(Report("worktree", snapshot=Files(files))).located([Graded(problem, "error", "none")])
    assert (placed.line, placed.column) == place
