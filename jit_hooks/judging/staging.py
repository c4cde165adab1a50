"""The forgotten-stage rule: which problems of the git index the worktree already has the cure for.

Laying the worktree over the git index shows it: a problem that vanishes then is an error whatever its default,
and its remedy is one ``git add`` of the paths that together make the commit whole.
"""

from __future__ import annotations

import os

from jit_hooks.checks import BY_CODE
from jit_hooks.checks.runtime import unsettled
from jit_hooks.errors import BusyError, UsageError
from jit_hooks.judging.findings import find_problems
from jit_hooks.settings import read_settings
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Files, Overlay, TooLarge
from jit_hooks.store.store import Store
from jit_hooks.worktree import WorktreeSnapshot, may_be_unsettled, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git import Repository
    from jit_hooks.judging.judge import Request
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


def find_unsettled(request: Request) -> str:
    """One line on a transaction of the tracker that waits in the worktree; empty when there is none.

    The git index is judged all the same, but what the worktree holds meanwhile is no cure for anything.
    """
    if not may_be_unsettled(request.root):
        return ""
    try:
        found = unsettled(WorktreeSnapshot(request.root, request.repository).read_again((), 0.0))
    except BusyError:
        return ""  # its writer lives
    if not found:
        return ""
    code = found[0].code
    remedy = found[0].remedy or f"jit-hooks explain {code}"
    said = "a transaction of the tracker waits in the worktree, so only the git index was judged"
    return f"{said} ({code}: {request.top_path(found[0].path)}); to fix: {remedy}"


def count_excused(request: Request, store: Store, focus: Focus, errors: list[Problem]) -> int:
    """How many of these errors the settings in the worktree would excuse, had they been staged."""
    data = read_file(os.path.join(request.root, layout.SETTINGS), store.snapshot.record_bytes) if errors else None
    if type(data) is not bytes or data == store.snapshot.read(layout.SETTINGS):
        return 0
    assert request.repository is not None
    try:
        there = read_settings(Files({layout.SETTINGS: data})).tightened(request.repository.git)
    except UsageError:
        return 0
    prefix = request.repository.prefix
    again = Store(Overlay(store.snapshot, {}), there.accepted, store.log_start)
    rows = [BY_CODE[code] for code in dict.fromkeys(problem.code for problem in errors)]
    left = {problem.identity for problem in find_problems(again, focus, rows).problems}
    return sum(
        problem.identity not in left
        or there.severity_of(problem.code, "error") != "error"
        or any(entry.covers(problem, prefix + problem.record) for entry in there.instances)
        for problem in errors
    )


def _unstaged_records(judged: _Judged, changes: dict[str, bytes | None], problems: list[Problem]) -> set[str]:
    """Grade what the changed records of the worktree cure; the store paths that do it together.

    A path that would only trade one error for another is left out, and with it what it alone would cure.
    """
    judged_again = {row.code for row in judged.checks}
    candidates = [problem for problem in problems if problem.code in judged_again]
    usable = changes
    while candidates and usable:
        left = judged.identities(usable)
        candidates = [problem for problem in candidates if problem.identity not in left]
        for problem in candidates:
            problem.severity = "error"
        chosen = _grow(judged, usable, candidates) if candidates else set()
        spoilt = _spoilt(judged, {path: usable[path] for path in chosen})
        if not spoilt:
            for problem in candidates:
                problem.repair = "stage"
            return chosen
        usable = {path: data for path, data in usable.items() if path not in spoilt}
    return set()


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


def _spoilt(judged: _Judged, changes: dict[str, bytes | None]) -> set[str]:
    """Which of these paths bring an error of their own when they are staged: first the records that are broken."""
    before = {problem.identity for problem in judged.find({})}
    brought = [
        problem
        for problem in judged.find(changes)
        if problem.identity not in before and not problem.era and BY_CODE[problem.code].severity == "error"
    ]
    broken = {problem.path for problem in brought if BY_CODE[problem.code].needs == "record"} & changes.keys()
    if broken:
        return broken
    found: set[str] = set()
    for problem in brought:
        found |= {problem.path} & changes.keys() or changes.keys() & set(problem.related) or set(changes)
    return found


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
