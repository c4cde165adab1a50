"""Bring a file back from a copy, and know when that loses nothing."""

from __future__ import annotations

import re

from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.store import layout
from jit_hooks.store.records import Record
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.times import instant_of, later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.repairs.context import Context, Copy
    from jit_hooks.store.store import Store

_TYPE_SHOWN = 40
"""Characters of an event's type that are shown: the log may hold any."""

_GAP_SECONDS = 1
"""Seconds for which an event may still tell of the save before it: a tracker saves the record, then appends."""

_WORD = re.compile(r"[^\s\"{}\[\],:\x00-\x1f\x7f\udc80-\udcff\ufffd]+")
_UNREADABLE_BYTE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def restored(store: Store, path: str, context: Context) -> Mend | Left:
    """The file as the best copy has it; the reason, when no copy may take its place.

    A copy that agrees with all that can still be read replaces the damaged bytes; any other only when the context
    allows it.
    """
    damaged = store.snapshot.read(path)
    if isinstance(damaged, TooLarge):
        return Left("it is too large to be read")
    good = None
    for copy in context.copies(path):
        if damaged == copy.data and is_sound(path, copy, context):
            return Mend()
        if is_sound(path, copy, context):
            if damaged is None or agrees(damaged, copy.data):
                return Mend({path: copy.data}, {path: f"as in {copy.source}{_later_than(store, path, copy, context)}"})
            good = good or copy
    if good is None:
        return Left("no sound copy of it is in git" if damaged is not None else "no copy of it is in git")
    if not context.unsafe:
        return Left(f"what can be read differs from the copy in {good.source}: --unsafe-fixes would take that")
    later_changes = _later_than(store, path, good, context)
    source = f"as in {good.source}, which differs from what can be read here{later_changes}"
    return Mend({path: good.data}, {path: source})


def _later_than(store: Store, path: str, copy: Copy, context: Context) -> str:
    """Words for what the event log tells of an issue after a copy of it was saved; empty when that is nothing.

    What the log of a parent with this very copy tells came with it.
    """
    if layout.kind_of(path) != "issue":
        return ""
    issue_id = layout.issue_id_of(path)
    saved = instant_of(Record(path, copy.data, context.accepted).members.get("updated_at"))
    logs = [parent.log for parent in context.parents if parent.snapshot.read(path) == copy.data]
    known = {event.id for log in logs for event in log.by_issue().get(issue_id, ())}
    after = [
        event
        for event in store.log.by_issue().get(issue_id, ())
        if event.id not in known and saved and event.instant > later(saved, _GAP_SECONDS)
    ]
    if not after:
        return ""
    last = max(after, key=lambda event: event.instant)
    what = str(last.type)[:_TYPE_SHOWN]
    return f"; the event log tells of a later change, which it lacks: {what} at {last.instant[:19]}Z"


def is_sound(path: str, copy: Copy, context: Context) -> bool:
    """True if a copy is a record that loads, under the id that its name says."""
    record = Record(path, copy.data, context.accepted)
    has_own_id = True
    if record.kind == "issue":
        has_own_id = record.members.get("id") == layout.issue_id_of(path)
    elif record.kind == "run":
        has_own_id = record.members.get("run_id") == layout.run_id_of(path)
    return record.loads and has_own_id


def has_sound_copy(path: str, context: Context) -> bool:
    """True if any copy of a record loads."""
    return any(is_sound(path, copy, context) for copy in context.copies(path))


def agrees(damaged: bytes, copy: bytes) -> bool:
    """True if a copy says all that can still be read of damaged bytes.

    They are empty, or a beginning of it, or differ from it in bytes that no text holds; NUL bytes at the end are what
    a power loss leaves of a file that was being written.
    """
    damaged = damaged.rstrip(b"\0")
    if not damaged.strip():
        return True
    if damaged.startswith(copy):
        return not re.search(rb"[^\s{}\[\],:]", damaged[len(copy) :])
    if len(damaged) > len(copy):
        return False
    unreadable = _unreadable(damaged)
    beginning = copy[: len(damaged)]
    if len(damaged) < len(copy) and unreadable:
        return False
    return all(one == other or at in unreadable for at, (one, other) in enumerate(zip(damaged, beginning, strict=True)))


def says_all(data: bytes, damaged: bytes) -> bool:
    """True if each word that can be read in damaged bytes stands in these; one that is cut, in some word of these."""
    whole = data.decode("utf-8")
    words = set(_WORD.findall(whole))
    text = damaged.rstrip(b"\0").decode("utf-8", "surrogateescape")
    for match in _WORD.finditer(text):
        around = text[match.start() - 1 : match.start()] + (text[match.end() : match.end() + 1] or "\0")
        is_cut = any(_is_unreadable(character) for character in around)
        if match[0] not in words and not (is_cut and match[0] in whole):
            return False
    return True


def _is_unreadable(character: str) -> bool:
    return not (character.isspace() or _WORD.match(character) or character in '"{}[],:')


def _unreadable(data: bytes) -> set[int]:
    """The places of bytes that no text of a record holds: control bytes, and those that are no UTF-8."""
    places = {match.start() for match in _UNREADABLE_BYTE.finditer(data)}
    text = data.decode("utf-8", "surrogateescape")
    if not text.isascii():
        at = 0
        for character in text:
            if "\udc80" <= character <= "\udcff":
                places.add(at)
                at += 1
            else:
                at += len(character.encode("utf-8"))
    return places
