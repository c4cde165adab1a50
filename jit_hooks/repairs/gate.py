"""Repairs of the gates that an issue requires, and of the gate registry."""

from __future__ import annotations

from jit_hooks.repairs.lists import without_repeats
from jit_hooks.repairs.outcome import Left
from jit_hooks.repairs.restore import restored
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.repairs.outcome import Mend
    from jit_hooks.store.store import Store


def gate_required_duplicate(store: Store, problem: Problem, _: Context) -> Mend:
    """Of a gate required twice the first stays."""
    return without_repeats(store, problem, "gates_required")


def registry_malformed(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """A gate registry, preset or profile that does not load comes back from a copy that agrees with it."""
    return restored(store, problem.path, context)


def registry_absent(store: Store, _: Problem, context: Context) -> Mend | Left:
    """The gate registry comes back from a copy: the file that was there last."""
    for path in (layout.GATES_TOML, layout.GATES_JSON):
        if context.copies(path):
            return restored(store, path, context)
    return Left("no copy of a gate registry is in git, or its deletion is staged")
