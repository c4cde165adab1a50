"""Repairs of the labels of an issue."""

from __future__ import annotations

from jit_hooks.repairs.lists import without_repeats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.repairs.outcome import Mend
    from jit_hooks.store.store import Store


def label_duplicate(store: Store, problem: Problem, _: Context) -> Mend:
    """Of a label that stands twice the first stays."""
    return without_repeats(store, problem, "labels")
