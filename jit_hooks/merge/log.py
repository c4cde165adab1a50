"""The merge of the event log: every line of both sides once, old lines where they are.

Source: section 2.6 of the merge semantics, law L11, and section 8: a fragment and the line that certifies it
are one element. The log is never marked; where something is open both sides' lines stay and a person is asked.
"""

from __future__ import annotations

from jit_hooks.merge.register import Conflict, Open, interleave
from jit_hooks.merge.values import ABSENT, plain, read_values, time
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from jit_hooks.merge.facts import Facts
    from jit_hooks.merge.register import Decisions

    Variants = dict[Hashable, "Element"]

CERTIFYING = frozenset(("profile_lifecycle", "profile_applied"))
"""Event types that vouch for a torn line right before them (``isolated_torn_tail``)."""


class Element:
    """One line of a log, or a torn line with the line that certifies it.

    Attributes:
        name: the event's id, or for a line that is none its bytes.
        raw: the line, without its end; two lines joined by one for a certified fragment.
        value: equal for equal events, whatever their spelling.
        rank: where it belongs among lines that only one side has: by instant, then id.
        work: ("claimed" or "finished", the issue's id) when the event says so; else None.
    """

    __slots__ = ("name", "rank", "raw", "value", "work")

    def __init__(
        self, name: bytes, raw: bytes, value: Hashable, rank: tuple[str, bytes], work: tuple[str, str] | None = None
    ) -> None:
        self.name = name
        self.raw = raw
        self.value = value
        self.rank = rank
        self.work = work


def merge_log(base: bytes, ours: bytes, theirs: bytes, decisions: Decisions, facts: Facts) -> tuple[memoryview, bytes]:
    """The merged log in two parts: what all three begin with, as it is and not parsed, and the merged rest.

    Each line of the rest ends in a newline. A line of the rest that repeats one of the common start is a repeat
    that one side holds already, for each side holds the start: it is carried like any damage of an input.
    """
    start = common_start(base, ours, theirs)
    tails = [elements_of(data[start:]) for data in (base, ours, theirs)]
    lines = _merge_elements(tails[0], tails[1], tails[2], decisions, facts)
    return memoryview(base)[:start], b"".join(line + b"\n" for line in lines)


def common_start(first: bytes, *others: bytes) -> int:
    """How many bytes of whole lines all of these begin with, less torn lines at the end of those."""
    start = min(_common_length(first, other) for other in others)
    start = first.rfind(b"\n", 0, start) + 1
    while start:
        line_start = first.rfind(b"\n", 0, start - 1) + 1
        if first[line_start:start].rstrip().endswith(b"}") and _event(first[line_start:start]) is not None:
            break
        start = line_start
    return start


def _common_length(one: bytes, other: bytes) -> int:
    if other.startswith(one):
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _event(line: bytes) -> dict[str, object] | None:
    document, _ = read_values(line)
    return document if type(document) is dict else None


def elements_of(data: bytes) -> list[Element]:
    """The lines of a log; blank ones say nothing, and one trailing carriage return is no part of a line."""
    found: list[Element] = []
    pending: bytes | None = None
    for whole in data.split(b"\n"):
        line = whole.removesuffix(b"\r")
        if not line.strip():
            continue
        event = _event(line)
        name = event.get("id") if event is not None else None
        if event is None or type(name) is not str:
            if pending is not None:
                found.append(_opaque(pending))
            pending = line
            if event is not None:
                found.append(_opaque(line))
                pending = None
            continue
        if pending is not None and not _certifies(event):
            found.append(_opaque(pending))
            pending = None
        at = event.get("timestamp")
        moment = instant(at) if type(at) is str else None
        ident = name.encode("utf-8", "surrogatepass")
        value = plain({**event, "timestamp": ABSENT}), time(at), pending
        raw = line if pending is None else pending + b"\n" + line
        found.append(Element(ident, raw, value, (moment or "", ident), _work(event)))
        pending = None
    if pending is not None:
        found.append(_opaque(pending))
    return found


def _work(event: dict[str, object]) -> tuple[str, str] | None:
    """The work on an issue that an event tells of, if two branches should not both do it."""
    issue = event.get("issue_id")
    if type(issue) is not str:
        return None
    if event.get("type") == "issue_claimed":
        return "claimed", issue
    is_done = event.get("type") == "issue_state_changed" and event.get("to") == "done"
    return ("finished", issue) if is_done else None


def _opaque(line: bytes) -> Element:
    return Element(line, line, line, ("", line))


def _certifies(event: dict[str, object]) -> bool:
    return event.get("type") in CERTIFYING and event.get("isolated_torn_tail") is True


def _merge_elements(
    base: list[Element], ours: list[Element], theirs: list[Element], decisions: Decisions, facts: Facts
) -> list[bytes]:
    versions = [by_name(side) for side in (base, ours, theirs)]
    chosen: dict[bytes, list[Element]] = {}
    for name in dict.fromkeys(name for version in versions for name in version):
        of_base, of_ours, of_theirs = (version.get(name, {}) for version in versions)
        chosen[name] = _choose(name, of_base, of_ours, of_theirs, decisions, facts)
    return _in_order((base, ours, theirs), versions, chosen)


def by_name(elements: list[Element]) -> dict[bytes, Variants]:
    """By name the different events of that name; equal ones in the most compact spelling."""
    found: dict[bytes, Variants] = {}
    for element in elements:
        variants = found.setdefault(element.name, {})
        there = variants.get(element.value)
        variants[element.value] = element if there is None else _compact(there, element)
    return found


def _compact(one: Element, other: Element) -> Element:
    """Of equal events the shorter line, of equally long ones the bytewise smaller."""
    return min(one, other, key=lambda element: (len(element.raw), element.raw))


def _choose(
    name: bytes, base: Variants, ours: Variants, theirs: Variants, decisions: Decisions, facts: Facts
) -> list[Element]:
    """The events of one name that stay: a register, but for a removal, which an append-only log does not have."""
    if ours.keys() == theirs.keys() or ours.keys() == base.keys() or theirs.keys() == base.keys():
        kept = theirs if ours.keys() == base.keys() else ours
        if not kept and base and not _may_go(name, ours or theirs, facts):
            kept = ours or theirs
            if kept:
                _say(name, base, ours, theirs, decisions, "one side no longer has this event, and a log only grows")
        return [_spelled(value, ours, theirs) for value in kept]
    if base and not (ours and theirs) and _may_go(name, base, facts):
        return list((ours or theirs).values())
    reason = (
        "one side no longer has this event, the other changed it"
        if not (ours and theirs)
        else ("the two sides give this event another content")
    )
    _say(name, base, ours, theirs, decisions, reason)
    return [_spelled(value, ours, theirs) for value in dict.fromkeys((*ours, *theirs))]


def _may_go(name: bytes, variants: Variants, facts: Facts) -> bool:
    """True if a line may be removed: one that is no event, or an event that the settings let go."""
    if all(type(value) is bytes for value in variants):
        return True
    return name.decode("utf-8", "surrogatepass") in facts.dropped_events()


def _spelled(value: Hashable, ours: Variants, theirs: Variants) -> Element:
    if value in ours and value in theirs:
        return _compact(ours[value], theirs[value])
    return ours[value] if value in ours else theirs[value]


def _say(name: bytes, base: Variants, ours: Variants, theirs: Variants, decisions: Decisions, reason: str) -> None:
    def shown(variants: Variants) -> object:
        lines = [element.raw.decode("utf-8", "replace") for element in variants.values()]
        return "\n".join(lines) if lines else ABSENT

    pointer = (name.decode("utf-8", "replace"),)
    decisions.conflicts.append(Conflict(pointer, Open(shown(ours), shown(base), shown(theirs)), reason))


def _in_order(
    sides: Iterable[list[Element]], versions: list[dict[bytes, Variants]], chosen: dict[bytes, list[Element]]
) -> list[bytes]:
    """The chosen lines by 2.2. A changed line keeps the place of its name; twins inside a version keep theirs.

    Twins have one instant and one id, so between them the bytes decide, or the order would depend on the sides.
    """
    twins = {name for version in versions for name, variants in version.items() if len(variants) > 1}
    ranks: dict[str, tuple[tuple[str, bytes], bytes]] = {}
    keep: dict[str, list[Element]] = {}
    numbers: dict[Hashable, str] = {}

    def place(element: Element) -> str:
        key = (element.name, element.value) if element.name in twins else element.name
        return numbers.setdefault(key, str(len(numbers)))

    orders = [list(dict.fromkeys(map(place, side))) for side in sides]
    for elements in chosen.values():
        for element in sorted(elements, key=lambda found: (found.rank, found.raw)):
            at = place(element)
            keep.setdefault(at, []).append(element)
            if at not in ranks:
                ranks[at] = element.rank, element.raw
    order = interleave(orders[0], orders[1], orders[2], keep.keys(), ranks)
    return [element.raw for at in order for element in keep[at]]
