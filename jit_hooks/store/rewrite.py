"""JSON text with one thing changed: order, spelling, indentation and final newline of all else stay as they are."""

from __future__ import annotations

from json.encoder import encode_basestring

from jit_hooks.store.canonical import DECLARED, in_order
from jit_hooks.store.spans import elements, find, members, value_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_BLANKS = b" \t\r\n"


def text_of(value: object, indent: str = "") -> bytes:
    """A value as JSON in the trackers' layout, its first line where it will stand, the others below ``indent``."""
    from jit_hooks.store.canonical import canonical

    return canonical("", value, sorted_members=False).replace(b"\n", b"\n" + indent.encode())


def value_at(data: bytes, pointer: str) -> bytes:
    """The text of the value a pointer names. The document must be sound and hold it."""
    begin, end = _span(data, pointer)
    return data[begin:end]


def replace_value(data: bytes, pointer: str, value: object) -> bytes:
    """The text with another value where the pointer leads. The document must be sound and hold it."""
    begin, end = _span(data, pointer)
    return data[:begin] + text_of(value, _indent_at(data, begin)) + data[end:]


def rewrite_list(data: bytes, pointer: str, keep: Iterable[int], more: Iterable[object] = ()) -> bytes:
    """The text with a list that holds the elements at these positions, in that order, and more values after them.

    What is kept keeps its spelling, and the list its layout.
    """
    begin, end = _span(data, pointer)
    spans = [(first, stop or first) for first, stop in elements(data, begin)]
    if spans:
        lead = data[begin + 1 : spans[0][0]]
        tail = data[spans[-1][1] : end - 1]
        between = data[spans[0][1] : spans[1][0]] if len(spans) > 1 else b"," + lead
    else:
        lead, between, tail = _layout_of_a_list(data, begin)
    indent = lead.rpartition(b"\n")[2].decode("ascii", "replace") if b"\n" in lead else ""
    texts = [data[spans[position][0] : spans[position][1]] for position in keep]
    texts.extend(text_of(value, indent) for value in more)
    body = lead + between.join(texts) + tail if texts else b""
    return data[: begin + 1] + body + data[end - 1 :]


def set_member(data: bytes, pointer: str, name: str, value: object, kind: str = "") -> bytes:
    """The text with a member of the object at ``pointer``: its value replaced, or the member put at its place.

    A new member goes where its name sorts when the object is sorted; else where the declared order of the record
    kind has it; else last.
    """
    begin, end = _span(data, pointer)
    found = [(key or "", at, first, stop or first) for key, at, first, stop in members(data, begin)]
    for key, _, first, stop in found:
        if key == name:
            return data[:first] + text_of(value, _indent_at(data, first)) + data[stop:]
    if found:
        lead = data[begin + 1 : found[0][1]]
    else:
        lead, _, tail = _layout_of_a_list(data, begin)
    indent = lead.rpartition(b"\n")[2].decode("ascii", "replace") if b"\n" in lead else ""
    colon = _colon(data, found[0][1], found[0][2]) if found else b": "
    text = encode_basestring(name).encode() + colon + text_of(value, indent)
    if not found:
        return data[: begin + 1] + lead + text + tail + data[end - 1 :]
    between = data[found[0][3] : found[1][1]] if len(found) > 1 else b"," + lead
    names = [key for key, *_ in found]
    if names == sorted(names):
        order = sorted([*names, name])
    elif kind in DECLARED and not pointer:
        order = in_order([*names, name], DECLARED[kind][0])
    else:
        order = [*names, name]
    before = order.index(name)
    if before < len(found):
        at = found[before][1]
        return data[:at] + text + between + data[at:]
    at = found[-1][3]
    return data[:at] + between + text + data[at:]


def remove_member(data: bytes, pointer: str, name: str) -> bytes:
    """The text without a member of the object at ``pointer``."""
    begin, end = _span(data, pointer)
    found = [(key, at, stop or at) for key, at, _, stop in members(data, begin)]
    place = next(number for number, (key, _, _) in enumerate(found) if key == name)
    if len(found) == 1:
        return data[: begin + 1] + data[end - 1 :]
    if place == len(found) - 1:
        return data[: found[place - 1][2]] + data[found[place][2] :]
    return data[: found[place][1]] + data[found[place + 1][1] :]


def _span(data: bytes, pointer: str) -> tuple[int, int]:
    begin = find(data, pointer)
    end = value_end(data, begin) if begin is not None else None
    if begin is None or end is None:
        message = f"there is no value at {pointer!r}"
        raise ValueError(message)
    return begin, end


def _colon(data: bytes, key: int, value: int) -> bytes:
    end = value_end(data, key) or key
    return data[end:value]


def _indent_at(data: bytes, at: int) -> str:
    """The white space that begins the line in which something stands."""
    line = data[data.rfind(b"\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(b" \t"))].decode("ascii")


def _layout_of_a_list(data: bytes, begin: int) -> tuple[bytes, bytes, bytes]:
    """The white space before, between and after the elements of a list or object that was empty."""
    first = next((at for at in range(1, len(data)) if data[at] not in _BLANKS), len(data))
    lead = data[data.find(b"{") + 1 : first] if data.startswith(b"{") else b"\n  "
    if b"\n" not in lead:
        return b"", b", ", b""
    here = _indent_at(data, begin).encode()
    unit = lead.rpartition(b"\n")[2]
    return b"\n" + here + unit, b",\n" + here + unit, b"\n" + here
