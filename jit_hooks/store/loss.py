"""What one event log holds and a later one lacks: for logs of any size, in memory that grows with the difference."""

from __future__ import annotations

import json
from hashlib import blake2b

from jit_hooks.store.log import CHUNK_LINES, digest_of, events_inside, is_event
from jit_hooks.store.reader import read_json, read_json_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 1 << 16

_FEW = 20
"""Up to how many lost events a search of the log for each is cheaper than one pass over all its words."""


class Lost:
    """An event of the older log that the newer one lacks.

    ``name`` is its id, or the digest of its line. ``is_changed`` when the newer log has another event of that
    id, which stands in its line ``line``.
    """

    __slots__ = ("document", "is_changed", "line", "name", "raw")

    def __init__(self, name: str, raw: bytes, document: dict[str, object], line: int) -> None:
        self.name = name
        self.raw = raw
        self.document = document
        self.line = line
        self.is_changed = bool(line)


def lost_events(before: bytes, now: bytes) -> Iterator[Lost]:
    """The events readable in ``before`` that ``now`` lacks or has otherwise, in their order.

    Only what lies between the first and the last difference is split, and only lines that the other side does
    not have are parsed.
    """
    start = common_start(before, now)
    end = common_end(before, now, start)
    older = before[start : len(before) - end].split(b"\n")
    new = set(now[start : len(now) - end].split(b"\n"))
    old = [line for line in older if line not in new]
    if not old:
        return
    new.difference_update(older)
    del older
    kept = {value_of(document) for _, document in _events(new)}
    del new
    gone = [(raw, document) for raw, document in _events(old) if value_of(document) not in kept]
    found = _lines_naming({_name_of(document) for _, document in gone}, now) if len(gone) > _FEW else None
    for raw, document in gone:
        yield from _missing(raw, document, now, found)


def _name_of(document: dict[str, object]) -> str:
    name = document.get("id")
    return name if type(name) is str else ""


def _missing(
    raw: bytes, document: dict[str, object], now: bytes, found: dict[str, list[tuple[int, bytes]]] | None
) -> Iterator[Lost]:
    """The event as lost, unless a line of the newer log outside the difference holds it after all."""
    name = _name_of(document)
    if not name:
        if raw not in now:
            yield Lost(digest_of(raw), raw, document, 0)
        return
    value, changed = value_of(document), 0
    for number, line in _search(name, now) if found is None else found[name]:
        for _, there in _events([line]):
            if value_of(there) == value:
                return
            if there.get("id") == name and not changed:
                changed = number
    yield Lost(name, raw, document, changed)


def _search(name: str, now: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a log that hold this name in quotes, each with its number."""
    needle = b'"%s"' % name.encode("utf-8", "replace")
    at = now.find(needle)
    while at >= 0:
        begin, stop = now.rfind(b"\n", 0, at) + 1, now.find(b"\n", at)
        stop = stop if stop >= 0 else len(now)
        yield now.count(b"\n", 0, begin) + 1, now[begin:stop]
        at = now.find(needle, stop)


def _lines_naming(names: set[str], now: bytes) -> dict[str, list[tuple[int, bytes]]]:
    """``_search`` for many names in one pass: what stands between two quotes is looked up, not searched for."""
    by_needle = {name.encode("utf-8", "replace"): name for name in names}
    found: dict[str, list[tuple[int, bytes]]] = {name: [] for name in names}
    for number, line in enumerate(now.split(b"\n"), 1):
        for name in {by_needle[piece] for piece in line.split(b'"') if piece in by_needle}:
            found[name].append((number, line))
    return found


def _events(lines: Iterable[bytes]) -> Iterator[tuple[bytes, dict[str, object]]]:
    """The objects readable in these lines, those inside glued lines too, each with its own bytes."""
    rest = [line for line in lines if line.strip()]
    for at in range(0, len(rest), CHUNK_LINES):
        chunk = rest[at : at + CHUNK_LINES]
        documents = read_json_lines(chunk)
        if documents is not None:
            yield from zip(chunk, documents, strict=True)
            continue
        for line in chunk:
            document, fault = read_json(line)
            if fault is None and type(document) is dict:
                yield line, document
            else:
                yield from ((line[begin:end], piece) for begin, end, piece in events_inside(line) if is_event(piece))


def value_of(document: object) -> bytes:
    """Equal for equal values: members in any order, ``1`` and ``1.0`` apart."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode("utf-8"), digest_size=16).digest()


def common_start(one: bytes, other: bytes) -> int:
    """How many bytes of whole lines two logs both begin with."""
    at, limit = 0, min(len(one), len(other))
    while at + BLOCK <= limit and one[at : at + BLOCK] == other[at : at + BLOCK]:
        at += BLOCK
    while at < limit and one[at] == other[at]:
        at += 1
    return one.rfind(b"\n", 0, at) + 1


def common_end(one: bytes, other: bytes, start: int) -> int:
    """How many bytes of whole lines both end with, after ``start``; up to a block more may be equal."""
    at, limit = 0, min(len(one), len(other)) - start - BLOCK
    while at <= limit and _block_before(one, at) == _block_before(other, at):
        at += BLOCK
    cut = one.find(b"\n", len(one) - at) if at else -1
    return len(one) - cut - 1 if cut >= 0 else 0


def _block_before(data: bytes, end: int) -> bytes:
    return data[len(data) - end - BLOCK : len(data) - end]
