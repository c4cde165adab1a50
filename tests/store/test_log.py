"""The event log is read line by line in effect, in chunks in fact, and never fails."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jit_hooks.store import log as log_module
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.log import Log, events_inside
from jit_hooks.store.loss import lost_events
from jit_hooks.testing.stores import healthy_store, mixed_store

LOGS = [
    healthy_store(1, "june")["events.jsonl"],
    healthy_store(2, "v1")["events.jsonl"],
    mixed_store(3)["events.jsonl"],
]
LINE, OTHER = LOGS[0].split(b"\n")[1:3]


def read(data: bytes, start: int = 0) -> Log:
    return Log(data, Accepted(), start)


@st.composite
def corrupted(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(LOGS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(("drop", "insert", "cut", "flip")))
        if kind == "insert":
            junk = st.sampled_from(
                (b"\n", b"\n\n", b"{", b'"', b"\x80", b"\r\n", b"<<<<<<< a\n", b"\\ud800", b"[", b"\0")
            )
            data[at:at] = draw(junk)
        elif kind == "drop":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "flip" and at < len(data):
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[max(at, len(data) // 2) :]
    return bytes(data)


@given(corrupted())
def test_every_line_is_an_event_or_bad_or_blank(data: bytes) -> None:
    log = read(data)
    blank = sum(not line.strip(b" \t\r") for line in data.split(b"\n"))
    unshaped = sum(not faulty.is_only_unknown for faulty in log.faulty)
    assert len(log.events) + unshaped + len(log.bad) + blank == data.count(b"\n") + 1
    lines = data.split(b"\n")
    assert all(lines[bad.line - 1] == bad.raw == data[bad.offset : bad.offset + len(bad.raw)] for bad in log.bad)
    assert all(lines[faulty.line - 1] == faulty.raw for faulty in log.faulty)
    for event in log.events:
        document = json.loads(lines[event.line - 1])
        assert (event.id, event.type) == (document.get("id"), document.get("type"))


@given(corrupted())
def test_chunks_and_single_lines_give_the_same(data: bytes) -> None:
    whole = facts(read(data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_module, "read_json_lines", lambda lines: None)
        assert facts(read(data)) == whole


def facts(log: Log) -> object:
    return (
        [(event.line, event.id, event.instant) for event in log.events],
        [(bad.line, bad.raw, bad.fault.code, bad.torn, bad.certified) for bad in log.bad],
        [(faulty.line, faulty.faults) for faulty in log.faulty],
        log.unknown_keys,
    )


@given(corrupted(), st.integers(0, 9))
def test_a_late_start_knows_the_same_of_every_issue(data: bytes, tenth: int) -> None:
    full, late = read(data), read(data, len(data) * tenth // 10)
    lines = data.split(b"\n")
    assert all(json.loads(lines[late.line_of(event) - 1])["id"] == event.id for event in late.events)
    assert all(lines[bad.line - 1] == bad.raw for bad in late.bad)
    for issue_id in {event.issue for event in full.events if type(event.issue) is str}:
        told = [[event.id for event in log.events_of(issue_id)] for log in (full, late)]
        assert told[0] == told[1]
        if all(not bad.certified for bad in full.bad):
            assert full.is_sure_of(issue_id) == late.is_sure_of(issue_id)


@given(corrupted())
def test_nothing_is_lost_from_a_log_to_itself_and_what_is_dropped_is_named(data: bytes) -> None:
    assert list(lost_events(data, data)) == []
    log = read(data)
    lines = data.split(b"\n")
    for event in log.events[:: max(len(log.events) // 3, 1)]:
        left = b"\n".join(lines[: event.line - 1] + lines[event.line :])
        copies = [other for other in log.events if other.id == event.id]
        if len(copies) == 1 and not any(str(event.id).encode() in bad.raw for bad in log.bad):
            assert [lost.name for lost in lost_events(data, left)] == [event.id]


def test_a_glued_line_still_says_what_stands_in_it() -> None:
    first, second = json.loads(LINE), json.loads(OTHER)
    for raw, whole in (
        (LINE + OTHER, [first, second]),
        (LINE[:40] + OTHER, [second]),
        (LINE + OTHER[:40], [first]),
        (b"\x80\xc3" + LINE, [first]),
        (b'{"a":' * 5000, []),
    ):
        found = events_inside(raw)
        assert [document for _, _, document in found] == whole
        assert [json.loads(raw[begin:end]) for begin, end, _ in found] == whole


def test_values_count_not_bytes_when_events_are_compared() -> None:
    sorted_line = json.dumps(json.loads(LINE), sort_keys=True, indent=None).encode()
    assert not list(lost_events(LINE + b"\n" + OTHER, OTHER + b"\n" + sorted_line))
    changed = LINE.replace(b'"title":"', b'"title":"x', 1)
    (lost,) = lost_events(LINE + b"\n", OTHER + b"\n" + changed + b"\n")
    assert (lost.name, lost.is_changed, lost.line) == (json.loads(LINE)["id"], True, 2)


def test_a_log_of_many_blocks_is_compared_by_its_difference() -> None:
    data = b"".join(b'{"id":"%06d","type":"t"}\n' % number for number in range(12_000))
    at = data.index(b'{"id":"005000"')
    assert [lost.name for lost in lost_events(data, data[:at] + data[at + 25 :])] == ["005000"]
    assert [lost.name for lost in lost_events(data, data[25:])] == ["000000"]
    assert [lost.name for lost in lost_events(data, data[:-25])] == ["011999"]
    assert not list(lost_events(data, b"".join(sorted(data.splitlines(keepends=True), reverse=True))))
    assert len(list(lost_events(data, b""))) == 12_000


@pytest.mark.parametrize("piece", [b'{"id":"', b'{"id":{"', b'{"id":"x","type":', b'{"id":[', b'{"id":1}'])
def test_a_line_that_begins_a_record_everywhere_is_looked_through_in_a_while(piece: bytes) -> None:
    """Without a bound each of these takes minutes or hours."""
    assert events_inside(piece * (2_000_000 // len(piece))) == []


def test_a_long_record_in_a_bad_line_is_found() -> None:
    record = b'{"id":"a","type":"b","more":[' + b",".join([b'{"k":"value"}'] * 10_000) + b"]}"
    ((begin, end, _),) = events_inside(b'{"torn' + record + b'{"cut')
    assert (begin, end) == (6, 6 + len(record))
