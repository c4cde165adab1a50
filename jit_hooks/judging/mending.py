"""Repair a worktree: judge, mend in memory, execute the difference, judge again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from datetime import datetime

from jit_hooks.checks.runtime import unsettled
from jit_hooks.errors import NotSettledError, StaleError, StorageError, UsageError
from jit_hooks.git import GitAtRestError, TreeSnapshot
from jit_hooks.journal.exclude import exclude
from jit_hooks.journal.execute import execute, transactions_in
from jit_hooks.journal.journal import Note
from jit_hooks.journal.place import Place
from jit_hooks.journal.plan import Change, plan_as_json
from jit_hooks.judging.copies import CopiesInGit
from jit_hooks.judging.judge import Ground, Mending, Report, Request, identities_in, look, refuse_newer
from jit_hooks.judging.rounds import Judged, Mended, mend
from jit_hooks.repairs.context import Context
from jit_hooks.store import layout
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.store import Store
from jit_hooks.worktree import WorktreeSnapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.journal.journal import Entry
    from jit_hooks.problem import Problem
    from jit_hooks.store.focus import Focus
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

_ATTEMPTS = 3
"""How often a plan is made from the beginning, where what changed meanwhile cannot be planned under the locks."""

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
    for left in reversed(range(_ATTEMPTS)):
        planner = _Planner(request, choice)
        try:
            entry = None if dry_run else planner.execute(Note(time, command))
            break
        except StaleError:
            if not left:
                raise
    report = planner.report
    if entry is not None:
        report, _ = look(request)
        _exclude(request, place_of(request), report)
    mended, context = planner.mended, planner.context
    stays = {problem.identity for problem in mended.problems}
    report.mended = Mending(
        plan_as_json(planner.plan),
        dict(sorted(mended.fixes.items())),
        {identity: why for identity, why in context.left.items() if identity in stays},
        {path: said for path, said in context.said.items() if path in mended.changes},
        stays,
        "" if entry is None else entry.id,
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
    if problems:
        named = [layout.INDEX, layout.LOG, layout.GATES_JSON, layout.GATES_TOML]
        if any(problem.path.startswith(layout.CONTROL) for problem in problems):
            named += [layout.CLAIMS, layout.CLAIMS_INDEX, layout.CLAIMS_ASIDE]
        snapshot = snapshot.read_again(named, request.wait)
    snapshot.keeps = True
    return replace(ground, snapshot=snapshot)


class _Planner:
    """The repairs of a worktree, planned without locks and, where files change meanwhile, once more under them.

    Attributes:
        report: of the worktree as it was found.
        mended: what the repairs did in memory, in the plan made last.
        context: what they had to say.
        plan: what is to be written.
    """

    def __init__(self, request: Request, choice: Choice) -> None:
        assert request.repository is not None
        self.request = request
        self.choice = choice
        self.repository = request.repository
        self.report, ground = look(request)
        self.ground = _read_once(request, self.report, ground)
        assert isinstance(self.ground.snapshot, WorktreeSnapshot)
        self.snapshot = self.ground.snapshot
        self.settings = self.snapshot.read(layout.SETTINGS)
        self.copies = CopiesInGit(self.repository, self.snapshot, request.parents)
        commit = self.repository.head() if choice.by_hook else None
        self.head = TreeSnapshot(self.repository, commit) if commit else None
        self.spared = self._spared()
        self._make(self.ground.focus, None)

    def execute(self, note: Note) -> Entry | None:
        """Write the plan; the entry of the journal, or None where there is nothing to write."""
        if not self.plan:
            return None
        return execute(
            self.plan,
            place_of(self.request),
            note=note,
            wait=self.request.wait,
            replan=self._again,
            settling=transactions_in(path for path, change in self.plan.items() if change.after is None),
        )

    def _again(self, stale: tuple[str, ...]) -> dict[str, Change]:
        """The plan for what stands there now, made under the locks: from memory, but for the files that changed."""
        self.snapshot, unlike = self.snapshot.renewed()
        if self.snapshot.read(layout.SETTINGS) != self.settings:
            raise StaleError(stale)
        refuse_newer(Store(self.snapshot, self.ground.settings.accepted), self.ground.settings)
        self.copies.snapshot = self.snapshot
        self.repository.git.rests = True
        try:
            self._make(self.ground.focus.widened(unlike), Judged(*self.mended.found, unlike))
        except GitAtRestError:
            raise StaleError(stale) from None
        finally:
            self.repository.git.rests = False
        return self.plan

    def _make(self, focus: Focus, known: Judged | None) -> None:
        accepted = self.ground.settings.accepted
        store = Store(self.snapshot, accepted)
        context = Context(
            parents=focus.parents,
            bases=focus.bases or (),
            accepted=accepted,
            copies=lambda path: () if self._is_away(path) else self.copies.of(path),
            logs=self.copies.logs,
            unsafe=self.choice.unsafe,
            now=self.request.now,
        )

        def wanted(problem: Problem) -> bool:
            if not self._is_asked_for(problem):
                return False
            if problem.code not in _TOLD_LAST or not _is_under_way(problem, store, self.request.now):
                return True
            context.leave(
                problem, "written seconds ago: its tracker may be about to log it; run this again in a moment"
            )
            return False

        self.context = context
        self.mended = mend(self.snapshot, focus, self.ground.checks, context, wanted, known)
        self._require_settled()
        self.plan = _plan_of(self.mended, self.snapshot)

    def _spared(self) -> set[Identity]:
        """The problems that are not asked to be mended."""
        report, focus = self.report, self.ground.focus
        spared = {
            problem.identity
            for problem in (*report.problems, *report.carried)
            if any(
                entry.covers(problem, self.request.top_path(problem.record)) for entry in self.ground.settings.instances
            )
        }
        if self.choice.made is not None:
            spared |= {problem.identity for problem in report.carried}
            spared |= {problem.identity for problem in report.problems} - self.choice.made
            for parent in focus.parents[1:]:
                spared |= identities_in(parent, report.problems, focus, self.ground.checks)
        elif not self.choice.everything:
            spared |= {problem.identity for problem in report.carried if problem.severity != "error"}
        return spared

    def _is_asked_for(self, problem: Problem) -> bool:
        return problem.identity not in self.spared and not self._is_away(problem.path)

    def _is_away(self, path: str) -> bool:
        """Whether a hook meets a record that HEAD has and the worktree lacks."""
        return self.head is not None and self.snapshot.entry(path) is None and self.head.entry(path) is not None

    def _require_settled(self) -> None:
        """Nothing, when the repairs leave no transaction that the tracker cannot finish.

        Raises:
            NotSettledError: one stays, so nothing may be written.
        """
        for problem in unsettled(self.mended.store.snapshot) if self.request.settling else ():
            why = self.context.left.get(problem.identity, "it is not to be repaired")
            raise NotSettledError(
                self.request.top_path(problem.path), f"{problem.message}; {why}", "jit-hooks explain transaction-stuck"
            )


def _is_under_way(problem: Problem, store: Store, now: str) -> bool:
    """Whether a command that changed the issue, or a gate run of it, may still be about to tell the log."""
    snapshot = store.snapshot
    if not isinstance(snapshot, WorktreeSnapshot):
        return False
    runs = (layout.run_path(run.id) for run in store.runs_of(layout.issue_id_of(problem.path)))
    latest = max(map(snapshot.changed, (problem.path, *runs)))
    asked = datetime.fromisoformat(now).timestamp() if now else time.time()
    return -_SKEW < asked - latest / 1e9 < _UNDER_WAY


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
