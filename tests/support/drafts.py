"""Repairs of a store in memory, without settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jit_hooks.judging.case import Case
from jit_hooks.judging.rounds import Draft, Known, draft_repairs
from jit_hooks.settings import Settings
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jit_hooks.checks import Check
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.focus import Focus
    from jit_hooks.store.snapshot import Snapshot


def drafted(
    snapshot: Snapshot,
    focus: Focus,
    checks: Iterable[Check],
    context: Context,
    wanted: Callable[[Problem], bool] = lambda _: True,
    known: Known | None = None,
) -> Draft:
    """All repairs to a fixed point."""
    case = Case(Store(snapshot), focus, Settings(), tuple(checks))
    return draft_repairs(case, context, wanted, known)
