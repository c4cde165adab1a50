"""Repair a worktree: judge, mend in memory, execute the difference, judge again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from datetime import datetime

from jit_hooks.checks.runtime import unsettled
from jit_hooks.copies import CopiesInGit
from jit_hooks.errors import NotSettledError, StorageError, UsageError
from jit_hooks.git import TreeSnapshot
from jit_hooks.journal.exclude import exclude
from jit_hooks.journal.execute import execute, transactions_in
from jit_hooks.journal.journal import Note
from jit_hooks.journal.place import Place
from jit_hooks.journal.plan import Change, plan_as_json
from jit_hooks.line import Ground, Mending, Report, Request, identities_in, look
from jit_hooks.repairs.context import Context
from jit_hooks.repairs.mend import Mended, mend
from jit_hooks.store import layout
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.store import Store
from jit_hooks.worktree import WorktreeSnapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Copy
    from jit_hooks.store.snapshot import Snapshot

    Identity = tuple[str, str, str]

LOGS = frozenset((layout.LOG, layout.LOG_BACKUP, layout.CLAIMS, layout.CLAIMS_ASIDE))
"""Files to which others append while a plan is made: what they append is kept."""


@dataclass(frozen=True)
class Choice:
    """What is to be mended.

    Attributes:
        unsafe: whether repairs may choose between readings.
        everything: whether warnings and notes that the parent already has are mended, too: old habits of a store.
        made: the only problems that are mended, by identity: those this very merge made; None: any.
        by_hook: whether a hook asks: a record that HEAD has and the worktree lacks may be about to be deleted, so it
            is not brought back.
    """

    unsafe: bool = False
    everything: bool = False
    made: frozenset[Identity] | None = None
    by_hook: bool = False


SAFE = Choice()

_TOLD_LAST = frozenset(
    (
        "event-created-missing",
        "event-state-mismatch",
        "event-completed-missing",
        "event-gate-mismatch",
        "run-status-mismatch",
        "run-event-imbalance",
    )
)
"""What June's tracker shows while a command of its own is under way: it saves a record, lets go of the lock, and
appends the event afterwards under another."""

_UNDER_WAY = 6.0
"""Seconds for which a record may still be waiting for its event: that tracker waits 5 for a lock."""

_SKEW = 60.0
"""Seconds by which a file may seem younger than the request."""


def repair(request: Request, choice: Choice = SAFE, *, dry_run: bool = False, time: str = "", command: str) -> Report:
    """Mend what can be mended in a worktree; the report of what is left.

    Args:
        request: the worktree.
        choice: what is to be mended.
        dry_run: whether nothing is written; the report is then of the store as it is, with the plan.
        time: when, RFC 3339, for the journal.
        command: what was typed, for the journal.

    Raises:
        UsageError: there is no git repository around the store.
        NotJudgedError: the store could not be looked at, or is busy, or not settled: plain repairs write nothing then,
            unsafe ones clear away what the tracker cannot finish, and nothing beside what it can.
        StaleError, WriteError: nothing, or not everything, could be written.
    """
    if request.repository is None or request.source != "worktree":
        message = "--fix repairs the worktree of a git repository: its journal lies in the git directory"
        raise UsageError(message)
    request = replace(request, settling=choice.unsafe)
    report, ground = look(request)
    ground = _read_once(request, report, ground)
    mended, context = _mended(request, choice, ground, report)
    _require_settled(request, mended, context)
    place = place_of(request)
    plan = _plan_of(mended, ground.snapshot)
    entry_id = ""
    if plan and not dry_run:
        again = _Again(request, choice)
        entry = execute(
            plan,
            place,
            note=Note(time, command),
            wait=request.wait,
            replan=lambda _: again.plan(),
            settling=transactions_in(path for path, change in plan.items() if change.after is None),
        )
        if again.result is not None:
            plan, mended, context = again.result
        report, ground = look(replace(request, wait=request.wait))
        entry_id = entry.id
        _exclude(request, place, report)
    stays = {problem.identity for problem in mended.problems}
    report.mended = Mending(
        plan_as_json(plan),
        dict(sorted(mended.fixes.items())),
        {identity: why for identity, why in context.left.items() if identity in stays},
        {path: said for path, said in context.said.items() if path in mended.changes},
        stays,
        entry_id,
        dry_run,
    )
    return report


def _read_once(request: Request, report: Report, ground: Ground) -> Ground:
    """The ground with its names, indexes and logs read while no tracker is writing, and each file read only once.

    What a plan takes for prior bytes is then what was judged, and what it makes of one file agrees with the others.
    """
    snapshot = ground.snapshot
    assert isinstance(snapshot, WorktreeSnapshot)
    problems = [*report.problems, *report.carried]
    if problems and not request.locked:
        named = [layout.INDEX, layout.LOG, layout.GATES_JSON, layout.GATES_TOML]
        if any(problem.path.startswith(layout.CONTROL) for problem in problems):
            named += [layout.CLAIMS, layout.CLAIMS_INDEX, layout.CLAIMS_ASIDE]
        snapshot = snapshot.read_again(named, request.wait)
    snapshot.keeps = True
    return replace(ground, snapshot=snapshot)


def _mended(request: Request, choice: Choice, ground: Ground, report: Report) -> tuple[Mended, Context]:
    repository = request.repository
    assert repository is not None
    assert isinstance(ground.snapshot, WorktreeSnapshot)
    snapshot = ground.snapshot
    copies = CopiesInGit(repository, snapshot, request.parents)
    commit = repository.head() if choice.by_hook else None
    head = TreeSnapshot(repository, commit) if commit else None

    def is_away(path: str) -> bool:
        return head is not None and snapshot.entry(path) is None and head.entry(path) is not None

    def copies_of(path: str) -> Iterable[Copy]:
        return () if is_away(path) else copies.of(path)

    context = Context(
        parents=ground.focus.parents,
        bases=ground.focus.bases or (),
        accepted=ground.settings.accepted,
        copies=copies_of,
        logs=copies.logs,
        unsafe=choice.unsafe,
        now=request.now,
    )
    spared = {
        problem.identity
        for problem in (*report.problems, *report.carried)
        if any(entry.covers(problem, request.top_path(problem.record)) for entry in ground.settings.instances)
    }
    if choice.made is not None:
        spared |= {problem.identity for problem in report.carried}
        spared |= {problem.identity for problem in report.problems if problem.identity not in choice.made}
        for parent in ground.focus.parents[1:]:
            spared |= identities_in(parent, report.problems, ground.focus, ground.checks)
    elif not choice.everything:
        spared |= {problem.identity for problem in report.carried if problem.severity != "error"}
    store = Store(snapshot, ground.settings.accepted)

    def wanted(problem: Problem) -> bool:
        if problem.identity in spared or is_away(problem.path):
            return False
        if problem.code not in _TOLD_LAST or not _is_under_way(problem, store, request.now):
            return True
        context.leave(problem, "written seconds ago: its tracker may be about to log it; run this again in a moment")
        return False

    return mend(snapshot, ground.focus, ground.checks, context, wanted), context


def _is_under_way(problem: Problem, store: Store, now: str) -> bool:
    """Whether a command that changed the issue, or a gate run of it, may still be about to tell the log."""
    snapshot = store.snapshot
    if not isinstance(snapshot, WorktreeSnapshot):
        return False
    runs = (layout.run_path(run.id) for run in store.runs_of(layout.issue_id_of(problem.path)))
    latest = max(map(snapshot.changed, (problem.path, *runs)))
    asked = datetime.fromisoformat(now).timestamp() if now else time.time()
    return -_SKEW < asked - latest / 1e9 < _UNDER_WAY


def _require_settled(request: Request, mended: Mended, context: Context) -> None:
    """Nothing, when the repairs leave no transaction that the tracker cannot finish.

    Raises:
        NotSettledError: one stays, so nothing may be written.
    """
    for problem in unsettled(mended.store.snapshot) if request.settling else ():
        why = context.left.get(problem.identity, "it is not to be repaired")
        raise NotSettledError(
            request.top_path(problem.path), f"{problem.message}; {why}", "jit-hooks explain transaction-stuck"
        )


class _Again:
    """The plan made once more, when files changed after the first was made: under the locks, from what stands there."""

    def __init__(self, request: Request, choice: Choice) -> None:
        self.request = replace(request, locked=True)
        self.choice = choice
        self.result: tuple[dict[str, Change], Mended, Context] | None = None

    def plan(self) -> dict[str, Change]:
        report, ground = look(self.request)
        ground = _read_once(self.request, report, ground)
        mended, context = _mended(self.request, self.choice, ground, report)
        _require_settled(self.request, mended, context)
        plan = _plan_of(mended, ground.snapshot)
        self.result = plan, mended, context
        return plan


def _exclude(request: Request, place: Place, report: Report) -> None:
    """Keep lock files and what repairs set aside out of commits; what cannot be written is said, not raised."""
    assert request.repository is not None
    try:
        exclude(place.common, request.repository.prefix)
    except StorageError as error:
        report.notices.append(str(error))
    except OSError as error:
        report.notices.append(f"cannot write {place.common}/info/exclude: {error.strerror}")


def _plan_of(mended: Mended, snapshot: Snapshot) -> dict[str, Change]:
    plan: dict[str, Change] = {}
    for path, after in mended.changes.items():
        rooted = path if path.startswith("control:") else f"store:{path}"
        if path.endswith("/"):
            plan[rooted] = Change.remove_directory() if after is None else Change.make_directory()
            continue
        before = snapshot.read(path)
        assert not isinstance(before, TooLarge)
        plan[rooted] = Change.of(before, after, append_only=path in LOGS)
    return plan


def place_of(request: Request) -> Place:
    """Where the plan of a request is executed."""
    repository = request.repository
    assert repository is not None
    top = os.path.realpath(repository.git.directory or ".")
    common = os.path.join(top, repository.git.text("rev-parse", "--git-common-dir"))
    return Place(os.path.abspath(request.root), os.path.realpath(common), top)
