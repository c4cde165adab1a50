"""Judge each commit of a range: what it brings against its parents, and whether the tip still holds it.

The names and object ids of every commit come from two streams of ``git log``, so that no commit costs a git
process; listings grow from parent to child, bytes and facts are read once per object.
"""

from __future__ import annotations

import os
import time
from itertools import chain

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.checks.judge import find_problems
from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.git import TreeSnapshot
from jit_hooks.grading import grade
from jit_hooks.line import Report, Request, log_start, refuse_newer, split_introduced, worst_first
from jit_hooks.settings import Settings, read_settings
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from jit_hooks.checks import Check
    from jit_hooks.git import Repository
    from jit_hooks.problem import Problem
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.snapshot import Entry

    Changes = Mapping[str, tuple[Entry | None, Entry | None]]

_LOG = ("log", "--full-history", "--topo-order", "--reverse", "--no-decorate", "--no-color", "--no-show-signature")
_RAW = ("-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--root", "--pretty=oneline")
_FACTS_KEPT = 50_000


def judge_range(
    repository: Repository, range_: str, *, checks: tuple[Check, ...] = CHECKS, every_commit: bool = False
) -> Report | None:
    """The report on every commit of a range that touches the store; None when none does and there is no store.

    Settings are those of the old tip, or of HEAD for a range without one. A problem counts where a commit brings
    it: no parent has it. What a later commit has healed, so that the tip no longer holds it, becomes a note, unless
    ``every_commit``. Problems that a parent from outside the range already has are ``carried``, each once.

    Args:
        repository: where the commits are.
        range_: what ``git rev-list`` takes: ``A..B``, or one revision for its whole history.
        checks: the rows of the registry to run.
        every_commit: whether healed problems count.

    Raises:
        NotJudgedError: the range does not resolve, or a commit or a parent that is needed is not there.
        UsageError: the range is an option, or the settings cannot be followed.
    """
    began = time.monotonic()
    new, old = resolve_range(repository, range_)
    if old:
        settings = read_settings(TreeSnapshot(repository, old[0]))
    else:
        head = repository.resolve("HEAD")
        settings = read_settings(TreeSnapshot(repository, head or new[0]))
    settings = settings.tightened(repository.git)
    history = _History(repository, settings.accepted)
    history.read([*new, *(f"^{commit}" for commit in old)])
    if not history.parents and not any(history.entries(commit) for commit in new):
        return None
    judged = _Judged(history, settings, checks)
    for commit in history.parents:
        judged.judge(commit)
    if not every_commit:
        judged.settle_healed(new)
    report = Report("healthy", f"range {range_}", problems=judged.introduced, snapshot=history.snapshot(new[0]))
    seen = {problem.identity for problem in judged.introduced}
    report.carried = [problem for identity, problem in judged.carried.items() if identity not in seen]
    report.skipped = judged.skipped
    report.prefix = repository.prefix
    order = {commit: number for number, commit in enumerate(history.parents)}
    report.problems.sort(key=lambda problem: (worst_first(problem)[0], order.get(problem.commit or "", 0)))
    report.carried.sort(key=worst_first)
    if report.errors:
        report.verdict = "problems"
    seconds = time.monotonic() - began
    report.stats = {"commits": len(history.parents), "seconds": round(seconds, 4)}
    return report


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
        raise NotJudgedError(message, "git fetch, if the commits are elsewhere")
    return new, old


class _History:
    """The commits of a range that touch the store, the oldest first, each with its parents and its changes.

    Attributes:
        parents: commit id to the ids of its true parents, in the order to judge.
    """

    def __init__(self, repository: Repository, accepted: Accepted) -> None:
        self.repository = repository
        self.accepted = accepted
        self.parents: dict[str, list[str]] = {}
        self._changes: dict[tuple[str, str], Changes] = {}
        self._listings: dict[str, dict[str, Entry]] = {}
        self._stores: dict[str, Store] = {}
        self.facts: dict[tuple[str, str], object] = {}

    def read(self, range_: list[str]) -> None:
        """Read names, parents and changes of the whole range."""
        git, specs = self.repository.git, self.repository.pathspecs()
        for piece in git.lines(*_LOG, "--format=%H %P", *range_, "--", *specs):
            commit, *parents = piece.decode("ascii").split()
            self.parents[commit] = parents
        self._refuse_shallow()
        commit, parent, pieces = "", "", list[bytes]()
        for piece in git.lines(*_LOG, *_RAW, *range_, "--", *specs, separator=b"\0"):
            if len(pieces) % 2 == 0 and piece[:1] not in (b":", b""):
                self._take(commit, parent, pieces)
                commit, parent = self._heading(piece)
                pieces = []
            elif piece or len(pieces) % 2:
                pieces.append(piece)
        self._take(commit, parent, pieces)

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
            self._listings[commit] = listing
        return self._listings[commit]

    def snapshot(self, commit: str) -> TreeSnapshot:
        """The store of a commit, its listing known."""
        return _Listed(self.repository, commit, self.entries(commit))

    def store(self, commit: str, start: int = 0) -> Store:
        """The store of a commit, with the facts of objects seen before."""
        return _Remembering(self.snapshot(commit), self.accepted, start, self.facts)

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
        skipped: code to reason, where a check could not be made.
    """

    def __init__(self, history: _History, settings: Settings, checks: tuple[Check, ...]) -> None:
        self.history = history
        self.settings = settings
        self.checks = tuple(row for row in checks if settings.severity_of(row.code, row.severity) != "off")
        self.introduced: list[Problem] = []
        self.carried: dict[tuple[str, str, str], Problem] = {}
        self.skipped: dict[str, str] = {}

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
        focus = Focus(paths, parents=parents)
        snapshot = history.snapshot(commit)
        store = history.store(commit, log_start(snapshot, focus) if layout.LOG in paths else 0)
        if layout.INDEX in paths:
            refuse_newer(store, self.settings)
        findings = find_problems(store, focus, self.checks)
        if ids:
            self.skipped.update(findings.skipped)
        introduced, carried = self._split(commit, findings.problems, focus)
        for problem in introduced:
            problem.commit = commit
        grade(chain(introduced, carried), self.settings, store, parents, prefix=history.repository.prefix)
        self.introduced.extend(introduced)
        for problem in carried:
            self.carried.setdefault(problem.identity, problem)

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

    def _held(self, store: Store, tip: str, commit: str, problems: list[Problem]) -> set[tuple[str, str, str]]:
        """Which problems of one commit a tip still has."""
        paths = {path for problem in problems for path in (problem.path, *problem.related)}
        codes = {problem.code for problem in problems}
        plain = [BY_CODE[code] for code in sorted(codes) if BY_CODE[code].needs != "parents"]
        held = {problem.identity for problem in find_problems(store, Focus(paths), plain).problems}
        losses = [BY_CODE[code] for code in sorted(codes) if BY_CODE[code].needs == "parents"]
        if losses:
            ids = self.history.parents[commit]
            changed = {path for parent in ids for path in self.history.difference(parent, tip)}
            focus = Focus(changed, parents=tuple(self.history.store(parent) for parent in ids))
            held |= {problem.identity for problem in find_problems(store, focus, losses).problems}
        return held
