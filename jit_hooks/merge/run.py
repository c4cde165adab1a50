"""The merge of one gate run, which nothing should ever change.

Source: section 2.7 of the merge semantics, and section 8 for the members since v1.
"""

from __future__ import annotations

from jit_hooks.merge.register import Sides, by_key, scalar
from jit_hooks.merge.values import ABSENT, nullable, plain, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from jit_hooks.merge.register import Decisions, Pointer
    from jit_hooks.merge.values import Key


def _origin(value: object) -> Hashable:
    """The origin of a verdict; no member says `executed`."""
    return plain({"derivation": "executed"} if value is ABSENT else value)


KEYS: Mapping[str, Key] = {
    "started_at": time,
    "completed_at": time,
    "tree_dirty": nullable,
    "origin": _origin,
}


def merge_run(sides: Sides, decisions: Decisions) -> dict[str, object]:
    """The merged run as a tree: a member changed on one side is taken, one changed on both is open."""

    def member(found: Sides, pointer: Pointer) -> object:
        return scalar(found, pointer, decisions, KEYS.get(pointer[-1], plain))

    return by_key(sides, (), member)
