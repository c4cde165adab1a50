from __future__ import annotations

import pytest
from memory_stores import GONE, A, B, C, D, check, issue, path, problems, store_of, v1

Case = dict[str, object]
Expected = list[tuple[str, str]]

CLEAN = store_of(issue(A, B), v1(B))


def status(word: str) -> dict[str, object]:
    return {"status": word, "updated_by": None, "updated_at": "2026-06-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        pytest.param({"gates_status": {"t": status("passed"), "u": status("passed")}}, True, id="all-passed"),
        pytest.param({"gates_status": {"t": status("passed"), "u": status("pending")}}, False, id="one-pending"),
        pytest.param({"gates_status": {"t": status("passed")}}, False, id="one-not-judged"),
        pytest.param({"gates_required": []}, True, id="none-required"),
        pytest.param({"gates_required": [], "state": "ready"}, False, id="not-gated"),
        pytest.param({"gates_required": [], "labels": ...}, False, id="does-not-load"),
    ],
)
def test_gated_not_open(members: Case, wrong: bool) -> None:
    after = store_of(issue(A, B, **{"state": "gated", "gates_required": ["t", "u"], **members}), v1(B))
    check("gated-not-open", CLEAN, after, *([(path(A), "")] if wrong else []))


@pytest.mark.parametrize(
    ("statuses", "state", "expected"),
    [
        ({"t": status("passed"), "u": status("passed")}, "done", []),
        ({"t": status("passed"), "u": status("failed")}, "done", [(path(A), "u")]),
        ({}, "done", [(path(A), "t"), (path(A), "u")]),
        ({}, "gated", []),
        ({}, "rejected", []),
    ],
)
def test_done_gate_open(statuses: Case, state: str, expected: Expected) -> None:
    after = store_of(issue(A, B, state=state, gates_required=["t", "u"], gates_status=statuses), v1(B))
    check("done-gate-open", CLEAN, after, *expected)


def pair(state: str, other: str, **members: object) -> Case:
    return store_of(issue(A, B, state=state), v1(B, state=other, **members))


@pytest.mark.parametrize(
    ("code", "state"),
    [("ready-dependency-open", "ready"), ("done-dependency-open", "done"), ("done-dependency-open", "gated")],
)
@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        pytest.param(("in_progress", "in_progress", {}), ("in_progress", {}), True, id="state-set"),
        pytest.param(("in_progress", "done", {}), ("done", {}), False, id="dependency-done"),
        pytest.param(("in_progress", "done", {}), ("rejected", {}), False, id="dependency-rejected"),
        pytest.param(("in_progress", "done", {}), ("archived", {"archived_from": "done"}), False, id="archived-done"),
        pytest.param(("in_progress", "done", {}), ("archived", {}), True, id="archived-from-nowhere"),
        pytest.param((None, "done", {}), ("ready", {}), True, id="only-the-dependency-written"),
    ],
)
def test_over_an_open_dependency(
    code: str, state: str, before: tuple[str | None, str, Case], after: tuple[str, Case], wrong: bool
) -> None:
    mine, others, members = before
    check(
        code,
        pair(mine or state, others, **members),
        pair(state, after[0], **after[1]),
        *([(path(A), B)] if wrong else []),
    )


def test_a_dependency_that_is_missing_or_does_not_load_is_not_called_open() -> None:
    after = store_of(issue(A, B, GONE, state="ready"), v1(B)) | {path(B): b"{"}
    check("ready-dependency-open", CLEAN, after)


def test_a_dependency_that_loads_again_is_seen_from_above() -> None:
    whole = pair("ready", "in_progress")
    check("ready-dependency-open", whole | {path(B): b"{"}, whole, (path(A), B))


def test_over_open_names_both_issues_and_the_edge() -> None:
    [found] = problems("ready-dependency-open", pair("ready", "backlog"))
    assert found.message == (
        'issue aaaaaaaa "Title of a" is ready, though it depends on bbbbbbbb "Title of b", which is backlog'
    )
    assert (found.pointer, found.related) == ("/dependencies/0", (path(B),))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(CLEAN, pair("backlog", "in_progress"), [], id="blocked"),
        pytest.param(CLEAN, pair("backlog", "done"), [(path(A), "")], id="not-blocked"),
        pytest.param(
            pair("backlog", "ready"),
            pair("backlog", "done"),
            [(path(A), "")],
            id="only-the-dependency-written",
        ),
        pytest.param(CLEAN, pair("ready", "done"), [], id="ready"),
        pytest.param(CLEAN, store_of(issue(A, state="backlog")), [(path(A), "")], id="depends-on-nothing"),
        pytest.param(CLEAN, store_of(issue(A, GONE, state="backlog")), [], id="dependency-missing"),
        pytest.param(
            store_of(issue(A, B, C, state="backlog"), v1(B), v1(C, D), v1(D)),
            store_of(issue(A, B, C, state="backlog"), v1(B, state="done"), v1(C, D), v1(D)),
            [],
            id="one-of-two",
        ),
    ],
)
def test_backlog_not_blocked(before: Case, after: Case, expected: Expected) -> None:
    check("backlog-not-blocked", before, after, *expected)
