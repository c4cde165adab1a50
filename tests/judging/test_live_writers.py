"""Beside eight live writers no check reports a fault that is not one, and none that is there goes unseen."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claimers import claimers
from live_stores import SEED, told_by, writers
from proofs import Count, how_many, over, proof

from jit_hooks.checks import BY_CODE
from jit_hooks.disk.locks import READERS_LOCKS
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import BusyError, NotSettledError
from jit_hooks.judging import judge as line
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.store import layout
from jit_hooks.testing.stores import mixed_tracker
from jit_hooks.testing.tracker import issue_path

if TYPE_CHECKING:
    from collections.abc import Iterator


CHECKS_MADE = 250
ROUNDS = 4
"""How often that many checks run beside the writers, each time on a new store: 1,000 in all."""


@over("live_seed", range(SEED, SEED + ROUNDS), few=1)
def test_no_check_beside_live_writers_reports_a_false_error(
    live_request: Request, live_seed: int, count: Count
) -> None:
    top = Path(live_request.root).parent
    assert judge(live_request).problems == []
    answers: Counter[str] = Counter()
    wrong: list[str] = []
    checks = how_many(CHECKS_MADE, few=30, one_in=1)
    with writers(top, seed=live_seed) as done:
        for _ in range(checks):
            try:
                report = judge(live_request)
            except BusyError:
                answers["busy"] += 1
                continue
            answers[report.verdict] += 1
            wrong += told_by(report)
    assert wrong == []
    assert min(done) > 0
    count("checks beside live writers", checks)
    assert answers["healthy"] > checks * 0.9, answers
    after = judge(live_request)
    assert (told_by(after), after.verdict) == ([], "healthy")
    assert not (top / ".jit" / "tmp").exists()


CONTROL_CHECKS = tuple(row for row in BY_CODE.values() if row.family in ("runtime", "claim"))


@proof
def test_no_check_beside_live_claims_reports_anything(live_request: Request) -> None:
    top = Path(live_request.root).parent
    control = top / ".git" / "jit"
    hurried = replace(live_request, checks=CONTROL_CHECKS)
    wrong: list[str] = []
    judged, checks = 0, how_many(CHECKS_MADE, few=30, one_in=1)
    with claimers(control, top / "stop") as done:
        for _ in range(checks):
            with suppress(BusyError):
                wrong += told_by(judge(hurried))
                judged += 1
    assert wrong == []
    assert judged > checks * 3 // 4
    assert sum(done) > 0
    assert told_by(judge(hurried)) == []
    assert not (control / "locks" / "claims.lock.meta").exists()


def test_live_claims_do_show_states_that_look_like_damage(
    live_request: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "read_twice", lambda case, _: (case, case.find()))
    top = Path(live_request.root).parent
    hurried = replace(live_request, checks=CONTROL_CHECKS)
    with claimers(top / ".git" / "jit", top / "stop"):
        for _ in range(2000):
            if told_by(judge(hurried)):
                return
    pytest.fail("2000 checks without locks, and every one saw settled claims")


def test_the_writers_do_show_states_that_look_like_damage(
    live_request: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the second reading the test above would fail: the writers are wild enough."""
    monkeypatch.setattr(line, "read_twice", lambda case, _: (case, case.find()))
    with writers(Path(live_request.root).parent):
        for _ in range(300):
            if told_by(judge(live_request)):
                return
    pytest.fail("300 checks without locks, and every one saw a settled store")


def test_damage_beside_live_writers_is_reported(live_request: Request) -> None:
    top = Path(live_request.root).parent
    victim = top / ".jit" / issue_path(mixed_tracker(0).ids()[0])  # no writer edits it
    with writers(top, 4):
        victim.write_bytes(b"{")
        reports = [judge(live_request) for _ in range(10)]
    for report in reports:
        assert [problem.code for problem in report.errors if problem.path.endswith(victim.name)] == ["json-unparsable"]


def make_transaction(store: Path) -> Path:
    control = store / "tmp" / "transactions" / ("0" * 32)
    control.mkdir(parents=True)
    journal = control / "journal.json"
    journal.write_bytes(b'{"decision": "prepared"}')
    return journal


@contextmanager
def held(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("wait", [0.0, 0.05])
def test_a_transaction_whose_writer_lives_is_busy(live_request: Request, wait: float) -> None:
    store = Path(live_request.root)
    make_transaction(store)
    hurried = Request("worktree", live_request.root, live_request.repository, live_request.parents, wait=wait)
    with held(store / ".repo-write.lock"), pytest.raises(BusyError) as caught:
        judge(hurried)
    assert caught.value.exit_code == 3
    assert ".repo-write.lock" in str(caught.value)


def test_a_transaction_whose_writer_died_is_not_settled(live_request: Request) -> None:
    make_transaction(Path(live_request.root))
    with pytest.raises(NotSettledError) as caught:
        judge(live_request)
    assert caught.value.remedy == "jit recover"


def test_a_transaction_in_a_store_without_locks_is_not_settled(live_request: Request) -> None:
    store = Path(live_request.root)
    assert not any((store / name).exists() for name in READERS_LOCKS)
    make_transaction(store)
    with pytest.raises(NotSettledError):
        judge(live_request)
    assert not any((store / name).exists() for name in READERS_LOCKS)


def test_a_transaction_that_ends_meanwhile_is_no_matter(live_request: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = make_transaction(Path(live_request.root))
    read_again = WorktreeSnapshot.read_again

    def end_and_read(self: WorktreeSnapshot, paths: list[str], wait: float) -> WorktreeSnapshot:
        journal.unlink(missing_ok=True)
        return read_again(self, paths, wait)

    monkeypatch.setattr(WorktreeSnapshot, "read_again", end_and_read)
    assert judge(live_request).errors == []


@pytest.mark.parametrize("name", READERS_LOCKS)
def test_a_problem_under_a_held_lock_is_busy_and_not_believed(live_request: Request, name: str) -> None:
    store = Path(live_request.root)
    next((store / "issues").glob("*.json")).unlink()
    hurried = Request("worktree", live_request.root, live_request.repository, live_request.parents, wait=0.0)
    with held(store / name), pytest.raises(BusyError):
        judge(hurried)
    assert judge(hurried).verdict == "problems"


def test_all_locks_together_are_waited_for_once(live_request: Request) -> None:
    """Three held locks do not take three times the patience."""
    store = Path(live_request.root)
    snapshot = WorktreeSnapshot(live_request.root, live_request.repository)
    with held(store / ".events.lock"), pytest.raises(BusyError):
        snapshot.read_again((), 0.05)
    snapshot._waited = 10.0
    with held(store / ".repo-write.lock"), pytest.raises(BusyError) as caught:
        snapshot.read_again((), 5.0)
    assert caught.value.waited == 5.0


def test_what_a_moved_file_hid_is_found_by_the_second_reading(
    live_request: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue index is away for an instant while another file is truly broken: no false pass."""
    store = Path(live_request.root)
    victim = min((store / "issues").glob("*.json"))
    victim.unlink()
    index = store / layout.INDEX
    aside = store / "aside"
    read_again = WorktreeSnapshot.read_again

    def put_back_and_read(self: WorktreeSnapshot, paths: list[str], wait: float) -> WorktreeSnapshot:
        if aside.exists():
            aside.rename(index)
        return read_again(self, paths, wait)

    monkeypatch.setattr(WorktreeSnapshot, "read_again", put_back_and_read)
    index.rename(aside)
    codes = {problem.code for problem in judge(live_request).errors}
    assert "index-lists-missing" in codes
    assert "index-absent" not in codes


def test_a_broken_file_that_was_away_when_it_was_read_is_found(
    live_request: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Path(live_request.root)
    victim = min((store / "issues").glob("*.json"))
    victim.write_bytes(b"{")
    aside = store / "aside"
    entries, read_again = WorktreeSnapshot.entries, WorktreeSnapshot.read_again

    def list_and_move(self: WorktreeSnapshot) -> object:
        listed = entries(self)
        if victim.exists() and not self._waited and not aside.exists():
            victim.rename(aside)
        return listed

    def put_back_and_read(self: WorktreeSnapshot, paths: list[str], wait: float) -> WorktreeSnapshot:
        monkeypatch.setattr(WorktreeSnapshot, "entries", entries)
        aside.rename(victim)
        monkeypatch.setattr(WorktreeSnapshot, "read_again", read_again)
        return read_again(self, paths, wait)

    monkeypatch.setattr(WorktreeSnapshot, "entries", list_and_move)
    monkeypatch.setattr(WorktreeSnapshot, "read_again", put_back_and_read)
    assert "json-unparsable" in {problem.code for problem in judge(live_request).errors}
