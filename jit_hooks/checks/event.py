"""Family ``event``: the lines of the event log, and what they say against what the issues say."""

from __future__ import annotations

from jit_hooks.checks.wording import fault_words, first_places, grouped, pointer_to, titled
from jit_hooks.problem import Problem, parts_of
from jit_hooks.store import layout
from jit_hooks.store.layout import LOG
from jit_hooks.store.log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.log import BadLine, Event
    from jit_hooks.store.records import Issue
    from jit_hooks.store.store import Store

OF_FILES = frozenset(
    ("text-not-utf8", "conflict-marker", "json-duplicate-key", "json-lone-surrogate", "limit-exceeded")
)
"""Faults of a line that the family ``file`` tells, as of any other text."""

BIRTH = ("ready", "backlog")
"""States an issue is created in, without a state event: ``backlog`` by v1's batch creation."""

VERDICTS = {"gate_passed": "passed", "gate_failed": "failed"}


def event_unparsable(log: Log) -> Iterator[Problem]:
    """A line of the event log is not one event: it is torn, a fragment, or two events glued together.

    One such line makes the tracker refuse to show any event of the log. A torn last line is graver: since v1
    every command that would append refuses to work, and June's next append glues its event to the fragment. A
    torn line that the next one certifies is meant to stay and is told as ``event-fragment-certified``.

    FAIL: ``{"type":"issue_upd``; ``{"type":...}{"type":...}`` on one line; ``[1, 2]``

    PASS: one object a line; blank lines; the members of an object in any order.

    REPAIR: glued events get a line each; a fragment goes to ``events.jsonl.bak``, and what it said is written
    again where a record or a parent proves it. No byte is lost.

    TO FIX: restore the line from a copy of the log that has it whole.
    """
    for bad in log.bad:
        if bad.certified or bad.fault.code in OF_FILES:
            continue
        said, at = _torn_words(bad)
        yield Problem(
            "event-unparsable", LOG, said, record=bad.name, line=bad.line, column=at + 1, offset=bad.offset + at
        )


def _torn_words(bad: BadLine) -> tuple[str, int]:
    """The words for a line that does not parse, and the byte of it at which that shows."""
    pieces, at = bad.pieces, bad.fault.offset
    if len(pieces) > 1 and not bad.rest:
        at = pieces[1][0]
        said = f"holds {len(pieces)} events glued together, the newline before byte {at + 1} is missing"
    elif pieces and pieces[0][0]:
        at = pieces[0][0]
        said = f"holds a torn event with a whole one glued to it at byte {at + 1}"
    elif pieces:
        at = pieces[0][1]
        said = f"holds a whole event with a fragment glued to it at byte {at + 1}"
    elif bad.torn:
        return (
            f"ends with a torn event, which breaks off at byte {len(bad.raw) + 1}: since v1 the tracker refuses "
            "every change until it is mended"
        ), len(bad.raw)
    elif bad.fault.code == "event-unparsable":
        said = bad.fault.message
    else:
        said = f"holds a line that is not an event: at byte {at + 1} it {bad.fault.message}"
    return f"{said}; the tracker cannot read the log with it", at


def event_fragment_certified(log: Log) -> Iterator[Problem]:
    """A torn line of the event log that the event after it vouches for.

    Since v1 a profile command that finds a torn tail puts it on a line of its own and writes
    ``isolated_torn_tail`` right behind it; readers then pass over that one line.

    FAIL: a fragment, followed at once by ``{"isolated_torn_tail":true,...,"type":"profile_lifecycle"}``.

    PASS: a log without fragments.

    REPAIR: none; the two lines stay together, and nothing is put between them.

    TO FIX: nothing to do: the tracker knows of it.
    """
    for bad in log.bad:
        if bad.certified:
            said = "holds a torn line that the next event certifies: it stays as it is"
            yield Problem("event-fragment-certified", LOG, said, record=bad.name, line=bad.line, offset=bad.offset)


def event_malformed(log: Log) -> Iterator[Problem]:
    """An event of a type the tracker knows lacks a member, or has one it cannot read.

    The tracker then refuses to show any event of the log. One problem for each member at fault. Of an event of
    an unknown type only ``id``, ``timestamp`` and ``type`` are judged.

    FAIL: a state event without ``from``; ``"timestamp": "yesterday"``

    PASS: the shapes of either tracker, members in any order, further members.

    REPAIR: none; a person restores what the line said. A line a parent has unharmed is restored with
    ``event-lost``.

    TO FIX: correct the event; ``jit-hooks schema event`` prints its shape.
    """
    for faulty in log.faulty:
        for member, found in grouped(faulty.faults, _member).items():
            left = [fault for fault in found if fault[1] != "unknown-type"]
            if left:
                kind = faulty.document.get("type")
                what = f"an event `{kind}`" if type(kind) is str else "an event"
                yield Problem(
                    "event-malformed",
                    LOG,
                    f"holds {what} the tracker cannot read: {fault_words(left)}",
                    record=faulty.name,
                    subject=member,
                    pointer=left[0][0],
                    line=faulty.line,
                    offset=faulty.offset,
                )


def _member(pointer: str) -> str:
    return parts_of(pointer)[0] if pointer else ""


def event_type_unknown(log: Log) -> Iterator[Problem]:
    """An event has a type this program does not know.

    Since v1 the tracker passes over such an event; June's refuses to show any event of the log. A newer tracker
    may write it: then accept the type under ``event-types`` in ``[accept]`` of ``.jit/hooks.toml``, or update
    this program.

    FAIL: ``"type": "issue_blessed"``

    PASS: the types of both trackers, those no longer written too.

    REPAIR: none; nothing is removed on suspicion.

    TO FIX: if a newer tracker writes it: add it to ``event-types`` under [accept] in .jit/hooks.toml.
    """
    for faulty in log.faulty:
        if any(rule == "unknown-type" for _, rule, _ in faulty.faults):
            kind = faulty.document.get("type")
            yield Problem(
                "event-type-unknown",
                LOG,
                f"holds an event of the unknown type `{kind}` (if a newer tracker writes it: accept it under "
                "`event-types` in [accept] of .jit/hooks.toml)",
                record=faulty.name,
                subject=str(kind),
                pointer="/type",
                line=faulty.line,
                offset=faulty.offset,
            )


def event_log_unterminated(log: Log) -> Iterator[Problem]:
    """The event log does not end in a newline.

    June's tracker, a script or a merge appends right behind the last byte and so glues two events together;
    the log is then unreadable. A last line that is itself torn is told as ``event-unparsable`` alone.

    FAIL: ``...}`` as the last byte.

    PASS: ``...}`` and a newline; an empty log.

    REPAIR: the newline is added.

    TO FIX: end the last line with a newline.
    """
    if log.terminated or (log.bad and log.bad[-1].torn):
        return
    start = log.data.rfind(b"\n") + 1
    if log.data[start:].strip():
        yield Problem(
            "event-log-unterminated",
            LOG,
            "does not end in a newline: the next append would glue two events together",
            line=log.data.count(b"\n") + 1,
            offset=len(log.data),
        )


def event_duplicate_id(log: Log) -> Iterator[Problem]:
    """An event id stands on two lines of the event log.

    A merge that laid both sides' lines over each other writes an event twice; everything that counts events
    counts it twice. Two different events under one id are two histories.

    FAIL: one line twice.

    PASS: every id once.

    REPAIR: of equal lines the first stays; between different ones a person decides.

    TO FIX: keep one of the two lines when they are equal.
    """
    seen: set[str] = set()
    told: set[str] = set()
    for event_id in _ids_of(log):
        if event_id in told:
            continue
        if event_id in seen or (log.start and log.holds_older(event_id)):
            told.add(event_id)
            lines = log.lines_with_id(event_id)
            same = len({raw for _, raw in lines}) == 1
            how = "in equal lines" if same else "with different content"
            first = lines[0][0] if lines else 0
            yield Problem(
                "event-duplicate-id",
                LOG,
                f"holds the event id {event_id[:8]} {len(lines)} times, {how}; first in line {first}",
                record=event_id,
                line=lines[-1][0] if lines else 0,
                remedy="" if same else "decide which of the lines is true and give the other its own id",
            )
        seen.add(event_id)


def _ids_of(log: Log) -> Iterator[str]:
    for event in log.events:
        if type(event.id) is str:
            yield event.id
    for faulty in log.faulty:
        if faulty.id and not faulty.is_only_unknown:
            yield faulty.id


def event_lost(store: Store, focus: Focus) -> Iterator[Problem]:
    """An event that a parent's log holds is missing from the log, or says something else now.

    The log only grows: each line is history that no command of the tracker takes back. A merge that took one
    side's log, a rebase that resolved by hand or an editor loses lines. Of a merge every parent counts. An
    event is the same when its id and its value are: order of members and white space do not matter, and an
    event counts that stands in a line glued to another. Lines of the parent that nobody can read are exempt, so
    that they can be put aside.

    FAIL: a middle line removed; its ``fields`` edited.

    PASS: lines appended, moved, or written with their members in another order.

    REPAIR: the parent's lines go back to where they stood, everything since stays.

    TO FIX: bring it back from the parent, or say in [[accept]] of .jit/hooks.toml why it may go.
    """
    if LOG not in focus.paths:
        return
    now = store.log_data
    if now is None and not store.entries():
        return
    if type(now) is not bytes:
        if now is not None:
            return
        now = b""
    told: set[str] = set()
    for parent in focus.parents:
        before = parent.log_data
        if type(before) is not bytes or now.startswith(before):
            continue
        from jit_hooks.store.loss import lost_events

        for lost in lost_events(before, now):
            if lost.name in told:
                continue
            told.add(lost.name)
            if _was_given_up(store, focus, lost.name):
                continue
            about = lost.document.get("issue_id")
            of = f" of issue {_named(store, parent, about)}" if type(about) is str and about else ""
            what = f"`{lost.document.get('type')}`{of}, {lost.document.get('timestamp')}"
            yield Problem(
                "event-lost",
                LOG,
                f"{'no longer says what it said' if lost.is_changed else 'lost an event'} that a parent holds: {what}",
                record=lost.name,
                subject=lost.name,
                line=lost.line if lost.is_changed else 0,
            )


def _was_given_up(store: Store, focus: Focus, name: str) -> bool:
    """True if a merge only took over what one branch had done to an event that the branches started with."""
    if not focus.is_merge or not focus.bases:
        return False
    from jit_hooks.merge.audit import Audit

    result, *versions = (
        log.get(name.encode("utf-8", "surrogatepass"), {}).keys()
        for log in Audit(store, focus.parents, focus.bases, ()).logs()
    )
    parents, bases = versions[: len(focus.parents)], versions[len(focus.parents) :]
    return all(bases) and all(parent == result or parent in bases for parent in parents) and result in parents


def _named(store: Store, parent: Store, issue_id: str) -> str:
    return titled(store if store.issue(issue_id) is not None else parent, issue_id)


def judged_by_events(store: Store, focus: Focus) -> list[str]:
    """The ids of issues whose events and record may say something new."""
    if store.log.fault is not None:
        return []
    if focus.everything or (LOG in focus.paths and not _only_grew(store, focus)):
        return store.issue_ids()
    return focus.eventful_issue_ids(store)


def _only_grew(store: Store, focus: Focus) -> bool:
    """True if the events judged are all that the log has more than the first parent's, and nothing went."""
    if not focus.parents:
        return not store.log.start
    before = focus.parents[0].log_data
    if type(before) is bytes:
        return len(before) <= store.log.start and not store.log.bad
    return before is None


def event_created_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue has no ``issue_created`` event.

    Its history then has no beginning. A writer that died before its last step leaves this, a commit that staged
    the issue and not the log, and claiming an issue in a linked worktree: there the event is in the log of the
    worktree that made it.

    FAIL: an issue file, and no ``issue_created`` with its id in ``events.jsonl``.

    PASS: one ``issue_created``; an issue that a broken line of the log names is not judged.

    REPAIR: the event is taken from where it was written (another worktree, the git index, a parent); only when
    it is nowhere it is made from the issue, with its ``created_at``.

    TO FIX: bring back the ``issue_created`` line, or stage the log.
    """
    for issue_id in judged_by_events(store, focus):
        issue = store.issue(issue_id)
        if issue is None:
            continue
        if any(event.type == "issue_created" for event in store.log.events_of(issue_id)):
            continue
        if store.log.is_sure_of(issue_id):
            yield Problem(
                "event-created-missing",
                issue.path,
                f'issue {titled(store, issue_id)} has no "issue_created" event: its history has no beginning',
                related=(LOG,),
            )


def event_created_repeated(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue was created twice, says the event log.

    Two events with ids of their own say it, so no tool can take one for a copy of the other. It comes from
    making the missing event again while the real one waited on another branch.

    FAIL: two ``issue_created`` of one ``issue_id``.

    PASS: one.

    REPAIR: none; both lines are history, a person decides.

    TO FIX: a person decides which of the two is true.
    """
    log = store.log
    if not focus.touches(LOG):
        return
    for issue_id in log.by_issue():
        if type(issue_id) is not str:
            continue
        created = [event for event in log.events_of(issue_id) if event.type == "issue_created"]
        known = {created[0].id} if created else set()
        for event in created[1:]:
            if event.id not in known:
                known.add(event.id)
                yield Problem(
                    "event-created-repeated",
                    LOG,
                    f"says again that issue {titled(store, issue_id)} was created",
                    record=str(event.id),
                    subject=issue_id,
                    line=log.line_of(event),
                )


def event_deleted_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """The issue index calls an id deleted, and no ``issue_deleted`` event says so.

    The tracker writes the event since June 2026; older deletions never had one, and a writer that died before
    its last step leaves none.

    FAIL: an id in ``deleted_ids`` without the event.

    PASS: an id with it.

    REPAIR: none; when it was deleted, and by whom, is not known.

    TO FIX: nothing to mend.
    """
    index = store.issue_index
    if index is None or store.log.fault is not None:
        return
    before = focus.index_before()
    if before is None or (LOG in focus.paths and not _only_grew(store, focus)):
        candidates = index.deleted
    else:
        candidates = [issue_id for issue_id in index.deleted if issue_id not in before.deleted_set]
    places = first_places(index.deleted) if candidates else {}
    for issue_id in dict.fromkeys(candidates):
        if any(event.type == "issue_deleted" for event in store.log.events_of(issue_id)):
            continue
        if store.log.is_sure_of(issue_id):
            yield Problem(
                "event-deleted-missing",
                layout.INDEX,
                f'calls issue {issue_id[:8]} deleted, but no "issue_deleted" event says when',
                subject=issue_id,
                pointer=pointer_to("deleted_ids", places[issue_id]),
                related=(LOG,),
            )


def event_issue_unknown(store: Store, focus: Focus) -> Iterator[Problem]:
    """An event is about an issue that is neither alive nor deleted.

    Issues that were made and removed between two commits leave it behind, and issues lost without a trace: then
    ``issue-vanished`` or ``index-lists-missing`` tells of it.

    FAIL: ``issue_id`` names no issue file and no id in ``deleted_ids``.

    PASS: an event of a deleted issue; events of the whole repository, which name none.

    REPAIR: none; the line stays, it is history.

    TO FIX: nothing breaks; the issue it names is in neither list.
    """
    log, index = store.log, store.issue_index
    if index is None:
        return  # Nothing is known of deleted ids; `index-absent` tells.
    candidates = dict.fromkeys(log.by_issue()) if focus.touches(LOG) else {}
    before = focus.index_before()
    if before is not None:
        candidates.update(dict.fromkeys(before.deleted_set - index.deleted_set))
        candidates.update(dict.fromkeys(before.alive_set - index.alive_set))
    elif focus.touches(layout.INDEX):  # the parent's could not say who was deleted
        whole = Log(log.data, log.accepted) if log.start else log
        candidates.update(dict.fromkeys(whole.by_issue()))
    candidates.update(dict.fromkeys(focus.removed_issue_ids(store)))
    for issue_id in candidates:
        if type(issue_id) is not str or store.is_known(issue_id):
            continue
        told = set()
        for event in log.events_of(issue_id):
            if event.id in told:
                continue
            told.add(event.id)
            yield Problem(
                "event-issue-unknown",
                LOG,
                f"holds `{event.type}` of issue {issue_id[:8]}, which is neither there nor deleted",
                record=str(event.id),
                subject=issue_id,
                line=log.line_of(event),
            )


class Walk:
    """The states of one issue by its events: where its chains end, what was reached, which event jumped.

    Two branches may move one issue at the same time, so there may be several ends (heads). An event whose
    ``from`` is a head replaces it, any other adds one. Times compare as instants, equal times go in file order.
    """

    __slots__ = ("heads", "jumps")

    def __init__(self, events: list[Event]) -> None:
        # A line that stands twice is one event, and `event-duplicate-id` tells of it.
        moves = list({event.id: event for event in events if event.type == "issue_state_changed"}.values())
        moves.sort(key=lambda event: event.instant)
        first = moves[0].from_state if moves else ""
        born = [first] if first in BIRTH else ["ready"] if moves else list(BIRTH)
        self.heads: list[object] = list(born)
        self.jumps: list[Event] = []
        reached: set[object] = set(born)
        for move in moves:
            if move.from_state in self.heads:
                self.heads.remove(move.from_state)
            elif move.from_state not in reached:
                self.jumps.append(move)
            self.heads.append(move.to_state)
            reached.add(move.to_state)


def leads_to(events: list[Event], issue: Issue) -> bool:
    """True if the state of an issue is the end of a chain of these events, or is archived from one."""
    heads = Walk(events).heads
    return issue.state in heads or (issue.state == "archived" and issue.archived_from in heads)


def event_state_mismatch(store: Store, focus: Focus) -> Iterator[Problem]:
    """The state of an issue is not where its state events lead.

    Somebody edited the file, a commit staged the issue and not the log (or the log and not the issue), or a
    merge took the state of one side and the events of the other. An issue begins as ``ready`` or ``backlog``
    without an event; where branches moved it at the same time, the end of any chain will do. A state that
    ``archived_from`` names counts while the issue is archived.

    FAIL: ``"state": "done"``, and the last state event goes to ``in_progress``.

    PASS: ``"state": "in_progress"`` there; an issue that a broken line of the log names is not judged.

    REPAIR: the missing event is taken from another log, or written, from the last state to the one the issue has, at
    its ``updated_at``; where the last state event is newer than that, only with ``--unsafe-fixes``.

    TO FIX: bring back the missing event, or stage the log.
    """
    for issue_id in judged_by_events(store, focus):
        issue = store.issue(issue_id)
        if issue is None:
            continue
        events = store.log.events_of(issue_id)
        if not leads_to(events, issue) and store.log.is_sure_of(issue_id):
            ends = " or ".join(f'"{state}"' for state in dict.fromkeys(Walk(events).heads))
            yield Problem(
                "event-state-mismatch",
                issue.path,
                f'issue {titled(store, issue_id)} is "{issue.state}", but its events leave it at {ends}',
                pointer="/state",
                related=(LOG,),
            )


def event_state_chain_broken(store: Store, focus: Focus) -> Iterator[Problem]:
    """A state event starts from a state that its issue had never reached.

    Races of June's tracker and edits by hand leave it. Where two branches moved an issue at the same time both
    events start from a state it had reached, and nothing is told.

    FAIL: ``ready`` to ``in_progress``, then ``gated`` to ``done``.

    PASS: ``ready`` to ``in_progress``, and once more on another branch.

    REPAIR: none; what really happened in between is not known.

    TO FIX: nothing to mend: history has a gap.
    """
    for issue_id in judged_by_events(store, focus):
        for event in Walk(store.log.events_of(issue_id)).jumps:
            if store.log.is_sure_of(issue_id):
                yield Problem(
                    "event-state-chain-broken",
                    LOG,
                    f'moves issue {titled(store, issue_id)} from "{event.from_state}", which it had not reached',
                    record=str(event.id),
                    subject=issue_id,
                    pointer="/from",
                    line=store.log.line_of(event),
                )


def event_completed_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue is done, and no ``issue_completed`` event says so.

    A writer that died between the state event and this one leaves it, and so does every bulk move to ``done``.

    FAIL: a state event to ``done``, and no ``issue_completed`` since.

    PASS: both.

    REPAIR: the event is written, at the time of the state event.

    TO FIX: nothing breaks; ``jit-check --fix`` logs the completion.
    """
    for issue_id in judged_by_events(store, focus):
        issue = store.issue(issue_id)
        if issue is None or issue.state != "done":
            continue
        if not is_completed(store.log.events_of(issue_id)) and store.log.is_sure_of(issue_id):
            yield Problem(
                "event-completed-missing",
                issue.path,
                f'issue {titled(store, issue_id)} is done, but no "issue_completed" event says so',
                related=(LOG,),
            )


def is_completed(events: list[Event]) -> bool:
    """True if these events say that an issue is completed, at or after its last move to ``done``."""
    done = last_done(events)
    completed = max((event.instant for event in events if event.type == "issue_completed"), default="")
    return bool(completed) and completed >= (done.instant if done is not None else "")


def last_done(events: list[Event]) -> Event | None:
    """The newest event that moved an issue to ``done``."""
    moves = [e for e in events if e.type == "issue_state_changed" and e.to_state == "done" != e.from_state]
    return max(moves, key=lambda event: event.instant, default=None)


def event_gate_mismatch(store: Store, focus: Focus) -> Iterator[Problem]:
    """The verdict an issue carries for a gate is not the one its last gate event gave.

    Somebody edited the file, or a commit staged the issue and not the log, or the log and not the issue.

    FAIL: status ``failed``, and the last event of the gate is ``gate_passed``; status ``passed`` without any
    event; ``pending`` though the gate was judged since it was added.

    PASS: ``passed`` after ``gate_passed``; ``pending`` after ``gate_added``.

    REPAIR: the missing event is written from the status; where the event is newer a person decides.

    TO FIX: nothing breaks; ``jit-check --fix`` logs the verdict, or judge the gate again to make both agree.
    """
    for issue_id in judged_by_events(store, focus):
        issue = store.issue(issue_id)
        if issue is None or not (issue.gates_required or issue.gates_status):
            continue
        last, judged = verdicts(store.log.events_of(issue_id))
        for gate in dict.fromkeys((*issue.gates_status, *issue.gates_required)):
            status = issue.gates_status.get(gate)
            now = status.status if status is not None else None
            if now in ("passed", "failed"):
                said = last.get(gate, "")
                if said == now:
                    continue
                what = f'but its last event says "{said}"' if said else "but no event says so"
            elif gate in judged:
                what = f'but an event says "{judged[gate]}"'
            else:
                continue
            if store.log.is_sure_of(issue_id):
                yield Problem(
                    "event-gate-mismatch",
                    issue.path,
                    f"issue {titled(store, issue_id)} has gate `{gate}` {now or 'without a verdict'}, {what}",
                    subject=gate,
                    pointer=pointer_to("gates_status", gate) if status is not None else "/gates_status",
                    related=(LOG,),
                )


def verdicts(events: list[Event]) -> tuple[dict[object, str], dict[object, str]]:
    """By gate the last verdict of all, and the last since the gate was added or removed."""
    last: dict[object, str] = {}
    since: dict[object, str] = {}
    for event in sorted((e for e in events if e.gate is not None), key=lambda e: e.instant):
        verdict = VERDICTS.get(str(event.type))
        if verdict is not None:
            last[event.gate] = since[event.gate] = verdict
        elif event.type in ("gate_added", "gate_removed"):
            since.pop(event.gate, None)
    return last, since
