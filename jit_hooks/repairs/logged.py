"""Events written into the log: as another log has them, or made from a record."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import cast

from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.restore import agrees
from jit_hooks.store import layout, validators
from jit_hooks.store.canonical import is_sorted
from jit_hooks.store.layout import LOG
from jit_hooks.store.log import Event, is_event
from jit_hooks.store.reader import read_json
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.loss import Lost
    from jit_hooks.store.records import Issue
    from jit_hooks.store.store import Store

    Lines = Callable[[Problem, Issue, "Elsewhere"], list[bytes] | Left]

UNREADABLE = "the event log is no file that can be read"

BLANKS = b" \t\r\n"
"""Bytes around an event that are no part of it."""

ID_DIGITS = 8
"""How far into an event's id a torn line must reach to be known as its beginning."""


class Elsewhere:
    """The sound events that other logs hold and the store's own lacks."""

    def __init__(self, store: Store, context: Context) -> None:
        self.accepted = store.accepted
        self.sources = context.events_elsewhere(store.log.data)
        self._by_issue: list[dict[object, list[Lost]]] = []
        self._by_key: dict[bytes | int, list[Lost]] = {}
        self._taken: set[str] = set()

    def events(
        self, issue_id: str, is_wanted: Callable[[Event], bool], is_enough: Callable[[list[Event]], object]
    ) -> list[bytes]:
        """The lines of wanted events of one issue, the first ones of one log with which it is enough; else none."""
        for source in self.by_issue():
            lines: list[bytes] = []
            added: list[Event] = []
            for lost in source.get(issue_id, ()):
                event = Event(0, lost.document)
                if is_wanted(event) and is_sound(lost.document, self.accepted):
                    lines.append(lost.raw.strip(BLANKS))
                    added.append(event)
                    if is_enough(added):
                        return lines
        return []

    def by_issue(self) -> list[dict[object, list[Lost]]]:
        """By source its events, by the issue they name."""
        if not self._by_issue:
            for source in self.sources:
                grouped: dict[object, list[Lost]] = {}
                for lost in source:
                    about = lost.document.get("issue_id")
                    grouped.setdefault(about if type(about) is str else None, []).append(lost)
                self._by_issue.append(grouped)
        return self._by_issue

    def whole_of(self, torn: bytes) -> bytes | None:
        """The one line that a torn line must have been: it says all that can be read in it, its id too."""
        near = {lost.raw.strip(BLANKS): lost for key in _keys_of(torn) for lost in self.by_key().get(key, ())}
        candidates = [
            (raw, lost.name)
            for raw, lost in near.items()
            if lost.name not in self._taken and agrees(torn, raw) and is_sound(lost.document, self.accepted)
        ]
        if len(candidates) != 1:
            return None
        whole, name = candidates[0]
        self._taken.add(name)
        return whole

    def by_key(self) -> dict[bytes | int, list[Lost]]:
        """All events by the first digits of their id, and by the length of their line."""
        if not self._by_key:
            for lost in (lost for source in self.sources for lost in source):
                for key in (lost.name[:ID_DIGITS].encode("utf-8", "replace"), len(lost.raw.strip(BLANKS))):
                    self._by_key.setdefault(key, []).append(lost)
        return self._by_key


def _keys_of(torn: bytes) -> set[bytes | int]:
    """The keys a torn line may be found by: what can be the first digits of its id, and its length."""
    words = (word[:ID_DIGITS] for word in torn.split(b'"'))
    return {len(torn), *(word for word in words if len(word) == ID_DIGITS)}


def is_sound(document: dict[str, object], accepted: Accepted) -> bool:
    """True if the tracker can read an event; one of a type that we do not know is for it to say."""
    left = accepted.left(validators.event(document), document)
    return all(rule == "unknown-type" for _, rule, _ in left)


def with_events(store: Store, problems: list[Problem], context: Context, lines_for: Lines) -> Mend | Left:
    """The log with the lines for these problems of issues at its end, by time."""
    if not is_readable(store):
        return Left(UNREADABLE)
    if store.log.bad and store.log.bad[-1].torn:
        return Left("the event log ends in a torn line: nothing can be written behind it")
    elsewhere = Elsewhere(store, context)
    added: list[bytes] = []
    done = Mend()
    for problem in problems:
        issue = store.issue(layout.issue_id_of(problem.path))
        if issue is None:
            continue
        lines = _doubt_about(store, issue) or lines_for(problem, issue, elsewhere)
        if isinstance(lines, Left):
            done.left[problem.identity] = lines.reason
        else:
            added += lines
    added.sort(key=_instant_of_line)
    if added:
        data = store.log.data if store.log.terminated else store.log.data + b"\n"
        done.changes[LOG] = data + b"".join(line + b"\n" for line in dict.fromkeys(added))
    return done


def _doubt_about(store: Store, issue: Issue) -> Left | None:
    """The reason not to write an event of an issue, if there is one."""
    if issue.own_id != issue.id or not layout.is_uuid4(issue.id):
        return Left("the id of the issue itself is in doubt")
    if not store.log.is_sure_of(issue.id):
        return Left("a line of the log that cannot be read names the issue: it may be the event")
    return None


def _instant_of_line(line: bytes) -> str:
    document, _ = read_json(line)
    return instant_of(cast("dict[str, object]", document)["timestamp"])


def is_readable(store: Store) -> bool:
    """True if the log is a file that was read, or absent."""
    entry = store.snapshot.entry(LOG)
    return store.log.fault is None and (entry is None or entry.kind == "file")


def event_of(store: Store, issue: Issue, kind: str, time: object, **rest: object) -> list[bytes] | Left:
    """An event made from an issue, as a line; the reason, when the log has it already."""
    document = made(kind, issue.id, time, **rest)
    if any(event.id == document["id"] for event in store.log.events_of(issue.id)):
        return Left("the event is already logged, followed by another with the same time")
    return [spelled(store, issue.path, document)]


def made(kind: str, issue_id: object, time: object, **rest: object) -> dict[str, object]:
    """An event whose id is a digest of what it says, shaped like those the tracker gives."""
    facts = {"type": kind, "issue_id": issue_id, "timestamp": time, **rest}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = sha256(text.encode("utf-8")).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    event_id = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
    return {"type": kind, "id": event_id, "issue_id": issue_id, "timestamp": time, **rest}


def spelled(store: Store, path: str, document: dict[str, object]) -> bytes:
    """A new event as a line: members in the order of the log's last event, or of the record at this path."""
    return json.dumps(
        document, ensure_ascii=False, separators=(",", ":"), sort_keys=_writes_sorted(store, path)
    ).encode("utf-8")


def _writes_sorted(store: Store, path: str) -> bool:
    data = store.log.data
    end = len(data)
    while end > 0:
        begin = data.rfind(b"\n", 0, end) + 1
        document, _ = read_json(data[begin:end])
        if type(document) is dict and is_event(document):
            return is_sorted(document)
        end = begin - 1
    record = store.record(path)
    return record is not None and is_sorted(record.document)
