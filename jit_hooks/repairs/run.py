"""Repairs of gate runs: from the copies git has; the verdict of an issue from its newest run."""

from __future__ import annotations

import json

from jit_hooks.checks.run import EXECUTOR, OUTPUT, VERDICT, changed_members, newest_runs
from jit_hooks.checks.runtime import OLD_SECONDS
from jit_hooks.checks.wording import pointer_to
from jit_hooks.repairs.aside import set_aside
from jit_hooks.repairs.context import Copy
from jit_hooks.repairs.logged import made, spelled, with_events
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.restore import has_sound_copy, is_sound, restored
from jit_hooks.store import layout
from jit_hooks.store.canonical import is_sorted
from jit_hooks.store.records import Record
from jit_hooks.store.rewrite import set_member
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.repairs.logged import Elsewhere
    from jit_hooks.store.log import Event
    from jit_hooks.store.records import Issue, Run
    from jit_hooks.store.store import Store


def run_malformed(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """The run as a copy has it that says all it says; one of which there is no sound copy is put aside."""
    path = problem.path
    if not store.stands_at(path):
        return Mend()  # put aside for another problem of it
    outcome = _completed(store, path, context) or restored(store, path, context)
    return outcome if isinstance(outcome, Mend) or has_sound_copy(path, context) else set_aside(store, path)


def _completed(store: Store, path: str, context: Context) -> Mend | None:
    """A run that only lacks members, from the first sound copy, when that says all it says."""
    now = store.record(path)
    copy = next((copy for copy in context.copies(path) if is_sound(path, copy, context)), None)
    if now is None or copy is None or not now.members:
        return None
    whole = Record(path, copy.data, context.accepted).members
    if any(name not in whole or not _is_same(value, whole[name]) for name, value in now.members.items()):
        return None
    return Mend({path: copy.data}, {path: f"as in {copy.source}"})


def _is_same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def run_changed(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """The run as the parent has it; its output stays as it is now.

    What was changed is lost by it, so that it is a choice, unless members only went.
    """
    now = store.record(problem.path)
    olds = [parent.record(problem.path) for parent in context.parents]
    before = [old for old in olds if old is not None and old.loads]
    if now is None or not before:
        return Left("no parent has a readable copy of this run")
    changed = changed_members(before[0].members, now.members)
    if any(not changed_members(old.members, now.members) for old in before):
        return Left("the parents disagree: a person decides which of them is right")
    if not context.unsafe and any(now.members.get(member) is not None for member in changed):
        return Left("what it says now would be lost: --unsafe-fixes takes the parent's")
    data = before[0].data
    for member in sorted(OUTPUT):
        if type(now.members.get(member)) is str and now.members[member] != before[0].members.get(member):
            data = set_member(data, "", member, now.members[member], "run")
    return Mend({problem.path: data}, {problem.path: "as in a parent, its output as it is now"})


def run_lost(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """The run as a copy has it; not when its deletion is staged."""
    if not context.copies(problem.path):
        return Left("no copy of it is in git, or its deletion is staged")
    return restored(store, problem.path, context)


def run_result_missing(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """The result as a copy has it, or as a dead writer was about to name it; an empty directory goes."""
    path = problem.path
    directory = path[: -len("result.json")]
    temp = f"{path}.tmp"
    if has_sound_copy(path, context):
        return restored(store, path, context)
    inside = [name for name in store.entries() if name.startswith(directory) and name != directory]
    if not inside:
        return Mend({directory: None})
    if inside != [temp]:
        return Left("its directory holds files that are no result")
    if store.snapshot.machine.ages.get(temp, 0) <= OLD_SECONDS:
        return Left("its writer may still be at work")
    data = store.snapshot.read(temp)
    if type(data) is bytes and is_sound(path, Copy("", data), context):
        return Mend({path: data, temp: None}, {path: "a temp file that its writer left"})
    return Mend({temp: None, directory: None}) if data == b"" else set_aside(store, path)


def run_status_mismatch(store: Store, problem: Problem, _: Context) -> Mend | Left:
    """The verdict of the newest run, at the time it began, by whom it names; its event follows.

    A verdict later than every run that can be read is of a run that is away or broken: these runs deny nothing.
    """
    path, gate = problem.path, problem.subject
    issue_id = layout.issue_id_of(path)
    runs = newest_runs(store.runs_of(issue_id))[gate]
    verdicts = {VERDICT[str(run.status)] for run in runs}
    if len(verdicts) > 1:
        return Left("its newest runs began at the same time and disagree")
    run = min(runs, key=lambda each: each.id)
    issue = store.issue(issue_id)
    now = issue.gates_status.get(gate) if issue is not None else None
    if now is not None and instant_of(now.at) > instant_of(run.started_at):
        return Left("the verdict is newer than every run that can be read: its own may be missing")
    status = {"status": verdicts.pop(), "updated_by": run.by, "updated_at": run.started_at}
    return Mend({path: _with_verdict(store, path, gate, status)})


def _with_verdict(store: Store, path: str, gate: str, status: dict[str, object]) -> bytes:
    """An issue whose gate has this status."""
    data = store.snapshot.read(path)
    assert type(data) is bytes
    members = Record(path, data, store.accepted).members
    statuses = members["gates_status"]
    assert type(statuses) is dict
    if gate not in statuses:
        status = dict(sorted(status.items())) if is_sorted(members) else status
        return set_member(data, "/gates_status", gate, status)
    for name, value in status.items():
        data = set_member(data, pointer_to("gates_status", gate), name, value)
    return data


def run_event_imbalance(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The events of runs without one: as another log has them, else made, at the time each run began."""

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes] | Left:
        gate = problem.subject
        runs = [run for run in store.runs_of(issue.id) if run.gate == gate and run.status in _JUDGED]
        logged = {event.id: event for event in store.log.events_of(issue.id) if _is_automated(event, gate)}
        due = len(runs) - len(logged)
        real = elsewhere.events(issue.id, lambda event: _is_automated(event, gate), lambda added: len(added) == due)
        if real:
            return real
        if due <= 0:
            return Left("there are more events than runs, and events are never removed")
        unlogged = _without_event(runs, list(logged.values()))
        if unlogged is None:
            return Left("the events cannot be matched to their runs")
        return [
            spelled(store, issue.path, made(kind_of(run), issue.id, run.started_at, gate_key=gate, updated_by=run.by))
            for run in unlogged
        ]

    return with_events(store, problems, context, lines)


_JUDGED = ("passed", "failed", "error")


def _is_automated(event: Event, gate: str) -> bool:
    return event.gate == gate and event.by == EXECUTOR and event.type in ("gate_passed", "gate_failed")


def kind_of(run: Run) -> str:
    """The type of the event that a run ends in."""
    return "gate_passed" if run.status == "passed" else "gate_failed"


def _without_event(runs: list[Run], events: list[Event]) -> list[Run] | None:
    """The runs without an event: none of its verdict between its beginning and the next one's.

    None when that leaves an event over, or a verdict without an author.
    """
    runs = sorted(runs, key=lambda run: (instant_of(run.started_at), run.id))
    left = sorted(events, key=lambda event: event.instant)
    without: list[Run] = []
    begins = [instant_of(run.started_at) for run in runs]
    for run, begin, end in zip(runs, begins, [*begins[1:], "later"], strict=False):
        own = next((event for event in left if event.type == kind_of(run) and begin <= event.instant < end), None)
        if own is None:
            without.append(run)
        else:
            left.remove(own)
    return None if left or any(run.by != EXECUTOR for run in without) else without
