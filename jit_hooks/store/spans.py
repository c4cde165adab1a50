"""Where things lie in JSON text: a small scanner instead of a second parse.

It remembers nothing, follows one path, needs no recursion, and goes as far into broken text as it can.
"""

from __future__ import annotations

import json
import re
from itertools import islice

from jit_hooks.problem import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,:{}\[\]"]+')
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def locate(data: bytes, pointer: str) -> int | None:
    """The byte offset of the value that an RFC 6901 pointer names in JSON text.

    Of a missing member: of the object it is missing from. In broken text: of the last sound place on the way.
    None when there is no text, or the pointer is none.
    """
    if not data.strip() or (pointer and not pointer.startswith("/")):
        return None
    at = _skip_blank(data, 0)
    for part in parts_of(pointer):
        below = _step(data, at, part)
        if below is None:
            break
        at = below
    return at


def find(data: bytes, pointer: str) -> int | None:
    """The byte offset of the value that an RFC 6901 pointer names in JSON text; None when there is no such value."""
    at: int | None = _skip_blank(data, 0)
    for part in parts_of(pointer):
        at = _step(data, at, part) if at is not None else None
    return at


def _skip_blank(data: bytes, at: int) -> int:
    found = _BLANK.match(data, at)
    return found.end() if found else at


def _step(data: bytes, at: int, part: str) -> int | None:
    """The beginning of the value of one member or element of the container at ``at``."""
    opening = data[at : at + 1]
    if opening == b"{":  # of two equal keys readers keep the last
        return next((begin for name, _, begin, _ in reversed(list(members(data, at))) if name == part), None)
    if opening == b"[" and part.isdecimal() and part.isascii():
        return next((begin for begin, _ in islice(elements(data, at), int(part), None)), None)
    return None


def members(data: bytes, at: int) -> Iterator[tuple[str | None, int, int, int | None]]:
    """The members of the object at ``at``: name, where its key begins, where its value begins and ends.

    The name is None for a key that cannot be read, the end None for a value that does not end.
    """
    at += 1
    while True:
        at = _skip_blank(data, at)
        key = _STRING.match(data, at)
        if key is None:
            return
        at = _skip_blank(data, key.end())
        if data[at : at + 1] != b":":
            return
        begin = _skip_blank(data, at + 1)
        if begin >= len(data):
            return
        end = value_end(data, begin)
        yield _key_text(key.group()), key.start(), begin, end
        if end is None:
            return
        at = _skip_blank(data, end)
        if data[at : at + 1] != b",":
            return
        at += 1


def elements(data: bytes, at: int) -> Iterator[tuple[int, int | None]]:
    """The elements of the list at ``at``: where each begins and ends; None for one that does not end."""
    at += 1
    while True:
        begin = _skip_blank(data, at)
        if begin >= len(data) or data[begin : begin + 1] in (b"]", b"}"):
            return
        end = value_end(data, begin)
        yield begin, end
        if end is None:
            return
        at = _skip_blank(data, end)
        if data[at : at + 1] != b",":
            return
        at += 1


def _key_text(raw: bytes) -> str | None:
    if b"\\" not in raw:
        return raw[1:-1].decode("utf-8", "replace")
    try:
        text = json.loads(raw.decode("utf-8", "replace"), strict=False)
    except ValueError:
        return None
    return text if type(text) is str else None


def value_end(data: bytes, at: int) -> int | None:
    """The end of a value; None when it has none."""
    if data[at : at + 1] not in (b"{", b"["):
        simple = _STRING.match(data, at) or _SCALAR.match(data, at)
        return simple.end() if simple else None
    depth = 0
    for found in _NESTING.finditer(data, at):
        token = found.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if not depth:
                return found.end()
    return None
