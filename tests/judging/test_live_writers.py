"""Beside eight live writers no check reports a fault that is not one, and none that is there goes unseen."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import live_writers
import pytest
from claimers import claimers
from git_scratch import commit_all
from live_processes import live
from proofs import Count, how_many, over, proof

from jit_hooks.checks import BY_CODE
from jit_hooks.disk.locks import READERS_LOCKS
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import BusyError, NotSettledError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging import judge as line
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.store import layout
from jit_hooks.testing.stores import mixed_tracker
from jit_hooks.testing.tracker import issue_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from jit_hooks.judging.report import Report

SEED = 7
CHECKS_MADE = 250
ROUNDS = 4
"""How often that many checks run beside the writers, each time on a new store: 1,000 in all."""

MOST_COMMANDS = 100_000


def writers(top: Path, count: int = live_writers.COUNT, seed: int = SEED) -> AbstractContextManager[list[int]]:
    """Live writers on the store below ``top``, half of each era; gives, at the end, how much each has done."""
    stop = top / "stop"
    return live(live_writers.__file__, count, str(seed), str(top / ".jit"), str(stop), str(MOST_COMMANDS), stop=stop)


@pytest.fixture
def seed() -> int:
    """What the writers and their store are made from."""
    return SEED


@pytest.fixture
def request_(tmp_path: Path, seed: int) -> Iterator[Request]:
    """A request for the worktree of a committed store that eight writers can begin with."""
    live_writers.lay_out(tmp_path, seed)
    head = commit_all(tmp_path)
    repository = Repository(Git(str(tmp_path)))
    now = datetime.now(UTC).isoformat()
    yield Request("worktree", str(tmp_path / ".jit"), repository, (head,), now=now)
    repository.close()


def told_by(report: Report) -> list[str]:
    """The errors, and whatever is said of what processes leave behind: nothing of a live one is stale."""
    return [
        f"{problem!r} ({problem.path}, with {', '.join(problem.related)})"
        for problem in report.problems
        if problem.severity == "error" or BY_CODE[problem.code].family in ("runtime", "claim")
    ]


@over("seed", range(SEED, SEED + ROUNDS), few=1)
def test_no_check_beside_live_writers_reports_a_false_error(request_: Request, seed: int, count: Count) -> None:
    top = Path(request_.root).parent
    assert judge(request_).problems == []
    answers: Counter[str] = Counter()
    wrong: list[str] = []
    checks = how_many(CHECKS_MADE, few=30, one_in=1)
    with writers(top, seed=seed) as done:
        for _ in range(checks):
            try:
                report = judge(request_)
            except BusyError:
                answers["busy"] += 1
                continue
            answers[report.verdict] += 1
            wrong += told_by(report)
    assert wrong == []
    assert min(done) > 0
    count("checks beside live writers", checks)
    assert answers["healthy"] > checks * 0.9, answers
    after = judge(request_)
    assert (told_by(after), after.verdict) == ([], "healthy")
    assert not (top / ".jit" / "tmp").exists()


CONTROL_CHECKS = tuple(row for row in BY_CODE.values() if row.family in ("runtime", "claim"))


@proof
def test_no_check_beside_live_claims_reports_anything(request_: Request) -> None:
    top = Path(request_.root).parent
    control = top / ".git" / "jit"
    hurried = replace(request_, checks=CONTROL_CHECKS)
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


def test_live_claims_do_show_states_that_look_like_damage(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "read_twice", lambda case, _: (case, case.find()))
    top = Path(request_.root).parent
    hurried = replace(request_, checks=CONTROL_CHECKS)
    with claimers(top / ".git" / "jit", top / "stop"):
        for _ in range(2000):
            if told_by(judge(hurried)):
                return
    pytest.fail("2000 checks without locks, and every one saw settled claims")


def test_the_writers_do_show_states_that_look_like_damage(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the second reading the test above would fail: the writers are wild enough."""
    monkeypatch.setattr(line, "read_twice", lambda case, _: (case, case.find()))
    with writers(Path(request_.root).parent):
        for _ in range(300):
            if told_by(judge(request_)):
                return
    pytest.fail("300 checks without locks, and every one saw a settled store")


def test_damage_beside_live_writers_is_reported(request_: Request) -> None:
    top = Path(request_.root).parent
    victim = top / ".jit" / issue_path(mixed_tracker(0).ids()[0])  # no writer edits it
    with writers(top, 4):
        victim.write_bytes(b"{")
        reports = [judge(request_) for _ in range(10)]
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
def test_a_transaction_whose_writer_lives_is_busy(request_: Request, wait: float) -> None:
    store = Path(request_.root)
    make_transaction(store)
    hurried = Request("worktree", request_.root, request_.repository, request_.parents, wait=wait)
    with held(store / ".repo-write.lock"), pytest.raises(BusyError) as caught:
        judge(hurried)
    assert caught.value.exit_code == 3
    assert ".repo-write.lock" in str(caught.value)


def test_a_transaction_whose_writer_died_is_not_settled(request_: Request) -> None:
    make_transaction(Path(request_.root))
    with pytest.raises(NotSettledError) as caught:
        judge(request_)
    assert caught.value.remedy == "jit recover"


def test_a_transaction_in_a_store_without_locks_is_not_settled(request_: Request) -> None:
    store = Path(request_.root)
    assert not any((store / name).exists() for name in READERS_LOCKS)
    make_transaction(store)
    with pytest.raises(NotSettledError):
        judge(request_)
    assert not any((store / name).exists() for name in READERS_LOCKS)


def test_a_transaction_that_ends_meanwhile_is_no_matter(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = make_transaction(Path(request_.root))
    read_again = WorktreeSnapshot.read_again

    def end_and_read(self: WorktreeSnapshot, paths: list[str], wait: float) -> WorktreeSnapshot:
        journal.unlink(missing_ok=True)
        return read_again(self, paths, wait)

    monkeypatch.setattr(WorktreeSnapshot, "read_again", end_and_read)
    assert judge(request_).errors == []


@pytest.mark.parametrize("name", READERS_LOCKS)
def test_a_problem_under_a_held_lock_is_busy_and_not_believed(request_: Request, name: str) -> None:
    store = Path(request_.root)
    next((store / "issues").glob("*.json")).unlink()
    hurried = Request("worktree", request_.root, request_.repository, request_.parents, wait=0.0)
    with held(store / name), pytest.raises(BusyError):
        judge(hurried)
    assert judge(hurried).verdict == "problems"


def test_all_locks_together_are_waited_for_once(request_: Request) -> None:
    """Three held locks do not take three times the patience."""
    store = Path(request_.root)
    snapshot = WorktreeSnapshot(request_.root, request_.repository)
    with held(store / ".events.lock"), pytest.raises(BusyError):
        snapshot.read_again((), 0.05)
    snapshot._waited = 10.0
    with held(store / ".repo-write.lock"), pytest.raises(BusyError) as caught:
        snapshot.read_again((), 5.0)
    assert caught.value.waited == 5.0


def test_what_a_moved_file_hid_is_found_by_the_second_reading(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue index is away for an instant while another file is truly broken: no false pass."""
    store = Path(request_.root)
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
    codes = {problem.code for problem in judge(request_).errors}
    assert "index-lists-missing" in codes
    assert "index-absent" not in codes


def test_a_broken_file_that_was_away_when_it_was_read_is_found(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Path(request_.root)
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
    assert "json-unparsable" in {problem.code for problem in judge(request_).errors}
