"""The register: one atom in three versions, and the lists and maps made of atoms.

Source: sections 2.1 and 2.2 of the merge semantics. The laws named in docstrings are those of its section 1.3.
"""

from __future__ import annotations

from jit_hooks.merge.values import ABSENT, Absent, plain, says_nothing, spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

    from jit_hooks.merge.values import Key

    Pointer = tuple[str, ...]
    Entry = Callable[["Sides", Pointer], object]


class Open:
    """An atom in conflict, standing in the merged tree until an alternative is chosen."""

    __slots__ = ("base", "ours", "theirs")

    def __init__(self, ours: object, base: object, theirs: object) -> None:
        self.ours = ours
        self.base = base
        self.theirs = theirs


class Several:
    """Elements of a list that one alternative has in the place of one open atom."""

    __slots__ = ("items",)

    def __init__(self, items: Iterable[object]) -> None:
        self.items = tuple(items)

    def __eq__(self, other: object) -> bool:
        return type(other) is Several and self.items == other.items

    def __hash__(self) -> int:
        return hash(Several)

    def __repr__(self) -> str:
        return f"Several({self.items!r})"


class Sides:
    """One atom, or what holds atoms, in base, ours and theirs.

    Attributes:
        base, ours, theirs: the values; ``ABSENT`` where a version has none.
        is_based: whether there is a base at all. Without one, absent, null and empty say nothing.
        alternatives: what the two sides of an unresolved base hold here (criss-cross); None otherwise.
    """

    __slots__ = ("alternatives", "base", "is_based", "ours", "theirs")

    def __init__(
        self,
        base: object,
        ours: object,
        theirs: object,
        *,
        is_based: bool = True,
        alternatives: tuple[object, object] | None = None,
    ) -> None:
        self.base = base
        self.ours = ours
        self.theirs = theirs
        self.is_based = is_based
        self.alternatives = alternatives

    def map(self, change: Callable[[object], object]) -> Sides:
        """The same place seen otherwise in every version."""
        left_right = self.alternatives
        return Sides(
            change(self.base),
            change(self.ours),
            change(self.theirs),
            is_based=self.is_based,
            alternatives=None if left_right is None else (change(left_right[0]), change(left_right[1])),
        )

    def member(self, name: Hashable) -> Sides:
        """A member of the objects (or maps) that stand here."""
        return self.map(lambda value: value.get(name, ABSENT) if type(value) is dict else ABSENT)

    def without_base(self) -> Sides:
        """The same with nothing known of before."""
        return Sides(ABSENT, self.ours, self.theirs, is_based=False, alternatives=self.alternatives)

    def is_contested(self, key: Key) -> bool:
        """True if an unresolved base already had two values here."""
        return self.alternatives is not None and key(self.alternatives[0]) != key(self.alternatives[1])

    @property
    def all(self) -> tuple[object, ...]:
        """Every version, with those of an unresolved base."""
        return (self.base, self.ours, self.theirs, *(self.alternatives or ()))

    def have(self, kind: type) -> bool:
        """True if every version that has this holds a value of one type."""
        return all(type(value) is kind or value is ABSENT for value in self.all)

    @property
    def open(self) -> Open:
        """This atom in conflict; of a contested base nothing is shown."""
        return Open(self.ours, ABSENT if self.is_contested(plain) else self.base, self.theirs)


class Conflict:
    """An open atom: where it is, what the versions hold, and why nobody but a person may choose."""

    __slots__ = ("base", "ours", "pointer", "reason", "theirs")

    def __init__(self, pointer: Pointer, sides: Sides | Open, reason: str) -> None:
        self.pointer = pointer
        self.base = sides.base
        self.ours = sides.ours
        self.theirs = sides.theirs
        self.reason = reason

    def __repr__(self) -> str:
        return f"Conflict({'/'.join(self.pointer)}: {self.ours!r} | {self.base!r} | {self.theirs!r}: {self.reason})"


class Note:
    """Something a declared rule decided (``S1`` to ``S5``), or that a reader should look at (no rule)."""

    __slots__ = ("pointer", "rule", "text")

    def __init__(self, rule: str, pointer: Pointer, text: str) -> None:
        self.rule = rule
        self.pointer = pointer
        self.text = text

    def __repr__(self) -> str:
        return f"Note({self.rule}, {'/'.join(self.pointer)}: {self.text})"


class Decisions:
    """What a merge says beside the document: conflicts and notes, in the order of the members."""

    __slots__ = ("conflicts", "notes")

    def __init__(self) -> None:
        self.conflicts: list[Conflict] = []
        self.notes: list[Note] = []

    def open(self, pointer: Pointer, sides: Sides, reason: str) -> Open:
        """Leave an atom to a person; what stands in the tree for it."""
        found = sides.open
        self.conflicts.append(Conflict(pointer, found, reason))
        return found

    def note(self, rule: str, pointer: Pointer, text: str) -> None:
        """Say what a declared rule did."""
        self.notes.append(Note(rule, pointer, text))

    def is_open(self, *pointer: str) -> bool:
        """True if this very atom is in conflict."""
        return any(conflict.pointer == pointer for conflict in self.conflicts)


class Undecided:
    """The type of what ``three`` gives when the register alone cannot decide."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


BOTH = Undecided("both changed it")
CONTESTED = Undecided("the base was in conflict already")


def three(sides: Sides, key: Key = plain) -> object:
    """The value of a register: agreed, or changed on one side only; else ``BOTH`` or ``CONTESTED``.

    Laws L1, L7 and L9 rest on the order of the questions: agreement comes before a contested base, and that
    before "only one side changed it".
    """
    ours, theirs = key(sides.ours), key(sides.theirs)
    if ours == theirs:
        return respelled(sides)
    if sides.is_contested(key):
        return CONTESTED
    if not sides.is_based:
        if says_nothing(sides.ours):
            return sides.theirs
        return sides.ours if says_nothing(sides.theirs) else BOTH
    base = key(sides.base)
    if ours == base:
        return sides.theirs
    return sides.ours if theirs == base else BOTH


def respelled(sides: Sides) -> object:
    """One of two equal values: in the spelling of the side that changed it, else in the bytewise smaller one."""
    if sides.ours is sides.theirs or (type(sides.ours) is str and sides.ours == sides.theirs):
        return sides.ours
    ours, theirs, base = (spelling(value) for value in (sides.ours, sides.theirs, sides.base))
    if ours == theirs:
        return sides.ours
    if ours == base:
        return sides.theirs
    if theirs == base:
        return sides.ours
    return sides.ours if ours < theirs else sides.theirs


def scalar(sides: Sides, pointer: Pointer, decisions: Decisions, key: Key = plain) -> object:
    """A register that is open when both changed it."""
    found = three(sides, key)
    return decisions.open(pointer, sides, found.name) if isinstance(found, Undecided) else found


def unknown(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    """A member this program does not know (law L12): a register; two objects merge by key."""
    found = three(sides)
    if not isinstance(found, Undecided):
        return found
    if type(sides.ours) is dict and type(sides.theirs) is dict:
        return by_key(sides, pointer, lambda entry, where: unknown(entry, where, decisions))
    return decisions.open(pointer, sides, found.name)


def by_key(sides: Sides, pointer: Pointer, entry: Entry) -> dict[str, object]:
    """A map whose entries merge by themselves; the keys in the order of ``interleave``."""
    orders = [list(value) if type(value) is dict else [] for value in sides.all]
    names: dict[str, None] = dict.fromkeys(name for order in orders for name in order)
    merged = {name: entry(sides.member(name), (*pointer, name)) for name in names}
    keep = {name for name, value in merged.items() if value is not ABSENT}
    return {name: merged[name] for name in interleave(orders[0], orders[1], orders[2], keep)}


def presence(sides: Sides, merged: object) -> object:
    """An empty list or map that the versions do not all have: written when the register of its presence says so."""
    if merged:
        return merged
    there = sides.map(lambda value: value is not ABSENT)
    if there.ours is True and there.theirs is True:
        return merged
    found = three(there) if sides.is_based else True
    return merged if found is True else ABSENT


def membership(
    base: Collection[Hashable], ours: Collection[Hashable], theirs: Collection[Hashable], *, is_based: bool = True
) -> set[Hashable]:
    """The elements of the merged set. Two sides that both changed a membership agree, so it is never open."""
    base, ours, theirs = set(base), set(ours), set(theirs)
    if not is_based:
        return ours | theirs
    return (ours & theirs) | (ours - base) | (theirs - base)


def interleave(
    base: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    keep: Collection[Hashable],
    rank: Mapping[str, object] | None = None,
) -> list[str]:
    """The kept elements of three lists without repeats, in one order that does not depend on the sides (law L2).

    Each side's order stays; what only one side has goes before the next element both have, and between the two
    sides by ``rank`` (the element itself, without one). So branches that only append give the same list in
    whatever order they are merged (law L8). An element that neither side has goes last.

    Source: section 2.2. Its first shortcut is sound only for a list that holds all of ``keep``, for membership
    was decided elsewhere.
    """
    for same, other, changed in ((ours, theirs, ours), (base, ours, theirs), (base, theirs, ours)):
        if same == other and len(keep) == sum(element in keep for element in changed):
            return [element for element in changed if element in keep]
    in_ours = [element for element in ours if element in keep]
    in_theirs = [element for element in theirs if element in keep]
    both = set(in_ours).intersection(in_theirs)
    order_ours = [element for element in in_ours if element in both]
    order_theirs = [element for element in in_theirs if element in both]
    if order_ours != order_theirs:
        order = _order_of_both(base, order_ours, order_theirs, rank)
        in_ours, in_theirs = _reordered(in_ours, both, order), _reordered(in_theirs, both, order)
    merged = _walk(in_ours, in_theirs, both, rank)
    if len(merged) < len(keep):
        merged.extend(element for element in base if element in keep and element not in set(merged))
    return merged


def _order_of_both(
    base: Sequence[str], ours: list[str], theirs: list[str], rank: Mapping[str, object] | None
) -> list[str]:
    """The order of the elements both sides have: of the only side that departs from the base, else the smaller."""
    known = set(base)
    shared = set(ours)
    before = [element for element in base if element in shared]
    ours_departs = [element for element in ours if element in known] != before
    theirs_departs = [element for element in theirs if element in known] != before
    if ours_departs != theirs_departs:
        return ours if ours_departs else theirs
    if rank is None:
        return min(ours, theirs)
    return min(ours, theirs, key=lambda order: [rank[element] for element in order])


def _reordered(elements: list[str], both: set[str], order: list[str]) -> list[str]:
    following = iter(order)
    return [next(following) if element in both else element for element in elements]


def _walk(ours: list[str], theirs: list[str], both: set[str], rank: Mapping[str, object] | None) -> list[str]:
    merged: list[str] = []
    at, other = 0, 0
    while at < len(ours) and other < len(theirs):
        head, next_head = ours[at], theirs[other]
        if head == next_head:
            merged.append(head)
            at += 1
            other += 1
        elif head in both or (
            next_head not in both and (next_head < head if rank is None else rank[next_head] < rank[head])  # type: ignore[operator]
        ):
            merged.append(next_head)
            other += 1
        else:
            merged.append(head)
            at += 1
    return merged + ours[at:] + theirs[other:]


def choose(tree: object, which: str) -> object:
    """The merged tree with one alternative (``ours``, ``base`` or ``theirs``) for every open atom."""
    if type(tree) is Open:
        return getattr(tree, which)
    if type(tree) is dict:
        chosen = {name: choose(value, which) for name, value in tree.items()}
        return {name: value for name, value in chosen.items() if value is not ABSENT}
    if type(tree) is list:
        items: list[object] = []
        for item in tree:
            chosen_item = choose(item, which)
            if type(chosen_item) is Several:
                items.extend(chosen_item.items)
            elif chosen_item is not ABSENT:
                items.append(chosen_item)
        return items
    return tree


def is_open(tree: object) -> bool:
    """True if an open atom stands anywhere in a merged tree."""
    if type(tree) is dict:
        return any(map(is_open, tree.values()))
    if type(tree) is list:
        return any(map(is_open, tree))
    return type(tree) is Open


def strings(values: Iterable[object]) -> bool:
    """True if each of these values is a list of texts, or absent."""
    return all(
        isinstance(value, Absent) or (type(value) is list and all(type(item) is str for item in value))
        for value in values
    )
