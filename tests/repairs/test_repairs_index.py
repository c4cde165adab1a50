"""The issue index made again: only when nothing is lost that can still be read in its damaged bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from memory_stores import GONE, A, B, C, D, bytes_of, issue, store_of
from mended_stores import repaired

INDEX = "index.json"
LOG = "events.jsonl"
STORE = store_of(issue(A), issue(B))
HEALTHY: dict[str, Any] = {"schema_version": 2, "all_ids": [A, B], "deleted_ids": []}
NOTE = {"annotations": {"reviewer": "Ada keeps this"}}
ODD: dict[str, object] = {"deleted_ids": {}}
WHOLE = bytes_of(HEALTHY)
CONFLICT = b'{\n<<<<<<< ours\n"all_ids": []\n=======\n"all_ids": [1]\n>>>>>>> thei\xffrs\n}\n'


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(WHOLE[:-9], id="cut"),
        pytest.param(WHOLE[: WHOLE.index(B.encode()) + 9], id="cut-in-an-id"),
        pytest.param(WHOLE.replace(b"all_ids", b"all\x80ids"), id="bad-byte"),
        pytest.param(WHOLE[:-9] + b"\0" * 9, id="nul-tail"),
        pytest.param(b"\xff\xfe" + WHOLE[:-9].decode().encode("utf-16-le"), id="utf-16-cut"),
        pytest.param(bytes_of(HEALTHY | ODD), id="no-list"),
        pytest.param(bytes_of(HEALTHY | {"schema_version": 1} | ODD), id="older"),
    ],
)
def test_what_names_nothing_but_ids_is_made_again(damaged: bytes) -> None:
    codes = ["index-malformed", "json-unparsable", "text-not-utf8", "index-outdated"]
    done = repaired(STORE | {INDEX: damaged}, only=codes)
    assert json.loads(done.files[INDEX]) == HEALTHY


def test_members_that_nobody_knows_stay() -> None:
    done = repaired(STORE | {INDEX: HEALTHY | NOTE | ODD}, only=["index-malformed"])
    assert json.loads(done.files[INDEX]) == HEALTHY | NOTE


@pytest.mark.parametrize("parents", [[], [STORE]], ids=["no-copy", "copy"])
@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(bytes_of(issue(A, title="edited and nowhere else")), id="an-issue"),
        pytest.param(bytes_of(HEALTHY | NOTE)[:-9], id="members-cut"),
        pytest.param(bytes_of(HEALTHY | {"deleted_ids": {A: "by Ada"}}), id="a-list-that-is-none"),
        pytest.param(bytes_of(HEALTHY | {"deleted_ids": [1.50]}), id="a-number"),
    ],
)
def test_what_says_more_is_a_choice(damaged: bytes, parents: list[dict[str, object]]) -> None:
    paths = STORE | {INDEX: damaged}
    codes = ["index-malformed", "json-unparsable"]
    done = repaired(paths, parents=parents, only=codes)
    assert done.changes == {}
    assert any("--unsafe-fixes" in why for why in done.left.values())
    assert INDEX in repaired(paths, parents=parents, unsafe=True, only=codes).changes


@pytest.mark.parametrize("is_unsafe", [False, True], ids=["plain", "unsafe"])
@pytest.mark.parametrize(
    ("damaged", "word"),
    [
        pytest.param(CONFLICT, "conflict", id="conflict-and-bad-byte"),
        pytest.param(WHOLE.replace(b": 2", b": 99")[:-9], "version is 99", id="newer-and-cut"),
    ],
)
def test_what_a_person_decides_is_left(damaged: bytes, word: str, is_unsafe: bool) -> None:
    codes = ["index-malformed", "json-unparsable", "text-not-utf8"]
    done = repaired(STORE | {INDEX: damaged}, parents=[STORE], unsafe=is_unsafe, only=codes)
    assert done.changes == {}
    assert any(word in why for why in done.left.values())


# -- what the event log calls deleted --------------------------------------------------------------


def told(kind: str, issue_id: str) -> bytes:
    event = {"type": kind, "id": issue_id.replace("-0000-", "-1111-"), "issue_id": issue_id, "timestamp": MOMENT}
    return json.dumps(event).encode() + b"\n"


MOMENT = "2026-06-01T10:00:00.000000001Z"
DELETED = {name: data for name, data in STORE.items() if name != f"issues/{B}.json"} | {LOG: told("issue_deleted", B)}
SAID: dict[str, object] = {"schema_version": 2, "all_ids": [A], "deleted_ids": [B]}
CODES = ["index-absent", "index-malformed", "json-unparsable", "index-lists-missing", "issue-vanished"]
LOST = [None, HEALTHY, WHOLE[:60], HEALTHY | ODD, {"schema_version": 2, "all_ids": [A], "deleted_ids": []}]


@pytest.mark.parametrize("index", LOST, ids=["absent", "alive", "cut", "malformed", "in-neither-list"])
def test_what_the_log_calls_deleted_stays_so(index: object) -> None:
    paths = {name: data for name, data in {**DELETED, INDEX: index}.items() if data is not None}
    done = repaired(paths, parents=[STORE | {LOG: b""}], only=CODES)
    assert json.loads(done.files[INDEX]) == SAID
    assert f"issues/{B}.json" not in done.files


def test_an_issue_that_a_parent_has_in_spite_of_its_deletion_comes_back() -> None:
    parent = STORE | {LOG: DELETED[LOG]}
    done = repaired(DELETED | {INDEX: HEALTHY}, parents=[parent], only=CODES)
    assert done.files[f"issues/{B}.json"] == bytes_of(STORE[f"issues/{B}.json"])
    assert json.loads(done.files[INDEX]) == HEALTHY


# -- files that are no issue -----------------------------------------------------------------------

STRAYS: dict[str, object] = {
    "issues/notes.json": b"stray",
    "issues/more.json": issue("more"),
    "issues/\udcff.json": b"stray",
    f"issues/{GONE}.json": b"{",
    f"issues/{D}.json": issue(C),
}


@pytest.mark.parametrize("index", [HEALTHY | {"all_ids": [A]}, None], ids=["misses-one", "absent"])
def test_a_file_that_is_no_issue_is_not_listed(index: object) -> None:
    paths = {name: data for name, data in {**STORE, **STRAYS, INDEX: index}.items() if data is not None}
    done = repaired(paths, only=["index-misses-issue", "index-absent"])
    assert json.loads(done.files[INDEX])["all_ids"] == [A, B]
    assert "no issue" in done.left["index-misses-issue"]
