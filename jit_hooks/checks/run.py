"""Family ``run``: the results of automated gates, by themselves, against the issues, and against the parents."""

from __future__ import annotations

from jit_hooks.checks.wording import fault_words, grouped, pointer_to, titled
from jit_hooks.problem import Problem, parts_of
from jit_hooks.store import layout
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import GateStatus, Issue, Record, Run
    from jit_hooks.store.store import Store

EXECUTOR = "auto:executor"
"""Who the tracker names as the author of an automated verdict."""

OUTPUT = frozenset(("stdout", "stderr"))
"""Members of a run that may be shortened later: they hold megabytes, and secrets get into them."""

VERDICT = {"passed": "passed", "failed": "failed", "error": "failed", "pending": "pending", "skipped": "pending"}
"""The status an issue gets from a run's."""


def run_malformed(record: Record) -> Iterator[Problem]:
    """A gate run lacks a member, or has one the tracker cannot read.

    One such run makes every command fail that lists runs, of any issue: ``issue show``, ``gate check``, ``gate
    pass``. One problem for each member at fault.

    FAIL: ``"status": "blessed"``; ``command`` left out; a member in ``origin`` that is not known.

    PASS: the 17 members of June 2026, the 21 since, in any order. Accepted statuses of a newer tracker stand
    under ``statuses`` in ``[accept]`` of ``.jit/hooks.toml``.

    REPAIR: restored from a copy that the readable members agree with; when no copy loads, the run is moved to
    ``gate-runs-corrupt/``.

    TO FIX: restore the run; ``jit-hooks schema gate-run`` prints its shape.
    """
    if not record.faults:
        return
    for member, found in grouped(record.faults, _member).items():
        yield Problem("run-malformed", record.path, fault_words(found), subject=member, pointer=found[0][0])


def _member(pointer: str) -> str:
    return parts_of(pointer)[0] if pointer else ""


def run_inconsistent(record: Record) -> Iterator[Problem]:
    """A gate run contradicts itself: it ended before it began, or its exit code does not give its status.

    Exit code 0 passes, 126 and 127 are errors of the checker, none (a signal, a time-out) is an error, all
    others fail. A run that reuses another's verdict launched nothing and has no exit code.

    FAIL: ``"status": "passed"`` with ``"exit_code": 1``; ``completed_at`` before ``started_at``.

    PASS: ``"status": "failed", "exit_code": 101``; a reused run that passed with ``"exit_code": null``.

    REPAIR: none; a person looks at the output.

    TO FIX: correct the member that is wrong.
    """
    if not record.loads:
        return
    run = record.members
    began, ended = run["started_at"], run.get("completed_at")
    if type(ended) is str and ended != began and instant_of(ended) < instant_of(began):
        yield Problem(
            "run-inconsistent",
            record.path,
            f"ended ({ended}) before it began ({began})",
            subject="completed_at",
            pointer="/completed_at",
        )
    origin = run.get("origin")
    if type(origin) is dict and origin.get("derivation") != "executed":
        return
    code, status = run.get("exit_code"), run["status"]
    if type(code) is int:
        due = "passed" if code == 0 else "error" if code in (126, 127) else "failed"
    elif "origin" not in run:
        due = "error"
    else:
        return  # v1 has checkers that are no programs.
    if status in ("passed", "failed", "error") and status != due:
        said = "no exit code" if code is None else f"exit code {code}"
        yield Problem(
            "run-inconsistent",
            record.path,
            f'says "{status}", but {said} means "{due}"',
            subject="status",
            pointer="/status",
        )


def run_result_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """A directory of a gate run holds no ``result.json``.

    A run that was killed between making the directory and writing the result leaves it. The tracker passes
    over it.

    FAIL: ``gate-runs/7f../`` that is empty, or holds a temp file alone.

    PASS: a directory with its ``result.json``; a run that is gone with its directory is told as ``run-lost``.

    REPAIR: a temp file that is whole becomes the result; an empty directory is removed.

    TO FIX: restore result.json, or remove the empty directory by hand.
    """
    if not focus.everything and not any(path.startswith(layout.RUNS) for path in focus.paths):
        return
    touched = None if focus.everything else {layout.run_id_of(p) for p in focus.paths if p.startswith(layout.RUNS)}
    with_result: dict[str, bool] = {}
    for path in store.entries():
        if path.startswith(layout.RUNS) and path.count("/") >= 2:
            run_id = layout.run_id_of(path)
            with_result[run_id] = with_result.get(run_id, False) or path == layout.run_path(run_id)
    for run_id, has_result in with_result.items():
        if has_result or (touched is not None and run_id not in touched):
            continue
        if not any(parent.has_run(run_id) for parent in focus.parents):
            yield Problem(
                "run-result-missing",
                layout.run_path(run_id),
                f"gate run {run_id[:8]} has a directory, but no result in it",
            )


def run_id_mismatch(record: Record) -> Iterator[Problem]:
    """The directory of a gate run and the ``run_id`` inside differ.

    The tracker finds a run by its directory and believes the id inside. Swapped or copied directories do this.

    FAIL: ``gate-runs/7f.../result.json`` with ``"run_id": "02..."``

    PASS: the same id in both places.

    REPAIR: none; a person decides which of the two is right.

    TO FIX: name the directory after the run's id.
    """
    own = record.members.get("run_id")
    if type(own) is str and record.path != layout.run_path(own):
        name = layout.run_id_of(record.path)
        yield Problem(
            "run-id-mismatch",
            record.path,
            f'says that its id is "{own}", but its directory is named {name}',
            subject=own,
            pointer="/run_id",
        )


def run_stray_file(store: Store, focus: Focus) -> Iterator[Problem]:
    """Something else than ``result.json`` lies in the directory of a gate run.

    No tracker reads it and none removes it; often it is output that somebody wanted to keep, or a file put into
    the wrong place.

    FAIL: ``gate-runs/7f.../notes.txt``

    PASS: ``result.json`` alone. Temp and lock files are told by codes of their own.

    REPAIR: none; move the file elsewhere, or remove it.

    TO FIX: take the file out of the run's directory.
    """
    for path in focus.entry_paths(store):
        if path.endswith("/result.json") and path.count("/") == 2:
            continue
        if layout.kind_of(path) == "run-stray" and not (path.endswith("/") and path.count("/") == 2):
            yield Problem("run-stray-file", path, "lies in the directory of a gate run: no tracker reads it")


def run_issue_unknown(store: Store, focus: Focus) -> Iterator[Problem]:
    """A gate run is about an issue that is neither alive nor deleted.

    The issue was never committed, or was lost; ``issue-vanished`` tells of the second.

    FAIL: ``issue_id`` names no issue file and no id in ``deleted_ids``.

    PASS: the run of a deleted issue.

    REPAIR: none.

    TO FIX: nothing breaks; its issue is gone.
    """
    if store.issue_index is None:
        return  # Nothing is known of deleted ids; `index-absent` tells.
    known: set[object] = set()
    for run in _runs(store, focus, everywhere=_lost_issues(store, focus)):
        if run.issue in known or type(run.issue) is not str:
            continue
        if store.is_known(run.issue):
            known.add(run.issue)
        else:
            yield Problem(
                "run-issue-unknown",
                layout.run_path(run.id),
                f"is a run for issue {run.issue[:8]}, which is neither there nor deleted",
                subject=run.issue,
                pointer="/issue_id",
            )


def _lost_issues(store: Store, focus: Focus) -> bool:
    """True if any id that a parent knew is no longer known."""
    before, index = focus.index_before(), store.issue_index
    ids = dict.fromkeys(focus.removed_issue_ids(store))
    if before is not None and index is not None:
        ids.update(dict.fromkeys(before.alive_set - index.alive_set))
        ids.update(dict.fromkeys(before.deleted_set - index.deleted_set))
    elif not focus.everything and layout.INDEX in focus.paths:
        return True
    return not all(map(store.is_known, ids))


def _runs(store: Store, focus: Focus, *, everywhere: bool) -> Iterable[Run]:
    """The runs judged; all of them when something they name changed."""
    if everywhere:
        return store.runs()
    found = (store.run(run_id) for run_id in focus.run_ids(store))
    return (run for run in found if run is not None)


def run_source_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """A gate run takes its verdict from a run that is not there, or that took its own from another.

    Since v1 a run may reuse the verdict of one that was executed on the same inputs; without it nothing shows
    what was checked.

    FAIL: ``"origin": {"derivation": "reused", "source_run": "..."}`` that names no run, or a reused one.

    PASS: one that names an executed run, of any issue.

    REPAIR: none; run the gate again: ``jit gate pass ISSUE GATE``.

    TO FIX: nothing breaks; the run it was taken from is gone.
    """
    changed = not focus.everything and any(parent.has_run(run_id) for run_id, parent in _old_runs(focus))
    for run in _runs(store, focus, everywhere=changed):
        source = run.reused_from
        if type(source) is not str:
            continue
        there = store.run(source)
        if there is None and store.has_run(source):
            continue
        if there is None or there.reused_from is not None:
            why = "is not there" if there is None else "took it from another itself"
            yield Problem(
                "run-source-missing",
                layout.run_path(run.id),
                f"takes its verdict from run {source[:8]}, which {why}",
                subject=source,
                pointer="/origin/source_run",
            )


def _old_runs(focus: Focus) -> Iterator[tuple[str, Store]]:
    """The ids of the runs that the focus names, with the first parent."""
    for path in sorted(focus.paths):
        if focus.parents and path.startswith(layout.RUNS) and layout.kind_of(path) == "run":
            yield layout.run_id_of(path), focus.parents[0]


def run_gate_unregistered(store: Store, focus: Focus) -> Iterator[Problem]:
    """A gate run is of a gate that the registry does not know.

    The gate was removed since; the run stays as history.

    FAIL: ``"gate_key": "tests"``, and no gate ``tests`` in the registry.

    PASS: a run of a registered gate; a store without a registry (``registry-absent`` tells that).

    REPAIR: none.

    TO FIX: nothing breaks; its gate is gone.
    """
    keys = store.gate_keys
    if keys is None:
        return
    for run in _runs(store, focus, everywhere=focus.touches_registry()):
        if run.gate not in keys:
            yield Problem(
                "run-gate-unregistered",
                layout.run_path(run.id),
                f"is a run of gate `{run.gate}`, which the registry does not know",
                subject=str(run.gate),
                pointer="/gate_key",
            )


def run_changed(store: Store, focus: Focus) -> Iterator[Problem]:
    """A gate run that a parent holds says something else now.

    A run is written once and is evidence from then on. ``stdout`` and ``stderr`` are exempt: output may be
    shortened. Member order and white space do not matter, and an absent member says the same as a null one.

    FAIL: ``exit_code`` edited.

    PASS: three megabytes of ``stdout`` cut down.

    REPAIR: the parent's run is restored; the output stays as it is now.

    TO FIX: a run is never changed: bring the parent's back.
    """
    for run_path in sorted(focus.paths):
        if layout.kind_of(run_path) != "run" or not store.is_file(run_path):
            continue
        now = store.record(run_path)
        if now is None or type(now.document) is not dict:
            continue
        for parent in focus.parents:
            before = parent.record(run_path)
            if before is None or type(before.document) is not dict or before.data == now.data:
                continue
            changed = changed_members(before.document, now.document)
            if changed:
                yield Problem(
                    "run-changed",
                    run_path,
                    "changed a gate run that a parent holds: " + ", ".join(f"`{member}`" for member in changed),
                    pointer=pointer_to(changed[0]),
                )
                break


def changed_members(before: dict[str, object], now: dict[str, object]) -> list[str]:
    """The members, but for the output, with another value in one of two runs; absent counts as null."""
    import json

    def value(document: dict[str, object], member: str) -> object:
        found = document.get(member)
        return None if member == "origin" and found == {"derivation": "executed"} else found

    return [
        member
        for member in dict.fromkeys((*before, *now))
        if member not in OUTPUT
        and json.dumps(value(before, member), sort_keys=True) != json.dumps(value(now, member), sort_keys=True)
    ]


def run_lost(store: Store, focus: Focus) -> Iterator[Problem]:
    """A gate run that a parent holds is gone.

    Runs are kept for good: no command of the tracker removes one, not even with its issue. Without it nothing
    shows why a gate passed.

    FAIL: ``gate-runs/7f.../`` removed.

    PASS: a run that nobody could read put aside; a run moved to the directory of its own id.

    REPAIR: the run is restored from the parent.

    TO FIX: bring it back from the parent, or say in [[accept]] of .jit/hooks.toml why it may go.
    """
    for run_path in sorted(focus.paths):
        if layout.kind_of(run_path) != "run" or store.snapshot.entry(run_path) is not None:
            continue
        if _was_given_up(focus, run_path):
            continue
        for parent in focus.parents:
            before = parent.record(run_path)
            if before is None or not before.loads:
                continue
            own = before.members.get("run_id")
            if type(own) is str and own != layout.run_id_of(run_path) and store.has_run(own):
                continue
            if not store.entries():
                return  # The whole store is gone: `issue-vanished` says it.
            about = before.members.get("issue_id")
            of = f" for issue {titled(store, about)}" if type(about) is str else ""
            gate = before.members.get("gate_key")
            yield Problem("run-lost", run_path, f"gate run of `{gate}`{of}, which a parent holds, is gone")
            break


def _was_given_up(focus: Focus, path: str) -> bool:
    """True if a merge only took over that one branch had removed a run with which the branches started."""
    return (
        focus.is_merge
        and bool(focus.bases)
        and all(base.snapshot.entry(path) is not None for base in focus.bases or ())
        and any(parent.snapshot.entry(path) is None for parent in focus.parents)
    )


def run_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue carries the verdict of an automated gate, and there is no run of it.

    The tracker writes the run before the verdict, so the run exists somewhere: most often its directory was not
    staged. Every other clone then has a verdict without evidence.

    FAIL: ``gates_status`` says ``passed`` by ``auto:executor``, and no run of this issue and gate exists.

    PASS: a run beside it, executed or reused; verdicts people gave.

    REPAIR: stage the run: ``git add .jit/gate-runs``.

    TO FIX: stage the run's result.json.
    """
    pairs = _automated(store, focus.issue_ids(store))
    if not focus.everything:
        pairs = _unproved(store, focus, pairs)
    doubt: list[bytes] | None = None
    for issue, gate in pairs:
        if any(run.gate == gate for run in store.runs_of(issue.id)):
            continue
        if doubt is None:
            doubt = list(_broken_runs(store))
        if not _names(doubt, issue.id):
            yield Problem(
                "run-missing",
                issue.path,
                f"issue {titled(store, issue.id)} has gate `{gate}` {issue.gates_status[gate].status} by the "
                "automated executor, but no run shows it",
                subject=gate,
                pointer=pointer_to("gates_status", gate),
            )


def _automated(store: Store, issue_ids: Iterable[str]) -> list[tuple[Issue, str]]:
    """The issues and gates with the verdict of a program."""
    found = []
    for issue_id in issue_ids:
        issue = store.issue(issue_id)
        if issue is not None:
            for gate, status in issue.gates_status.items():
                if status.by == EXECUTOR and status.status != "pending":
                    found.append((issue, gate))
    return found


def _unproved(store: Store, focus: Focus, pairs: list[tuple[Issue, str]]) -> list[tuple[Issue, str]]:
    """The pairs that are new against the first parent, or lost a run, and that no run in the focus shows."""
    parent = focus.parents[0] if focus.parents else None
    left: dict[tuple[str, str], tuple[Issue, str]] = {}
    for issue, gate in pairs:
        before = parent.issue(issue.id) if parent is not None else None
        old = before.gates_status.get(gate) if before is not None else None
        if old is None or _facts(old) != _facts(issue.gates_status[gate]):
            left[issue.id, gate] = issue, gate
    for run_id, parent_store in _old_runs(focus):
        run = parent_store.run(run_id)
        shown: list[str] = []
        if run is not None and type(run.issue) is str:
            shown = [run.issue]
        elif parent_store.has_run(run_id):  # it did not load, so it may have stood for any issue
            shown = store.issue_ids()
        for issue, gate in _automated(store, shown):
            left[issue.id, gate] = issue, gate
    if left:
        for run_id in focus.run_ids(store):
            run = store.run(run_id)
            if run is not None:
                left.pop((str(run.issue), str(run.gate)), None)
    return list(left.values())


def _facts(status: GateStatus) -> tuple[object, object, object]:
    return status.status, status.by, status.at


def _broken_runs(store: Store) -> Iterator[bytes]:
    """The bytes of the runs that do not load; each may be the one that a check misses."""
    for run_id in store.run_ids():
        if store.run(run_id) is None:
            data = store.snapshot.read(layout.run_path(run_id))
            yield data if type(data) is bytes else b""


def _names(broken: Collection[bytes], issue_id: str) -> bool:
    """True if a broken run may be one of this issue: it names it, or nothing of it was read."""
    return any(not data or issue_id.encode() in data for data in broken)


def _issues_with_runs(store: Store, focus: Focus) -> dict[str, None]:
    """The issues judged, and those of the runs judged, before and now."""
    ids = dict.fromkeys(focus.eventful_issue_ids(store))
    for run_id, parent in _old_runs(focus) if not focus.everything else ():
        run = parent.run(run_id)
        if run is None and parent.has_run(run_id):
            return dict.fromkeys(store.issue_ids())
        if run is not None and type(run.issue) is str and store.has_issue(run.issue):
            ids[run.issue] = None
    return ids


def run_status_mismatch(store: Store, focus: Focus) -> Iterator[Problem]:
    """The automated verdict of an issue is not that of the newest run of the gate.

    A writer that died between the run and the issue leaves the older verdict; so does a merge that took one
    side's issue and both sides' runs. A run that ended in an error counts as failed.

    FAIL: status ``failed`` by ``auto:executor``, and the newest run passed.

    PASS: the newest run's verdict; a verdict that a person gave later.

    REPAIR: the verdict is set from the newest run, at the time it began, unless it is later than that.

    TO FIX: run the gate again: ``jit gate check``.
    """
    doubt: list[bytes] | None = None
    for issue_id in _issues_with_runs(store, focus):
        issue = store.issue(issue_id)
        if issue is None or not store.runs_of(issue_id):
            continue
        for gate, runs in newest_runs(store.runs_of(issue_id)).items():
            status = issue.gates_status.get(gate)
            if status is None and gate not in issue.gates_required:
                continue
            due = {VERDICT.get(str(run.status), "") for run in runs}
            now = status.status if status is not None else None
            if now in due or "" in due or not _is_due(status, runs[0]):
                continue
            if doubt is None:
                doubt = list(_broken_runs(store))
            if not _names(doubt, issue_id):
                yield Problem(
                    "run-status-mismatch",
                    issue.path,
                    f"issue {titled(store, issue_id)} has gate `{gate}` {now or 'without a verdict'}, but its "
                    f"newest run, {runs[0].id[:8]}, says {runs[0].status}",
                    subject=gate,
                    pointer=pointer_to("gates_status", gate) if status is not None else "/gates_status",
                    related=(layout.run_path(runs[0].id),),
                )


def _is_due(status: GateStatus | None, run: Run) -> bool:
    """True if the verdict should be this run's: it is a program's, or is still open from before the run."""
    if status is None or status.by == EXECUTOR:
        return True
    return status.by is None and status.status == "pending" and instant_of(status.at) < instant_of(run.started_at)


def newest_runs(runs: list[Run]) -> dict[str, list[Run]]:
    """By gate the run that began last; more than one when they began at the same time."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        kept = found.setdefault(str(run.gate), [run])
        if kept[0] is run:
            continue
        order = instant_of(kept[0].started_at), instant_of(run.started_at)
        if order[0] < order[1]:
            found[str(run.gate)] = [run]
        elif order[0] == order[1]:
            kept.append(run)
    return found


def run_event_imbalance(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue has more runs of a gate than events of automated verdicts, or fewer.

    Each run of June's and v1's tracker ends in one ``gate_passed`` or ``gate_failed`` by ``auto:executor``. A
    writer that died before its last step leaves a run without its event; a commit that staged half leaves
    either.

    FAIL: two runs of ``tests``, and one event by ``auto:executor``.

    PASS: as many of one as of the other; an issue that a broken line of the log names is not judged.

    REPAIR: the event of a run without one is written, at the time the run began.

    TO FIX: nothing breaks; ``jit-check --fix`` writes the event of a run without one.
    """
    from jit_hooks.checks.event import judged_by_events

    if store.log.fault is not None:
        return
    doubt: list[bytes] | None = None
    ids = dict.fromkeys(_issues_with_runs(store, focus)) | dict.fromkeys(judged_by_events(store, focus))
    for issue_id in ids:
        issue = store.issue(issue_id)
        if issue is None:
            continue
        count: dict[str, list[int]] = {}
        for run in store.runs_of(issue_id):
            if run.status in ("passed", "failed", "error"):
                count.setdefault(str(run.gate), [0, 0])[0] += 1
        for event in {event.id: event for event in store.log.events_of(issue_id) if event.by == EXECUTOR}.values():
            if event.type in ("gate_passed", "gate_failed"):
                count.setdefault(str(event.gate), [0, 0])[1] += 1
        for gate, (runs, events) in count.items():
            if runs == events or not store.log.is_sure_of(issue_id):
                continue
            if doubt is None:
                doubt = list(_broken_runs(store))
            if not _names(doubt, issue_id):
                yield Problem(
                    "run-event-imbalance",
                    issue.path,
                    f"issue {titled(store, issue_id)} has {runs} runs of gate `{gate}`, but {events} events of its "
                    "automated verdicts",
                    subject=gate,
                    related=(layout.LOG,),
                )
