"""What others write while a repair is planned: it is planned again under the locks, from memory, and git rests."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from test_repairs_worktree import fixed

from jit_hooks.errors import NewerStoreError, StaleError
from jit_hooks.journal.locks import tracker_locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from git_scratch import Scratch

    from jit_hooks.journal.locks import Held


class Moments:
    """Calls ``change`` before each attempt's locks are taken; counts the attempts, notes what is started under them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]) -> None:
        self.attempts = 0
        self.started: list[list[str]] = []
        held = False
        spawn = os.posix_spawnp

        @contextmanager
        def taken(*arguments: object, **words: object) -> Iterator[Held]:
            nonlocal held
            self.attempts += 1
            change(self.attempts)
            with tracker_locks(*arguments, **words) as found:  # type: ignore[arg-type]
                held = True
                try:
                    yield found
                finally:
                    held = False

        def start(name: str, arguments: list[str], *rest: object, **words: object) -> int:
            if held:
                self.started.append(arguments)
            return spawn(name, arguments, *rest, **words)  # type: ignore[arg-type]

        monkeypatch.setattr("jit_hooks.journal.execute.tracker_locks", taken)
        monkeypatch.setattr(os, "posix_spawnp", start)


def aged(scratch: Scratch) -> None:
    """Nothing in the store was written just now."""
    for path in scratch.data.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def cut_index(scratch: Scratch) -> Path:
    index = scratch.data / "index.json"
    index.write_bytes(index.read_bytes()[:-9])
    aged(scratch)
    return index


def test_an_issue_that_is_made_meanwhile_is_in_the_index_that_is_made_again(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = scratch.data / "index.json"

    def list_twice() -> None:
        read = json.loads(index.read_bytes())
        read["all_ids"].append(read["all_ids"][0])
        index.write_text(json.dumps(read))

    def create(attempt: int) -> None:
        if attempt == 1:
            new.append(scratch.tracker.create("Caulk the hull", labels=["type:task"]))
            scratch.lay()
            list_twice()

    new: list[str] = []
    list_twice()
    aged(scratch)
    moments = Moments(monkeypatch, create)
    report = fixed(scratch.top)
    assert (report.verdict, moments.attempts, moments.started) == ("healthy", 1, [])
    assert new[0] in json.loads(index.read_bytes())["all_ids"]
    assert report.repairs is not None
    assert report.repairs.entry == "1"


def test_what_only_git_can_tell_is_planned_from_the_beginning(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An issue is torn whose older versions nobody asked for before."""
    index = cut_index(scratch)
    issue = scratch.data / "issues" / f"{scratch.ids[0]}.json"
    whole = issue.read_bytes()
    issue.write_bytes(whole[:-20])
    scratch.record("torn")
    issue.write_bytes(whole)
    aged(scratch)

    def tear(attempt: int) -> None:
        if attempt == 1:
            issue.write_bytes(whole[:-30])
            os.utime(issue, (1_600_000_000, 1_600_000_000))
            index.write_bytes(index.read_bytes()[:-7])

    moments = Moments(monkeypatch, tear)
    report = fixed(scratch.top)
    assert (report.verdict, moments.attempts, moments.started) == ("healthy", 2, [])
    assert json.loads(issue.read_bytes()) == json.loads(whole)


def test_settings_that_change_meanwhile_are_read_from_the_beginning(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = cut_index(scratch)

    def set_aside(attempt: int) -> None:
        if attempt == 1:
            (scratch.data / "hooks.toml").write_text('[severity]\n"json-unparsable" = "off"\n')
            index.write_bytes(torn)

    torn = index.read_bytes()[:-7]
    Moments(monkeypatch, set_aside)
    report = fixed(scratch.top)
    assert report.repairs is not None
    assert report.repairs.plan == []
    assert index.read_bytes() == torn


def test_a_store_that_becomes_newer_meanwhile_is_left(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    index = cut_index(scratch)

    def grow(_: int) -> None:
        index.write_text('{"schema_version": 9, "all_ids": []}')

    Moments(monkeypatch, grow)
    with pytest.raises(NewerStoreError):
        fixed(scratch.top)
    assert json.loads(index.read_bytes())["schema_version"] == 9


def test_one_who_is_never_first_gives_up(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    index = cut_index(scratch)

    def change(attempt: int) -> None:
        (scratch.data / "hooks.toml").write_text(f"# {attempt}\n")
        index.write_bytes(index.read_bytes()[:-1])

    moments = Moments(monkeypatch, change)
    with pytest.raises(StaleError):
        fixed(scratch.top)
    assert moments.attempts == 3
