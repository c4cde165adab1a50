"""Judge each commit of a range: what it brings against its parents, and whether the tip still holds it.

The names and object ids of every commit come from two streams of ``git log``, so that no commit costs a git
process; listings grow from parent to child, bytes and facts are read once per object.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import chain

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.git import EVERY_LINK, TreeSnapshot
from jit_hooks.judging.findings import find_problems
from jit_hooks.judging.grading import grade
from jit_hooks.judging.judge import Report, Request, log_start, refuse_newer, split_introduced, worst_first
from jit_hooks.judging.timelimit import WITHOUT_LIMIT, time_limit
from jit_hooks.settings import Settings, read_settings
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jit_hooks.checks import Check
    from jit_hooks.git import Repository
    from jit_hooks.problem import Problem
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.snapshot import Entry

    Changes = Mapping[str, tuple[Entry | None, Entry | None]]

_LOG = ("-c", "log.diffMerges=separate", "log", "--full-history", "--topo-order", "--reverse", "--no-decorate")
_PLAIN = ("--no-color", "--no-show-signature", EVERY_LINK)
_RAW = ("-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--root", "--pretty=oneline")
_FACTS_KEPT = 50_000
_ENTRIES_KEPT = 500_000
"""Entries of listings that are kept; git lists a commit again whose listing had to go."""

_SETTINGS_BYTES = 1 << 20

_FETCH_ALL = "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'"
"""For a clone with few commits, which mostly has one branch, too."""

SIDE_DISCARDED = "merge-side-discarded"
LOSSES_OF_A_SIDE = frozenset(("event-lost", "issue-vanished", "merge-lost-edit", "run-lost"))
"""What a merge that threw a side away has lost, problem by problem."""


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
        every_commit: whether healed problems count.

    Raises:
        NotJudgedError: the range does not resolve, or a commit or a parent that is needed is not there.
        UsageError: the range is an option, or the settings that it brings cannot be followed.
    """
    new, old = resolve_range(repository, range_)
    base = old[0] if old else repository.resolve("HEAD") or new[0]
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
        every_commit: whether healed problems count.
        hook: whether checks that the settings raise to errors are made beside ``checks``.
        bounds: what it may cost.

    Raises:
        NotJudgedError: a commit or a parent that is needed is not there, or a bound is passed.
        UsageError: the settings that a tip brings cannot be followed.
    """
    settings, notices = _settings_in_force(repository, base)
    if bounds.sizes is not None:
        settings = settings.limited(*bounds.sizes)
    if hook:
        checks = _with_raised(checks, settings)
    seconds = bounds.seconds if settings.seconds is None else settings.seconds
    with time_limit(seconds, spent=bounds.spent, remedy=bounds.remedy):
        report = _judge_commits(repository, settings, tips, known, checks, bounds, every_commit=every_commit)
    if report is not None:
        report.source = source
        report.notices = notices
    return report


def _judge_commits(
    repository: Repository,
    settings: Settings,
    tips: list[str],
    known: list[str],
    checks: tuple[Check, ...],
    bounds: Bounds,
    *,
    every_commit: bool,
) -> Report | None:
    began = time.monotonic()
    history = _History(repository, settings.accepted, bounds.changes)
    history.read([*tips, *known])
    if not history.parents and not any(history.entries(commit) for commit in tips):
        return None
    _refuse_broken_settings(history, tips)
    judged = _Judged(history, settings, checks)
    for commit in history.parents:
        judged.judge(commit)
    judged.settle_unmade(tips)
    if not every_commit:
        judged.settle_healed(tips)
    report = Report("healthy", "", problems=judged.introduced, snapshot=history.snapshot(tips[0]))
    seen = {problem.identity for problem in judged.introduced}
    report.carried = [problem for identity, problem in judged.carried.items() if identity not in seen]
    report.skipped = judged.skipped
    report.prefix = repository.prefix
    order = {commit: number for number, commit in enumerate(history.parents)}
    report.problems.sort(key=lambda problem: (worst_first(problem)[0], order.get(problem.commit or "", 0)))
    report.carried.sort(key=worst_first)
    _conclude(report, judged, tips, wrong=bool(report.errors))
    seconds = time.monotonic() - began
    report.stats = {"commits": len(history.parents), "seconds": round(seconds, 4)}
    return report


def _conclude(report: Report, judged: _Judged, tips: list[str], *, wrong: bool) -> None:
    """Give a report its verdict: a check of severity error that could not be made is no pass."""
    severity_of = judged.settings.severity_of
    grave = [code for code in judged.skipped if severity_of(code, BY_CODE[code].severity) == "error"]
    if wrong:
        report.verdict = "problems"
    elif grave:
        report.verdict = "not-judged"
        report.reason = f"{judged.skipped[grave[0]]}, so these could not be checked: {', '.join(grave)}"
        report.remedy = f"jit-check --commit {tips[0]}"


class Episode:
    """One problem over a history.

    Attributes:
        problem: with the commit that brought it.
        left: the first commit that no longer holds it; None while a tip does.
    """

    __slots__ = ("left", "problem")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.left: str | None = None


def follow(
    repository: Repository,
    range_: str,
    *,
    checks: tuple[Check, ...] = CHECKS,
    severities: frozenset[str] = frozenset(("error",)),
    progress: Callable[[int, int], object] | None = None,
) -> tuple[list[Episode], Report] | None:
    """Each problem of a range with the commit where it entered and the one where it left, in the order of entry.

    Args:
        repository: where the commits are.
        range_: as for ``judge_range``.
        checks: the rows of the registry to run; those that the settings raise to errors come on top.
        severities: which problems to follow.
        progress: called with how many commits are done, and how many there are.

    Returns:
        The episodes and a report of the checks that could not be made; None when there is no store.

    Raises:
        NotJudgedError: as ``judge_range``.
        UsageError: as ``judge_range``.
    """
    began = time.monotonic()
    new, old = resolve_range(repository, range_)
    base = old[0] if old else repository.resolve("HEAD") or new[0]
    settings, notices = _settings_in_force(repository, base)
    history = _History(repository, settings.accepted)
    words = [*new, *(f"^{commit}" for commit in old)]
    history.read(words)
    if not history.parents and not any(history.entries(commit) for commit in new):
        return None
    judged = _Judged(history, settings, _with_raised(checks, settings))
    for number, commit in enumerate(history.parents):
        judged.judge(commit)
        if progress is not None:
            progress(number + 1, len(history.parents))
    judged.settle_unmade(new)
    episodes = [Episode(problem) for problem in judged.introduced if problem.severity in severities]
    if episodes:
        _find_ends(judged, episodes, history.graph(words), new)
    report = Report("healthy", f"range {range_}", snapshot=history.snapshot(new[0]), notices=notices)
    report.prefix = repository.prefix
    report.skipped = judged.skipped
    report.problems = [episode.problem for episode in episodes]
    wrong = any(episode.left is None and episode.problem.severity == "error" for episode in episodes)
    _conclude(report, judged, new, wrong=wrong)
    report.stats = {"commits": len(history.parents), "seconds": round(time.monotonic() - began, 4)}
    return episodes, report


def _find_ends(judged: _Judged, episodes: list[Episode], graph: dict[str, list[str]], tips: list[str]) -> None:
    """Say of each episode where it ended.

    Only commits that write a file the problem rests on are asked. What nonetheless is gone at the tips is then
    looked for in every commit.
    """
    open_at_end = _walk(judged, episodes, graph, everywhere=False)
    held: set[Episode] = set()
    for tip in tips:
        held |= judged.still_held(tip, open_at_end)
    for episode in episodes:
        if episode in held:
            episode.left = None
    missed = [episode for episode in open_at_end if episode not in held and episode.left is None]
    if missed:
        _walk(judged, missed, graph, everywhere=True)


def _walk(judged: _Judged, episodes: list[Episode], graph: dict[str, list[str]], *, everywhere: bool) -> list[Episode]:
    """Follow episodes from commit to commit; those that some commit without children still has."""
    history = judged.history
    brought: dict[str, list[Episode]] = {}
    for episode in episodes:
        brought.setdefault(episode.problem.commit or "", []).append(episode)
    holding: dict[str, frozenset[Episode]] = {}
    parents_of_some: set[str] = set()
    for commit, parents in graph.items():
        parents_of_some.update(parents)
        sets = [holding.get(parent, frozenset()) for parent in parents]
        before = sets[0].union(*sets[1:]) if sets else frozenset[Episode]()
        touched = {path for parent in history.parents.get(commit, ()) for path in history.changes(commit, parent)}
        asked = [
            episode
            for episode in before
            if everywhere
            or not touched.isdisjoint((episode.problem.path, *episode.problem.related))
            or not all(episode in held for held in sets)
        ]
        still = judged.still_held(commit, asked) if asked else set()
        gone = {episode for episode in asked if episode not in still}
        for episode in gone:
            episode.left = episode.left or commit
        holding[commit] = (before - gone).union(brought.get(commit, ()))
    ends = [held for commit, held in holding.items() if commit not in parents_of_some]
    return list(frozenset[Episode]().union(*ends))


def _settings_in_force(repository: Repository, base: str | None) -> tuple[Settings, list[str]]:
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
    return settings.tightened(repository.git), notices


def _with_raised(checks: tuple[Check, ...], settings: Settings) -> tuple[Check, ...]:
    raised = {code for code, severity in settings.severity.items() if severity == "error"}
    return tuple(row for row in CHECKS if row in checks or row.code in raised)


def _refuse_broken_settings(history: _History, tips: list[str]) -> None:
    changed = {path for changes in history.changed_paths() for path in changes}
    for tip in tips if layout.SETTINGS in changed else ():
        snapshot = history.snapshot(tip)
        snapshot.record_bytes = _SETTINGS_BYTES
        try:
            read_settings(snapshot)
        except UsageError as error:
            message = f"commit {tip[:12]} brings settings that cannot be followed: {error}"
            raise UsageError(message) from error


def resolve_range(repository: Repository, range_: str) -> tuple[list[str], list[str]]:
    """The commit ids a range ends with, and those it starts after.

    Raises:
        UsageError: it is an option, not a range.
        NotJudgedError: it does not resolve.
    """
    words = range_.split()
    if not words:
        message = "the range is empty and names no commit"
        raise NotJudgedError(message, "give A..B, or one revision")
    if any(word.startswith("-") for word in words) or "\0" in range_:
        message = f"--range: {range_!r} is no range of commits: give A..B, or one revision"
        raise UsageError(message)
    status, out, _ = repository.git.ask("rev-parse", "--revs-only", *words, "--")
    named = out.decode("ascii", "replace").split()
    new: list[str] = []
    old: list[str] = []
    for name in named if status == 0 else ():
        commit = repository.resolve(name.removeprefix("^"))
        if commit is None:
            new = []
            break
        (old if name.startswith("^") else new).append(commit)
    if not new:
        message = f"the range {range_} does not resolve to commits of this repository"
        if repository.is_shallow():
            raise NotJudgedError(f"{message}, a shallow clone", _FETCH_ALL)
        raise NotJudgedError(message, "git fetch, if the commits are elsewhere")
    return new, old


class _History:
    """The commits of a range that touch the store, the oldest first, each with its parents and its changes.

    Attributes:
        parents: commit id to the ids of its true parents, in the order to judge.
    """

    def __init__(self, repository: Repository, accepted: Accepted, most_changes: int | None = None) -> None:
        self.repository = repository
        self.accepted = accepted
        self._most_changes = most_changes
        self._changes_read = 0
        self.parents: dict[str, list[str]] = {}
        self._changes: dict[tuple[str, str], Changes] = {}
        self._listings: dict[str, dict[str, Entry]] = {}
        self._listed = 0
        self.facts: dict[tuple[str, str], object] = {}
        self._bases: dict[str, list[str] | None] = {}

    def read(self, range_: list[str]) -> None:
        """Read names, parents and changes of the whole range."""
        git, specs = self.repository.git, self.repository.pathspecs()
        for piece in git.lines(*_LOG, *_PLAIN, "--no-patch", "--format=%H %P", *range_, "--", *specs):
            commit, *parents = piece.decode("ascii").split()
            self.parents[commit] = parents
        self._refuse_shallow()
        commit, parent, pieces = "", "", list[bytes]()
        for piece in git.lines(*_LOG, *_PLAIN, *_RAW, *range_, "--", *specs, separator=b"\0"):
            if len(pieces) % 2 == 0 and piece[:1] not in (b":", b""):
                self._take(commit, parent, pieces)
                commit, parent = self._heading(piece)
                pieces = []
            elif piece or len(pieces) % 2:
                pieces.append(piece)
                self._count(len(pieces) % 2)
        self._take(commit, parent, pieces)

    def _count(self, changes: int) -> None:
        """Count changes; a few small trees can name more files than any memory holds.

        Raises:
            NotJudgedError: they are too many.
        """
        self._changes_read += changes
        if self._most_changes is not None and self._changes_read > self._most_changes:
            message = f"these commits change more than {self._most_changes:,} files of the store"
            raise NotJudgedError(message, "push fewer commits at once")

    def graph(self, range_: list[str]) -> dict[str, list[str]]:
        """The commits that touch the store and the merges between them, the oldest first, with their next ancestors."""
        found: dict[str, list[str]] = {}
        asked = ("rev-list", "--full-history", "--topo-order", "--reverse", "--parents", *range_, "--")
        for line in self.repository.git.lines(*asked, *self.repository.pathspecs()):
            commit, *parents = line.decode("ascii").split()
            found[commit] = parents
        return found

    def _heading(self, piece: bytes) -> tuple[str, str]:
        """Commit and parent in ``<commit> (from <parent>) <subject>``, which git prints so for a merge."""
        words = piece.lstrip(b"\n").split(b" ", 3)
        commit = words[0].decode("ascii")
        parents = self.parents[commit]
        if len(parents) > 1 and words[1:2] == [b"(from"]:
            return commit, words[2].rstrip(b")").decode("ascii")
        return commit, parents[0] if parents else ""

    def _take(self, commit: str, parent: str, pieces: list[bytes]) -> None:
        if commit:
            self._changes[commit, parent] = self.repository.parse_changes(pieces)

    def _refuse_shallow(self) -> None:
        path = self.repository.git.text("rev-parse", "--git-path", "shallow")
        try:
            with open(os.path.join(self.repository.git.directory, path), encoding="ascii") as cut:
                ends = {line.strip() for line in cut}
        except FileNotFoundError:
            return
        for commit in self.parents:
            if commit in ends:
                message = f"the parents of commit {commit} are not in this shallow clone"
                raise NotJudgedError(message, "git fetch --unshallow")

    def changes(self, commit: str, parent: str) -> Changes:
        """What a commit changes against one of its parents; empty for a parent with the same store."""
        return self._changes.get((commit, parent), {})

    def changed_paths(self) -> Iterable[Iterable[str]]:
        """The store paths that each commit changes against each of its parents."""
        return self._changes.values()

    def entries(self, commit: str) -> dict[str, Entry]:
        """Everything the store holds in a commit: grown from its first parent's listing, else listed by git."""
        if commit not in self._listings:
            parents = self.parents.get(commit)
            changes = self._changes.get((commit, parents[0] if parents else ""))
            if parents is None or (parents and parents[0] not in self._listings):
                listing = dict(TreeSnapshot(self.repository, commit).entries())
            else:
                listing = dict(self._listings[parents[0]]) if parents else {}
                for path, (_, after) in (changes or {}).items():
                    if after is None:
                        listing.pop(path, None)
                    else:
                        listing[path] = after
            self._keep(commit, listing)
            return listing
        return self._listings[commit]

    def _keep(self, commit: str, listing: dict[str, Entry]) -> None:
        self._listings[commit] = listing
        self._listed += len(listing)
        while self._listed > _ENTRIES_KEPT and len(self._listings) > 1:
            oldest = next(iter(self._listings))
            self._listed -= len(self._listings.pop(oldest))

    def snapshot(self, commit: str) -> TreeSnapshot:
        """The store of a commit, its listing known."""
        snapshot = _Listed(self.repository, commit, self.entries(commit))
        snapshot.record_bytes, snapshot.log_bytes = self.accepted.record_bytes, self.accepted.log_bytes
        return snapshot

    def store(self, commit: str, start: int = 0) -> Store:
        """The store of a commit, with the facts of objects seen before."""
        return _Remembering(self.snapshot(commit), self.accepted, start, self.facts)

    def bases(self, commit: str) -> tuple[Store, ...] | None:
        """The stores of the merge bases of a commit's parents; None where it has one, or they are not known."""
        parents = self.parents[commit]
        if len(parents) < 2:
            return None
        if commit not in self._bases:
            self._bases[commit] = self.repository.merge_bases(parents)
        found = self._bases[commit]
        return None if found is None else tuple(self.store(base) for base in found)

    def difference(self, before: str, after: str) -> set[str]:
        """The paths that differ between two commits, whatever lies between them."""
        old, new = self.entries(before), self.entries(after)
        return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


class _Listed(TreeSnapshot):
    """A commit tree whose listing is given."""

    def __init__(self, repository: Repository, commit: str, entries: dict[str, Entry]) -> None:
        super().__init__(repository, commit)
        self._entries = entries


class _Remembering(Store):
    """A store that keeps the facts of a record by its object id, for the commits that come after."""

    def __init__(
        self, snapshot: TreeSnapshot, accepted: Accepted, start: int, facts: dict[tuple[str, str], object]
    ) -> None:
        super().__init__(snapshot, accepted, start)
        self._known = facts

    def _fact(self, path: str) -> object:
        if path in self._facts:
            return self._facts[path]
        entry = self.snapshot.entry(path)
        if entry is None or entry.identity is None:
            return super()._fact(path)
        key = (path, entry.identity)
        if key not in self._known:
            if len(self._known) >= _FACTS_KEPT:
                self._known.clear()
            self._known[key] = super()._fact(path)
        self._facts[path] = self._known[key]
        return self._facts[path]


class _Judged:
    """The verdicts over a history.

    Attributes:
        introduced: what some commit brings, each with its commit.
        carried: identity to a problem that a parent already had.
        skipped: code to reason, where a check could be made neither of a commit nor of the tip.
    """

    def __init__(self, history: _History, settings: Settings, checks: tuple[Check, ...]) -> None:
        self.history = history
        self.settings = settings
        self.checks = tuple(row for row in checks if settings.severity_of(row.code, row.severity) != "off")
        self.introduced: list[Problem] = []
        self.carried: dict[tuple[str, str, str], Problem] = {}
        self.skipped: dict[str, str] = {}
        self._unmade: dict[str, dict[str, str]] = {}

    def judge(self, commit: str) -> None:
        """Judge one commit by what it changes against its parents."""
        history = self.history
        ids = history.parents[commit]
        try:
            parents = tuple(history.store(parent) for parent in ids)
        except NotJudgedError as error:
            message = f"a parent of commit {commit} cannot be read: {error}"
            raise NotJudgedError(message, "git fetch --unshallow") from error
        paths = frozenset(chain.from_iterable(history.changes(commit, parent) for parent in ids or [""]))
        focus = Focus(paths, parents=parents, bases=history.bases(commit))
        snapshot = history.snapshot(commit)
        store = history.store(commit, log_start(snapshot, focus) if layout.LOG in paths else 0)
        if layout.INDEX in paths:
            refuse_newer(store, self.settings)
        findings = find_problems(store, focus, self.checks)
        unmade = {code: why for code, why in findings.skipped.items() if ids or BY_CODE[code].needs != "parents"}
        if unmade:
            self._unmade[commit] = unmade
        self._take(commit, findings.problems, store, focus)

    def _take(self, commit: str, problems: list[Problem], store: Store, focus: Focus) -> None:
        introduced, carried = self._split(commit, problems, focus)
        for problem in introduced:
            problem.commit = commit
        prefix = self.history.repository.prefix
        grade(chain(introduced, carried), self.settings, store, focus.parents, prefix=prefix)
        self.introduced.extend(introduced)
        for problem in carried:
            self.carried.setdefault(problem.identity, problem)

    def settle_unmade(self, tips: list[str]) -> None:
        """Make of the tips what checks could not be made of a commit: what they stand on may be whole again there."""
        history = self.history
        for commit, codes in self._unmade.items():
            ids = history.parents[commit]
            parents = tuple(history.store(parent) for parent in ids)
            seen = {problem.identity for problem in self.introduced}
            for tip in tips:
                paths = {path for parent in ids for path in history.difference(parent, tip)}
                store = history.store(tip)
                focus = Focus(paths or history.changes(commit, ""), parents=parents)
                findings = find_problems(store, focus, [row for row in self.checks if row.code in codes])
                self.skipped.update(findings.skipped)
                new = [problem for problem in findings.problems if problem.identity not in seen]
                self._take(commit, new, store, focus)

    def _split(self, commit: str, problems: list[Problem], focus: Focus) -> tuple[list[Problem], list[Problem]]:
        """What no parent has, and what some parent has."""
        request = Request(commit, "", self.history.repository, checks=self.checks)
        carried: list[Problem] = []
        introduced = problems
        for parent in focus.parents:
            if not introduced:
                break
            against = Focus(focus.paths, parents=(parent,))
            introduced, known = split_introduced(request, introduced, against, self.settings, self.checks)
            carried.extend(known)
        return introduced, carried

    def settle_healed(self, tips: list[str]) -> None:
        """Turn problems that no tip holds any more into notes."""
        by_commit: dict[str, list[Problem]] = {}
        for problem in self.introduced:
            if problem.commit not in tips and problem.severity != "note":
                by_commit.setdefault(problem.commit or "", []).append(problem)
        stores = {tip: self.history.store(tip) for tip in tips} if by_commit else {}
        for commit, problems in by_commit.items():
            held: set[tuple[str, str, str]] = set()
            for tip, store in stores.items():
                held |= self._held(store, tip, commit, problems)
            for problem in problems:
                if problem.identity not in held:
                    problem.severity = "note"
                    problem.message += " (healed by a later commit of the range)"

    def still_held(self, commit: str, episodes: list[Episode]) -> set[Episode]:
        """Which of these problems a later commit still has."""
        store = self.history.store(commit)
        by_commit: dict[str, list[Episode]] = {}
        for episode in episodes:
            by_commit.setdefault(episode.problem.commit or "", []).append(episode)
        found: set[Episode] = set()
        for brought_by, group in by_commit.items():
            held = self._held(store, commit, brought_by, [episode.problem for episode in group])
            found.update(episode for episode in group if episode.problem.identity in held)
        return found

    def _held(self, store: Store, tip: str, commit: str, problems: list[Problem]) -> set[tuple[str, str, str]]:
        """Which problems of one commit a tip still has."""
        paths = {path for problem in problems for path in (problem.path, *problem.related)}
        codes = {problem.code for problem in problems}
        plain = [BY_CODE[code] for code in sorted(codes) if BY_CODE[code].needs not in ("parents", "merge")]
        held = {problem.identity for problem in find_problems(store, Focus(paths), plain).problems}
        if SIDE_DISCARDED in codes:  # the tip has moved on since, and may have every part of it back
            codes |= LOSSES_OF_A_SIDE
        losses = [BY_CODE[code] for code in sorted(codes) if BY_CODE[code].needs in ("parents", "merge")]
        if losses:
            ids = self.history.parents[commit]
            changed = {path for parent in ids for path in self.history.difference(parent, tip)}
            parents = tuple(self.history.store(parent) for parent in ids)
            focus = Focus(changed, parents=parents, bases=self.history.bases(commit))
            found = find_problems(store, focus, losses).problems
            held |= {problem.identity for problem in found}
            if any(problem.code in LOSSES_OF_A_SIDE for problem in found):
                held |= {problem.identity for problem in problems if problem.code == SIDE_DISCARDED}
        return held
