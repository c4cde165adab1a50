"""Repairs of gate runs: from the copies git has; the verdict of an issue from its newest run."""

from __future__ import annotations

import json

from jit_hooks.checks.run import EXECUTOR, OUTPUT, VERDICT, changed_members, newest_runs
from jit_hooks.checks.runtime import OLD_SECONDS
from jit_hooks.checks.wording import pointer_to
from jit_hooks.repairs.event import Elsewhere, made, spelled, with_events
from jit_hooks.repairs.file import has_sound_copy, set_aside
from jit_hooks.repairs.restore import is_sound, restored
from jit_hooks.store import layout
from jit_hooks.store.canonical import is_sorted
from jit_hooks.store.records import Record
from jit_hooks.store.rewrite import set_member
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.log import Event
    from jit_hooks.store.records import Issue, Run
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]


def run_malformed(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The run as a copy has it that says all it says; one of which there is no sound copy is put aside."""
    changes: Changes = {}
    by_path: dict[str, list[Problem]] = {}
    for problem in problems:
        by_path.setdefault(problem.path, []).append(problem)
    for path, found in by_path.items():
        change = _completed(store, path, context) or restored(store, path, found[0], context)
        if not change and not has_sound_copy(path, context):
            change = set_aside(store, path, found[0], context)
        changes.update(change)
        for problem in found[1:]:
            if not change and found[0].identity in context.left:
                context.leave(problem, context.left[found[0].identity])
    return changes


def _completed(store: Store, path: str, context: Context) -> Changes:
    """A run that only lacks members, from the first sound copy, when that says all it says."""
    now = store.record(path)
    copy = next((copy for copy in context.copies(path) if is_sound(path, copy, context)), None)
    if now is None or copy is None or not now.members:
        return {}
    whole = Record(path, copy.data, context.accepted).members
    if any(name not in whole or not _is_same(value, whole[name]) for name, value in now.members.items()):
        return {}
    context.say(path, f"as in {copy.source}")
    return {path: copy.data}


def _is_same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def run_changed(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The run as the parent has it; its output stays as it is now.

    What was changed is lost by it, so that it is a choice, unless members only went.
    """
    changes: Changes = {}
    for problem in problems:
        now = store.record(problem.path)
        olds = [parent.record(problem.path) for parent in context.parents]
        before = [old for old in olds if old is not None and old.loads]
        if now is None or not before:
            context.leave(problem, "the run of no parent can be read")
            continue
        changed = changed_members(before[0].members, now.members)
        if any(not changed_members(old.members, now.members) for old in before):
            context.leave(problem, "the parents disagree: a person decides which of them is right")
        elif not context.unsafe and any(now.members.get(member) is not None for member in changed):
            context.leave(problem, "what it says now would be lost: --unsafe-fixes takes the parent's")
        else:
            data = before[0].data
            for member in sorted(OUTPUT):
                if type(now.members.get(member)) is str and now.members[member] != before[0].members.get(member):
                    data = set_member(data, "", member, now.members[member], "run")
            context.say(problem.path, "as in a parent, its output as it is now")
            changes[problem.path] = data
    return changes


def run_lost(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The run as a copy has it; not when its deletion is staged."""
    changes: Changes = {}
    for problem in problems:
        if not context.copies(problem.path):
            context.leave(problem, "no copy of it is in git, or its deletion is staged")
        else:
            changes.update(restored(store, problem.path, problem, context))
    return changes


def run_result_missing(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The result as a copy has it, or as a dead writer was about to name it; an empty directory goes."""
    changes: Changes = {}
    for problem in problems:
        path = problem.path
        directory = path[: -len("result.json")]
        temp = f"{path}.tmp"
        inside = [name for name in store.entries() if name.startswith(directory) and name != directory]
        if has_sound_copy(path, context):
            changes.update(restored(store, path, problem, context))
        elif not inside:
            changes[directory] = None
        elif inside != [temp]:
            context.leave(problem, "its directory holds files that are no result")
        elif store.snapshot.machine.ages.get(temp, 0) <= OLD_SECONDS:
            context.leave(problem, "its writer may still be at work")
        else:
            data = store.snapshot.read(temp)
            record = Record(path, data, store.accepted) if type(data) is bytes else None
            if record is not None and record.loads and record.members.get("run_id") == layout.run_id_of(path):
                changes.update({path: record.data, temp: None})
                context.say(path, "a temp file that its writer left")
            elif data == b"":
                changes.update({temp: None, directory: None})
            else:
                changes.update(set_aside(store, path, problem, context))
    return changes


def run_status_mismatch(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The verdict of the newest run, at the time it began, by whom it names; its event follows.

    A verdict later than every run that can be read is of a run that is away or broken: these runs deny nothing.
    """
    changes: Changes = {}
    for problem in problems:
        path, gate = problem.path, problem.subject
        issue_id = layout.issue_id_of(path)
        runs = newest_runs(store.runs_of(issue_id))[gate]
        verdicts = {VERDICT[str(run.status)] for run in runs}
        if len(verdicts) > 1:
            context.leave(problem, "its newest runs began at the same time and disagree")
            continue
        run = min(runs, key=lambda each: each.id)
        issue = store.issue(issue_id)
        now = issue.gates_status.get(gate) if issue is not None else None
        if now is not None and instant_of(now.at) > instant_of(run.started_at):
            context.leave(problem, "the verdict is newer than every run that can be read: its own may be missing")
            continue
        status: dict[str, object] = {"status": verdicts.pop(), "updated_by": run.by, "updated_at": run.started_at}
        data = changes.get(path) or store.snapshot.read(path)
        assert type(data) is bytes
        members = Record(path, data, store.accepted).members
        statuses = members["gates_status"]
        assert type(statuses) is dict
        if gate in statuses:
            for name, value in status.items():
                data = set_member(data, pointer_to("gates_status", gate), name, value)
        else:
            if is_sorted(members):
                status = dict(sorted(status.items()))
            data = set_member(data, "/gates_status", gate, status)
        changes[path] = data
    return changes


def run_event_imbalance(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The events of runs without one: as another log has them, else made, at the time each run began."""

    def lines(problem: Problem, issue: Issue, elsewhere: Elsewhere) -> list[bytes]:
        gate = problem.subject
        runs = [run for run in store.runs_of(issue.id) if run.gate == gate and run.status in _JUDGED]
        said = {e.id: e for e in store.log.events_of(issue.id) if _is_automated(e, gate)}
        due = len(runs) - len(said)
        real = elsewhere.events(issue.id, lambda event: _is_automated(event, gate), lambda added: len(added) == due)
        if real:
            return real
        unsaid = _unsaid(runs, list(said.values())) if due > 0 else None
        if unsaid is None:
            why = "which run each of the events is of cannot be told" if due > 0 else "no event of a run is taken back"
            context.leave(problem, why)
        return [
            spelled(store, issue.path, made(kind_of(run), issue.id, run.started_at, gate_key=gate, updated_by=run.by))
            for run in unsaid or ()
        ]

    return with_events(store, problems, context, lines)


_JUDGED = ("passed", "failed", "error")


def _is_automated(event: Event, gate: str) -> bool:
    return event.gate == gate and event.by == EXECUTOR and event.type in ("gate_passed", "gate_failed")


def kind_of(run: Run) -> str:
    """The type of the event that a run ends in."""
    return "gate_passed" if run.status == "passed" else "gate_failed"


def _unsaid(runs: list[Run], events: list[Event]) -> list[Run] | None:
    """The runs without an event: none of its verdict between its beginning and the next one's.

    None when that leaves an event over, or a verdict without an author.
    """
    runs = sorted(runs, key=lambda run: (instant_of(run.started_at), run.id))
    left = sorted(events, key=lambda event: event.instant)
    unsaid: list[Run] = []
    begins = [instant_of(run.started_at) for run in runs]
    for run, begin, end in zip(runs, begins, [*begins[1:], "later"], strict=False):
        found = next((event for event in left if event.type == kind_of(run) and begin <= event.instant < end), None)
        if found is None:
            unsaid.append(run)
        else:
            left.remove(found)
    return None if left or any(run.by != EXECUTOR for run in unsaid) else unsaid
