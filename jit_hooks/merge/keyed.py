"""Lists of objects that are told apart by some of their members: documents and their assets.

Source: section 2.3 of the merge semantics, `documents` and `documents[].assets`.
"""

from __future__ import annotations

from jit_hooks.merge.register import Open, Several, Sides, Undecided, interleave, presence, respelled, three
from jit_hooks.merge.values import ABSENT
from jit_hooks.store.canonical import quoted

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

    Where a version holds two different entries of one identity (the tracker's `doc add` makes them), nothing tells
    which of them another version changed, so together they are one register. How often an entry is repeated is one too:
    were repeats to collapse, a merge could land on its base, and merging it again would undo that (law L7).
    """
    base, ours, theirs = (value if type(value) is list else [] for value in sides.all[:3])
    if sides.alternatives is None:
        if ours == theirs or (sides.is_based and base == ours):
            return presence(sides, list(theirs))
        if sides.is_based and base == theirs:
            return presence(sides, list(ours))
    groups = sides.map(lambda value: _grouped(value, identify, key))
    entries, several = _entries(groups, pointer, decisions, key, merge_entry)
    keep = {name for name, entry in entries.items() if entry is not ABSENT}
    names = [_names(value, identify, key, several) for value in (base, ours, theirs)]
    orders = [list(dict.fromkeys(listed)) for listed in names]
    merged: list[object] = []
    for name in interleave(orders[0], orders[1], orders[2], keep):
        merged.extend([entries[name]] * (1 if type(entries[name]) is Open else _count(name, names)))
    return presence(sides, merged)


def _entries(
    groups: Sides, pointer: Pointer, decisions: Decisions, key: Key, merge_entry: MergeEntry
) -> tuple[dict[str, object], set[tuple[str, ...]]]:
    """The merged entries by name, and the identities of which some version holds several entries."""
    identities: dict[tuple[str, ...], None] = {}
    for group in groups.all:
        identities.update(dict.fromkeys(group))  # type: ignore[call-overload]
    entries: dict[str, object] = {}
    several: set[tuple[str, ...]] = set()
    for identity in identities:
        versions, where = groups.member(identity), (*pointer, *identity)
        if all(value is ABSENT or len(value) == 1 for value in versions.all):  # type: ignore[arg-type]
            entries[_name(identity)] = _entry(versions.map(_first), where, decisions, key, merge_entry)
            continue
        kept = _agreed(versions) or three(versions, _names_of)
        if isinstance(kept, Undecided):
            entries[_name(identity)] = decisions.open(where, versions.map(_several), "it stands there more than once")
        elif type(kept) is dict:
            several.add(identity)
            entries.update((_name(identity, value), entry) for value, entry in kept.items())
    return entries, several


def _count(name: str, names: list[list[str]]) -> int:
    """How often an entry is repeated: as the side that changed it says, and of two the smaller."""
    base, ours, theirs = (listed.count(name) for listed in names)
    if not ours or not theirs or theirs == base:
        return ours or theirs
    return theirs if ours == base else min(ours, theirs)


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


def _agreed(versions: Sides) -> dict[Hashable, object]:
    """The entries when both sides have the same, each in its spelling."""
    if type(versions.ours) is not dict or _names_of(versions.ours) != _names_of(versions.theirs):
        return {}
    return {value: respelled(versions.member(value)) for value in versions.ours}


def _names_of(entries: object) -> Hashable:
    return frozenset(entries) if type(entries) is dict else ABSENT


def _several(entries: object) -> object:
    return Several(entries.values()) if type(entries) is dict else ABSENT


def _name(identity: tuple[str, ...], value: Hashable = None) -> str:
    """A text for ``interleave`` to sort by; the value tells entries of one identity apart."""
    text = f"[{', '.join(map(quoted, identity))}]"
    return text if value is None else f"{text} {_stable(value)}"


def _stable(value: object) -> str:
    """A text of a key that does not depend on the order of hashes."""
    if isinstance(value, tuple):
        return f"({' '.join(map(_stable, value))})"
    if isinstance(value, frozenset):
        return f"{{{' '.join(sorted(map(_stable, value)))}}}"
    return repr(value)


def _names(value: list[object], identify: Identify, key: Key, several: set[tuple[str, ...]]) -> list[str]:
    names = []
    for entry in value:
        identity = identify(entry)  # type: ignore[arg-type]
        names.append(_name(identity, key(entry) if identity in several else None))
    return names
