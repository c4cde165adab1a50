"""The event log repaired: every branch of every repair, over small stores of both eras."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from memory_stores import GONE, A, B, issue, path, store_of, v1
from mended_stores import Result, repaired

from jit_hooks.store.layout import is_uuid4
from jit_hooks.store.snapshot import Entry

LOG = "events.jsonl"
BAK = "events.jsonl.bak"
ERAS = pytest.mark.parametrize("is_sorted", [False, True], ids=["june", "v1"])
Document = dict[str, Any]


def name(number: int) -> str:
    return f"{number:08}-0000-4000-8000-0000000000ee"


def event(number: int, kind: str, issue_id: str = A, *, at: int | None = None, **rest: object) -> Document:
    """An event; its number makes its id and, unless told otherwise, its time."""
    moment = f"2026-06-01T10:00:{(number if at is None else at) % 60:02}.000000001Z"
    return {"type": kind, "id": name(number), "issue_id": issue_id, "timestamp": moment, **rest}


def created(number: int, issue_id: str = A) -> Document:
    return event(number, "issue_created", issue_id, title="T", priority="normal")


def moved(number: int, start: str, end: str, *, at: int | None = None) -> Document:
    return event(number, "issue_state_changed", at=at, **{"from": start, "to": end})


def updated(number: int, *fields: str, issue_id: str = A) -> Document:
    return event(number, "issue_updated", issue_id, updated_by="issue-update", fields=list(fields))


def gate(number: int, kind: str, by: str | None = "human:ada", *, at: int | None = None) -> Document:
    rest: Document = {} if kind == "gate_added" else {"updated_by": by}
    return event(number, kind, at=at, gate_key="t", **rest)


def raw(document: object, *, is_sorted: bool = False) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=is_sorted, ensure_ascii=False).encode()


def log(*lines: object, is_sorted: bool = False) -> bytes:
    return b"".join((line if isinstance(line, bytes) else raw(line, is_sorted=is_sorted)) + b"\n" for line in lines)


def store(data: bytes, *, is_sorted: bool = False, **members: object) -> dict[str, object]:
    """A store of issue A, ready unless told otherwise, with a log."""
    make = v1 if is_sorted else issue
    return store_of(make(A, **{"state": "ready", **members})) | {LOG: data}


def judged(status: str, at: int, by: str | None = "human:ada") -> Document:
    verdict = {"status": status, "updated_by": by, "updated_at": f"2026-06-01T10:00:{at:02}.000000001Z"}
    return {"gates_required": ["t"], "gates_status": {"t": verdict}}


def without_id(line: bytes) -> Document:
    document: Document = json.loads(line)
    assert is_uuid4(document.pop("id"))
    return document


GOOD = raw(created(1))
NEXT = raw(updated(2, "title"))
LAST = raw(updated(3, "labels"))
TORN = LAST[:60]
LATER = LAST[:80]
PROFILE = {"type": "profile_lifecycle", "operation": "apply", "profiles": [], "isolated_torn_tail": True}
CERTIFIER = raw({**PROFILE, "id": name(9), "timestamp": "2026-06-01T10:00:09Z"})
TWICE = LAST.replace(b'"fields"', b'"fields":["x"],"fields"')
OF_ANOTHER = TWICE.replace(A.encode(), B.encode())
BAD = LAST.replace(b"labels", b"lab\x80ls")
UTF_16 = b"\xff\xfe" + log(GOOD).decode().encode("utf-16-le")
UNSHAPED = raw({key: value for key, value in moved(4, "ready", "done").items() if key != "from"})


# -- lines that cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "lines", "aside"),
    [
        pytest.param(log(GOOD + NEXT), [GOOD, NEXT], [], id="glued"),
        pytest.param(log(GOOD + NEXT + LAST, NEXT[:0]), [GOOD, NEXT, LAST, b""], [], id="three-glued"),
        pytest.param(log(GOOD, TORN, NEXT), [GOOD, NEXT], [TORN], id="torn"),
        pytest.param(log(GOOD, TORN + NEXT), [GOOD, NEXT], [TORN], id="torn-and-glued"),
        pytest.param(log(GOOD + TORN, NEXT), [GOOD, NEXT], [TORN], id="glued-and-torn"),
        pytest.param(log(GOOD, NEXT) + TORN, [GOOD, NEXT], [TORN], id="torn-tail"),
        pytest.param(log(GOOD, TORN, NEXT, TORN), [GOOD, NEXT], [TORN], id="the-same-twice"),
        pytest.param(log(GOOD, b"[1, 2]", b"\0\0\0", NEXT), [GOOD, NEXT], [b"[1, 2]", b"\0\0\0"], id="no-object"),
        pytest.param(log(GOOD, b"[" + NEXT + b"]"), [GOOD, NEXT], [b"[", b"]"], id="in-a-list"),
        pytest.param(log(GOOD, TORN, CERTIFIER), [GOOD, TORN, CERTIFIER], [], id="certified"),
        pytest.param(log(GOOD, b"{", TORN, CERTIFIER), [GOOD, TORN, CERTIFIER], [b"{"], id="torn-and-certified"),
        pytest.param(log(GOOD, TWICE, NEXT), [GOOD, TWICE, NEXT], [], id="key-twice-is-human"),
        pytest.param(
            log(GOOD, b"<<<<<<< a", NEXT, b"=======", b">>>>>>> b"),
            [GOOD, b"<<<<<<< a", NEXT, b"=======", b">>>>>>> b"],
            [],
            id="conflict-is-human",
        ),
        pytest.param(log(GOOD, BAD, NEXT), [GOOD, NEXT], [BAD], id="bad-byte"),
        pytest.param(log(GOOD, BAD + NEXT), [GOOD, NEXT], [BAD], id="bad-byte-and-glued"),
        pytest.param(b"\xef\xbb\xbf" + log(GOOD, NEXT), [GOOD, NEXT], [], id="byte-order-mark"),
        pytest.param(b"\xff\xfe" + log(GOOD, NEXT).decode().encode("utf-16-le"), [GOOD, NEXT], [], id="utf-16-le"),
        pytest.param(b"\xfe\xff" + log(GOOD, NEXT).decode().encode("utf-16-be"), [GOOD, NEXT], [], id="utf-16-be"),
        pytest.param(UTF_16 + log(NEXT, LAST), [GOOD, NEXT, LAST], [], id="utf-16-and-appended"),
        pytest.param(UTF_16 + log(NEXT + b" ", LAST), [GOOD, NEXT + b" ", LAST], [], id="utf-16-and-appended-odd"),
        pytest.param(UTF_16[:-2] + log(NEXT), [GOOD, NEXT], [], id="utf-16-and-glued"),
        pytest.param(log(GOOD, NEXT) + UNSHAPED + LAST, [GOOD, NEXT, UNSHAPED, LAST], [], id="an-unshaped-one-glued"),
    ],
)
def test_lines_that_are_no_event(data: bytes, lines: list[bytes], aside: list[bytes]) -> None:
    done = repaired(store(data))
    assert (done.log, done.aside) == (lines, aside)
    assert done.files[LOG].endswith(b"\n")
    assert not done.codes & {"event-unparsable", "text-not-utf8", "event-log-unterminated"}


def test_utf_16_that_is_cut_is_put_aside() -> None:
    data = b"\xff\xfe" + log(GOOD).decode().encode("utf-16-le")[:-2] + b"\0"
    done = repaired(store(data), only=["text-not-utf8", "event-unparsable"])
    assert done.files[LOG] == b""
    assert done.files[BAK].rstrip(b"\n") in data


@pytest.mark.parametrize("blank", [b"", b" "], ids=["even", "odd"])
def test_a_line_between_two_encodings_keeps_its_place(blank: bytes) -> None:
    wide = log(LAST).decode().encode("utf-16-le")
    done = repaired(store(UTF_16 + NEXT + blank + b"\n" + wide), only=["text-not-utf8", "event-unparsable"])
    assert [line.strip() for line in done.log] == [NEXT]
    assert done.files[BAK].replace(b"\n", b"").replace(b"\0", b"") == b"\xff\xfe" + GOOD + LAST


@pytest.mark.parametrize(
    ("line", "others", "lines", "aside"),
    [
        pytest.param(TORN, [log(GOOD, LAST)], [GOOD, LAST, NEXT], [], id="whole-elsewhere"),
        pytest.param(TORN + b"\0\0", [log(GOOD, LAST)], [GOOD, LAST, NEXT], [], id="with-nul-bytes"),
        pytest.param(LATER, [log(GOOD), log(LAST)], [GOOD, LAST, NEXT], [], id="in-the-second-log"),
        pytest.param(BAD, [log(GOOD, LAST)], [GOOD, LAST, NEXT], [], id="the-bad-byte-mended"),
        pytest.param(LAST[:30], [log(GOOD, LAST)], [GOOD, NEXT], [LAST[:30]], id="too-short-to-know"),
        pytest.param(TORN, [log(LAST.replace(b"labels", b"assignee")), log(LAST)], [GOOD, NEXT], [TORN], id="two-ways"),
        pytest.param(LATER[:-1] + b"x", [log(LAST)], [GOOD, NEXT], [LATER[:-1] + b"x"], id="another"),
        pytest.param(UNSHAPED[:60], [log(UNSHAPED)], [GOOD, NEXT], [UNSHAPED[:60]], id="unshaped-elsewhere"),
    ],
)
def test_a_torn_line_is_taken_whole_from_another_log(
    line: bytes, others: list[bytes], lines: list[bytes], aside: list[bytes]
) -> None:
    done = repaired(store(log(GOOD, line, NEXT)), logs=others)
    assert (done.log, done.aside) == (lines, aside)


def test_one_line_elsewhere_stands_for_one_torn_line() -> None:
    done = repaired(store(log(GOOD, TORN, LATER)), logs=[log(LAST)])
    assert (done.log, done.aside) == ([GOOD, LAST], [LATER])


def test_the_backup_grows_and_keeps_what_it_has() -> None:
    there = store(log(GOOD, TORN, b"{")) | {BAK: b"older\n" + TORN}
    assert repaired(there).files[BAK] == b"older\n" + TORN + b"\n{\n"
    assert repaired(there | {BAK: TORN + b"\n{\n"}).files[BAK] == TORN + b"\n{\n"


def test_a_backup_that_is_no_file_takes_nothing() -> None:
    done = repaired(store(log(GOOD, TORN)) | {BAK: Entry("link")})
    assert done.changes == {}
    assert BAK in done.left["event-unparsable"]


def test_what_a_torn_line_said_is_said_again_where_the_record_proves_it() -> None:
    torn = raw(moved(2, "ready", "in_progress"))[:130]
    done = repaired(store(log(GOOD, torn), state="in_progress"))
    assert done.aside == [torn]
    assert [json.loads(line)["type"] for line in done.log] == ["issue_created", "issue_state_changed"]


def test_the_newline_at_the_end() -> None:
    assert repaired(store(log(GOOD)[:-1])).files[LOG] == log(GOOD)


# -- lines twice -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([GOOD, NEXT, GOOD], [GOOD, NEXT]),
        ([GOOD, GOOD, NEXT, NEXT, GOOD], [GOOD, NEXT]),
        ([GOOD, NEXT, NEXT.replace(b"title", b"state")], None),
        ([GOOD, NEXT, NEXT, NEXT.replace(b"title", b"state")], None),
        ([GOOD, CERTIFIER, TORN, CERTIFIER], None),
        ([GOOD, *[NEXT.replace(b'"00000002', b'"\\u00300000002')] * 2], None),
        ([GOOD, TORN, CERTIFIER, CERTIFIER], [GOOD, TORN, CERTIFIER]),
    ],
)
def test_of_equal_lines_the_first_stays(lines: list[bytes], expected: list[bytes] | None) -> None:
    done = repaired(store(log(*lines)))
    assert done.log == (lines if expected is None else expected)
    assert ("event-duplicate-id" in done.left) == (expected is None)


def test_an_equal_line_at_the_end_without_newline() -> None:
    assert repaired(store(log(GOOD, NEXT) + GOOD), only=["event-duplicate-id"]).files[LOG] == log(GOOD, NEXT)


# -- lines a parent has ----------------------------------------------------------------------------

L = [raw(created(1)), *(raw(updated(number, "title")) for number in range(2, 8))]
NEW = raw(updated(20, "labels"))
OTHER = L[3].replace(b"title", b"state")


@pytest.mark.parametrize(
    ("before", "now", "expected", "aside"),
    [
        pytest.param(L, [*L[:2], *L[3:]], L, [], id="a-middle-line"),
        pytest.param(L, [*L[2:], NEW], [*L, NEW], [], id="the-first-two"),
        pytest.param(L, [*L[:4], NEW], [*L, NEW], [], id="the-last-before-new"),
        pytest.param(L, [], L, [], id="all"),
        pytest.param(L, [L[6], L[0]], [L[6], *L[:6]], [], id="moved-and-lost"),
        pytest.param(L, [L[0], NEW, L[1], L[5]], [L[0], NEW, *L[1:6], L[6]], [], id="new-between"),
        pytest.param(L, [*L[:3], OTHER, *L[4:]], L, [OTHER], id="changed"),
        pytest.param(L, [*L[:3], OTHER, NEW], [*L[:4], *L[4:], NEW], [OTHER], id="changed-and-lost"),
        pytest.param([L[0] + L[1], L[2]], [L[0]], [L[0], L[1], L[2]], [], id="glued-in-the-parent"),
        pytest.param([L[0], TORN, L[2]], [L[0]], [L[0], L[2]], [], id="unreadable-in-the-parent"),
        pytest.param(
            [L[0], TORN, L[2]], [L[0], TORN, CERTIFIER], [L[0], TORN, CERTIFIER, L[2]], [], id="none-before-certifying"
        ),
        pytest.param(
            [L[0], b"", L[1], L[2]], [b"", L[0], L[1]], [b"", L[0], L[1], L[2]], [], id="blank-lines-are-no-place"
        ),
        pytest.param([L[0], L[3], OTHER], [L[0], L[3]], [L[0], OTHER, L[3]], [], id="both-of-one-id"),
    ],
)
def test_lines_of_a_parent_come_back_where_they_stood(
    before: list[bytes], now: list[bytes], expected: list[bytes], aside: list[bytes]
) -> None:
    done = repaired(store(log(*now)), parents=[store(log(*before))])
    assert sorted(done.log) == sorted(expected)
    if before[-1] != OTHER:
        assert done.log == expected
    assert done.aside == aside
    assert "event-lost" not in done.codes


def test_a_log_that_is_gone_comes_back() -> None:
    paths = store(b"")
    del paths[LOG]
    assert repaired(paths, parents=[store(log(*L))]).log == L


def test_no_log_is_made_for_nothing() -> None:
    paths = store(b"")
    del paths[LOG]
    done = repaired(paths, parents=[store(log(UNSHAPED))], only=["event-lost"])
    assert done.changes == {}
    assert "no event" in done.left["event-lost"]


def test_lines_without_newline_stay_apart() -> None:
    done = repaired(store(log(*L[:2])[:-1]), parents=[store(log(*L))], only=["event-lost"])
    assert done.files[LOG] == log(*L)


def test_every_parent_counts() -> None:
    ours, theirs = raw(updated(30, "title")), raw(updated(31, "title"))
    done = repaired(store(log(*L)), parents=[store(log(*L, ours)), store(log(*L, theirs))])
    assert sorted(done.log) == sorted([*L, ours, theirs])
    assert done.log[: len(L)] == L


def test_parents_that_disagree_are_left() -> None:
    here, there = store(log(*L)), store(log(*L[:3], OTHER, *L[4:]))
    for now, parents in ((here, [here, there]), (here, [there, here])):
        done = repaired(now, parents=parents)
        assert done.changes == {}
        assert "disagree" in done.left["event-lost"]
    third = L[3].replace(b"title", b"assignee")
    done = repaired(store(log(*L[:3], third, *L[4:])), parents=[here, there])
    assert (done.log, done.aside) == (L, [third])
    assert "disagree" in done.left["event-lost"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param([L[0], UNSHAPED], [L[0]], id="no-event-in-the-parent"),
        pytest.param([L[0], L[1]], [L[0], TWICE + L[1].replace(b"title", b"state")], id="changed-inside-a-bad-line"),
    ],
)
def test_lines_that_a_person_must_judge(before: list[bytes], now: list[bytes]) -> None:
    done = repaired(store(log(*now)), parents=[store(log(*before))], only=["event-lost"])
    assert done.changes == {}
    assert done.left["event-lost"]


def test_a_log_that_is_a_link_is_left() -> None:
    paths = store(b"") | {LOG: Entry("link")}
    done = repaired(paths, parents=[store(log(*L))])
    assert done.changes == {}
    assert "no file" in done.left["event-lost"]
    assert "no file" in done.left["event-created-missing"]


def test_many_lost_and_changed_lines_take_no_longer_than_they_must() -> None:
    many = [raw(updated(number, "title")) for number in range(2, 6000)]
    now = [line.replace(b"title", b"state") if at % 3 == 0 else line for at, line in enumerate(many) if at % 3 != 1]
    began = time.process_time()
    done = repaired(store(log(GOOD, *now)), parents=[store(log(GOOD, *many))], only=["event-lost"])
    assert time.process_time() - began < 20
    assert done.log == [GOOD, *many]
    assert len(done.aside) == 2000


# -- events that are said again --------------------------------------------------------------------


def last(done: Result) -> Document:
    return without_id(done.log[-1])


@ERAS
def test_the_creation_is_made_from_the_issue(is_sorted: bool) -> None:
    done = repaired(store(log(updated(2, "title"), is_sorted=is_sorted), is_sorted=is_sorted))
    assert last(done) == {
        "type": "issue_created",
        "issue_id": A,
        "timestamp": "2026-06-01T10:00:00.000000001Z",
        "title": "Title of a",
        "priority": "normal",
    }
    members = list(json.loads(done.log[-1]))
    assert members == (sorted(members) if is_sorted else ["type", "id", "issue_id", "timestamp", "title", "priority"])
    assert done.codes.isdisjoint({"event-created-missing", "event-malformed"})


@ERAS
def test_an_empty_log_takes_the_order_of_the_record(is_sorted: bool) -> None:
    paths = store(b"", is_sorted=is_sorted)
    for there in (paths, paths | {LOG: b"\n \n"}, {key: value for key, value in paths.items() if key != LOG}):
        members = list(json.loads(repaired(there).log[-1]))
        assert (members == sorted(members)) == is_sorted


def test_the_order_is_that_of_the_last_good_line() -> None:
    data = log(updated(2, "title")) + log(updated(3, "title"), is_sorted=True) + log(OF_ANOTHER)
    members = list(json.loads(repaired(store(data), only=["event-created-missing"]).log[-1]))
    assert members == sorted(members)


def test_creations_are_written_in_their_order() -> None:
    paths = store_of(
        issue(B, state="ready", created_at="2026-06-01T10:00:00Z"),
        issue(A, state="ready", created_at="2026-06-01T10:00:01Z"),
    )
    assert [json.loads(line)["issue_id"] for line in repaired(paths).log] == [B, A]


def test_the_real_creation_is_taken_where_it_stands() -> None:
    real = raw(created(7), is_sorted=True)
    done = repaired(store(log(NEXT)), logs=[log(NEXT, created(8, B)), log(real, NEXT)])
    assert done.log == [NEXT, real]
    unshaped = raw({key: value for key, value in created(7).items() if key != "title"})
    assert last(repaired(store(log(NEXT)), logs=[log(unshaped)]))["title"] == "Title of a"


@pytest.mark.parametrize(
    ("data", "members", "word"),
    [
        pytest.param(log(NEXT), {"created_at": ..., "updated_at": ...}, "does not say when", id="2025"),
        pytest.param(log(NEXT), {"title": 5}, "", id="malformed-issue"),
        pytest.param(log(NEXT) + OF_ANOTHER, {}, "torn", id="torn-tail-that-is-human"),
    ],
)
def test_creations_that_cannot_be_told(data: bytes, members: Document, word: str) -> None:
    done = repaired(store(data, **members), only=["event-created-missing"])
    assert done.changes == {}
    assert word in done.left.get("event-created-missing", "")


def test_an_issue_in_doubt_gets_no_event() -> None:
    upper = "AAAAAAAA-0000-4000-8000-00000000000A"
    done = repaired(store_of(issue(upper, state="ready")) | {LOG: b""}, only=["event-created-missing"])
    assert "in doubt" in done.left["event-created-missing"]
    paths = store_of(issue(A, state="ready")) | {path(A): issue(B, state="ready"), LOG: b""}
    assert "in doubt" in repaired(paths, only=["event-created-missing"]).left["event-created-missing"]


def test_a_line_in_doubt_may_be_the_event() -> None:
    done = repaired(store(log(TWICE)))
    assert done.changes == {}
    assert "event-created-missing" not in done.codes


@ERAS
@pytest.mark.parametrize(
    ("events", "state", "start"),
    [
        pytest.param([], "in_progress", "ready", id="never-moved"),
        pytest.param([moved(2, "ready", "in_progress")], "gated", "in_progress", id="on"),
        pytest.param([moved(2, "backlog", "ready")], "in_progress", "ready", id="from-backlog"),
        pytest.param(
            [moved(2, "ready", "in_progress"), moved(3, "ready", "rejected")], "done", "rejected", id="two-ends"
        ),
    ],
)
def test_the_move_is_made_from_where_the_events_end(
    events: list[Document], state: str, start: str, is_sorted: bool
) -> None:
    data = log(created(1), *events, is_sorted=is_sorted)
    done = repaired(store(data, is_sorted=is_sorted, state=state), only=["event-state-mismatch"])
    assert last(done) == {
        "type": "issue_state_changed",
        "issue_id": A,
        "timestamp": "2026-06-02T10:00:00.000000001Z",
        "from": start,
        "to": state,
    }
    assert done.codes.isdisjoint({"event-state-mismatch", "event-state-chain-broken"})


def test_real_moves_are_taken_as_far_as_they_lead() -> None:
    there = [moved(2, "ready", "in_progress"), moved(3, "in_progress", "gated"), moved(4, "gated", "done")]
    done = repaired(store(log(created(1)), state="gated"), logs=[log(created(1), *there)])
    assert done.log == [raw(created(1)), *map(raw, there[:2])]
    done = repaired(store(log(created(1)), state="rejected"), logs=[log(*there)])
    assert last(done)["to"] == "rejected"


def test_a_move_to_the_archive() -> None:
    members = {"state": "archived", "archived_from": "done"}
    done = repaired(store(log(created(1)), is_sorted=True, **members), only=["event-state-mismatch"])
    assert last(done)["to"] == "archived"


def test_an_issue_older_than_its_last_move_is_a_choice() -> None:
    data = log(created(1), moved(2, "ready", "in_progress", at=30))
    paths = store(data, state="gated", updated_at="2026-06-01T10:00:20Z")
    done = repaired(paths)
    assert done.changes == {}
    assert "--unsafe-fixes" in done.left["event-state-mismatch"]
    chosen = last(repaired(paths, unsafe=True))
    assert (chosen["from"], chosen["to"], chosen["timestamp"]) == (
        "in_progress",
        "gated",
        "2026-06-01T10:00:30.000000001Z",
    )


def test_a_state_without_time_is_left() -> None:
    done = repaired(store(log(created(1)), state="gated", created_at=..., updated_at=...))
    assert done.changes == {}
    assert "when" in done.left["event-state-mismatch"]


@ERAS
def test_the_completion_is_made_at_the_move(is_sorted: bool) -> None:
    data = log(created(1), moved(2, "ready", "done"), updated(3, "title"), is_sorted=is_sorted)
    done = repaired(store(data, is_sorted=is_sorted, state="done"))
    assert last(done) == {"type": "issue_completed", "issue_id": A, "timestamp": "2026-06-01T10:00:02.000000001Z"}
    real = raw(event(5, "issue_completed"))
    assert repaired(store(data, state="done"), logs=[log(real)]).log[-1] == real
    older = raw(event(5, "issue_completed", at=1))
    assert last(repaired(store(data, state="done"), logs=[log(older)]))["type"] == "issue_completed"


def test_move_and_completion_of_a_done_issue() -> None:
    done = repaired(store(log(created(1)), state="done"))
    assert [json.loads(line)["type"] for line in done.log] == [
        "issue_created",
        "issue_state_changed",
        "issue_completed",
    ]
    done = repaired(store(log(created(1)), state="done"), only=["event-completed-missing"])
    assert done.changes == {}
    assert "when" in done.left["event-completed-missing"]


@ERAS
@pytest.mark.parametrize(("status", "kind"), [("passed", "gate_passed"), ("failed", "gate_failed")])
@pytest.mark.parametrize("by", ["human:ada", None])
def test_the_verdict_is_said(status: str, kind: str, by: str | None, is_sorted: bool) -> None:
    other = "gate_failed" if kind == "gate_passed" else "gate_passed"
    data = log(created(1), gate(2, other), is_sorted=is_sorted)
    done = repaired(store(data, is_sorted=is_sorted, **judged(status, 5, by)), only=["event-gate-mismatch"])
    assert last(done) == {
        "type": kind,
        "issue_id": A,
        "timestamp": "2026-06-01T10:00:05.000000001Z",
        "gate_key": "t",
        "updated_by": by,
    }
    real = raw(gate(9, kind, by, at=6))
    taken = repaired(
        store(data, **judged(status, 5, by)), logs=[log(gate(8, kind, "agent:x"), real)], only=["event-gate-mismatch"]
    )
    assert taken.log[-1] == real


@pytest.mark.parametrize(
    ("events", "members", "word"),
    [
        pytest.param([gate(2, "gate_passed")], judged("failed", 1), "newer", id="event-newer"),
        pytest.param([gate(2, "gate_passed")], judged("pending", 5, None), "open again", id="open-again"),
        pytest.param([gate(2, "gate_passed")], {"gates_required": ["t"]}, "open again", id="no-verdict"),
    ],
)
def test_verdicts_a_person_must_judge(events: list[Document], members: Document, word: str) -> None:
    done = repaired(store(log(created(1), *events), **members), only=["event-gate-mismatch"])
    assert done.changes == {}
    assert word in done.left["event-gate-mismatch"]


def test_an_event_is_never_made_twice() -> None:
    first = repaired(store(log(created(1)), **judged("passed", 5)), only=["event-gate-mismatch"])
    again = first.files[LOG] + log(gate(9, "gate_failed", at=5))
    done = repaired(store(again, **judged("passed", 5)), only=["event-gate-mismatch"])
    assert done.changes == {}
    assert "already logged" in done.left["event-gate-mismatch"]


def test_ids_are_digests_of_the_facts() -> None:
    one = repaired(store(log(NEXT))).log[-1]
    other = repaired(store(log(updated(9, "labels"), is_sorted=True))).log[-1]
    third = repaired(store(log(NEXT), title="Another")).log[-1]
    ids = [json.loads(line)["id"] for line in (one, other, third)]
    assert ids[0] == ids[1] != ids[2]


def test_events_of_the_dead_are_nobodys_business() -> None:
    assert repaired(store(log(created(1), updated(2, "title", issue_id=GONE)))).changes == {}
