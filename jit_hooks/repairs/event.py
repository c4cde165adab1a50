"""Repairs of the event log: every readable event on a line of its own, and what records prove is said again.

No line is thrown away: what is no event is kept in ``events.jsonl.bak``. An event that some other log holds is taken
from there; only one that is nowhere is made from the record, with the record's time and an id that is a digest of its
facts, so that every clone makes the same.
"""

from __future__ import annotations

from typing import cast

from jit_hooks.checks.event import VERDICTS, Walk, is_completed, last_done, leads_to, verdicts
from jit_hooks.checks.run import EXECUTOR
from jit_hooks.repairs.restore import agrees
from jit_hooks.store import layout, validators
from jit_hooks.store.canonical import is_sorted
from jit_hooks.store.layout import LOG, LOG_BACKUP
from jit_hooks.store.log import Event, Log, events_inside, is_event
from jit_hooks.store.loss import common_end, common_start, lost_events
from jit_hooks.store.reader import read_json
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.log import BadLine
    from jit_hooks.store.loss import Lost
    from jit_hooks.store.records import Issue
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]

_BOM = b"\xef\xbb\xbf"
_UTF_16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_BLANKS = b" \t\r\n"

ID_DIGITS = 8
"""How far into an event's id a torn line must reach to be known as its beginning."""


def text_not_utf8(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Lines that are not UTF-8, as another log has them, or put aside; a log saved as UTF-16 is written as UTF-8."""
    data = store.log.data
    again = _in_utf_8(data)
    if any(lost_events(again, data)) and not any(lost_events(data, again)):
        context.say(LOG, "the same text in UTF-8")
        return {LOG: again}
    return _taken_apart(store, problems, context)


def _in_utf_8(data: bytes) -> bytes:
    """A log in UTF-16, in UTF-8; what a tracker appended since stays as it is. Empty when it is not in UTF-16.

    In UTF-16 each brace and each quote holds a NUL byte, in UTF-8 no event does: behind the last one it begins.
    """
    for mark, encoding in _UTF_16:
        if data.startswith(mark):
            end = data.rfind(b"\0") + (1 if encoding == "utf-16-le" else 2)
            try:
                return data[len(mark) : end].decode(encoding).encode("utf-8") + data[end:]
            except UnicodeError:
                break
    return b""


def event_unparsable(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Glued events get a line each; a torn one is taken whole from another log, or its fragment is put aside."""
    return _taken_apart(store, problems, context)


def event_log_unterminated(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The newline at the end."""
    del problems, context
    return {LOG: store.log.data + b"\n"}


def event_lost(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The parents' lines back where they stood; a line that says something else now is put aside for them."""
    if not _is_readable(store, problems, context):
        return {}
    data, aside = store.log.data, []
    for number, parent in enumerate(context.parents):
        before = parent.log_data
        if type(before) is bytes:
            others = [other for at, other in enumerate(context.parents) if at != number]
            data, changed = _Return(before, data, others, problems, context).lines()
            aside += changed
    if data == store.log.data:
        return {}
    return _with_backup(store, data, aside, problems, context)


def event_duplicate_id(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Of equal lines with one event id the first stays."""
    lines = _lines(store.log.data)
    places = _places_of({problem.record for problem in problems}, lines)
    certified = {bad.line for bad in store.log.bad if bad.certified}
    gone: set[int] = set()
    for problem in problems:
        again = places[problem.record]
        if len({lines[at].rstrip(b"\n") for at in again}) != 1:
            context.leave(problem, "lines that differ share the id: which of them is true, a person knows")
        elif any(at in certified for at in again[1:]):  # lines are counted from 1: this is the line before
            context.leave(problem, "a torn line before one of them is certified by it")
        else:
            gone.update(again[1:])
    return {LOG: b"".join(line for at, line in enumerate(lines) if at not in gone)}


def event_created_missing(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The event as another log has it; else one made from the issue, with its ``created_at``."""

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes]:
        real = elsewhere.events(issue.id, lambda event: event.type == "issue_created", bool)
        if real:
            return real
        if not issue.created_at:
            context.leave(problem, "no log has it, and the issue does not say when it was created")
            return []
        return _made(
            store,
            problem,
            issue,
            "issue_created",
            issue.created_at,
            context,
            title=issue.title,
            priority=issue.priority,
        )

    return with_events(store, problems, context, lines)


def event_state_mismatch(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The moves as another log has them; else one from where the events end to the state, at ``updated_at``.

    Only when the issue is as new as its last move: of an older one the log may know more than the record.
    """

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes]:
        events = store.log.events_of(issue.id)
        real = elsewhere.events(
            issue.id,
            lambda event: event.type == "issue_state_changed",
            lambda added: leads_to([*events, *added], issue),
        )
        if real:
            return real
        moves = [event for event in events if event.type == "issue_state_changed"]
        time: object = issue.updated_at
        if not time:
            context.leave(problem, "no log has the move, and the issue does not say when it was updated")
            return []
        last = max(moves, key=lambda event: event.instant, default=None)
        if last is not None and instant_of(time) < last.instant:
            if not context.unsafe:
                why = "its last state event is newer than the issue: --unsafe-fixes would believe the issue"
                context.leave(problem, why)
                return []
            time = last.time
        start = Walk(events).heads[-1] if moves else "ready"
        return _made(store, problem, issue, "issue_state_changed", time, context, **{"from": start, "to": issue.state})

    return with_events(store, problems, context, lines)


def event_completed_missing(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The event as another log has it; else one at the time of the move to ``done``."""

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes]:
        events = store.log.events_of(issue.id)
        real = elsewhere.events(
            issue.id, lambda event: event.type == "issue_completed", lambda added: is_completed([*events, *added])
        )
        if real:
            return real
        done = last_done(events)
        if done is None:
            context.leave(problem, "no event says when it was done")
            return []
        return _made(store, problem, issue, "issue_completed", done.time, context)

    return with_events(store, problems, context, lines)


def event_gate_mismatch(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The verdict's event as another log has it; else one made from the verdict, at its time."""

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes]:
        gate, events = problem.subject, store.log.events_of(issue.id)
        status = issue.gates_status.get(gate)
        kind = next((kind for kind, word in VERDICTS.items() if status is not None and word == status.status), "")
        if status is None or not kind:
            context.leave(problem, "no event says that a gate is open again: which of the two is true, a person knows")
            return []
        runs = store.runs_of(issue.id) if status.by == EXECUTOR else []
        if any(run.gate == gate and instant_of(run.started_at) > instant_of(status.at) for run in runs):
            context.leave(problem, "a run of the gate is newer than the verdict")
            return []
        real = elsewhere.events(
            issue.id,
            lambda event: (
                (event.type, event.gate, event.by) == (kind, gate, status.by) and event.instant >= instant_of(status.at)
            ),
            lambda added: verdicts([*events, *added])[0].get(gate) == status.status,
        )
        if real:
            return real
        if any(event.gate == gate and event.instant > instant_of(status.at) for event in events):
            context.leave(problem, "an event of the gate is newer than the verdict: which is true, a person knows")
            return []
        return _made(store, problem, issue, kind, status.at, context, gate_key=gate, updated_by=status.by)

    return with_events(store, problems, context, lines)


# -- events that are written -----------------------------------------------------------------------


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
                    lines.append(lost.raw.strip(_BLANKS))
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
        near = {lost.raw.strip(_BLANKS): lost for key in _keys_of(torn) for lost in self.by_key().get(key, ())}
        found = [
            (raw, lost.name)
            for raw, lost in near.items()
            if lost.name not in self._taken and agrees(torn, raw) and is_sound(lost.document, self.accepted)
        ]
        if len(found) != 1:
            return None
        self._taken.add(found[0][1])
        return found[0][0]

    def by_key(self) -> dict[bytes | int, list[Lost]]:
        """All events by the first digits of their id, and by the length of their line."""
        if not self._by_key:
            for lost in (lost for source in self.sources for lost in source):
                for key in (lost.name[:ID_DIGITS].encode("utf-8", "replace"), len(lost.raw.strip(_BLANKS))):
                    self._by_key.setdefault(key, []).append(lost)
        return self._by_key


def _keys_of(torn: bytes) -> set[bytes | int]:
    """What a torn line may be found by: what can be the first digits of its id, and its length."""
    words = (word[:ID_DIGITS] for word in torn.split(b'"'))
    return {len(torn), *(word for word in words if len(word) == ID_DIGITS)}


def is_sound(document: dict[str, object], accepted: Accepted) -> bool:
    """Whether the tracker can read an event; one of a type that we do not know is for it to say."""
    left = accepted.left(validators.event(document), document)
    return all(rule == "unknown-type" for _, rule, _ in left)


def with_events(
    store: Store,
    problems: list[Problem],
    context: Context,
    lines_of: Callable[[Problem, Issue, Elsewhere], list[bytes]],
) -> Changes:
    """The log with the lines for these problems of issues at its end, by time."""
    if not _is_readable(store, problems, context):
        return {}
    if store.log.bad and store.log.bad[-1].torn:
        for problem in problems:
            context.leave(problem, "the event log ends in a torn line: nothing can be written behind it")
        return {}
    elsewhere = Elsewhere(store, context)
    found: list[bytes] = []
    for problem in problems:
        issue = store.issue(layout.issue_id_of(problem.path))
        if issue is None:
            continue
        if issue.own_id != issue.id or not layout.is_uuid4(issue.id):
            context.leave(problem, "the id of the issue itself is in doubt")
        elif not store.log.is_sure_of(issue.id):
            context.leave(problem, "a line of the log that cannot be read names the issue: it may be the event")
        else:
            found += lines_of(problem, issue, elsewhere)
    found.sort(key=_instant_of_line)
    data = store.log.data if store.log.terminated else store.log.data + b"\n"
    return {LOG: data + b"".join(line + b"\n" for line in dict.fromkeys(found))} if found else {}


def _instant_of_line(line: bytes) -> str:
    document, _ = read_json(line)
    return instant_of(cast("dict[str, object]", document)["timestamp"])


def _is_readable(store: Store, problems: list[Problem], context: Context) -> bool:
    """Whether the log is a file that was read, or absent; else that is left with the problems."""
    entry = store.snapshot.entry(LOG)
    if store.log.fault is None and (entry is None or entry.kind == "file"):
        return True
    for problem in problems:
        context.leave(problem, "the event log is no file that can be read")
    return False


def _made(
    store: Store, problem: Problem, issue: Issue, kind: str, time: object, context: Context, **rest: object
) -> list[bytes]:
    """An event made from an issue, as a line; nothing, with the reason left, when the log has it already."""
    document = made(kind, issue.id, time, **rest)
    if any(event.id == document["id"] for event in store.log.events_of(issue.id)):
        context.leave(problem, "the log has this very event, and another of the same time after it")
        return []
    return [spelled(store, issue.path, document)]


def made(kind: str, issue_id: object, time: object, **rest: object) -> dict[str, object]:
    """An event whose id is a digest of what it says, shaped like those the tracker gives."""
    import json
    from hashlib import sha256

    facts = {"type": kind, "issue_id": issue_id, "timestamp": time, **rest}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = sha256(text.encode("utf-8")).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    event_id = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
    return {"type": kind, "id": event_id, "issue_id": issue_id, "timestamp": time, **rest}


def spelled(store: Store, path: str, document: dict[str, object]) -> bytes:
    """A new event as a line: members in the order of the log's last event, or of the record at this path."""
    import json

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


# -- lines that are no event -----------------------------------------------------------------------


def _taken_apart(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The log with the events inside these lines on lines of their own; what is none goes to the backup."""
    log, names = store.log, {problem.record for problem in problems}
    elsewhere = Elsewhere(store, context)
    parts: list[bytes] = []
    aside: list[bytes] = []
    at = 0
    for bad in log.bad:
        if bad.name in names and not bad.certified:
            parts.append(log.data[at : bad.offset])
            for text, is_whole in _parts_of(bad, elsewhere):
                if is_whole:
                    parts.append(text + b"\n")
                else:
                    aside.append(text)
            at = bad.offset + len(bad.raw) + 1
    parts.append(log.data[at:])
    return _with_backup(store, b"".join(parts), aside, problems, context)


def _parts_of(bad: BadLine, elsewhere: Elsewhere) -> Iterator[tuple[bytes, bool]]:
    """The events of a line that is none, and what stands between them, each with whether it is an event."""
    at, size = 0, len(bad.raw)
    for begin, end in (*((begin, end) for begin, end, _ in bad.pieces), (size, size)):
        between = bad.raw[at:begin].strip(_BLANKS).removeprefix(_BOM)
        if between:
            whole = elsewhere.whole_of(between)
            yield (between, False) if whole is None else (whole, True)
        if begin < end:
            yield bad.raw[begin:end], True
        at = end


def _with_backup(store: Store, data: bytes, aside: list[bytes], problems: list[Problem], context: Context) -> Changes:
    """The log, and the backup with these lines more, each of them once."""
    changes: Changes = {LOG: data}
    if not aside:
        return changes
    kept = store.snapshot.read(LOG_BACKUP)
    entry = store.snapshot.entry(LOG_BACKUP)
    if isinstance(kept, TooLarge) or (entry is not None and entry.kind != "file"):
        for problem in problems:
            context.leave(problem, f"{LOG_BACKUP} cannot take the lines: it is too large, or no file")
        return {}
    there = set((kept or b"").split(b"\n"))
    more = [line for line in dict.fromkeys(aside) if line not in there]
    if more:
        lead = kept + b"\n" if kept and not kept.endswith(b"\n") else kept or b""
        changes[LOG_BACKUP] = lead + b"".join(line + b"\n" for line in more)
        context.say(LOG_BACKUP, "lines of the event log that are no event, or no longer say what they said")
    return changes


# -- lines that went -------------------------------------------------------------------------------


class _Return:
    """The lines of one parent that are to come back into a log.

    Only what lies between the first and the last difference is split into lines.
    """

    def __init__(
        self, before: bytes, data: bytes, others: list[Store], problems: list[Problem], context: Context
    ) -> None:
        self.data = data
        self.context = context
        self.others = others
        self.start = common_start(before, data)
        self.end = len(data) - common_end(before, data, self.start)
        self.first = data.count(b"\n", 0, self.start)
        self.now = _lines(data[self.start : self.end])
        self.old = before[self.start : len(before) - (len(data) - self.end)].split(b"\n")
        self.there = set(self.old)
        self._others: list[set[bytes]] | None = None
        self.lost = self._lost(before, {problem.record: problem for problem in problems})
        self.places = {line.rstrip(b"\n"): at for at, line in reversed(list(enumerate(self.now)))}

    def _lost(self, before: bytes, problems: dict[str, Problem]) -> dict[str, Lost]:
        lost: dict[str, Lost] = {}
        for each in lost_events(before, self.data):
            problem = problems.get(each.name)
            if problem is None or each.name in lost:
                continue
            if not is_sound(each.document, self.context.accepted):
                self.context.leave(problem, "the parent's line is no event that the tracker can read")
            elif not self._may_return(each):
                self.context.leave(problem, "the parents disagree, or its line cannot be read: a person knows")
            else:
                lost[each.name] = each
        return lost

    def _may_return(self, lost: Lost) -> bool:
        """Whether the line that says something else now, if any, is an event that no other parent holds so."""
        line = self._changed_line(lost)
        if not line:
            return True
        if self._others is None:
            logs = (other.log_data for other in self.others)
            self._others = [set(data.split(b"\n")) for data in logs if type(data) is bytes]
        document, _ = read_json(line)
        is_event_itself = type(document) is dict and document.get("id") == lost.name
        return is_event_itself and not any(line in lines for lines in self._others)

    def _changed_line(self, lost: Lost) -> bytes:
        """The line that says something else now, unless the parent has that one too."""
        at = lost.line - 1 - self.first
        line = self.now[at].rstrip(b"\n") if lost.is_changed and 0 <= at < len(self.now) else b""
        return b"" if line in self.there else line

    def lines(self) -> tuple[bytes, list[bytes]]:
        """The log with the lines back, and those that gave way to them."""
        if not self.lost:
            return self.data, []
        instead: dict[int, bytes] = {}
        more: dict[int, list[bytes]] = {}
        anchor, waiting = -1, list(reversed(self.lost.values()))
        for line in self.old:
            for raw in self._events_of(line, waiting[-1].raw if waiting else b""):
                if raw in self.places:
                    anchor = self.places[raw]
                elif waiting and waiting[-1].raw == raw:
                    lost = waiting.pop()
                    if self._changed_line(lost):
                        anchor = lost.line - 1 - self.first
                        instead[anchor] = raw
                    else:
                        more.setdefault(anchor, []).append(raw)
        return self._joined(instead, more), [self.now[at].rstrip(b"\n") for at in instead]

    def _events_of(self, line: bytes, awaited: bytes) -> list[bytes]:
        """A line of the parent; of one with the event awaited glued to others each event by itself."""
        if line in self.places or line == awaited or not awaited or awaited not in line:
            return [line] if line.strip() else []
        return [line[begin:end] for begin, end, _ in events_inside(line)]

    def _joined(self, instead: dict[int, bytes], more: dict[int, list[bytes]]) -> bytes:
        """The log with lines replaced, and others put behind those at these places; -1 is before the first.

        Nothing comes between a torn line and the event that certifies it.
        """
        certified = {bad.line - 1 - self.first for bad in Log(self.data, self.context.accepted).bad if bad.certified}
        behind: dict[int, list[bytes]] = {}
        for at, lines in more.items():
            behind.setdefault(at + 1 if at in certified else at, []).extend(lines)
        parts = [self.data[: self.start], *(line + b"\n" for line in behind.get(-1, ()))]
        for at, line in enumerate(self.now):
            parts.append(instead[at] + b"\n" if at in instead else line)
            if at in behind:
                if not parts[-1].endswith(b"\n"):
                    parts.append(b"\n")
                parts.extend(each + b"\n" for each in behind[at])
        return b"".join((*parts, self.data[self.end :]))


def _lines(data: bytes) -> list[bytes]:
    """The lines of a log, each with its newline; the last one may have none."""
    *whole, last = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])


def _places_of(ids: set[str], lines: list[bytes]) -> dict[str, list[int]]:
    """By event id the numbers of the lines that carry it, counted from 0."""
    needles = {event_id.encode("utf-8", "replace"): event_id for event_id in ids}
    places: dict[str, list[int]] = {event_id: [] for event_id in ids}
    for at, line in enumerate(lines):
        if any(piece in needles for piece in line.split(b'"')):
            document, _ = read_json(line)
            name = document.get("id") if type(document) is dict else None
            if type(name) is str and name in places:
                places[name].append(at)
    return places
