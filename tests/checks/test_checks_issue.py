from __future__ import annotations

import pytest
from memory_stores import A, B, check, issue, path, problems, store_of, v1

CLEAN = store_of(issue(A), v1(B))


def only(**members: object) -> dict[str, object]:
    return store_of(issue(A, **members), v1(B))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(CLEAN, [], id="both-eras"),
        pytest.param(only(priority="norml"), [(path(A), "priority")], id="enum"),
        pytest.param(only(labels=...), [(path(A), "labels")], id="missing"),
        pytest.param(only(labels=..., state="open"), [(path(A), "labels"), (path(A), "state")], id="one-a-member"),
        pytest.param(only(labels=[1, 2]), [(path(A), "labels")], id="two-faults-of-one-member"),
        pytest.param(only(updated_at="2026-02-30T10:00:00Z"), [(path(A), "updated_at")], id="no-such-day"),
        pytest.param(
            only(gates_status={"t": {"status": "passed", "updated_at": "2026-02-29T10:00:00Z"}}),
            [(path(A), "gates_status")],
            id="no-such-day-nested",
        ),
        pytest.param(
            only(created_at=..., updated_at=...), [(path(A), "created_at"), (path(A), "updated_at")], id="old"
        ),
        pytest.param(only(assignee="claude"), [(path(A), "assignee")], id="assignee-without-kind"),
        pytest.param({**CLEAN, path(A): []}, [(path(A), "")], id="no-object"),
        pytest.param({**CLEAN, path(A): b'{"id": '}, [], id="does-not-parse"),
    ],
)
def test_issue_malformed(after: dict[str, object], expected: list[tuple[str, str]]) -> None:
    check("issue-malformed", CLEAN, after, *expected)


def test_issue_malformed_says_which_values_there_are_and_how_to_accept_a_new_one() -> None:
    [found] = problems("issue-malformed", only(state="paused"))
    assert found.pointer == "/state"
    assert '`/state` is "paused"' in found.message
    assert "accept it under `states` in [accept] of .jit/hooks.toml" in found.message


def test_issue_malformed_marks_what_only_an_older_tracker_left_out() -> None:
    found = problems("issue-malformed", only(created_at=..., labels=...))
    assert {(problem.subject, problem.era) for problem in found} == {
        ("created_at", "created_at"),
        ("labels", ""),
    }


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(CLEAN, [], id="same"),
        pytest.param({**CLEAN, path(A): issue(B), path(B): v1(A)}, [(path(A), B), (path(B), A)], id="swapped"),
        pytest.param({**CLEAN, path(A): issue(B, labels=...)}, [], id="does-not-load"),
    ],
)
def test_issue_id_mismatch(after: dict[str, object], expected: list[tuple[str, str]]) -> None:
    check("issue-id-mismatch", CLEAN, after, *expected)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(CLEAN, [], id="uuid"),
        pytest.param(store_of(issue(A.upper())), [(path(A.upper()), A.upper())], id="upper-case"),
        pytest.param({**CLEAN, path("task"): issue(A)}, [(path("task"), "task")], id="stem"),
        pytest.param({**CLEAN, path(A): issue("task")}, [(path(A), "task")], id="inside"),
        pytest.param({**CLEAN, path("task"): issue("task", labels=...)}, [], id="does-not-load"),
    ],
)
def test_issue_id_invalid(after: dict[str, object], expected: list[tuple[str, str]]) -> None:
    check("issue-id-invalid", CLEAN, after, *expected)


LIVED = store_of(v1(A, state="done", done_at="2026-07-29T10:00:00Z", claimed_at="2026-07-29T09:00:00Z"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(LIVED, LIVED, [], id="kept"),
        pytest.param(
            LIVED,
            store_of(issue(A)),
            [(path(A), "first_ready_at"), (path(A), "claimed_at"), (path(A), "done_at")],
            id="saved-by-june",
        ),
        pytest.param(CLEAN, store_of(issue(A, title="new"), v1(B)), [], id="never-had-them"),
        pytest.param(CLEAN, store_of(v1(A, archived_from="done")), [(path(A), "archived_from")], id="not-archived"),
        pytest.param(CLEAN, store_of(v1(A, archived_from="done", state="archived")), [], id="archived"),
        pytest.param(LIVED, {**LIVED, path(A): b"{"}, [], id="does-not-load"),
    ],
)
def test_issue_lifecycle_mismatch(
    before: dict[str, object], after: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    check("issue-lifecycle-mismatch", before, after, *expected)


@pytest.mark.parametrize(
    ("created", "updated", "wrong"),
    [
        ("2026-06-01T10:00:00Z", "2026-06-01T10:00:00Z", False),
        ("2026-06-01T10:00:00.000000002Z", "2026-06-01T10:00:00.000000001Z", True),
        ("2026-06-01T10:00:00.000000001Z", "2026-06-01T10:00:00.000000002Z", False),
        ("2026-06-01T10:00:00.5Z", "2026-06-01T10:00:00Z", True),
        ("2026-06-01T10:00:00+00:00", "2026-06-01T10:00:00Z", False),
        ("2026-06-01T12:00:00+02:00", "2026-06-01T10:00:00Z", False),
        ("2026-06-01T12:00:00+01:00", "2026-06-01T10:00:00Z", True),
    ],
)
def test_issue_created_after_updated(created: str, updated: str, wrong: bool) -> None:
    after = store_of(issue(A, created_at=created, updated_at=updated))
    check("issue-created-after-updated", CLEAN, after, *([(path(A), "")] if wrong else []))
