"""Repairs to a fixed point: which of two goes first, what is dropped, what is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from drafts import drafted
from memory_stores import A, issue, store_of
from mended_stores import files_of, repaired

from jit_hooks.checks import CHECKS
from jit_hooks.judging import rounds as module
from jit_hooks.repairs import BY_CODE, Repair
from jit_hooks.repairs.context import Context
from jit_hooks.repairs.outcome import Mend
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import LOG
from jit_hooks.store.snapshot import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.judging.rounds import Draft
    from jit_hooks.problem import Problem
    from jit_hooks.store.store import Store

MEMBERS = {"issue_id": A, "timestamp": "2026-06-01T10:00:00Z"}
CREATED = {"type": "issue_created", "id": "1", **MEMBERS, "title": "T", "priority": "normal"}
LINE = json.dumps(CREATED, separators=(",", ":")).encode()
UNSHAPED = json.dumps({"type": "issue_created", "id": "2"} | MEMBERS).encode()


def mended(data: bytes) -> tuple[Draft, Context]:
    context = Context(accepted=Accepted())
    paths = store_of(issue(A, state="ready")) | {LOG: data}
    return drafted(files_of(paths), Focus(everything=True), CHECKS, context), context


def harmful(store: Store, _: Problem, __: Context) -> Mend:
    return Mend({LOG: store.log.data + b"\n" + UNSHAPED + b"\n"})


class Harmful(Repair):
    @property
    def function(self) -> Callable[..., Mend]:
        return harmful


def test_of_two_repairs_of_one_file_only_the_one_that_went_is_counted() -> None:
    done, _ = mended(LINE + b"\n" + LINE)
    assert done.fixes == {"event-log-unterminated": 1, "event-duplicate-id": 1}
    assert done.changes == {LOG: LINE + b"\n"}


def test_a_repair_that_does_harm_does_not_stop_the_one_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (Harmful("event-log-unterminated"), BY_CODE["event-duplicate-id"])
    monkeypatch.setattr(module, "REPAIRS", rows)
    done, context = mended(LINE + b"\n" + LINE + b"\n" + LINE)
    assert done.changes == {LOG: LINE + b"\n"}
    assert done.fixes == {"event-duplicate-id": 1}
    assert done.dropped["event-log-unterminated"].code == "event-malformed"
    assert any("event-malformed" in why for why in context.left.values())


def test_what_a_mended_line_newly_shows_is_news_and_no_harm() -> None:
    done, _ = mended(LINE + UNSHAPED + b"\n")
    assert done.changes == {LOG: LINE + b"\n" + UNSHAPED + b"\n"}
    assert "event-malformed" in {problem.code for problem in done.problems}


def test_a_repair_that_does_harm_is_dropped_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPAIRS", (Harmful("event-duplicate-id"),))
    done, _ = mended(LINE + b"\n" + LINE + b"\n")
    assert done.changes == {}
    assert done.dropped["event-duplicate-id"].code == "event-malformed"


# -- where nothing can be written ------------------------------------------------------------------

N = "11111111-2222-4333-8444-555555555555"
BROKEN = {f"gate-runs/{N}/result.json": b'{"x"'}
TORN = LINE + b"\n" + LINE[:30] + b"\n"
WHOLE = store_of(issue(A, state="ready")) | {LOG: LINE + b"\n"}
CUT = {"index.json": b'{"schema_version": 2, "all_ids": [\n'}
LINK, FOLDER = Entry("link"), Entry("directory")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        pytest.param(BROKEN | {"gate-runs-corrupt": LINK}, "gate-runs-corrupt is no directory", id="quarantine-a-link"),
        pytest.param(BROKEN | {f"gate-runs-corrupt/{N}": b""}, "is no directory", id="quarantine-a-file"),
        pytest.param({"gate-runs/x.lock/result.json": b"{"}, "lock", id="run-named-like-a-lock"),
        pytest.param({LOG: TORN, f"{LOG}.bak/": FOLDER}, "is a directory", id="backup-a-directory"),
        pytest.param({LOG: TORN, f"{LOG}.bak/x/y": b""}, "is a directory", id="backup-a-filled-directory"),
    ],
)
def test_what_cannot_be_written_is_left_and_the_rest_is(more: dict[str, object], word: str) -> None:
    done = repaired(WHOLE | CUT | more)
    assert done.changes.keys() == {"index.json"}
    assert [why for why in done.left.values() if word in why]


def test_of_two_runs_only_the_one_that_can_be_moved_is() -> None:
    free = f"gate-runs/{A}/result.json"
    done = repaired(WHOLE | BROKEN | {free: b"{", f"gate-runs-corrupt/{N}": b""})
    assert done.changes.keys() == {free, f"gate-runs/{A}/", f"gate-runs-corrupt/{A}/result.json"}


def test_issues_that_are_a_link_are_not_restored_through_it() -> None:
    there = {"index.json": WHOLE["index.json"], LOG: LINE, "issues": LINK}
    done = repaired(there, parents=[WHOLE])
    assert done.changes == {LOG: LINE + b"\n"}
    assert done.left["index-lists-missing"] == "issues is no directory"


def test_an_index_that_is_a_directory_is_left() -> None:
    there = {name: data for name, data in WHOLE.items() if name != "index.json"}
    done = repaired(there | {LOG: LINE, "index.json/": FOLDER}, parents=[WHOLE])
    assert done.changes == {LOG: LINE + b"\n"}


def test_a_lock_stays_in_the_directory_of_a_broken_run() -> None:
    lock = f"gate-runs/{N}/my.lock"
    done = repaired(WHOLE | CUT | BROKEN | {lock: b"hi"})
    assert done.changes.keys() == {"index.json", *BROKEN, f"gate-runs-corrupt/{N}/result.json"}
    assert done.files[lock] == b"hi"
