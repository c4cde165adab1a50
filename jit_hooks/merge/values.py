"""When two values of a record are equal, and which of two spellings stays.

Numbers are equal by their literal text and keep it, so that a merge never rewrites one. Times are equal as
instants, never as text. Source: section 1.2 of the merge semantics.
"""

from __future__ import annotations

from jit_hooks.store.canonical import canonical
from jit_hooks.store.reader import TextFault, decode, read_json, scanner_of
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    Key = Callable[[object], Hashable]


class Absent:
    """The type of ``ABSENT``: a member, an entry or an element that a version does not have."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


class Number:
    """A number of a document, as it is spelled: ``1``, ``1.0`` and ``1e0`` are three values."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Number and self.text == other.text

    def __hash__(self) -> int:
        return hash((Number, self.text))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Number({self.text!r})"


_scan = scanner_of(Number)


def read_values(data: bytes) -> tuple[object, TextFault | None]:
    """The document in these bytes with numbers as ``Number``; strict as ``reader.read_json``, whose faults it gives."""
    document, fault = read_json(data)
    if fault is not None:
        return None, fault
    return decode(data.decode("utf-8"), _scan) if _holds_number(document) else document, None


def _holds_number(document: object) -> bool:
    level = [document]
    while level:
        below: list[object] = []
        for value in level:
            if type(value) is int or type(value) is float:
                return True
            if type(value) is dict:
                below.extend(value.values())
            elif type(value) is list:
                below.extend(value)
        level = below
    return False


def plain(value: object) -> Hashable:
    """Equal for equal JSON values: the order of an object's members says nothing."""
    if type(value) is dict:
        return "{", frozenset((name, plain(member)) for name, member in value.items())
    if type(value) is list:
        return "[", tuple(map(plain, value))
    return value


def nullable(value: object) -> Hashable:
    """As ``plain``, for a member whose absence says the same as null."""
    return plain(None if value is ABSENT else value)


def time(value: object) -> Hashable:
    """As ``plain``, for a time: equal for the same instant."""
    moment = instant(value) if type(value) is str else None
    return ("@", moment) if moment is not None else plain(value)


def members(keys: dict[str, Key], default: Key = plain) -> Key:
    """The key of an object whose members have keys of their own; absent and null members say what those say."""

    def key(value: object) -> Hashable:
        if type(value) is not dict:
            return plain(value)
        told = {name: of(value.get(name, ABSENT)) for name, of in keys.items()}
        told.update((name, default(member)) for name, member in value.items() if name not in keys)
        return "{", frozenset(told.items())

    return key


def unordered(value: object) -> Hashable:
    """The key of a set-like list: by content; repeats count."""
    if type(value) is not list:
        return plain(value)
    count: dict[Hashable, int] = {}
    for item in value:
        key = plain(item)
        count[key] = count.get(key, 0) + 1
    return "[", frozenset(count.items())


def spelling(value: object) -> bytes:
    """The bytes of a value; absence comes after every spelling."""
    return b"\xff" if value is ABSENT else canonical("", value, sorted_members=False)


def says_nothing(value: object) -> bool:
    """True if a value gives way when there is no base to tell who changed it: absent, null and empty."""
    return value is ABSENT or value is None or value in ("", [], {}, ())
