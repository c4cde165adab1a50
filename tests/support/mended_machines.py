"""Repairs of stores in memory: a snapshot goes in, and what the repairs make of it comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drafts import drafted

from jit_hooks.checks import CHECKS
from jit_hooks.repairs.context import Context, Copy
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Overlay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jit_hooks.judging.rounds import Draft
    from jit_hooks.store.snapshot import Files

NOW = "2026-06-02T10:30:00Z"


def mended(
    snapshot: Files,
    *,
    unsafe: bool = False,
    now: str = NOW,
    copies: Mapping[str, bytes] | None = None,
    codes: Iterable[str] = (),
) -> tuple[Draft, Context]:
    """All repairs to a fixed point; the same twice, and nothing more to do on what they leave."""
    wanted = set(codes)
    checks = [row for row in CHECKS if not wanted or row.code in wanted]

    def context() -> Context:
        found = copies or {}
        return Context(
            accepted=Accepted(),
            copies=lambda path: [Copy("a copy", found[path])] if path in found else (),
            unsafe=unsafe,
            now=now,
        )

    focus = Focus(everything=True)
    said = context()
    done = drafted(snapshot, focus, checks, said)
    assert drafted(snapshot, focus, checks, context()).changes == done.changes
    if done.changes:
        again = drafted(Overlay(snapshot, done.changes), focus, checks, context())
        assert again.changes == {}
        assert {problem.identity for problem in again.problems} == {problem.identity for problem in done.problems}
    return done, said
