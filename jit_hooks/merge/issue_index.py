"""The merge of the issue index: the life of every id, and the two lists in each side's order.

Source: section 2.4 of the merge semantics, law L10. The lists are never open: whether an id and its file agree
is judged after the merge, and markers here would stop every command of the tracker.
"""

from __future__ import annotations

from jit_hooks.merge.register import BOTH, Sides, interleave, scalar, three, unknown
from jit_hooks.merge.values import ABSENT, Number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.merge.register import Decisions

NONE, ALIVE, TWICE, DEAD = "none", "alive", "in both lists", "dead"
LIFE = (NONE, ALIVE, TWICE, DEAD)
"""What the issue index says of an id, in the order of rule S4: the later stands. The tracker can write ``TWICE``."""

LISTS = ("all_ids", "deleted_ids")


def merge_index(sides: Sides, decisions: Decisions) -> dict[str, object]:
    """The merged issue index as a tree; only members this program does not know can be open."""
    names: dict[str, None] = {}
    orders = [list(value) if type(value) is dict else [] for value in sides.all[:3]]
    for order in orders:
        names.update(dict.fromkeys(order))
    merged: dict[str, object] = {}
    lists = {name: sides.member(name) for name in LISTS}
    are_lists = all(_are_ids(value) for found in lists.values() for value in found.all)
    for name in names:
        if name == "schema_version":
            merged[name] = _schema_version(sides.member(name), decisions)
        elif name not in LISTS or not are_lists:
            merged[name] = unknown(sides.member(name), (name,), decisions)
    if are_lists:
        merged.update(_lists(lists["all_ids"], lists["deleted_ids"], decisions))
        names.update(dict.fromkeys(LISTS))
    keep = {name for name, value in merged.items() if value is not ABSENT}
    return {name: merged[name] for name in interleave(orders[0], orders[1], orders[2], keep)} | {
        name: merged[name] for name in names if name in keep
    }


def _are_ids(value: object) -> bool:
    return value is ABSENT or (type(value) is list and all(type(item) is str for item in value))


def _schema_version(sides: Sides, decisions: Decisions) -> object:
    if three(sides) is BOTH and type(sides.ours) is type(sides.theirs) is Number:
        return max(sides.ours, sides.theirs, key=lambda number: (len(str(number)), str(number)))
    return scalar(sides, ("schema_version",), decisions)


def _lists(alive: Sides, dead: Sides, decisions: Decisions) -> dict[str, object]:
    base, ours, theirs = (_Lists(*pair) for pair in zip(alive.all[:3], dead.all[:3], strict=True))
    lives = {
        name: _life(name, base.life(name), ours.life(name), theirs.life(name), decisions)
        for name in dict.fromkeys((*base.names, *ours.names, *theirs.names))
    }
    keep_alive = {name for name, life in lives.items() if life in (ALIVE, TWICE)}
    keep_dead = {name for name, life in lives.items() if life in (DEAD, TWICE)}
    merged: dict[str, object] = {"all_ids": interleave(base.alive, ours.alive, theirs.alive, keep_alive)}
    if keep_dead or dead.ours is not ABSENT or dead.theirs is not ABSENT:
        merged["deleted_ids"] = interleave(base.dead, ours.dead, theirs.dead, keep_dead)
    return merged


class _Lists:
    """Both lists of one version, each id once."""

    __slots__ = ("alive", "alive_set", "dead", "dead_set", "names")

    def __init__(self, alive: object, dead: object) -> None:
        self.alive: list[str] = list(dict.fromkeys(alive)) if type(alive) is list else []
        self.dead: list[str] = list(dict.fromkeys(dead)) if type(dead) is list else []
        self.alive_set = frozenset(self.alive)
        self.dead_set = frozenset(self.dead)
        self.names = (*self.alive, *self.dead)

    def life(self, name: str) -> str:
        """The state of an id in this version."""
        if name in self.alive_set:
            return TWICE if name in self.dead_set else ALIVE
        return DEAD if name in self.dead_set else NONE


def _life(name: str, base: str, ours: str, theirs: str, decisions: Decisions) -> str:
    """The status register of one id; both changed: rule S4.

    A tombstone that only one side lost stays: the list of deleted ids grows, and an id leaves it only to live.
    """
    if ours == theirs:
        return ours
    if ours == base or theirs == base:
        changed = theirs if ours == base else ours
        if base in (DEAD, TWICE) and changed == NONE:
            decisions.note("S4", (name,), "stays deleted, though one side no longer says so")
            return DEAD if base == DEAD else max(ours, theirs, key=LIFE.index)
        return changed
    stands = max(ours, theirs, key=LIFE.index)
    decisions.note("S4", (name,), f"{stands} stands over {min(ours, theirs, key=LIFE.index)}")
    return stands
