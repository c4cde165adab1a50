"""Events: what the log says by itself, against the issues, and against what the parents said."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from memory_stores import GONE, A, B, Found, bytes_of, check, identities, issue, opened, path, problems, store_of
from proofs import over

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.log import digest_of
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from jit_hooks.problem import Problem

LOG = "events.jsonl"
INDEX = "index.json"
RECORDS = [row.code for row in CHECKS if "log" in row.kinds]


def event(number: int, kind: str, issue_id: str = A, *, at: int | None = None, **rest: object) -> dict[str, object]:
    """An event; its number makes its id and, unless told otherwise, its time."""
    time = f"2026-06-01T10:00:{number if at is None else at:02}.000000001Z"
    return {"type": kind, "id": name(number), "issue_id": issue_id, "timestamp": time, **rest}


def name(number: int) -> str:
    return f"{number:08}-0000-4000-8000-0000000000ee"


def created(number: int, issue_id: str = A) -> dict[str, object]:
    return event(number, "issue_created", issue_id, title="T", priority="normal")


def moved(number: int, start: str, end: str, *, at: int | None = None) -> dict[str, object]:
    return event(number, "issue_state_changed", at=at, **{"from": start, "to": end})


def gate(number: int, kind: str, key: str = "t", by: str | None = "human:ada") -> dict[str, object]:
    rest: dict[str, Any] = {} if kind in ("gate_added", "gate_removed") else {"updated_by": by}
    return event(number, kind, gate_key=key, **rest)


def raw(document: object, *, is_sorted: bool = False) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=is_sorted).encode()


def log(*lines: object) -> bytes:
    return b"".join((line if isinstance(line, bytes) else raw(line)) + b"\n" for line in lines)


def store(*lines: object, **members: object) -> dict[str, object]:
    """A store of issue A with a log."""
    return store_of(issue(A, **members)) | {LOG: log(*lines)}


GOOD = created(1)
TORN = b'{"type":"issue_upd'
PROFILE = {"type": "profile_lifecycle", "operation": "apply", "profiles": [], "isolated_torn_tail": True}
CERTIFIER = {**PROFILE, "id": name(9), "timestamp": "2026-06-01T10:00:09Z"}
BLESSED = event(5, "issue_blessed")
UNSHAPED = {key: value for key, value in moved(3, "ready", "done").items() if key != "from"}
NAMELESS = {key: value for key, value in created(4).items() if key != "id"}
SURROGATE = raw(GOOD).replace(b'"T"', b'"\\ud800"')
TWICE = raw(GOOD).replace(b'"T"', b'"T","title":"T"')

Tuple = tuple[str, str, str, int]


@pytest.mark.parametrize("is_sorted", [False, True])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([GOOD, b"", b"  \r", moved(2, "ready", "done")], [], id="healthy"),
        pytest.param([], [], id="empty"),
        pytest.param([GOOD, TORN], [("event-unparsable", digest_of(TORN), "", 2)], id="fragment"),
        pytest.param([raw(GOOD) + raw(BLESSED)[:30]], [("event-unparsable", ..., "", 1)], id="glued-to-fragment"),
        pytest.param([TORN + raw(GOOD)], [("event-unparsable", ..., "", 1)], id="fragment-glued"),
        pytest.param([raw(GOOD) + raw(created(2, B))], [("event-unparsable", ..., "", 1)], id="glued"),
        pytest.param([b"[1, 2]"], [("event-unparsable", digest_of(b"[1, 2]"), "", 1)], id="a-list"),
        pytest.param(
            [GOOD, b"<<<<<<< ours", moved(2, "ready", "done"), b"=======", b">>>>>>> theirs"],
            [("conflict-marker", LOG, "", 2)],
            id="conflict",
        ),
        pytest.param([GOOD, b"\x80"], [("text-not-utf8", digest_of(b"\x80"), "", 2)], id="utf8"),
        pytest.param([SURROGATE], [("json-lone-surrogate", digest_of(SURROGATE), "", 1)], id="surrogate"),
        pytest.param([TWICE], [("json-duplicate-key", digest_of(TWICE), "", 1)], id="key-twice"),
        pytest.param([b'{"a":' * 200 + b"1" + b"}" * 200], [("limit-exceeded", ..., "", 1)], id="deep"),
        pytest.param([GOOD, TORN, CERTIFIER], [("event-fragment-certified", digest_of(TORN), "", 2)], id="certified"),
        pytest.param(
            [GOOD, TORN, GOOD | {"id": name(7)}, CERTIFIER], [("event-unparsable", ..., "", 2)], id="too-late"
        ),
        pytest.param([GOOD, UNSHAPED], [("event-malformed", name(3), "from", 2)], id="unshaped"),
        pytest.param([NAMELESS], [("event-malformed", digest_of(raw(NAMELESS)), "id", 1)], id="nameless"),
        pytest.param([BLESSED], [("event-type-unknown", name(5), "issue_blessed", 1)], id="blessed"),
        pytest.param(
            [{**BLESSED, "timestamp": 5}],
            [("event-malformed", name(5), "timestamp", 1), ("event-type-unknown", name(5), "issue_blessed", 1)],
            id="blessed-and-timeless",
        ),
        pytest.param([GOOD, GOOD], [("event-duplicate-id", name(1), "", 2)], id="twice"),
        pytest.param([GOOD, GOOD | {"title": "U"}, GOOD], [("event-duplicate-id", name(1), "", 3)], id="thrice"),
        pytest.param([GOOD | {"mood": "good"}], [("unknown-key", name(1), "/mood", 1)], id="unknown-member"),
    ],
)
def test_lines(lines: list[object], expected: list[tuple[object, ...]], is_sorted: bool) -> None:
    if is_sorted:
        lines = [line if isinstance(line, bytes) else raw(line, is_sorted=True) for line in lines]
        expected = [
            (code, ... if record == digest_of(raw(NAMELESS)) else record, *rest) for code, record, *rest in expected
        ]
    found = judged({LOG: log(*lines)})
    blanked = [
        (code, ... if want[1] is ... else record, subject, line)
        for (code, record, subject, line), want in zip(found, sorted(expected, key=str), strict=True)
    ]
    assert blanked == sorted(expected, key=str)


def judged(paths: dict[str, object], start: int = 0) -> list[Tuple]:
    """What all record checks find in a log."""
    told = Store(Files({LOG: paths[LOG]}), log_start=start).log  # type: ignore[dict-item]
    found = [problem for row in CHECKS if row.code in RECORDS for problem in row.function(told)]
    assert all(problem.path == LOG and problem.message for problem in found)
    return sorted((p.code, p.record, p.subject, p.line) for p in found)


def test_the_end_of_the_log() -> None:
    whole = log(GOOD)
    assert judged({LOG: whole[:-1]}) == [("event-log-unterminated", LOG, "", 1)]
    assert judged({LOG: whole + TORN}) == [("event-unparsable", digest_of(TORN), "", 2)]
    assert judged({LOG: whole + b"  "}) == []
    assert judged({LOG: whole[:-1]}, start=len(whole) - 1) == [("event-log-unterminated", LOG, "", 1)]


def test_what_grew_is_judged_with_line_numbers_of_the_whole() -> None:
    old = log(GOOD, TORN)
    assert judged({LOG: old + log(BLESSED, GOOD)}, start=len(old)) == [
        ("event-duplicate-id", name(1), "", 4),
        ("event-type-unknown", name(5), "issue_blessed", 3),
    ]


def test_a_broken_line_says_which_byte_and_what_follows_from_it() -> None:
    glued = raw(GOOD) + raw(created(2, B))
    for lines, column, words in (
        (log(glued), len(raw(GOOD)) + 1, "2 events glued together"),
        (log(TORN + raw(GOOD)), len(TORN) + 1, "torn event with a whole one glued to it"),
        (log(raw(GOOD) + TORN), len(raw(GOOD)) + 1, "whole event with a fragment"),
        (log(GOOD) + TORN, len(TORN) + 1, "since v1 the tracker refuses every change"),
    ):
        (problem,) = problems("event-unparsable", {LOG: lines})
        assert (problem.column, words in problem.message) == (column, True)
        assert problem.offset == lines.rindex(b"\n", 0, -1) + column if lines.count(b"\n") > 1 else column - 1


def test_a_log_over_the_limit_is_told_and_nothing_stands_on_it() -> None:
    def found(code: str) -> list[Problem]:
        files = {name: bytes_of(content) for name, content in store(GOOD, state="done").items()}
        limited = Store(Files(files), Accepted(log_bytes=10))
        return find_problems(
            limited, Focus(files, everything=True, parents=(opened(HEALTHY),)), [BY_CODE[code]]
        ).problems

    assert identities(found("limit-exceeded")) == {("limit-exceeded", LOG, "")}
    for row in CHECKS:
        if row.family == "event" and not row.kinds:
            assert not found(row.code)


STATUS: dict[str, object] = {"status": "passed", "updated_by": "human:ada", "updated_at": "2026-06-01T10:00:00Z"}
FAILED: dict[str, object] = STATUS | {"status": "failed"}
PENDING: dict[str, object] = STATUS | {"status": "pending", "updated_by": None}


def gated(status: dict[str, object] | None) -> dict[str, object]:
    return {"state": "ready", "gates_required": ["t"], "gates_status": {} if status is None else {"t": status}}


HEALTHY = store(created(1), moved(2, "ready", "in_progress"))


@pytest.mark.parametrize(
    ("code", "before", "after", "expected"),
    [
        ("event-created-missing", HEALTHY, store(moved(2, "ready", "in_progress")), [(path(A), "")]),
        ("event-created-missing", HEALTHY, HEALTHY | {LOG: log()}, [(path(A), "")]),
        ("event-created-missing", HEALTHY, {k: v for k, v in HEALTHY.items() if k != LOG}, [(path(A), "")]),
        ("event-created-missing", HEALTHY, store(raw(created(1)) + raw(created(2, B))), []),
        ("event-created-missing", HEALTHY, store(raw(created(1))[:-20]), []),
        ("event-created-missing", {LOG: HEALTHY[LOG]}, HEALTHY, []),
        ("event-created-missing", {LOG: b""}, HEALTHY | {LOG: b""}, [(path(A), "")]),
        ("event-created-repeated", HEALTHY, store(created(1), created(2)), [(name(2), A)]),
        ("event-created-repeated", store(created(1)), store(created(1), BLESSED, created(2)), [(name(2), A)]),
        ("event-created-repeated", HEALTHY, store(created(1), created(2, B), created(1)), []),
        ("event-state-mismatch", HEALTHY, store(created(1), state="done"), [(path(A), "")]),
        ("event-state-mismatch", HEALTHY, store(created(1), moved(2, "ready", "done")), [(path(A), "")]),
        ("event-state-mismatch", HEALTHY, store(created(1), state="ready"), []),
        ("event-state-mismatch", HEALTHY, store(created(1), state="backlog"), []),
        ("event-state-mismatch", HEALTHY, store(moved(2, "backlog", "in_progress")), []),
        (
            "event-state-mismatch",
            HEALTHY,
            store(moved(2, "backlog", "in_progress"), state="ready"),
            [(path(A), "")],
        ),
        (  # Two branches: either end will do, the start that both left will not.
            "event-state-mismatch",
            HEALTHY,
            store(moved(2, "ready", "in_progress"), moved(3, "ready", "rejected"), state="in_progress"),
            [],
        ),
        (
            "event-state-mismatch",
            HEALTHY,
            store(moved(2, "ready", "in_progress"), moved(3, "ready", "rejected"), state="ready"),
            [(path(A), "")],
        ),
        (  # Times decide, not lines; equal times go in file order.
            "event-state-mismatch",
            HEALTHY,
            store(moved(3, "gated", "in_progress", at=9), moved(2, "ready", "gated", at=1)),
            [],
        ),
        (
            "event-state-mismatch",
            HEALTHY,
            store(moved(3, "ready", "gated", at=9), moved(2, "gated", "in_progress", at=9)),
            [],
        ),
        ("event-state-mismatch", HEALTHY, store(UNSHAPED, state="done"), []),
        ("event-state-mismatch", HEALTHY, store(moved(2, "ready", "done"), state="archived", archived_from="done"), []),
        ("event-state-mismatch", HEALTHY, store(moved(2, "ready", "done"), state="archived"), [(path(A), "")]),
        (
            "event-state-chain-broken",
            HEALTHY,
            store(moved(2, "ready", "in_progress"), moved(3, "gated", "done")),
            [(name(3), A)],
        ),
        (
            "event-state-chain-broken",
            HEALTHY,
            store(moved(2, "ready", "in_progress"), moved(3, "ready", "rejected")),
            [],
        ),
        ("event-state-chain-broken", HEALTHY, store(moved(2, "gated", "done")), [(name(2), A)]),
        ("event-completed-missing", HEALTHY, store(moved(2, "ready", "done"), state="done"), [(path(A), "")]),
        (
            "event-completed-missing",
            HEALTHY,
            store(moved(2, "ready", "done"), event(3, "issue_completed"), state="done"),
            [],
        ),
        (
            "event-completed-missing",
            HEALTHY,
            store(event(2, "issue_completed"), moved(3, "ready", "done"), state="done"),
            [(path(A), "")],
        ),
        ("event-gate-mismatch", HEALTHY, store(gate(2, "gate_passed"), **gated(STATUS)), []),
        ("event-gate-mismatch", HEALTHY, store(gate(2, "gate_passed"), **gated(FAILED)), [(path(A), "t")]),
        ("event-gate-mismatch", HEALTHY, store(GOOD, **gated(STATUS)), [(path(A), "t")]),
        ("event-gate-mismatch", HEALTHY, store(gate(2, "gate_passed"), **gated(PENDING)), [(path(A), "t")]),
        ("event-gate-mismatch", HEALTHY, store(gate(2, "gate_passed"), **gated(None)), [(path(A), "t")]),
        (
            "event-gate-mismatch",
            HEALTHY,
            store(gate(2, "gate_passed"), gate(3, "gate_added"), **gated(PENDING)),
            [],
        ),
        ("event-gate-mismatch", HEALTHY, store(gate(2, "gate_passed"), state="ready"), []),
        (
            "event-gate-mismatch",
            HEALTHY,
            store(
                gate(3, "gate_failed") | {"timestamp": "2026-06-01T12:00:09+02:00"},
                gate(2, "gate_passed"),
                **gated(FAILED),
            ),
            [],
        ),
        ("event-deleted-missing", HEALTHY, HEALTHY | {INDEX: [A, GONE]}, [(INDEX, GONE)]),
        (
            "event-deleted-missing",
            HEALTHY,
            HEALTHY | {INDEX: [A, GONE], LOG: log(GOOD, event(2, "issue_deleted", GONE))},
            [],
        ),
        ("event-issue-unknown", HEALTHY, store(GOOD, created(2, GONE)), [(name(2), GONE)]),
        ("event-issue-unknown", HEALTHY, HEALTHY | {LOG: log(GOOD, created(2, GONE)), INDEX: [A, GONE]}, []),
        ("event-issue-unknown", HEALTHY, {INDEX: [], LOG: HEALTHY[LOG]}, [(name(1), A), (name(2), A)]),
    ],
)
def test_relations(
    code: str, before: dict[str, object], after: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    for paths in (before, after):
        listed = paths.get(INDEX)
        if isinstance(listed, list):
            index = {"schema_version": 2, "all_ids": listed[:1], "deleted_ids": listed[1:]}
            paths = after = {**after, INDEX: index}
    check(code, before, after, *expected)


def lost(before: list[bytes], after: bytes | None) -> list[tuple[str, str, str, int]]:
    parents = tuple(opened({INDEX: {}, LOG: data}) for data in before)
    now = opened({INDEX: {}} if after is None else {INDEX: {}, LOG: after})
    focus = Focus([LOG], parents=parents)
    (row,) = (row for row in CHECKS if row.code == "event-lost")
    found = list(row.function(now, focus))
    assert all(p.path == LOG and "that a parent holds" in p.message for p in found)
    return [(p.code, p.record, p.subject, p.line) for p in found]


ONE, TWO, THREE = (created(number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([log(ONE)], log(ONE, TWO), [], id="appended"),
        pytest.param([log(ONE, TWO)], log(TWO, ONE), [], id="moved"),
        pytest.param([log(ONE, TWO)], log(raw(ONE, is_sorted=True), TWO), [], id="sorted"),
        pytest.param([log(ONE, TWO)], log(ONE), [(2, 0)], id="cut"),
        pytest.param([log(ONE, TWO, THREE)], log(ONE, THREE), [(2, 0)], id="middle"),
        pytest.param([log(ONE, TWO)], log(ONE | {"title": "U"}, TWO), [(1, 1)], id="changed"),
        pytest.param([log(ONE)], log(ONE | {"title": True}), [(1, 1)], id="changed-type"),
        pytest.param([log(ONE, TWO)], None, [(1, 0), (2, 0)], id="log-gone"),
        pytest.param([log(raw(ONE) + raw(TWO))], log(ONE), [(2, 0)], id="out-of-a-glued-line"),
        pytest.param([log(raw(ONE) + raw(TWO))], log(ONE, TWO), [], id="glued-line-split"),
        pytest.param([log(ONE, TWO)], log(raw(ONE) + raw(TWO)), [], id="glued"),
        pytest.param([log(ONE, TORN)], log(ONE), [], id="unreadable"),
        pytest.param([log(ONE, ONE)], log(ONE), [], id="one-of-two-equal"),
        pytest.param([log(ONE, TWO), log(ONE, THREE)], log(ONE, TWO, THREE), [], id="merged"),
        pytest.param([log(ONE, TWO), log(ONE, THREE)], log(ONE, TWO), [(3, 0)], id="second-parent"),
        pytest.param([log(ONE, TWO), log(TWO, ONE)], log(ONE), [(2, 0)], id="both-parents-once"),
    ],
)
def test_lost_events(before: list[bytes], after: bytes | None, expected: list[tuple[int, int]]) -> None:
    assert lost(before, after) == [("event-lost", name(number), name(number), line) for number, line in expected]


def test_a_store_that_is_gone_as_a_whole_is_told_elsewhere() -> None:
    now, parent = Store(Files({})), opened({LOG: log(ONE)})
    (row,) = (row for row in CHECKS if row.code == "event-lost")
    assert not list(row.function(now, Focus([LOG], parents=(parent,))))


ROWS = [row for row in CHECKS if row.family == "event" and row.needs == "relation"]


class Writer:
    """Makes issues and logs at random, and goes on from them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0

    def line(self) -> bytes:
        self.number += 1
        pick, number = self.random.choice, self.number
        issue_id = pick((A, B, GONE))
        states = ("ready", "backlog", "in_progress", "done")
        document = pick(
            (
                created(number),
                moved(number, pick(states), pick(states)),
                gate(number, pick(("gate_passed", "gate_failed", "gate_added"))),
                event(number, "issue_completed"),
                event(number, "issue_deleted"),
                UNSHAPED | {"id": name(number)},
            )
        )
        whole = raw({**document, "issue_id": issue_id})
        return pick((whole, whole, whole, whole, whole, whole[:-9], whole + whole, b""))

    def paths(self, before: dict[str, object] | None = None) -> dict[str, object]:
        pick = self.random.choice
        paths: dict[str, object] = {}
        for issue_id in (A, B):
            if before is not None and self.random.random() < 0.5:
                content = before.get(path(issue_id))
            else:
                state, status = pick(("ready", "backlog", "in_progress", "done")), pick((STATUS, FAILED, PENDING))
                content = pick((None, b"{", *[issue(issue_id, **gated(status) | {"state": state})] * 4))
            if content is not None:
                paths[path(issue_id)] = content
        lines = log(*(self.line() for _ in range(self.random.randrange(7))))
        old = before[LOG] if before is not None else b""
        assert isinstance(old, bytes)
        kept = old[self.random.randrange(len(old) + 1) :] if self.random.random() < 0.3 else old
        paths[LOG] = (kept + lines)[: None if self.random.random() < 0.8 else -9]
        alive = [issue_id for issue_id in (A, B) if path(issue_id) in paths]
        gone = [issue_id for issue_id in (A, B, GONE) if issue_id not in alive and self.random.random() < 0.7]
        paths[INDEX] = {"schema_version": 2, "all_ids": alive, "deleted_ids": gone}
        return paths


@over("seed", range(250), few=60)
def test_what_is_new_is_found_from_what_was_written(seed: int) -> None:
    writer = Writer(seed)
    before = writer.paths()
    after = writer.paths(before)
    written = [one for one in before.keys() | after.keys() if before.get(one) != after.get(one)]
    old, new = before[LOG], after[LOG]
    assert isinstance(old, bytes)
    assert isinstance(new, bytes)
    grew = new.startswith(old) and old.endswith(b"\n")
    for row in ROWS:
        now = identities(problems(row.code, after, before))
        carried = identities(problems(row.code, before))
        for start in {0, len(old) if grew else 0}:
            there = opened(after)
            there.log_start = start
            told = set(row.function(there, Focus(written, parents=(opened(before),))))
            identity: set[Found] = {problem.identity for problem in told}
            assert identity <= now, row.code
            assert now - carried <= identity, row.code
