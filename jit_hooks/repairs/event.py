"""Repairs of the event log: every readable event on a line of its own, and what records prove is said again.

No line is thrown away: what is no event is kept in ``events.jsonl.bak``. An event that some other log holds is taken
from there; only one that is nowhere is made from the record, with the record's time and an id that is a digest of its
facts, so that every clone makes the same.
"""

from __future__ import annotations

from jit_hooks.checks.event import VERDICTS, Walk, is_completed, last_done, leads_to, verdicts
from jit_hooks.checks.run import EXECUTOR
from jit_hooks.repairs.logged import BLANKS, UNREADABLE, Elsewhere, event_of, is_readable, with_events
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.returning import Returning, lines_of
from jit_hooks.repairs.utf8 import BOM, after_mark
from jit_hooks.store.layout import LOG, LOG_BACKUP
from jit_hooks.store.loss import lost_events
from jit_hooks.store.reader import read_json
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.log import BadLine
    from jit_hooks.store.records import Issue
    from jit_hooks.store.store import Store


def log_not_utf8(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """Lines that are not UTF-8, as another log has them, or put aside; a log saved as UTF-16 is written as UTF-8."""
    data = store.log.data
    again = _in_utf_8(data)
    if any(lost_events(again, data)) and not any(lost_events(data, again)):
        return Mend({LOG: again}, {LOG: "the same text in UTF-8"})
    return event_unparsable(store, problems, context)


def _in_utf_8(data: bytes) -> bytes:
    """A log in UTF-16, in UTF-8; what a tracker appended since stays as it is. Empty when it is not in UTF-16.

    In UTF-16 each brace and each quote holds a NUL byte, in UTF-8 no event does: behind the last one it begins.
    """
    text, encoding = after_mark(data)
    if encoding == "utf-8" or b"\0" not in text:
        return b""
    end = text.rfind(b"\0") + (1 if encoding == "utf-16-le" else 2)
    try:
        return text[:end].decode(encoding).encode("utf-8") + text[end:]
    except UnicodeError:
        return b""


def event_unparsable(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """Glued events get a line each; a torn one is taken whole from another log, or its fragment is put aside."""
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
    return _with_backup(store, b"".join(parts), aside)


def event_log_unterminated(store: Store, _: Problem, __: Context) -> Mend:
    """The newline at the end."""
    return Mend({LOG: store.log.data + b"\n"})


def event_lost(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The parents' lines back where they stood; a line that says something else now is put aside for them."""
    if not is_readable(store):
        return Left(UNREADABLE)
    data, aside = store.log.data, []
    done = Mend()
    for number, parent in enumerate(context.parents):
        before = parent.log_data
        if type(before) is bytes:
            others = [other for at, other in enumerate(context.parents) if at != number]
            back = Returning(before, data, others, problems, context.accepted)
            data, changed = back.lines()
            aside += changed
            done.left.update(back.left)
    if data != store.log.data:
        done.add(_with_backup(store, data, aside), problems)
    return done


def event_duplicate_id(store: Store, problems: list[Problem], _: Context) -> Mend:
    """Of equal lines with one event id the first stays."""
    lines = lines_of(store.log.data)
    places = _places_of({problem.record for problem in problems}, lines)
    certified = {bad.line for bad in store.log.bad if bad.certified}
    gone: set[int] = set()
    done = Mend()
    for problem in problems:
        again = places[problem.record]
        if len({lines[at].rstrip(b"\n") for at in again}) != 1:
            done.left[problem.identity] = "lines that differ share the id: decide which one is right"
        elif any(at in certified for at in again[1:]):  # lines are counted from 1: this is the line before
            done.left[problem.identity] = "a torn line before one of them is certified by it"
        else:
            gone.update(again[1:])
    done.changes[LOG] = b"".join(line for at, line in enumerate(lines) if at not in gone)
    return done


def event_created_missing(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The event as another log has it; else one made from the issue, with its ``created_at``."""

    def lines(_: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes] | Left:
        real = elsewhere.events(issue.id, lambda event: event.type == "issue_created", bool)
        if real:
            return real
        if not issue.created_at:
            return Left("no log has it, and the issue does not say when it was created")
        facts = {"title": issue.title, "priority": issue.priority}
        return event_of(store, issue, "issue_created", issue.created_at, **facts)

    return with_events(store, problems, context, lines)


def event_state_mismatch(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The moves as another log has them; else one from where the events end to the state, at ``updated_at``.

    Only when the issue is as new as its last move: of an older one the log may know more than the record.
    """

    def lines(_: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes] | Left:
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
            return Left("no log has the move, and the issue does not say when it was updated")
        last = max(moves, key=lambda event: event.instant, default=None)
        if last is not None and instant_of(time) < last.instant:
            if not context.unsafe:
                return Left("its last state event is newer than the issue: --unsafe-fixes would believe the issue")
            time = last.time
        start = Walk(events).heads[-1] if moves else "ready"
        return event_of(store, issue, "issue_state_changed", time, **{"from": start, "to": issue.state})

    return with_events(store, problems, context, lines)


def event_completed_missing(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The event as another log has it; else one at the time of the move to ``done``."""

    def lines(_: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes] | Left:
        events = store.log.events_of(issue.id)
        real = elsewhere.events(
            issue.id, lambda event: event.type == "issue_completed", lambda added: is_completed([*events, *added])
        )
        if real:
            return real
        done = last_done(events)
        if done is None:
            return Left("no event says when it was done")
        return event_of(store, issue, "issue_completed", done.time)

    return with_events(store, problems, context, lines)


def event_gate_mismatch(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The verdict's event as another log has it; else one made from the verdict, at its time."""

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes] | Left:
        gate, events = problem.subject, store.log.events_of(issue.id)
        status = issue.gates_status.get(gate)
        kind = next((kind for kind, word in VERDICTS.items() if status is not None and word == status.status), "")
        if status is None or not kind:
            return Left("no event says that a gate is open again: decide which of the two is right")
        runs = store.runs_of(issue.id) if status.by == EXECUTOR else []
        if any(run.gate == gate and instant_of(run.started_at) > instant_of(status.at) for run in runs):
            return Left("a run of the gate is newer than the verdict")
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
            return Left("an event of the gate is newer than the verdict: decide which one is right")
        return event_of(store, issue, kind, status.at, gate_key=gate, updated_by=status.by)

    return with_events(store, problems, context, lines)


# -- lines that are no event -----------------------------------------------------------------------


def _parts_of(bad: BadLine, elsewhere: Elsewhere) -> Iterator[tuple[bytes, bool]]:
    """The events of a line that is none, and what stands between them, each with whether it is an event."""
    at, size = 0, len(bad.raw)
    for begin, end in (*((begin, end) for begin, end, _ in bad.pieces), (size, size)):
        between = bad.raw[at:begin].strip(BLANKS).removeprefix(BOM)
        if between:
            whole = elsewhere.whole_of(between)
            yield (between, False) if whole is None else (whole, True)
        if begin < end:
            yield bad.raw[begin:end], True
        at = end


def _with_backup(store: Store, data: bytes, aside: list[bytes]) -> Mend | Left:
    """The log, and the backup with these lines more, each of them once."""
    done = Mend({LOG: data})
    if not aside:
        return done
    kept = store.snapshot.read(LOG_BACKUP)
    entry = store.snapshot.entry(LOG_BACKUP)
    if isinstance(kept, TooLarge) or (entry is not None and entry.kind != "file"):
        return Left(f"{LOG_BACKUP} cannot take the lines: it is too large, or no file")
    known = set((kept or b"").split(b"\n"))
    more = [line for line in dict.fromkeys(aside) if line not in known]
    if more:
        lead = kept + b"\n" if kept and not kept.endswith(b"\n") else kept or b""
        done.changes[LOG_BACKUP] = lead + b"".join(line + b"\n" for line in more)
        done.sources[LOG_BACKUP] = "lines of the event log that are no event, or no longer say what they said"
    return done


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
