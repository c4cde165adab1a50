"""The event log, read resiliently: every good event, and every line that is none.

One bad line costs the tracker the whole log; here it costs that line. Source of the shapes: the tracker's
``domain/event_catalog.rs`` and ``domain/event_log.rs``.
"""

from __future__ import annotations

from jit_hooks.store import layout, validators
from jit_hooks.store.reader import TextFault, read_json, read_json_lines, shared
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.validators import Fault

CHUNK_LINES = 2000
CHUNK_BYTES = 1 << 19
"""How much of a log is parsed at once: no more than that is in memory twice."""

MAX_TRIES = 64
"""How many places of one bad line are tried as the beginning of an event."""

CERTIFYING = frozenset(("profile_lifecycle", "profile_applied"))
"""Event types that can vouch for a torn line right before them (``isolated_torn_tail``)."""

NESTING = frozenset(("artifact_archive_executed", "profile_applied", "profile_lifecycle"))
"""Event types with objects inside; of all others the names of the members tell what is unknown."""


class Event:
    """One event as the checks need it.

    ``instant`` compares (``times.instant``) and is empty when the time cannot be read. ``from_state`` and
    ``to_state`` are set for state events, ``gate`` and ``by`` for gate events. ``line`` counts from 1 where the
    reading began and is 0 of an event before that; ``Log.line_of`` gives the line of the file.
    """

    __slots__ = ("by", "from_state", "gate", "id", "issue", "line", "time", "to_state", "type")

    def __init__(self, line: int, document: dict[str, object]) -> None:
        self.line = line
        self.type = shared(document.get("type"))
        self.id = document.get("id")
        self.issue = shared(document.get("issue_id"))
        self.time = document.get("timestamp")
        self.from_state = shared(document.get("from"))
        self.to_state = shared(document.get("to"))
        self.gate = shared(document.get("gate_key"))
        self.by = shared(document.get("updated_by"))

    @property
    def instant(self) -> str:
        """When it happened, in a form that compares."""
        return instant_of(self.time)


class BadLine:
    """A line that is not one JSON object: its number, byte offset, raw bytes and fault.

    ``certified`` when the next line vouches for it; ``torn`` when it ends the log without a newline.
    """

    __slots__ = ("_pieces", "certified", "fault", "line", "offset", "raw", "torn")

    def __init__(self, line: int, offset: int, raw: bytes, fault: TextFault, *, torn: bool) -> None:
        self.line = line
        self.offset = offset
        self.raw = raw
        self.fault = fault
        self.torn = torn
        self.certified = False
        self._pieces: list[tuple[int, int, dict[str, object]]] | None = None

    @property
    def name(self) -> str:
        """The name that a problem gives it: the first half of the SHA-256 of its bytes, 32 hex digits."""
        return digest_of(self.raw)

    @property
    def pieces(self) -> list[tuple[int, int, dict[str, object]]]:
        """The whole events inside it: first byte, byte after the last, document."""
        if self._pieces is None:
            self._pieces = events_inside(self.raw)
        return self._pieces

    @property
    def rest(self) -> bytes:
        """The bytes that are left when the whole events inside are taken out; empty when nothing but white space is."""
        left, at = [], 0
        for start, end, _ in self.pieces:
            left.append(self.raw[at:start])
            at = end
        left.append(self.raw[at:])
        return b" ".join(left).strip()


class FaultyEvent:
    """A parsed line that is not an event of the shape its type asks for."""

    __slots__ = ("_log", "document", "faults", "line", "offset")

    def __init__(self, log: Log, line: int, offset: int, document: dict[str, object], faults: list[Fault]) -> None:
        self._log = log
        self.line = line
        self.offset = offset
        self.document = document
        self.faults = faults

    @property
    def id(self) -> str:
        """The event's id, or an empty text when it has none."""
        value = self.document.get("id")
        return value if type(value) is str else ""

    @property
    def name(self) -> str:
        """The name that a problem gives it: its id, else the digest of its line."""
        return self.id or digest_of(self.raw)

    @property
    def raw(self) -> bytes:
        """The bytes of its line."""
        end = self._log.data.find(b"\n", self.offset)
        return self._log.data[self.offset : end if end >= 0 else None]

    @property
    def is_only_unknown(self) -> bool:
        """True if nothing is wrong with it but that its type is not known."""
        return all(rule == "unknown-type" for _, rule, _ in self.faults)


def digest_of(raw: bytes) -> str:
    """The first half of the SHA-256 of a line, in hex."""
    from hashlib import sha256

    return sha256(raw).hexdigest()[:32]


def events_inside(raw: bytes) -> list[tuple[int, int, dict[str, object]]]:
    """The whole events in a line that is not one: those that hold an ``id`` and a ``type``."""
    return objects_inside(raw, is_event, b'"id"')


_WINDOW = 1 << 16
"""How many characters of a bad line are looked at for the end of a record; of a few records, all of them."""


def objects_inside(
    raw: bytes, is_wanted: Callable[[dict[str, object]], bool], mark: bytes
) -> list[tuple[int, int, dict[str, object]]]:
    """The whole records in a line of a log that is not one: first byte, byte after the last, document.

    A torn line that another one was glued to ends anywhere, so each ``{"`` may begin a record; strict JSON that
    ``is_wanted`` is taken. ``mark`` stands once in each: what there is of it bounds the
    search, and so does the length of the line, for who wrote it may not choose how long it takes.
    """
    from json import JSONDecodeError, JSONDecoder

    text = raw.decode("utf-8", "surrogateescape")
    find_end = JSONDecoder().raw_decode
    found: list[tuple[int, int, dict[str, object]]] = []
    begin, at, counted, wide = 0, 0, 0, MAX_TRIES
    budget = MAX_TRIES * _WINDOW + 8 * len(raw)
    for _ in range(MAX_TRIES + raw.count(mark)):
        begin = text.find('{"', begin)
        if begin < 0 or budget < 0:
            break
        at += len(text[counted:begin].encode("utf-8", "surrogateescape"))
        counted = begin
        # An error counts the lines before it, so what is looked at begins here, and as a rule ends soon.
        window = text[begin : begin + _WINDOW]
        try:
            try:
                end = begin + find_end(window)[1]
            except JSONDecodeError as error:
                budget -= error.pos
                if len(window) < _WINDOW or not wide:
                    raise
                wide -= 1
                end = begin + find_end(text[begin:])[1]
        except (ValueError, RecursionError) as error:
            budget -= _WINDOW * isinstance(error, RecursionError)
            begin += 1
            continue
        stop = at + len(text[begin:end].encode("utf-8", "surrogateescape"))
        document, fault = read_json(raw[at:stop])
        if fault is None and type(document) is dict and is_wanted(document):
            found.append((at, stop, document))
            begin = end
        else:
            begin += 1
    return found


def is_event(document: dict[str, object]) -> bool:
    """True if an object says what every event says: which one it is, and of what type."""
    return type(document.get("id")) is str and type(document.get("type")) is str


class Log:
    """An event log from byte ``start`` on; what lies before counts as known and is read only when asked for.

    Attributes:
        data: the whole log.
        start: the beginning of the line that holds the byte asked for.
        fault: why nothing of it was read (``limit-exceeded``); None otherwise.
        events: the good events from ``start`` on, in file order.
        bad: the lines that are no object.
        faulty: the events without the shape of their type, and those of unknown type.
    """

    kind = "log"
    path = layout.LOG

    def __init__(self, data: bytes, accepted: Accepted, start: int = 0, *, fault: TextFault | None = None) -> None:
        self.data = data
        self.start = data.rfind(b"\n", 0, start) + 1
        self.accepted = accepted
        self.fault = fault
        self.events: list[Event] = []
        self.bad: list[BadLine] = []
        self.faulty: list[FaultyEvent] = []
        self._members: dict[str, set[str]] = {}
        self._by_issue: dict[object, list[Event]] | None = None
        self._histories: dict[str, tuple[list[Event], bool]] = {}
        self._unsure: frozenset[object] | None = None
        self._first_line = 0
        self._read()

    @property
    def terminated(self) -> bool:
        """True if the log ends in a newline, as every append needs; an empty log does."""
        return not self.data or self.data.endswith(b"\n")

    @property
    def first_line(self) -> int:
        """The number of the line that ``start`` begins."""
        if not self._first_line:
            self._first_line = self.data.count(b"\n", 0, self.start) + 1
        return self._first_line

    def _read(self) -> None:
        data, offset, number = self.data, self.start, 1
        while offset < len(data):
            end = data.find(b"\n", min(offset + CHUNK_BYTES, len(data) - 1)) + 1 or len(data)
            chunk = data[offset:end].split(b"\n")
            is_cut = bool(chunk[-1])
            if not is_cut:
                chunk.pop()
            documents = read_json_lines(chunk)
            for position, raw in enumerate(chunk):
                if documents is not None:
                    self._take(number, offset, documents[position])
                else:
                    self._take_slowly(number, offset, raw, torn=is_cut and position == len(chunk) - 1)
                number += 1
                offset += len(raw) + 1

    def _take(self, number: int, offset: int, document: dict[str, object]) -> None:
        faults = validators.event(document)
        if faults:
            faults = self.accepted.left(faults, document)
        kind = document.get("type")
        if type(kind) is str:
            members = self._members.get(kind)
            if members is None:
                self._members[kind] = set(document)
            elif not members.issuperset(document):
                members.update(document)
        if not faults:
            self.events.append(Event(number, document))
        else:
            faulty = FaultyEvent(self, self._line(number), offset, document, faults)
            self.faulty.append(faulty)
            if faulty.is_only_unknown:
                self.events.append(Event(number, document))
        if self.bad and self.bad[-1].line == self._line(number) - 1 and certifies(document):
            self.bad[-1].certified = self.bad[-1].fault.code != "conflict-marker"

    def _take_slowly(self, number: int, offset: int, raw: bytes, *, torn: bool) -> None:
        if not raw.strip(b" \t\r"):
            return
        document, fault = read_json(raw)
        if fault is None and type(document) is dict:
            self._take(number, offset, document)
            return
        if fault is None:
            fault = TextFault("event-unparsable", "is JSON, but not an object")
        self.bad.append(BadLine(self._line(number), offset, raw, fault, torn=torn))

    def _line(self, number: int) -> int:
        """The line of the file; it takes counting all lines before, which a log without faults is spared."""
        return self.first_line + number - 1

    @property
    def unknown_keys(self) -> list[tuple[int, str, str]]:
        """(line number, event id, pointer) of members that the tracker does not know."""
        named = [kind for kind, members in self._members.items() if self._has_unknown(kind, members)]
        if not named:
            return []
        found: list[tuple[int, str, str]] = []
        needles = [b'"%s"' % kind.encode() for kind in named]
        for number, raw in enumerate(self.data[self.start :].split(b"\n"), self.first_line):
            if any(needle in raw for needle in needles):
                document, fault = read_json(raw)
                if fault is None and type(document) is dict:
                    name = document.get("id")
                    shown = name if type(name) is str else digest_of(raw)
                    found.extend((number, shown, pointer) for pointer in validators.event_unknown(document))
        return found

    def _has_unknown(self, kind: str, members: set[str]) -> bool:
        return kind in NESTING or bool(validators.event_unknown(dict.fromkeys(members, None) | {"type": kind}))

    def by_issue(self) -> dict[object, list[Event]]:
        """The events from ``start`` on, by the issue they name, in file order; those inside bad lines too."""
        if self._by_issue is None:
            grouped: dict[object, list[Event]] = {}
            events = self.events
            if self.bad:
                events = sorted([*events, *self._salvaged()], key=lambda event: event.line)
            for event in events:
                grouped.setdefault(event.issue, []).append(event)
            self._by_issue = grouped
        return self._by_issue

    def _salvaged(self) -> Iterator[Event]:
        for bad in self.bad:
            for _, _, document in bad.pieces:
                if self._is_good(document):
                    yield Event(bad.line - self.first_line + 1, document)

    def _is_good(self, document: dict[str, object]) -> bool:
        left = self.accepted.left(validators.event(document), document)
        return all(rule == "unknown-type" for _, rule, _ in left)

    def events_of(self, issue_id: str) -> list[Event]:
        """Every good event of one issue in the whole log, in file order."""
        return self._history(issue_id)[0]

    def is_sure_of(self, issue_id: str) -> bool:
        """True if no line that cannot be read, or lacks the shape of its type, names this issue."""
        return self._history(issue_id)[1]

    def _history(self, issue_id: str) -> tuple[list[Event], bool]:
        known = self._histories.get(issue_id)
        if known is None:
            events, is_sure = self.by_issue().get(issue_id, []), not self._is_in_doubt(issue_id)
            if self.start:
                older, was_sure = self._older(issue_id)
                events, is_sure = [*older, *events], is_sure and was_sure
            known = self._histories[issue_id] = events, is_sure
        return known

    def _is_in_doubt(self, issue_id: str) -> bool:
        if self._unsure is None:
            self._unsure = frozenset(self._faulty_issues())
        if issue_id in self._unsure:
            return True
        needle = issue_id.encode("utf-8", "replace")
        return any(needle in bad.rest for bad in self.bad if not bad.certified and needle in bad.raw)

    def _faulty_issues(self) -> Iterator[object]:
        for faulty in self.faulty:
            issue_id = faulty.document.get("issue_id")
            if type(issue_id) is str and not faulty.is_only_unknown:
                yield issue_id

    def _older(self, issue_id: str) -> tuple[list[Event], bool]:
        """The good events of an issue before ``start``, and whether no other line there names it."""
        needle = issue_id.encode("utf-8", "replace")
        events, is_sure = [], True
        for raw in self._older_lines_with(needle):
            document, fault = read_json(raw)
            if fault is None and type(document) is dict:
                pieces = [document] if document.get("issue_id") == issue_id else []
            else:
                bad = BadLine(0, 0, raw, TextFault("event-unparsable", ""), torn=False)
                pieces = [piece for _, _, piece in bad.pieces if piece.get("issue_id") == issue_id]
                is_sure = is_sure and needle not in bad.rest
            for piece in pieces:
                if self._is_good(piece):
                    events.append(Event(0, piece))
                else:
                    is_sure = False
        return events, is_sure

    def _older_lines_with(self, needle: bytes) -> Iterator[bytes]:
        data, end = self.data, self.start
        at = data.find(needle, 0, end)
        while at >= 0:
            begin = data.rfind(b"\n", 0, at) + 1
            stop = data.find(b"\n", at, end)
            yield data[begin:stop]
            at = data.find(needle, stop, end)

    def holds_older(self, event_id: str) -> bool:
        """True if a line before ``start`` carries this event id."""
        needle = b'"%s"' % event_id.encode("utf-8", "replace")
        for line in self._older_lines_with(needle):
            document, _ = read_json(line)
            if type(document) is dict and document.get("id") == event_id:
                return True
        return False

    def lines_with_id(self, event_id: str) -> list[tuple[int, bytes]]:
        """The lines of the whole log that carry this event id: number, raw bytes."""
        needle = b'"%s"' % event_id.encode("utf-8", "replace")
        found, at = [], self.data.find(needle)
        while at >= 0:
            begin, end = self.data.rfind(b"\n", 0, at) + 1, self.data.find(b"\n", at)
            raw = self.data[begin : end if end >= 0 else None]
            document, _ = read_json(raw)
            if type(document) is dict and document.get("id") == event_id:
                found.append((self.data.count(b"\n", 0, begin) + 1, raw))
            at = self.data.find(needle, begin + len(raw))
        return found

    def line_of(self, event: Event) -> int:
        """The number of an event's line; 0 when it cannot be found again."""
        if event.line:
            return self._line(event.line)
        if type(event.id) is not str:
            return 0
        at = self.data.find(b'"%s"' % event.id.encode("utf-8", "replace"))
        return self.data.count(b"\n", 0, at) + 1 if at >= 0 else 0


def certifies(document: dict[str, object]) -> bool:
    """True if an event vouches for the torn line right before it."""
    return document.get("isolated_torn_tail") is True and document.get("type") in CERTIFYING
