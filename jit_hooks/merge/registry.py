"""The merge of June's gate registry, `gates.json`: a map by gate key, and what a gate executes as one atom.

Source: section 2.5 of the merge semantics. v1's `gates.toml` is left to git's text merge, for its comments.
"""

from __future__ import annotations

from jit_hooks.merge.register import Sides, Undecided, by_key, scalar, three, unknown
from jit_hooks.merge.values import ABSENT, nullable, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from jit_hooks.merge.register import Decisions, Pointer

EXECUTED = ("stage", "mode", "auto", "checker")
"""What is run and when: one side's command never meets the other's environment."""


def merge_registry(sides: Sides, decisions: Decisions) -> dict[str, object]:
    """The merged registry as a tree with ``Open`` where a person must choose."""

    def member(found: Sides, pointer: Pointer) -> object:
        if pointer == ("gates",) and found.have(dict):
            return by_key(found, pointer, lambda gate, where: _gate(gate, where, decisions))
        return unknown(found, pointer, decisions)

    return by_key(sides, (), member)


def _gate(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    found = three(sides)
    if not isinstance(found, Undecided):
        return found
    if sides.ours is ABSENT or sides.theirs is ABSENT:
        return decisions.open(pointer, sides, "one side removed it, the other changed it")
    if not sides.have(dict):
        return unknown(sides, pointer, decisions)
    if sides.base is ABSENT:
        sides = sides.without_base()
    executed = three(sides.map(_executed), _executed_key)

    def member(found: Sides, where: Pointer) -> object:
        name = where[-1]
        if name not in EXECUTED:
            key = nullable if name == "example_integration" else plain
            return unknown(found, where, decisions) if name == "reserved" else scalar(found, where, decisions, key)
        if isinstance(executed, Undecided):
            if plain(found.ours) == plain(found.theirs):
                return found.ours
            return decisions.open(where, found, "what a gate executes is decided as a whole")
        return executed.get(name, ABSENT) if type(executed) is dict else ABSENT

    return by_key(sides, pointer, member)


def _executed(gate: object) -> object:
    return {name: gate[name] for name in EXECUTED if name in gate} if type(gate) is dict else ABSENT


def _executed_key(value: object) -> Hashable:
    return plain({} if value is ABSENT else value)
