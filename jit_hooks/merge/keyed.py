"""Lists of objects that are told apart by some of their members: documents and their assets.

Source: section 2.3 of the merge semantics, `documents` and `documents[].assets`.
"""

from __future__ import annotations

import json

from jit_hooks.merge.register import Sides, Undecided, interleave, membership, presence, three
from jit_hooks.merge.values import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from jit_hooks.merge.register import Decisions, Pointer
    from jit_hooks.merge.values import Key

    Identify = Callable[[Mapping[str, object]], tuple[str, ...]]
    MergeEntry = Callable[[Sides, Pointer, Decisions], object]


def keyed_list(
    sides: Sides, pointer: Pointer, decisions: Decisions, identify: Identify, key: Key, merge_entry: MergeEntry
) -> object:
    """The merged list: entries by identity, their members by themselves, an entry removed and changed left open.

    Where a version holds two entries of one identity (the tracker's `doc add` makes them), those entries are a
    set of whole values. Equal repeats collapse, but only when both sides changed the list.
    """
    base, ours, theirs = (value if type(value) is list else [] for value in sides.all[:3])
    if sides.alternatives is None:
        if ours == theirs or (sides.is_based and base == ours):
            return presence(sides, list(theirs))
        if sides.is_based and base == theirs:
            return presence(sides, list(ours))
    groups = sides.map(lambda value: _grouped(value, identify, key))
    identities: dict[tuple[str, ...], None] = {}
    for group in groups.all:
        identities.update(dict.fromkeys(group))  # type: ignore[call-overload]
    found: dict[str, object] = {}
    keep: set[Hashable] = set()
    plural: set[tuple[str, ...]] = set()
    for identity in identities:
        versions = groups.member(identity)
        if any(value is not ABSENT and len(value) > 1 for value in versions.all):  # type: ignore[arg-type]
            plural.add(identity)
            keep |= _set_of_values(versions, identity, found)
            continue
        name = _name(identity)
        found[name] = _entry(versions.map(_first), (*pointer, *identity), decisions, key, merge_entry)
        if found[name] is not ABSENT:
            keep.add(name)
    orders = [_order(value, identify, key, plural) for value in (base, ours, theirs)]
    return presence(sides, [found[name] for name in interleave(orders[0], orders[1], orders[2], keep)])


def _entry(sides: Sides, pointer: Pointer, decisions: Decisions, key: Key, merge_entry: MergeEntry) -> object:
    found = three(sides, key)
    if not isinstance(found, Undecided):
        return found
    if sides.ours is ABSENT or sides.theirs is ABSENT:
        return decisions.open(pointer, sides, "one side removed it, the other changed it")
    return merge_entry(sides if sides.base is not ABSENT else sides.without_base(), pointer, decisions)


def _grouped(value: object, identify: Identify, key: Key) -> dict[tuple[str, ...], dict[Hashable, object]]:
    """By identity the distinct entries, by their key."""
    groups: dict[tuple[str, ...], dict[Hashable, object]] = {}
    for entry in value if type(value) is list else []:
        groups.setdefault(identify(entry), {}).setdefault(key(entry), entry)
    return groups


def _first(entries: object) -> object:
    return next(iter(entries.values())) if type(entries) is dict else ABSENT


def _set_of_values(versions: Sides, identity: tuple[str, ...], found: dict[str, object]) -> set[Hashable]:
    """Which of several entries with one identity stay; their values go into ``found``."""
    entries = versions.map(lambda value: {} if value is ABSENT else value)
    base, ours, theirs = (value for value in entries.all[:3] if type(value) is dict)
    kept = membership(base, ours, theirs, is_based=versions.is_based)
    names = set()
    for value in kept:
        name = _name(identity, value)
        found[name] = ours[value] if value in ours else theirs[value]
        names.add(name)
    return set(names)


def _name(identity: tuple[str, ...], value: Hashable = None) -> str:
    """A text for ``interleave`` to sort by; the value tells entries of one identity apart."""
    text = json.dumps(identity, ensure_ascii=False)
    return text if value is None else f"{text} {_stable(value)}"


def _stable(value: object) -> str:
    """A text of a key that does not depend on the order of hashes."""
    if isinstance(value, tuple):
        return f"({' '.join(map(_stable, value))})"
    if isinstance(value, frozenset):
        return f"{{{' '.join(sorted(map(_stable, value)))}}}"
    return repr(value)


def _order(value: list[object], identify: Identify, key: Key, plural: set[tuple[str, ...]]) -> list[str]:
    names: dict[str, None] = {}
    for entry in value:
        identity = identify(entry)  # type: ignore[arg-type]
        names[_name(identity, key(entry) if identity in plural else None)] = None
    return list(names)
