"""Repairs of the claims log and its index: in memory branch by branch, and typed by a user beside real locks."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from claim_writer import Claimer
from claimers import claimers
from claims import BEGAN, ENDS, ONE, TWO, acquire, beat, evict, index, lease, lines, log, renew
from commands import bytes_below, check, hooks
from memory_stores import A, B, C, bytes_of, issue, store_of, v1
from mended_machines import NOW, mended

from jit_hooks.errors import BusyError, StaleError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.mending import mend
from jit_hooks.judging.request import Request
from jit_hooks.store.claims import index_document, replay
from jit_hooks.store.layout import CLAIMS, CLAIMS_ASIDE, CLAIMS_INDEX
from jit_hooks.store.machine import Machine
from jit_hooks.store.snapshot import Entry, Files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from git_scratch import Scratch

    from jit_hooks.judging.rounds import Draft
    from jit_hooks.repairs.context import Context

CODES = ("claim-unparsable", "claims-index-mismatch", "lease-expired", "claim-malformed", "claim-sequence-gap")
ROUNDS = 10
"""How often a repair runs beside live agents."""

EARLY = "2026-06-01T10:30:00Z"
"""When no lease is past its end."""

PATHS = {CLAIMS: "log", CLAIMS_INDEX: "index", CLAIMS_ASIDE: "aside"}
LATER = "2026-06-01T12:00:00.000000001Z"

Outcome = tuple[dict[str, bytes | None], "Draft", "Context"]


def done(
    data: object, listed: object = None, aside: object = None, *, unsafe: bool = False, now: str = EARLY, era: str = ""
) -> Outcome:
    """What the repairs change, by ``log``, ``index`` and ``aside``; by default the index lists what the log says."""
    if listed is None and isinstance(data, bytes):
        listed = json.dumps(index_document(replay(data), BEGAN), indent=2).encode()
    make = v1 if era == "v1" else issue
    paths = store_of(*(make(one, assignee="agent:alpha") for one in (A, B, C)))
    paths |= {CLAIMS: data, CLAIMS_INDEX: listed, CLAIMS_ASIDE: aside}
    there = {name: content for name, content in paths.items() if content not in (None, ...)}
    snapshot = Files(
        {name: bytes_of(one) for name, one in there.items() if not isinstance(one, Entry)},
        other={name: one for name, one in there.items() if isinstance(one, Entry)},
        machine=Machine(now=now),
    )
    made, context = mended(snapshot, unsafe=unsafe, now=now, codes=CODES)
    return {PATHS[path]: change for path, change in made.changes.items()}, made, context


def leases_in(data: bytes | None) -> list[str]:
    assert data is not None
    return [one["lease_id"] for one in json.loads(data)["leases"]]


def left(made: Draft, context: Context) -> set[str]:
    return {why for identity, why in context.left.items() if identity in {one.identity for one in made.problems}}


FIRST, SECOND, THIRD = lines(acquire(), acquire(TWO, issue_id=B), beat(ENDS))
CUT = SECOND[:60]


@pytest.mark.parametrize("era", ["june", "v1"])
@pytest.mark.parametrize(
    ("before", "after", "aside"),
    [
        (FIRST + SECOND[:-1], FIRST + SECOND, None),
        (FIRST + CUT, FIRST, CUT + b"\n"),
        (FIRST + CUT + THIRD, FIRST + THIRD, CUT + b"\n"),
        (FIRST[:-1] + SECOND + THIRD, FIRST + SECOND + THIRD, None),
        (FIRST[:-1] + CUT + b"\n" + THIRD, FIRST + THIRD, CUT + b"\n"),
        (CUT, b"", CUT + b"\n"),
        (FIRST + b"\n  \n[1]\n" + THIRD, FIRST + b"\n  \n" + THIRD, b"[1]\n"),
        (FIRST + b"\xff\xfe\n" + b"\0" * 9, FIRST, b"\xff\xfe\n" + b"\0" * 9 + b"\n"),
        (b"x" + FIRST + b"y" + SECOND[:-1], FIRST + SECOND, b"x\ny\n"),
    ],
)
def test_whole_operations_get_a_line_each_and_the_rest_is_moved_aside(
    before: bytes, after: bytes, aside: bytes | None, era: str
) -> None:
    changes, made, _ = done(before, index(lease(), lease(TWO, issue_id=B)) if before == CUT else None, era=era)
    assert (changes["log"], changes.get("aside")) == (after, aside)
    assert "claim-unparsable" not in {problem.code for problem in made.problems}
    assert replay(after).leases == replay(before).leases


@pytest.mark.parametrize(
    ("there", "after"),
    [
        (b"older\n", b"older\n" + CUT + b"\n"),
        (b"older", b"older\n" + CUT + b"\n"),
        (b"", CUT + b"\n"),
        (b"older\n" + CUT + b"\n", None),
    ],
)
def test_what_is_moved_aside_is_appended_once(there: bytes, after: bytes | None) -> None:
    changes, _, _ = done(FIRST + CUT, None, there)
    assert (changes["log"], changes.get("aside")) == (FIRST, after)


@pytest.mark.parametrize("aside", [Entry("link"), Entry("directory")])
def test_nothing_is_moved_to_what_is_no_file(aside: Entry) -> None:
    changes, made, context = done(FIRST + CUT, None, aside)
    assert changes == {}
    assert left(made, context) == {"the log, or the file that bad lines are moved to, cannot be read"}


def test_a_log_that_is_a_link_is_left_and_so_is_the_index() -> None:
    changes, made, context = done(Entry("link"), index(lease()), unsafe=True)
    assert changes == {}
    assert {problem.code for problem in made.problems} == {"claim-unparsable", "claims-index-mismatch"}
    assert len(left(made, context)) == 2


TORN_RENEWAL = lines(renew(LATER), first=3)[0][:150]


def test_what_a_torn_line_may_have_said_of_a_lease_stays_as_the_index_has_it() -> None:
    assert ONE.encode() in TORN_RENEWAL
    prolonged = lease(expires_at=LATER)
    changes, made, _ = done(FIRST + SECOND + TORN_RENEWAL, index(prolonged))
    assert changes["log"] == FIRST + SECOND
    assert changes["aside"] == TORN_RENEWAL + b"\n"
    assert made.problems == []
    (kept, added) = json.loads(changes["index"] or b"")["leases"]
    assert (kept, added["lease_id"]) == (prolonged, TWO)


def test_what_was_moved_aside_is_forgotten_when_the_lease_ends() -> None:
    whole = log(acquire(), evict())
    changes, _, _ = done(whole, index(lease()), TORN_RENEWAL + b"\n")
    assert leases_in(changes["index"]) == []


BOTH = log(acquire(), acquire(TWO, issue_id=B))
EXTRA: dict[str, object] = {"note": 1}


@pytest.mark.parametrize(
    ("data", "listed", "expected"),
    [
        (BOTH, index(lease()), [ONE, TWO]),
        (BOTH, index(lease(TWO, issue_id=B)), [TWO, ONE]),
        (log(acquire(), evict()), index(lease()), []),
        (log(acquire(), evict(op="release")), index(lease()), []),
        (BOTH, index(lease(), lease(), lease(TWO, issue_id=B)), [ONE, TWO]),
        (BOTH, b"{", [ONE, TWO]),
        (BOTH, b"", [ONE, TWO]),
        (BOTH, ..., [ONE, TWO]),
        (BOTH, b'{"leases": {}}', [ONE, TWO]),
        (log(acquire(), evict(), acquire(TWO, issue_id=B), evict(TWO, "auto-evict")), index(lease(), lease(TWO)), []),
    ],
)
def test_the_index_is_built_again_from_the_log(data: bytes, listed: object, expected: list[str]) -> None:
    changes, made, _ = done(data, listed)
    assert changes.keys() == {"index"}
    assert leases_in(changes["index"]) == expected
    assert json.loads(changes["index"] or b"")["generated_at"] == BEGAN
    assert made.problems == []
    assert made.fixes["claims-index-mismatch"] >= 1


def test_what_is_right_in_the_index_stays_as_it_is_spelled() -> None:
    kept = lease(stale=True, **EXTRA)
    wrong = lease(TWO, issue_id=B, agent_id="human:other", **EXTRA)
    before = index(kept, wrong, sequence_gaps=[7], other="x") + b"\n"
    changes, made, _ = done(BOTH, before)
    after = changes["index"] or b""
    again = json.loads(after)
    assert again["leases"] == [kept, lease(TWO, issue_id=B, **EXTRA)]
    assert (again["sequence_gaps"], again["other"], again["last_seq"]) == ([7], "x", 2)
    assert list(again) == list(json.loads(before))
    assert after.endswith(b"}\n")
    assert made.problems == []


def test_a_lease_that_only_the_index_knows_is_dropped_by_unsafe_repairs_alone() -> None:
    listed = index(lease(TWO, issue_id=B))
    changes, made, context = done(FIRST, listed)
    assert leases_in(changes["index"]) == [TWO, ONE]
    assert left(made, context) == {"nothing but the index knows of this lease: --unsafe-fixes drops it"}
    changes, made, context = done(FIRST, index(lease(), lease(TWO, issue_id=B)))
    assert (changes, len(made.problems)) == ({}, 1)
    changes, made, _ = done(FIRST, listed, unsafe=True)
    assert (leases_in(changes["index"]), made.problems) == ([ONE], [])


@pytest.mark.parametrize("data", [b"", ...])
@pytest.mark.parametrize("listed", [index(lease()), b"{"])
def test_without_a_log_the_index_is_emptied_by_unsafe_repairs_alone(data: object, listed: bytes) -> None:
    changes, made, context = done(data, listed)
    assert changes == {}
    assert left(made, context) == {"the log holds no operation to build it from: --unsafe-fixes makes it empty"}
    changes, made, _ = done(data, listed, unsafe=True)
    assert (leases_in(changes["index"]), made.problems) == ([], [])


def test_an_index_that_is_no_file_is_left() -> None:
    changes, made, context = done(FIRST, Entry("link"))
    assert changes == {}
    assert left(made, context) == {"the log or the index is no file that can be read"}


def test_a_lease_without_its_shape_is_left_to_a_person() -> None:
    shapeless: dict[str, object] = {"issue_id": C}
    changes, _, _ = done(BOTH, index(lease(), shapeless))
    assert json.loads(changes["index"] or b"")["leases"][1] == shapeless


AT = "2026-06-02T10:30:00.000000000Z"
"""``NOW``, as the tracker spells it."""

OVER = "2026-06-01T11:05:00.000000002Z"
EVICTION = (
    f'{{"schema_version":1,"seq":2,"timestamp":"{AT}","op":"auto-evict","lease_id":"{ONE}","evicted_at":"{AT}",'
    '"reason":"Lease expired at 2026-06-01 11:00:00.000000001 UTC"}\n'
).encode()


@pytest.mark.parametrize("era", ["june", "v1"])
def test_a_lease_past_its_end_is_evicted_in_the_log_and_leaves_the_index(era: str) -> None:
    changes, made, _ = done(FIRST, now=NOW, era=era)
    assert changes["log"] == FIRST + EVICTION
    assert leases_in(changes["index"]) == []
    assert (made.problems, made.fixes) == ([], {"lease-expired": 1})


@pytest.mark.parametrize(
    ("now", "is_over"), [("2026-06-01T11:05:00.000000001Z", False), (OVER, True), ("", False), ("noon", False)]
)
def test_clocks_may_differ_by_five_minutes(now: str, is_over: bool) -> None:
    assert ("log" in done(FIRST, now=now)[0]) is is_over


@pytest.mark.parametrize(
    ("end", "shown"),
    [("2026-06-01T11:00:00Z", "11:00:00"), ("2026-06-01T11:00:00.5Z", "11:00:00.500"), (ENDS, "11:00:00.000000001")],
)
def test_the_end_of_a_lease_is_worded_as_the_tracker_does(end: str, shown: str) -> None:
    changes, _, _ = done(log(acquire(expires_at=end)), now=NOW)
    assert f"Lease expired at 2026-06-01 {shown} UTC".encode() in (changes["log"] or b"")


def test_each_of_several_gets_the_next_number_and_those_without_end_stay() -> None:
    endless = acquire("3", issue_id=C, ttl_secs=0, expires_at=None)
    changes, made, _ = done(log(acquire(), acquire(TWO, issue_id=B), endless), now=NOW)
    assert [entry.seq for entry in replay(changes["log"] or b"").entries] == [1, 2, 3, 4, 5]
    assert leases_in(changes["index"]) == ["3"]
    assert made.problems == []


def test_a_lease_that_the_index_lacks_is_evicted_all_the_same() -> None:
    changes, made, _ = done(BOTH, index(lease()), now=NOW)
    assert [entry.op for entry in replay(changes["log"] or b"").entries][2:] == ["auto-evict"] * 2
    assert made.problems == []


def test_without_an_index_a_lease_is_evicted_in_the_log() -> None:
    changes, made, _ = done(log(acquire(), evict(op="auto-evict"), acquire(TWO, issue_id=B)), ..., now=NOW)
    assert [entry.op for entry in replay(changes["log"] or b"").entries][3:] == ["auto-evict"]
    assert made.problems == []


def test_a_torn_line_that_may_have_prolonged_a_lease_keeps_it() -> None:
    changes, made, context = done(FIRST + TORN_RENEWAL, now=NOW)
    assert changes["log"] == FIRST
    assert left(made, context) == {"a part of the log that cannot be read may have prolonged it"}
    changes, made, _ = done(FIRST + SECOND[:-1] + b"torn\n", now=NOW)
    assert made.problems == []
    assert [entry.op for entry in replay(changes["log"] or b"").entries][2:] == ["auto-evict"] * 2


# With real git, as a user types it.

MANY = log(acquire(), acquire(TWO, issue_id=B), evict(TWO))


@contextmanager
def held(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def control_of(scratch: Scratch, **files: bytes) -> Path:
    control = scratch.top / ".git" / "jit"
    (control / "locks").mkdir(parents=True)
    (control / "claims.jsonl").write_bytes(files["log"])
    (control / "claims.index.json").write_bytes(files["listed"])
    return control


def test_a_torn_log_a_stale_index_and_an_old_lease_are_mended_and_taken_back(scratch: Scratch) -> None:
    control = control_of(scratch, log=MANY + b'{"schema_version":1,"seq":4', listed=index(lease(), lease(TWO)))
    before = bytes_below(control)
    mending = check(scratch.top, "--fix")
    assert mending.returncode == 0, mending.stdout
    after = bytes_below(control)
    assert after["claims.jsonl.bak"] == b'{"schema_version":1,"seq":4\n'
    assert after["claims.jsonl"].startswith(MANY)
    assert [entry.op for entry in replay(after["claims.jsonl"]).entries][3:] == ["auto-evict"]
    assert leases_in(after["claims.index.json"]) == []
    assert check(scratch.top).returncode == 0
    assert "there is nothing that --fix can mend" in check(scratch.top, "--fix").stdout
    assert bytes_below(control) == after
    taken = hooks(scratch.top, "undo")
    assert taken.returncode == 0, taken.stdout
    assert bytes_below(control) == before


def test_claims_are_not_touched_while_the_lock_is_held(scratch: Scratch) -> None:
    control = control_of(scratch, log=MANY[:-1], listed=index(lease(), lease(TWO)))
    before = bytes_below(control)
    with held(control / "locks" / "claims.lock"):
        mending = check(scratch.top, "--fix")
    assert mending.returncode == 3, mending.stdout
    assert "claims.lock is held by another process" in mending.stdout
    assert bytes_below(control) == before


def test_what_is_appended_after_a_repair_stays_when_it_is_taken_back(scratch: Scratch) -> None:
    end = acquire(expires_at="2999-01-01T00:00:00Z")
    control = control_of(scratch, log=log(end)[:-1], listed=index(lease(expires_at="2999-01-01T00:00:00Z")))
    assert check(scratch.top, "--fix").returncode == 0
    assert (control / "claims.jsonl").read_bytes() == log(end)
    more = lines(acquire(TWO, issue_id=B), first=2)[0]
    with (control / "claims.jsonl").open("ab") as appending:
        appending.write(more)
    assert hooks(scratch.top, "undo").returncode == 0
    assert (control / "claims.jsonl").read_bytes() == log(end) + more


def test_repairs_beside_live_claims_lose_no_operation(scratch: Scratch) -> None:
    """Between the commands of live agents one is killed after its log and before its index, and a line is torn."""
    control = scratch.top / ".git" / "jit"
    stop = scratch.top.parent / "stop"
    repository = Repository(Git(str(scratch.top)))
    request = Request(
        "worktree", str(scratch.data), repository, (repository.commits.head() or "",), now="2999-01-01T00:00:00Z"
    )
    killed = Claimer(9, control)
    busy = 0
    with claimers(control, stop, 2) as done_by:
        for number in range(ROUNDS):
            with killed.locked():
                killed.append("acquire", **lease(f"killed-{number}"))
                whole = killed.log.read_bytes()
                killed.log.write_bytes(whole + b'{"torn' if number % 2 else whole)
            try:
                mend(request, command="jit-check --fix")
            except (BusyError, StaleError):
                busy += 1
    mend(request, command="jit-check --fix")
    log_read = replay((control / "claims.jsonl").read_bytes())
    taken = [entry.lease_id for entry in log_read.entries if entry.op == "acquire"]
    assert len(taken) == len(set(taken)) == sum(done_by) + ROUNDS
    assert log_read.skipped == []
    assert log_read.leases == {}
    assert busy < ROUNDS
    assert json.loads((control / "claims.index.json").read_bytes())["leases"] == []
    repository.close()
