"""The forgotten-stage rule: which problems of the git index the worktree already has the cure for.

Laying the worktree over the git index shows it: a problem that vanishes then is an error whatever its default,
and its remedy is one ``git add`` of the paths that together make the commit whole.
"""

from __future__ import annotations

import os

from jit_hooks.checks import BY_CODE
from jit_hooks.checks.judge import find_problems
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Overlay, TooLarge
from jit_hooks.store.store import Store
from jit_hooks.worktree import WorktreeSnapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git import Repository
    from jit_hooks.line import Request
    from jit_hooks.problem import Problem
    from jit_hooks.settings import Settings
    from jit_hooks.store.focus import Focus

    Identity = tuple[str, str, str]


_NAMES_AT_ONCE = 1000
"""Names given to one git command, so that they fit its command line."""


def find_unstaged(
    request: Request, store: Store, focus: Focus, settings: Settings, problems: list[Problem]
) -> list[str]:
    """Grade the problems that the worktree cures as errors; the paths from the top to ``git add``.

    Each such problem gets ``repair`` ``stage``. No paths: the worktree has no cure.
    """
    chosen = _unstaged_documents(request, problems)
    changes = unstaged_changes(request)
    if changes:
        chosen |= _unstaged_records(_Judged(request, store, focus, settings), changes, problems)
    assert request.repository is not None
    return [request.repository.top_path(path) for path in sorted(chosen)]


def _unstaged_records(judged: _Judged, changes: dict[str, bytes | None], problems: list[Problem]) -> set[str]:
    """Grade what the changed records of the worktree cure; the store paths that do it together."""
    left = judged.identities(changes)
    judged_again = {row.code for row in judged.checks}
    cured = [problem for problem in problems if problem.code in judged_again and problem.identity not in left]
    if not cured:
        return set()
    for problem in cured:
        problem.severity = "error"
        problem.repair = "stage"
    chosen = _grow(judged, changes, cured)
    if _brings_errors(judged, {path: changes[path] for path in chosen}):
        for problem in cured:
            problem.repair = BY_CODE[problem.code].repair
        return set()
    return chosen


def _unstaged_documents(request: Request, problems: list[Problem]) -> set[str]:
    """Grade the missing documents that lie in the worktree, never staged and not ignored; their store paths."""
    repository = request.repository
    assert repository is not None
    missing: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.code == "document-missing" and problem.related:
            missing.setdefault(repository.beside + problem.related[0].removeprefix("../"), []).append(problem)
    names = list(missing)
    found = set()
    for at in range(0, len(names), _NAMES_AT_ONCE):
        for name in _untracked(repository, *(f":(literal){name}" for name in names[at : at + _NAMES_AT_ONCE])):
            for problem in missing.get(name, ()):
                problem.severity = "error"
                problem.repair = "stage"
                found.add(problem.related[0])
    return found


def _untracked(repository: Repository, *specs: str) -> list[str]:
    """The files from the top that git neither tracks nor ignores."""
    out = repository.git.run("ls-files", "-o", "-z", "--exclude-standard", "--full-name", "--", *specs)
    return [os.fsdecode(piece) for piece in out.split(b"\0") if piece]


class _Judged:
    """Verdicts over the git index with some paths of the worktree laid over it."""

    def __init__(self, request: Request, store: Store, focus: Focus, settings: Settings) -> None:
        self.store = store
        self.focus = focus
        self.settings = settings
        self.checks = [row for row in request.checks if row.hook]

    def find(self, changes: dict[str, bytes | None]) -> list[Problem]:
        overlay = Store(Overlay(self.store.snapshot, changes), self.settings.accepted)
        focus = self.focus.widened(changes)
        return list(find_problems(overlay, focus, self.checks).problems)

    def identities(self, changes: dict[str, bytes | None]) -> set[Identity]:
        return {problem.identity for problem in self.find(changes)}


def _brings_errors(judged: _Judged, changes: dict[str, bytes | None]) -> bool:
    """Whether staging these paths would only trade one error for another: then the worktree is no cure."""
    before = {problem.identity for problem in judged.find({})}
    return any(
        problem.identity not in before and not problem.era and BY_CODE[problem.code].severity == "error"
        for problem in judged.find(changes)
    )


def _grow(judged: _Judged, changes: dict[str, bytes | None], cured: list[Problem]) -> set[str]:
    """The smallest set found of changed paths under which no cured problem and no new error is left.

    Starts from what the problems name, and takes in what the problems of each step name, until the step is whole.
    """
    before = {problem.identity for problem in judged.find({})}
    meant = {problem.identity for problem in cured}
    final = judged.identities(changes)
    chosen: set[str] = set()
    todo = cured
    while todo:
        named = {path for problem in todo for path in _related(problem, changes)} - chosen
        if not named:
            named = {path for path in changes if layout.kind_of(path) in layout.RECORD_KINDS} - chosen
        if not named:
            break
        chosen |= named
        found = judged.find({path: changes[path] for path in chosen})
        todo = [
            problem
            for problem in found
            if problem.identity in meant or (problem.identity not in before and problem.identity not in final)
        ]
    return chosen


def _related(problem: Problem, changes: dict[str, bytes | None]) -> list[str]:
    """The changed paths that a problem names, or whose content names what it is about."""
    named = {
        problem.path,
        *problem.related,
        layout.issue_path(problem.subject),
        layout.run_path(problem.subject),
    }
    ids = [problem.subject] if layout.is_uuid4(problem.subject) else []
    if layout.kind_of(problem.path) == "issue":
        ids.append(layout.issue_id_of(problem.path))
    found = [path for path in changes if path in named]
    if problem.code.startswith(("event-", "run-")):
        for path, data in changes.items():
            kind = layout.kind_of(path)
            if kind == "log" or (kind == "run" and data and any(issue_id.encode() in data for issue_id in ids)):
                found.append(path)
    return found


def unstaged_changes(request: Request) -> dict[str, bytes | None]:
    """What the worktree has otherwise than the git index: store path to bytes, or None where it is gone.

    Untracked files count when they are records and not ignored.
    """
    repository = request.repository
    assert repository is not None
    disk = WorktreeSnapshot(request.root, repository)
    found: dict[str, bytes | None] = {}
    for path in repository.changes("diff-files"):
        _take(disk, path, found)
    for name in _untracked(repository, *repository.pathspecs()[:1]):
        untracked = repository.store_path(name)
        if untracked is not None and layout.kind_of(untracked) in layout.TEXT_KINDS:
            _take(disk, untracked, found)
    return found


def _take(disk: WorktreeSnapshot, path: str, found: dict[str, bytes | None]) -> None:
    data = disk.read(path)
    if not isinstance(data, TooLarge):
        found[path] = data
