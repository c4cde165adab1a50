"""Repairs to a fixed point: which of two goes first, what is dropped, what is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checks_support import A, issue, store_of
from repairs_support import files_of

from jit_hooks.checks import CHECKS
from jit_hooks.repairs import BY_CODE, Repair
from jit_hooks.repairs import mend as module
from jit_hooks.repairs.context import Context
from jit_hooks.repairs.mend import Mended, mend
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import LOG

if TYPE_CHECKING:
    import pytest

    from jit_hooks.problem import Problem
    from jit_hooks.repairs import Function
    from jit_hooks.store.store import Store

MEMBERS = {"issue_id": A, "timestamp": "2026-06-01T10:00:00Z"}
CREATED = {"type": "issue_created", "id": "1", **MEMBERS, "title": "T", "priority": "normal"}
LINE = json.dumps(CREATED, separators=(",", ":")).encode()
UNSHAPED = json.dumps({"type": "issue_created", "id": "2"} | MEMBERS).encode()


def mended(data: bytes) -> tuple[Mended, Context]:
    context = Context(accepted=Accepted())
    paths = store_of(issue(A, state="ready")) | {LOG: data}
    return mend(files_of(paths), Focus(everything=True), CHECKS, context), context


def harmful(store: Store, problems: list[Problem], context: Context) -> dict[str, bytes | None]:
    del problems, context
    return {LOG: store.log.data + b"\n" + UNSHAPED + b"\n"}


class Harmful(Repair):
    @property
    def function(self) -> Function:
        return harmful


def test_of_two_repairs_of_one_file_only_the_one_that_went_is_counted() -> None:
    done, _ = mended(LINE + b"\n" + LINE)
    assert done.fixes == {"event-log-unterminated": 1, "event-duplicate-id": 1}
    assert done.changes == {LOG: LINE + b"\n"}


def test_a_repair_that_does_harm_does_not_stop_the_one_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (Harmful("event-log-unterminated", "event"), BY_CODE["event-duplicate-id"])
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
    monkeypatch.setattr(module, "REPAIRS", (Harmful("event-duplicate-id", "event"),))
    done, _ = mended(LINE + b"\n" + LINE + b"\n")
    assert done.changes == {}
    assert done.dropped["event-duplicate-id"].code == "event-malformed"
