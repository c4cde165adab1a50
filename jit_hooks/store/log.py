"""The event log, read resiliently: every good event, and every line that is none.

One bad line costs the tracker the whole log; here it costs that line. Source of the shapes: the tracker's
``domain/event_catalog.rs`` and ``domain/event_log.rs``.
"""

from __future__ import annotations

from jit_hooks.store import validators
from jit_hooks.store.reader import TextFault, read_json, read_json_lines
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.validators import Fault

CHUNK_LINES = 2000

CERTIFYING = frozenset(("profile_lifecycle", "profile_applied"))
"""Event types that can vouch for a torn line right before them (``isolated_torn_tail``)."""


class Event:
    """One event as the checks need it.

    ``instant`` compares (``times.instant``) and is empty when the time cannot be read. ``from_state`` and
    ``to_state`` are set for state events, ``gate`` and ``by`` for gate events. ``line`` counts from 1.
    """

    __slots__ = ("by", "from_state", "gate", "id", "instant", "issue", "line", "to_state", "type")

    def __init__(self, line: int, document: dict[str, object]) -> None:
        self.line = line
        self.type = document.get("type")
        self.id = document.get("id")
        self.issue = document.get("issue_id")
        time = document.get("timestamp")
        self.instant = (instant(time) or "") if type(time) is str else ""
        self.from_state = document.get("from")
        self.to_state = document.get("to")
        self.gate = document.get("gate_key")
        self.by = document.get("updated_by")


class BadLine:
    """A line that is not one JSON object: its number, byte offset, raw bytes and fault.

    ``certified`` when the next line vouches for it; ``torn`` when it ends the log without a newline.
    """

    __slots__ = ("certified", "fault", "line", "offset", "raw", "torn")

    def __init__(self, line: int, offset: int, raw: bytes, fault: TextFault, *, torn: bool) -> None:
        self.line = line
        self.offset = offset
        self.raw = raw
        self.fault = fault
        self.torn = torn
        self.certified = False


class FaultyEvent:
    """A parsed line that is not an event of the shape its type asks for."""

    __slots__ = ("document", "faults", "line", "offset")

    def __init__(self, line: int, offset: int, document: dict[str, object], faults: list[Fault]) -> None:
        self.line = line
        self.offset = offset
        self.document = document
        self.faults = faults

    @property
    def id(self) -> str:
        """The event's id, or an empty text when it has none."""
        value = self.document.get("id")
        return value if type(value) is str else ""


class Log:
    """An event log from byte ``start`` on; what lies before counts as known and is read only when asked for.

    Attributes:
        data: the whole log.
        events: the good events from ``start`` on, in file order.
        bad: the lines that are no object.
        faulty: the events without the shape of their type, and those of unknown type.
        unknown_keys: (line number, event id, pointer) of members that the tracker does not know.
    """

    def __init__(self, data: bytes, accepted: Accepted, start: int = 0) -> None:
        self.data = data
        self.start = start
        self.accepted = accepted
        self.events: list[Event] = []
        self.bad: list[BadLine] = []
        self.faulty: list[FaultyEvent] = []
        self.unknown_keys: list[tuple[int, str, str]] = []
        self._by_issue: dict[object, list[Event]] | None = None
        self._first_line = 0
        self._read()

    @property
    def terminated(self) -> bool:
        """Whether the log ends in a newline, as every append needs; an empty log does."""
        return not self.data or self.data.endswith(b"\n")

    @property
    def first_line(self) -> int:
        """The number of the line that ``start`` begins."""
        if not self._first_line:
            self._first_line = self.data.count(b"\n", 0, self.start) + 1
        return self._first_line

    def _read(self) -> None:
        if self.start >= len(self.data):
            return
        lines = self.data[self.start :].split(b"\n")
        tail_is_torn = bool(lines[-1])
        if not tail_is_torn:
            lines.pop()
        number, offset = self.first_line, self.start
        for at in range(0, len(lines), CHUNK_LINES):
            chunk = lines[at : at + CHUNK_LINES]
            documents = read_json_lines(chunk)
            if documents is not None:
                for document, raw in zip(documents, chunk, strict=True):
                    self._take(number, offset, document)
                    number += 1
                    offset += len(raw) + 1
                continue
            for raw in chunk:
                torn = tail_is_torn and number - self.first_line == len(lines) - 1
                self._take_slowly(number, offset, raw, torn=torn)
                number += 1
                offset += len(raw) + 1

    def _take(self, number: int, offset: int, document: dict[str, object]) -> None:
        faults = validators.event(document)
        if faults:
            faults = self.accepted.left(faults, document)
        if faults:
            self.faulty.append(FaultyEvent(number, offset, document, faults))
        unknown = validators.event_unknown(document)
        if unknown:
            name = document.get("id")
            self.unknown_keys.extend((number, name if type(name) is str else "", pointer) for pointer in unknown)
        if not faults or all(rule == "unknown-type" for _, rule, _ in faults):
            self.events.append(Event(number, document))
        if (
            self.bad
            and self.bad[-1].line == number - 1
            and document.get("isolated_torn_tail") is True
            and document.get("type") in CERTIFYING
        ):
            self.bad[-1].certified = True

    def _take_slowly(self, number: int, offset: int, raw: bytes, *, torn: bool) -> None:
        if not raw.strip(b" \t\r"):
            return
        document, fault = read_json(raw)
        if fault is None and type(document) is dict:
            self._take(number, offset, document)
            return
        if fault is None:
            fault = TextFault("event-unparsable", "is JSON, but not an object")
        self.bad.append(BadLine(number, offset, raw, fault, torn=torn))

    def by_issue(self) -> dict[object, list[Event]]:
        """The events from ``start`` on, by the issue they name, in file order."""
        if self._by_issue is None:
            grouped: dict[object, list[Event]] = {}
            for event in self.events:
                grouped.setdefault(event.issue, []).append(event)
            self._by_issue = grouped
        return self._by_issue

    def events_of(self, issue_id: str) -> list[Event]:
        """Every good event of one issue in the whole log, in file order."""
        if not self.start:
            return self.by_issue().get(issue_id, [])
        return [*self._older_events_of(issue_id), *self.by_issue().get(issue_id, [])]

    def _older_events_of(self, issue_id: str) -> Iterator[Event]:
        for line in self._older_lines_with(b'"%s"' % issue_id.encode("utf-8", "replace")):
            document, fault = read_json(line)
            if fault is None and type(document) is dict and document.get("issue_id") == issue_id:
                yield Event(0, document)

    def _older_lines_with(self, needle: bytes) -> Iterable[bytes]:
        data, end = self.data, self.start
        at = data.find(needle, 0, end)
        while at >= 0:
            begin = data.rfind(b"\n", 0, at) + 1
            stop = data.find(b"\n", at, end)
            yield data[begin:stop]
            at = data.find(needle, stop, end)

    def holds_older(self, event_id: str) -> bool:
        """Whether a line before ``start`` carries this event id."""
        needle = b'"%s"' % event_id.encode("utf-8", "replace")
        for line in self._older_lines_with(needle):
            document, _ = read_json(line)
            if type(document) is dict and document.get("id") == event_id:
                return True
        return False
