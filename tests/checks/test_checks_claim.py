"""The claims log, its replay, and the leases that live, check by check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from claims import BEGAN, ENDS, NOW, ONE, TWO, acquire, beat, evict, index, lease, lines, log, renew
from memory_stores import A, B, C, bytes_of, issue, path, store_of

from jit_hooks import schemas
from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.claims import ClaimsIndex, differences, index_document, replay
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import CLAIMS, CLAIMS_INDEX
from jit_hooks.store.machine import Machine
from jit_hooks.store.snapshot import Entry, Files
from jit_hooks.store.store import Store
from jit_hooks.store.times import later

if TYPE_CHECKING:
    from jit_hooks.problem import Problem

Record = dict[str, object]

CODES = [row.code for row in CHECKS if row.family == "claim"]


def problems(data: object, listed: object = None, now: str = NOW, others: Record | None = None) -> list[Problem]:
    """All that the family finds; by default the index lists what the log leaves alive."""
    if listed is None and isinstance(data, bytes):
        listed = json.dumps(index_document(replay(data), BEGAN)).encode()
    paths: Record = store_of(issue(A, assignee="agent:alpha"), issue(B, assignee="agent:alpha"), issue(C))
    paths |= {CLAIMS: data, CLAIMS_INDEX: listed, **(others or {})}
    kept = {name: content for name, content in paths.items() if content is not None}
    snapshot = Files(
        {name: bytes_of(one) for name, one in kept.items() if not isinstance(one, Entry)},
        other={name: one for name, one in kept.items() if isinstance(one, Entry)},
        machine=Machine(now=now),
    )
    found = find_problems(Store(snapshot), Focus(everything=True), [BY_CODE[code] for code in CODES]).problems
    assert all(problem.message and problem.message[0] != " " for problem in found)
    identities = {problem.identity for problem in found}
    assert len(identities) == len(found), f"told twice: {found}"
    return found


def codes(data: object, listed: object = None, now: str = NOW) -> list[str]:
    return [problem.code for problem in problems(data, listed, now)]


def test_a_log_as_the_tracker_writes_it_has_no_problem() -> None:
    ends = [evict(TWO, op) for op in ("auto-evict", "auto-evict", "force-evict", "release")]
    whole = log(acquire(), beat(ENDS), renew(ENDS, beat=ENDS), acquire(TWO, issue_id=B), *ends)
    assert codes(whole) == []
    assert codes(b"", None) == []
    assert codes(None) == []
    for raw in whole.splitlines():
        assert schemas.violations("claim", json.loads(raw)) == []


def test_without_a_control_plane_nothing_is_asked() -> None:
    found = find_problems(Store(Files({CLAIMS: b"{"})), Focus(everything=True), [BY_CODE[code] for code in CODES])
    assert found.problems == []


GOOD = lines(acquire(), acquire(TWO, issue_id=B))


@pytest.mark.parametrize(
    ("data", "at", "alive"),
    [
        (GOOD[0] + GOOD[1][:-1], [2], [ONE, TWO]),
        (GOOD[0] + GOOD[1][:-40], [2], [ONE]),
        (GOOD[0][:-1] + GOOD[1], [1], [ONE, TWO]),
        (GOOD[0][:60] + GOOD[1], [1], [TWO]),
        (b"{\n" + GOOD[0] + b"[]\n" + GOOD[1], [1, 3], [ONE, TWO]),
        (b"\n" + GOOD[0] + b" \n\n" + GOOD[1], [], [ONE, TWO]),
        (b"\xff\n" + GOOD[0], [1], [ONE]),
        (b"<<<<<<< a\n" + GOOD[0] + b"=======\n" + GOOD[1] + b">>>>>>> b\n", [1, 3, 5], [ONE, TWO]),
        (b"[" * 5000 + b"\n", [1], []),
        (b"null\n", [1], []),
    ],
)
def test_a_line_that_is_not_one_object_costs_that_line(data: bytes, at: list[int], alive: list[str]) -> None:
    found = replay(data)
    assert [line.line for line in found.skipped] == at
    assert list(found.leases) == alive
    told = [problem for problem in problems(data) if problem.code == "claim-unparsable"]
    assert [problem.line for problem in told] == at
    assert codes(data) == ["claim-unparsable"] * len(at)


def test_the_rest_of_a_glued_line_is_what_no_operation_holds() -> None:
    (line,) = replay(GOOD[0][:60] + GOOD[1]).skipped
    assert line.rest == GOOD[0][:60]
    assert [entry.raw for entry in line.entries] == [GOOD[1][:-1]]
    (line,) = replay(GOOD[0][:-1] + GOOD[1]).skipped
    assert line.rest == b""


def test_a_log_that_cannot_be_read_is_told() -> None:
    assert codes(Entry("link"), index()) == ["claim-unparsable"]
    (problem,) = problems(None, others={"control:.": Entry("link")})
    assert (problem.code, problem.path) == ("claim-unparsable", "control:.")


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        (acquire(expires_at=None), "/expires_at"),
        (acquire(expires_at=...), "/expires_at"),
        (acquire(agent_id=...), "/agent_id"),
        (acquire(ttl_secs=-1), "/ttl_secs"),
        (acquire(last_beat="today"), "/last_beat"),
        (acquire(lease_id=7), "/lease_id"),
        ({"op": "seize", "lease_id": ONE}, "/op"),
        ({"lease_id": ONE}, "/op"),
        ({"op": ["acquire"]}, "/op"),
        (evict() | {"reason": None}, "/reason"),
        (acquire(schema_version=None), "/schema_version"),
        (acquire(seq="1"), "/seq"),
    ],
)
def test_an_operation_without_its_shape(operation: Record, pointer: str) -> None:
    told = [problem for problem in problems(log(operation), index()) if problem.code == "claim-malformed"]
    assert [(problem.path, problem.line, problem.pointer) for problem in told] == [(CLAIMS, 1, pointer)]


def test_a_renewal_that_takes_the_end_away() -> None:
    told = [problem for problem in problems(log(acquire(), renew(None))) if problem.path == CLAIMS]
    assert [(problem.code, problem.line, problem.pointer) for problem in told] == [
        ("claim-malformed", 2, "/new_expires_at")
    ]
    assert codes(log(acquire(ttl_secs=0, expires_at=None), renew(None))) == []


def test_a_lease_of_the_index_without_its_shape() -> None:
    listed = index(lease(expires_at=None, branch=7), lease(TWO, agent_id=...), "x", last_seq=-1)  # type: ignore[arg-type]
    told = [problem for problem in problems(log(acquire(expires_at=None)), listed) if problem.path == CLAIMS_INDEX]
    assert [(problem.code, problem.subject) for problem in told if problem.code == "claim-malformed"] == [
        ("claim-malformed", "last_seq"),
        ("claim-malformed", "leases/0"),
        ("claim-malformed", "leases/1"),
        ("claim-malformed", "leases/2"),
    ]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1, 2, 3], []),
        ([1, 2, 4], [3]),
        ([1, 1, 2], [2]),
        ([1, 3, 2], [2, 3]),
        ([2, 3, 4], [1]),
        ([1, 2, 18446744073709551615], [3]),
    ],
)
def test_numbers_rise_by_one(numbers: list[int], told: list[int]) -> None:
    data = log(*(evict(op="auto-evict") | {"seq": number} for number in numbers))
    assert [problem.line for problem in problems(data)] == told
    assert set(codes(data)) <= {"claim-sequence-gap"}


def test_a_line_that_cannot_be_read_explains_a_gap() -> None:
    three = lines(acquire(), evict(), evict(op="auto-evict"))
    assert codes(three[0] + b"{\n" + three[2]) == ["claim-unparsable"]
    assert codes(three[0] + b"{" + three[1] + lines(evict(), first=2)[0]) == ["claim-unparsable"]
    assert codes(b"{\n" + three[2]) == ["claim-unparsable"]


def test_gaps_are_those_numbers_that_no_operation_has() -> None:
    assert replay(log(acquire(seq=2), evict() | {"seq": 5})).gaps == [1, 3, 4]
    assert len(replay(log(acquire(seq=18446744073709551615))).gaps) == 1000
    assert replay(b"").gaps == []


ALIVE = log(acquire(), acquire(TWO, issue_id=B))


@pytest.mark.parametrize(
    ("data", "listed", "subjects"),
    [
        (ALIVE, index(lease(TWO, issue_id=B), lease()), []),
        (ALIVE, index(lease(stale=True), lease(TWO, issue_id=B, acquired_at=ENDS)), []),
        (ALIVE, index(lease(last_beat="2026-06-01T12:00:00.000000001+02:00"), lease(TWO, issue_id=B)), []),
        (ALIVE, index(lease()), [TWO]),
        (ALIVE, index(), [ONE, TWO]),
        (ALIVE, Entry("link"), [""]),
        (ALIVE, b"", [""]),
        (ALIVE, b"[]", [""]),
        (ALIVE, b'{"leases": 7}', [""]),
        (ALIVE, index(lease(agent_id="human:bo"), lease(TWO, issue_id=B)), [ONE]),
        (ALIVE, index(lease(expires_at=BEGAN), lease(TWO, issue_id=B)), [ONE]),
        (ALIVE, index(lease(), lease(), lease(TWO, issue_id=B)), [ONE]),
        (log(acquire(), evict()), index(lease()), [ONE]),
        (log(acquire(), evict(op="release")), index(lease()), [ONE]),
        (log(acquire(), evict(op="auto-evict")), index(lease()), []),
        (log(acquire(), evict(op="auto-evict"), evict()), index(lease()), [ONE]),
        (b"", index(lease()), [ONE]),
        (log(acquire())[:-90], index(lease()), []),
        (log(acquire(), evict())[:-20], index(), []),
        (log(acquire(), evict())[:-20], index(lease()), []),
    ],
)
def test_log_and_index_list_the_same_leases(data: bytes, listed: object, subjects: list[str]) -> None:
    found = [problem for problem in problems(data, listed) if problem.code == "claims-index-mismatch"]
    assert [problem.subject for problem in found] == subjects
    assert all(problem.path == CLAIMS_INDEX and problem.related == (CLAIMS, CLAIMS_INDEX) for problem in found)


def test_an_index_that_is_absent_lists_nothing() -> None:
    files = {CLAIMS: ALIVE}
    found = find_problems(
        Store(Files(files, machine=Machine())), Focus(everything=True), [BY_CODE["claims-index-mismatch"]]
    ).problems
    assert [problem.subject for problem in found] == [ONE, TWO]


def test_the_index_built_from_a_log_agrees_with_it() -> None:
    data = log(
        acquire(), acquire(TWO, issue_id=B, ttl_secs=0, expires_at=None), renew("2026-06-01T12:00:00Z"), beat(ENDS, TWO)
    )
    found = replay(data)
    document = index_document(found, NOW, tuple(found.gaps))
    assert schemas.violations("claims-index", document) == []
    raw = json.dumps(document).encode()
    assert list(differences(found, ClaimsIndex(raw))) == []
    assert list(document) == [
        "schema_version",
        "generated_at",
        "last_seq",
        "stale_threshold_secs",
        "leases",
        "sequence_gaps",
    ]
    assert (document["last_seq"], document["sequence_gaps"]) == (4, [])
    leases = document["leases"]
    assert isinstance(leases, list)
    assert [one["lease_id"] for one in leases] == [TWO, ONE]
    assert list(leases[0]) == list(lease())
    assert (leases[0]["last_beat"], leases[1]["expires_at"]) == (ENDS, "2026-06-01T12:00:00Z")


def test_what_is_in_doubt() -> None:
    torn = replay(log(acquire(), evict(TWO))[:-20])
    assert torn.is_in_doubt(TWO)
    assert not torn.is_in_doubt(ONE)
    assert torn.is_in_doubt("33333333-0000-4000-8000-000000000003")
    assert not replay(ALIVE).is_in_doubt("33333333-0000-4000-8000-000000000003")


@pytest.mark.parametrize(
    ("first", "second", "is_told"),
    [
        (A, A, True),
        (A, A[:8], True),
        (A[:4], A[:8], True),
        (A, B, False),
        (A[:8], B[:8], False),
        ("99999999", "99999999", True),
        ("99999999", A, False),
        ("", "", False),
    ],
)
def test_one_issue_has_one_live_lease(first: str, second: str, is_told: bool) -> None:
    data = log(acquire(issue_id=first), acquire(TWO, issue_id=second))
    found = problems(data)
    assert [(problem.code, problem.subject) for problem in found] == ([("lease-duplicate", TWO)] if is_told else [])
    assert codes(data + lines(evict(), first=3)[0]) == []


@pytest.mark.parametrize(
    ("typed", "here", "is_told"),
    [
        (C, None, True),
        (C[:8], None, True),
        (C, {"worktree_id": "wt:0a1b2c3d"}, True),
        (C, {"worktree_id": "wt:ffffffff"}, False),
        (C, b"{", True),
        (C, [], True),
        (A, None, False),
        ("99999999", None, False),
    ],
)
def test_a_lease_of_an_issue_that_nobody_is_assigned_to(typed: str, here: object, is_told: bool) -> None:
    found = problems(log(acquire(issue_id=typed)), None, others={"worktree.json": here})
    expected = [("lease-without-assignee", ONE, C, (path(C),))] if is_told else []
    assert [(problem.code, problem.record, problem.subject, problem.related) for problem in found] == expected


@pytest.mark.parametrize(
    ("operations", "now", "is_told"),
    [
        ([acquire()], "2026-06-01T11:05:00Z", False),
        ([acquire()], "2026-06-01T11:05:00.000000001Z", False),
        ([acquire()], "2026-06-01T11:05:00.000000002Z", True),
        ([acquire()], "2026-06-01T13:05:01+02:00", True),
        ([acquire()], "", False),
        ([acquire()], "today", False),
        ([acquire(ttl_secs=0, expires_at=None)], "2030-01-01T00:00:00Z", False),
        ([acquire(), evict(op="auto-evict")], "2030-01-01T00:00:00Z", False),
        ([acquire(), renew("2026-06-01T12:00:00Z")], "2026-06-01T11:30:00Z", False),
        ([acquire(expires_at="2026-06-01T10:00:60Z")], "2026-06-01T11:00:00Z", True),
    ],
)
def test_a_lease_past_its_end(operations: list[Record], now: str, is_told: bool) -> None:
    assert codes(log(*operations), None, now) == (["lease-expired"] if is_told else [])


@pytest.mark.parametrize(
    ("moment", "shifted"),
    [
        ("2026-06-01T23:59:59.123456789", "2026-06-02T00:04:59.123456789"),
        ("9999-12-31T23:59:59.000000000", "9999-12-31T23:59:59.000000000"),
        ("2026-06-01T10:00:60.000000000", "2026-06-01T10:00:60.000000000"),
        ("0000-01-01T00:00:00.000000000", "0000-01-01T00:00:00.000000000"),
    ],
)
def test_five_minutes_later(moment: str, shifted: str) -> None:
    assert later(moment, 300) == shifted
