"""Repair a worktree: judge, mend in memory, execute the difference, judge again."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime

from jit_hooks.checks import BY_CODE, LOGGED_LATER
from jit_hooks.checks.runtime import unsettled
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import NotSettledError, StaleError, StorageError, UsageError
from jit_hooks.git.command import GitAtRestError
from jit_hooks.git.snapshots import TreeSnapshot
from jit_hooks.journal.exclude import exclude
from jit_hooks.journal.execute import execute, transactions_in
from jit_hooks.journal.journal import Note
from jit_hooks.journal.plan import Change, plan_as_json
from jit_hooks.judging.case import refuse_newer
from jit_hooks.judging.copies import CopiesInGit
from jit_hooks.judging.grading import already_in, is_accepted
from jit_hooks.judging.judge import judge, look
from jit_hooks.judging.report import Repairs
from jit_hooks.judging.request import WORKTREE
from jit_hooks.judging.rounds import Known, draft_repairs
from jit_hooks.place import place_of
from jit_hooks.repairs.context import Context
from jit_hooks.store import layout
from jit_hooks.store.snapshot import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.journal.journal import Entry
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.report import Report
    from jit_hooks.judging.request import Request
    from jit_hooks.judging.rounds import Draft
    from jit_hooks.problem import Problem
    from jit_hooks.store.snapshot import Snapshot
    from jit_hooks.store.store import Store

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

_UNDER_WAY = 6.0
"""Seconds for which a record may still be waiting for its event: that tracker waits 5 for a lock."""

_ATTEMPTS = 3
"""How often a plan is made from the beginning, where what changed meanwhile cannot be planned under the locks."""

_SKEW = 60.0
"""Seconds by which a file may seem younger than the request."""


def mend(request: Request, choice: Choice = SAFE, *, dry_run: bool = False, time: str = "", command: str) -> Report:
    """Mend what can be mended in a worktree; the report of what is left.

    Args:
        request: the worktree.
        choice: what is to be mended.
        dry_run: True to write nothing; the report is then of the store as it is, with the plan.
        time: when, RFC 3339, for the journal.
        command: what was typed, for the journal.

    Raises:
        UsageError: there is no git repository around the store.
        NotJudgedError: the store could not be looked at, or is busy, or not settled: plain repairs write nothing then,
            unsafe ones clear away what the tracker cannot finish, and nothing beside what it can.
        StaleError, WriteError: nothing, or not everything, could be written.
    """
    if request.repository is None or request.source != WORKTREE:
        message = "--fix repairs the worktree of a git repository: its journal lies in the git directory"
        raise UsageError(message)
    request = replace(request, settling=choice.unsafe)
    for attempts_left in reversed(range(_ATTEMPTS)):
        planner = _Planner(request, choice)
        try:
            entry = None if dry_run else planner.execute(Note(time, command))
            break
        except StaleError:
            if not attempts_left:
                raise
    report = planner.report
    if entry is not None:
        report = judge(request)
        _exclude(request, report)
    report.repairs = planner.repairs(entry, dry_run=dry_run)
    return report


class _Planner:
    """The repairs of a worktree, planned without locks and, where files change meanwhile, once more under them.

    Attributes:
        report: of the worktree as it was found.
        case: the worktree, its names, indexes and logs read while no tracker was writing, and each file read once:
            what a plan takes for prior bytes is then what was judged, and what it makes of one file agrees with the
            others.
        draft: what the repairs did in memory, in the plan made last.
        context: what they had to say.
        plan: what is to be written.
    """

    def __init__(self, request: Request, choice: Choice) -> None:
        assert request.repository is not None
        self.request = request
        self.choice = choice
        self.repository = request.repository
        self.report, case = look(request)
        snapshot = _read_once(case.store.snapshot, self.report, request.wait)
        self.case = case.of(snapshot)
        self.settings = snapshot.read(layout.SETTINGS)
        self.copies = CopiesInGit(self.repository, snapshot, request.parents)
        commit = self.repository.commits.head() if choice.by_hook else None
        self.head = TreeSnapshot(self.repository, commit) if commit else None
        self.spared = self._spared()
        self._make(self.case, None)

    def execute(self, note: Note) -> Entry | None:
        """Write the plan; the entry of the journal, or None where there is nothing to write."""
        if not self.plan:
            return None
        return execute(
            self.plan,
            place_of(self.repository, self.request.root),
            note=note,
            wait=self.request.wait,
            replan=self._again,
            settling=transactions_in(path for path, change in self.plan.items() if change.after is None),
        )

    def repairs(self, entry: Entry | None, *, dry_run: bool) -> Repairs:
        """The repairs of the plan, for the report."""
        stays = {problem.identity for problem in self.draft.problems}
        return Repairs(
            plan_as_json(self.plan),
            dict(sorted(self.draft.fixes.items())),
            {identity: reason for identity, reason in self.context.left.items() if identity in stays},
            {path: source for path, source in self.context.said.items() if path in self.draft.changes},
            stays,
            "" if entry is None else entry.id,
            dry_run,
        )

    def _again(self, stale: tuple[str, ...]) -> dict[str, Change]:
        """The plan for what stands there now, made under the locks: from memory, but for the files that changed."""
        before = self.case.store.snapshot
        assert isinstance(before, WorktreeSnapshot)
        snapshot, unlike = before.renewed()
        if snapshot.read(layout.SETTINGS) != self.settings:
            raise StaleError(stale)
        self.case = self.case.of(snapshot)
        refuse_newer(self.case.store, self.case.settings)
        self.copies.snapshot = snapshot
        self.repository.git.rests = True
        try:
            self._make(self.case.widened(unlike), Known(*self.draft.first, unlike))
        except GitAtRestError:
            raise StaleError(stale) from None
        finally:
            self.repository.git.rests = False
        return self.plan

    def _make(self, case: Case, known: Known | None) -> None:
        context = Context(
            parents=case.focus.parents,
            bases=case.focus.bases or (),
            accepted=case.settings.accepted,
            copies=lambda path: () if self._is_away(path) else self.copies.of(path),
            logs=self.copies.logs,
            unsafe=self.choice.unsafe,
            now=self.request.now,
        )

        def wanted(problem: Problem) -> bool:
            if problem.identity in self.spared or self._is_away(problem.path):
                return False
            is_logged_later = LOGGED_LATER in BY_CODE[problem.code].marks
            if not (is_logged_later and _is_under_way(problem, case.store, self.request.now)):
                return True
            context.leave(
                problem, "written seconds ago: its tracker may be about to log it; run this again in a moment"
            )
            return False

        self.context = context
        self.draft = draft_repairs(case, context, wanted, known)
        self._require_settled()
        self.plan = _plan_of(self.draft, case.store.snapshot)

    def _spared(self) -> set[Identity]:
        """The problems that are not asked to be mended."""
        report, case = self.report, self.case
        every = [*report.problems, *report.carried]
        spared = {problem.identity for problem in every if is_accepted(problem, case)}
        if self.choice.made is not None:
            spared |= {problem.identity for problem in report.carried}
            spared |= {problem.identity for problem in report.problems} - self.choice.made
            for parent in case.focus.parents[1:]:
                spared |= already_in(parent, list(report.problems), case)
        elif not self.choice.everything:
            spared |= {problem.identity for problem in report.carried if problem.severity != "error"}
        return spared

    def _is_away(self, path: str) -> bool:
        """True if a hook meets a record that HEAD has and the worktree lacks."""
        snapshot = self.case.store.snapshot
        return self.head is not None and snapshot.entry(path) is None and self.head.entry(path) is not None

    def _require_settled(self) -> None:
        """Pass when the repairs leave no transaction that the tracker cannot finish.

        Raises:
            NotSettledError: one stays, so nothing may be written.
        """
        for problem in unsettled(self.draft.store.snapshot) if self.request.settling else ():
            reason = self.context.left.get(problem.identity, "it is not to be repaired")
            message = f"{problem.message}; {reason}"
            raise NotSettledError(self.request.top_path(problem.path), message, "jit-hooks explain transaction-stuck")


def _read_once(snapshot: Snapshot, report: Report, wait: float) -> WorktreeSnapshot:
    """The worktree with its names, indexes and logs read under the locks where anything is wrong, and kept."""
    assert isinstance(snapshot, WorktreeSnapshot)
    problems = [*report.problems, *report.carried]
    if problems:
        named = [layout.INDEX, layout.LOG, layout.GATES_JSON, layout.GATES_TOML]
        if any(problem.path.startswith(layout.CONTROL) for problem in problems):
            named += [layout.CLAIMS, layout.CLAIMS_INDEX, layout.CLAIMS_ASIDE]
        snapshot = snapshot.read_again(named, wait)
    snapshot.keeps = True
    return snapshot


def _is_under_way(problem: Problem, store: Store, now: str) -> bool:
    """True if a command that changed the issue, or a gate run of it, may still be about to tell the log."""
    snapshot = store.snapshot
    if not isinstance(snapshot, WorktreeSnapshot):
        return False
    runs = (layout.run_path(run.id) for run in store.runs_of(layout.issue_id_of(problem.path)))
    latest = max(map(snapshot.changed, (problem.path, *runs)))
    asked = datetime.fromisoformat(now).timestamp() if now else time.time()
    return -_SKEW < asked - latest / 1e9 < _UNDER_WAY


def _exclude(request: Request, report: Report) -> None:
    """Keep lock files and what repairs set aside out of commits; what cannot be written is said, not raised."""
    assert request.repository is not None
    common = request.repository.common
    try:
        exclude(common, request.repository.prefix)
    except StorageError as error:
        report.notices.append(str(error))
    except OSError as error:
        report.notices.append(f"cannot write {common}/info/exclude: {error.strerror}")


def _plan_of(draft: Draft, snapshot: Snapshot) -> dict[str, Change]:
    plan: dict[str, Change] = {}
    for path, after in draft.changes.items():
        rooted = path if path.startswith("control:") else f"store:{path}"
        if path.endswith("/"):
            plan[rooted] = Change.remove_directory() if after is None else Change.make_directory()
            continue
        before = snapshot.read(path)
        assert not isinstance(before, TooLarge)
        plan[rooted] = Change.of(before, after, append_only=path in LOGS)
    return plan
