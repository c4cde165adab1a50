"""Judge each commit of a range: what it brings against its parents, and if the tip still holds it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from jit_hooks.checks import BY_CODE, CHECKS, LOST_WITH_SIDE
from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.git.snapshots import TreeSnapshot
from jit_hooks.judging.case import Case, log_start, refuse_newer, tightened
from jit_hooks.judging.grading import grade, not_brought
from jit_hooks.judging.history import History, resolve_range
from jit_hooks.judging.report import Report
from jit_hooks.judging.timelimit import WITHOUT_LIMIT, time_limit
from jit_hooks.problem import SEVERITIES, worst_first
from jit_hooks.settings import Settings, read_settings
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.checks import Check
    from jit_hooks.git.repository import Repository
    from jit_hooks.problem import Graded, Problem
    from jit_hooks.store.store import Store

    Identity = tuple[str, str, str]

_SETTINGS_BYTES = 1 << 20

SIDE_DISCARDED = "merge-side-discarded"
_LOST_WITH_SIDE = frozenset(row.code for row in CHECKS if LOST_WITH_SIDE in row.marks)


@dataclass(frozen=True)
class Bounds:
    """What judging commits may cost.

    Attributes:
        seconds: the time limit, where the settings name none; 0 is none.
        spent: how many of them are gone already.
        remedy: what to type when they are over.
        sizes: how many bytes to read of a record and of the event log, where the settings do not say.
        changes: how many changes of files all commits may make together.
    """

    seconds: float = 0.0
    spent: float = 0.0
    remedy: str = WITHOUT_LIMIT
    sizes: tuple[int, int] | None = None
    changes: int | None = None


def judge_range(
    repository: Repository, range_: str, *, checks: tuple[Check, ...] = CHECKS, every_commit: bool = False
) -> Report | None:
    """The report on every commit of a range that touches the store; None when none does and there is no store.

    Settings are those of the old tip, or of HEAD for a range without one.

    Args:
        repository: where the commits are.
        range_: what ``git rev-list`` takes: ``A..B``, or one revision for its whole history.
        checks: the rows of the registry to run.
        every_commit: True if healed problems count.

    Raises:
        NotJudgedError: the range does not resolve, or a commit or a parent that is needed is not there.
        UsageError: the range is an option, or the settings that it brings cannot be followed.
    """
    new, old = resolve_range(repository, range_)
    base = old[0] if old else repository.commits.resolve("HEAD") or new[0]
    known = [f"^{commit}" for commit in old]
    source = f"range {range_}"
    return judge_commits(repository, new, known, base, source=source, checks=checks, every_commit=every_commit)


def judge_commits(
    repository: Repository,
    tips: list[str],
    known: list[str],
    base: str | None,
    *,
    source: str,
    checks: tuple[Check, ...] = CHECKS,
    every_commit: bool = False,
    hook: bool = False,
    bounds: Bounds = Bounds(),
) -> Report | None:
    """The report on the commits that some tips bring; None when none touches the store and there is none.

    A problem counts where a commit brings it: no parent has it. What a later commit has healed, so that no tip holds
    it any more, becomes a note, unless ``every_commit``. Problems that a parent from outside already has are
    ``carried``, each once. A check of severity error that could be made neither of a commit nor of the tip makes the
    report *not judged*: what could not be looked at is no pass.

    Args:
        repository: where the commits are.
        tips: ids of the newest commits.
        known: what else ``git rev-list`` takes, to leave out what came before.
        base: the commit whose settings are in force; None for the defaults. A push cannot bring both a damage and
            its permission.
        source: as reports print it.
        checks: the rows of the registry to run.
        every_commit: True if healed problems count.
        hook: True if checks that the settings raise to errors are made beside ``checks``.
        bounds: what it may cost.

    Raises:
        NotJudgedError: a commit or a parent that is needed is not there, or a bound is passed.
        UsageError: the settings that a tip brings cannot be followed.
    """
    settings, notices = settings_in_force(repository, base)
    if bounds.sizes is not None:
        settings = settings.limited(*bounds.sizes)
    if hook:
        checks = with_raised(checks, settings)
    seconds = bounds.seconds if settings.seconds is None else settings.seconds
    with time_limit(seconds, spent=bounds.spent, remedy=bounds.remedy):
        began = time.monotonic()
        history = History(repository, settings.accepted, bounds.changes)
        history.read([*tips, *known])
        if history.is_empty(tips):
            return None
        _refuse_broken_settings(history, tips)
        commits = JudgedCommits(history, settings, checks)
        for commit in history.parents:
            commits.judge(commit)
        commits.settle_unmade(tips)
        if not every_commit:
            commits.settle_healed(tips)
        report = commits.report(source, tips, began, notices)
    report.problems, report.carried = commits.in_order()
    return commits.concluded(report, tips)


def settings_in_force(repository: Repository, base: str | None) -> tuple[Settings, list[str]]:
    """The settings of the base, and what is to be said of them.

    Settings that cannot be followed are left aside, for nothing of them may permit anything, and a push that mends
    them must come through.
    """
    notices: list[str] = []
    settings = Settings()
    if base is not None:
        snapshot = TreeSnapshot(repository, base)
        snapshot.record_bytes = _SETTINGS_BYTES
        try:
            settings = read_settings(snapshot)
        except UsageError as error:
            notices.append(f"the settings of commit {base[:12]} are left aside: {error}")
    return tightened(settings, repository.git), notices


def with_raised(checks: tuple[Check, ...], settings: Settings) -> tuple[Check, ...]:
    """The checks, and those that the settings raise to errors."""
    return tuple(row for row in CHECKS if row in checks or row.code in settings.raised)


def _refuse_broken_settings(history: History, tips: list[str]) -> None:
    changed = {path for changes in history.changed_paths() for path in changes}
    for tip in tips if layout.SETTINGS in changed else ():
        snapshot = history.snapshot(tip)
        snapshot.record_bytes = _SETTINGS_BYTES
        try:
            read_settings(snapshot)
        except UsageError as error:
            message = f"commit {tip[:12]} brings settings that cannot be followed: {error}"
            raise UsageError(message) from error


class JudgedCommits:
    """The verdicts over a history.

    Attributes:
        history: the commits, their parents and changes.
        introduced: what some commit brings, each with its commit.
        carried: identity to a problem that a parent already had.
        skipped: code to the reason for which a check could be made neither of a commit nor of the tip.
    """

    def __init__(self, history: History, settings: Settings, checks: tuple[Check, ...]) -> None:
        self.history = history
        self.settings = settings
        self.checks = tuple(row for row in checks if settings.severity_of(row.code, row.severity) != "off")
        self.introduced: list[Graded] = []
        self.carried: dict[Identity, Graded] = {}
        self.skipped: dict[str, str] = {}
        self._unmade: dict[str, dict[str, str]] = {}

    def case(self, commit: str) -> Case:
        """The case of a commit: what it changes against its parents."""
        history = self.history
        try:
            parents = self._parents(commit)
        except NotJudgedError as error:
            message = f"a parent of commit {commit} cannot be read: {error}"
            raise NotJudgedError(message, "git fetch --unshallow") from error
        paths = history.changed_by(commit)
        focus = Focus(paths, parents=parents, bases=history.bases(commit))
        start = log_start(history.snapshot(commit), focus) if layout.LOG in paths else 0
        return self._case(history.store(commit, start), focus)

    def _parents(self, commit: str) -> tuple[Store, ...]:
        return tuple(self.history.store(parent) for parent in self.history.parents[commit])

    def _case(self, store: Store, focus: Focus) -> Case:
        return Case(store, focus, self.settings, self.checks, self.history.repository.prefix)

    def judge(self, commit: str) -> None:
        """Judge one commit by what it changes against its parents."""
        case = self.case(commit)
        if case.focus.touches(layout.INDEX):
            refuse_newer(case.store, self.settings)
        findings = case.find()
        has_parents = bool(case.focus.parents)
        unmade = {
            code: why for code, why in findings.skipped.items() if has_parents or BY_CODE[code].needs != "parents"
        }
        if unmade:
            self._unmade[commit] = unmade
        self._take(commit, findings.problems, case)

    def _take(self, commit: str, problems: list[Problem], case: Case) -> None:
        """Keep what no parent has as introduced, and what some parent has as carried."""
        introduced = problems
        for parent in case.focus.parents:
            if introduced:
                known = not_brought(introduced, case.against(parent))
                for problem in grade((p for p in introduced if p.identity in known), case, introduced=False):
                    self.carried.setdefault(problem.identity, problem)
                introduced = [problem for problem in introduced if problem.identity not in known]
        self.introduced.extend(grade(introduced, case, commit=commit))

    def settle_unmade(self, tips: list[str]) -> None:
        """Make of the tips what checks could not be made of a commit: what they stand on may be whole again there."""
        for commit, codes in self._unmade.items():
            seen = {problem.identity for problem in self.introduced}
            for tip in tips:
                paths = self.history.changed_since(commit, tip) or self.history.changed_by(commit)
                case = self._case(self.history.store(tip), Focus(paths, parents=self._parents(commit)))
                findings = case.find(row for row in self.checks if row.code in codes)
                self.skipped.update(findings.skipped)
                self._take(commit, [p for p in findings.problems if p.identity not in seen], case)

    def settle_healed(self, tips: list[str]) -> None:
        """Turn problems that no tip holds any more into notes."""
        may_be_healed = [p for p in self.introduced if p.commit not in tips and p.severity != "note"]
        healed = set(may_be_healed)
        for tip in tips if healed else ():
            healed -= self.still_held(tip, may_be_healed)
        self.introduced = [
            problem.but(severity="note", message=f"{problem.message} (healed by a later commit of the range)")
            if problem in healed
            else problem
            for problem in self.introduced
        ]

    def still_held(self, commit: str, problems: Iterable[Graded]) -> set[Graded]:
        """Those of some problems that a later commit still has."""
        by_commit: dict[str, list[Graded]] = {}
        for problem in problems:
            by_commit.setdefault(problem.commit or "", []).append(problem)
        still: set[Graded] = set()
        store = self.history.store(commit)
        for brought_by, group in by_commit.items():
            held = self._held(store, commit, brought_by, group)
            still.update(problem for problem in group if problem.identity in held)
        return still

    def _held(self, store: Store, tip: str, commit: str, problems: list[Graded]) -> set[Identity]:
        """The identities of those problems of one commit that a tip still has."""
        paths = {path for problem in problems for path in (problem.path, *problem.related)}
        codes = {problem.code for problem in problems}
        plain = [BY_CODE[code] for code in sorted(codes) if BY_CODE[code].needs not in ("parents", "merge")]
        held = {problem.identity for problem in self._case(store, Focus(paths)).find(plain).problems}
        if SIDE_DISCARDED in codes:  # the tip has moved on since, and may have every part of it back
            codes |= _LOST_WITH_SIDE
        losses = [BY_CODE[code] for code in sorted(codes) if BY_CODE[code].needs in ("parents", "merge")]
        if losses:
            changed = self.history.changed_since(commit, tip)
            focus = Focus(changed, parents=self._parents(commit), bases=self.history.bases(commit))
            lost = self._case(store, focus).find(losses).problems
            held |= {problem.identity for problem in lost}
            if any(problem.code in _LOST_WITH_SIDE for problem in lost):
                held |= {problem.identity for problem in problems if problem.code == SIDE_DISCARDED}
        return held

    def in_order(self) -> tuple[list[Graded], list[Graded]]:
        """The problems that are introduced, and those that are only carried, the worst first."""
        order = {commit: number for number, commit in enumerate(self.history.parents)}
        introduced = sorted(
            self.introduced,
            key=lambda problem: (SEVERITIES.index(problem.severity), order.get(problem.commit or "", 0)),
        )
        seen = {problem.identity for problem in introduced}
        carried = [problem for identity, problem in self.carried.items() if identity not in seen]
        return introduced, sorted(carried, key=worst_first)

    def report(self, source: str, tips: list[str], began: float, notices: list[str]) -> Report:
        """The report on these commits, still without problems."""
        report = Report(source, skipped=self.skipped, notices=notices, prefix=self.history.repository.prefix)
        report.snapshot = self.history.snapshot(tips[0])
        report.stats = {"commits": len(self.history.parents), "seconds": round(time.monotonic() - began, 4)}
        return report

    def concluded(self, report: Report, tips: list[str]) -> Report:
        """The report, not judged where a check of severity error could not be made: that is no pass."""
        grave = [code for code in self.skipped if self.settings.severity_of(code, BY_CODE[code].severity) == "error"]
        if grave and not report.errors:
            report.reason = f"{self.skipped[grave[0]]}, so these could not be checked: {', '.join(grave)}"
            report.remedy = f"jit-check --commit {tips[0]}"
        return report
