"""The forgotten-stage rule: which problems of the git index the worktree already has the cure for.

Laying the worktree over the git index shows it: a problem that vanishes then is an error whatever its default,
and its remedy is one ``git add`` of the paths that together make the commit whole.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from jit_hooks.checks import BY_CODE
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.store import layout
from jit_hooks.store.snapshot import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.request import Request
    from jit_hooks.problem import Graded, Problem

    Identity = tuple[str, str, str]


_NAMES_AT_ONCE = 1000
"""Names given to one git command, so that they fit its command line."""


class Unstaged(NamedTuple):
    """What of the worktree a commit lacks.

    Attributes:
        paths: the store paths whose ``git add`` makes it whole; none: the worktree has no cure.
        cured: the identities of the problems that the worktree, laid over the git index, does not have.
        staged: those of them that vanish with these paths.
    """

    paths: set[str]
    cured: set[Identity]
    staged: set[Identity]


def find_unstaged(request: Request, case: Case, problems: list[Graded]) -> Unstaged:
    """The cure that the worktree has for these problems of the git index."""
    documents = _unstaged_documents(request, problems)
    changes = unstaged_changes(request)
    records = _unstaged_records(_Laid(case), changes, problems) if changes else Unstaged(set(), set(), set())
    return Unstaged(
        records.paths.union(documents.values()),
        records.cured.union(documents),
        records.staged.union(documents),
    )


def _unstaged_records(laid: _Laid, changes: dict[str, bytes | None], problems: list[Graded]) -> Unstaged:
    """The cure among the changed records of the worktree.

    A path that would only trade one error for another is left out, and with it what it alone would cure.
    """
    judged_again = {row.code for row in laid.checks}
    candidates: list[Problem] = [problem for problem in problems if problem.code in judged_again]
    cured: set[Identity] = set()
    usable = changes
    while candidates and usable:
        left = laid.identities(usable)
        candidates = [problem for problem in candidates if problem.identity not in left]
        vanishing = {problem.identity for problem in candidates}
        cured |= vanishing
        chosen = _grow(laid, usable, candidates) if candidates else set()
        spoilt = _spoilt(laid, {path: usable[path] for path in chosen})
        if not spoilt:
            return Unstaged(chosen, cured, vanishing)
        usable = {path: data for path, data in usable.items() if path not in spoilt}
    return Unstaged(set(), cured, set())


def _unstaged_documents(request: Request, problems: list[Graded]) -> dict[Identity, str]:
    """The missing documents that lie in the worktree, never staged and not ignored: problem to store path."""
    repository = request.repository
    assert repository is not None
    missing: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.code == "document-missing" and problem.related:
            missing.setdefault(repository.beside + problem.related[0].removeprefix("../"), []).append(problem)
    names = list(missing)
    documents: dict[Identity, str] = {}
    for at in range(0, len(names), _NAMES_AT_ONCE):
        for name in _untracked(repository, *(f":(literal){name}" for name in names[at : at + _NAMES_AT_ONCE])):
            documents.update({problem.identity: problem.related[0] for problem in missing.get(name, ())})
    return documents


def _untracked(repository: Repository, *specs: str) -> list[str]:
    """The files from the top that git neither tracks nor ignores."""
    out = repository.git.run("ls-files", "-o", "-z", "--exclude-standard", "--full-name", "--", *specs)
    return [os.fsdecode(piece) for piece in out.split(b"\0") if piece]


class _Laid:
    """The git index with some paths of the worktree laid over it, judged by the checks that a hook makes."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.checks = [row for row in case.checks if row.hook]

    def find(self, changes: dict[str, bytes | None]) -> list[Problem]:
        return self.case.with_changes(changes).find(self.checks).problems

    def identities(self, changes: dict[str, bytes | None]) -> set[Identity]:
        return {problem.identity for problem in self.find(changes)}


def _spoilt(laid: _Laid, changes: dict[str, bytes | None]) -> set[str]:
    """Those of some paths that bring an error of their own when they are staged: first the records that are broken."""
    before = {problem.identity for problem in laid.find({})}
    brought = [
        problem
        for problem in laid.find(changes)
        if problem.identity not in before and not problem.era and BY_CODE[problem.code].severity == "error"
    ]
    broken = {problem.path for problem in brought if BY_CODE[problem.code].needs == "record"} & changes.keys()
    if broken:
        return broken
    found: set[str] = set()
    for problem in brought:
        found |= {problem.path} & changes.keys() or changes.keys() & set(problem.related) or set(changes)
    return found


def _grow(laid: _Laid, changes: dict[str, bytes | None], cured: list[Problem]) -> set[str]:
    """The smallest set found of changed paths under which no cured problem and no new error is left.

    Starts from what the problems name, and takes in what the problems of each step name, until the step is whole.
    """
    before = {problem.identity for problem in laid.find({})}
    meant = {problem.identity for problem in cured}
    final = laid.identities(changes)
    chosen: set[str] = set()
    todo = cured
    while todo:
        named = {path for problem in todo for path in _related(problem, changes)} - chosen
        if not named:
            named = {path for path in changes if layout.kind_of(path) in layout.RECORD_KINDS} - chosen
        if not named:
            break
        chosen |= named
        found = laid.find({path: changes[path] for path in chosen})
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
    """The files that the worktree has otherwise than the git index: store path to bytes, or None where it is gone.

    Untracked files count when they are records and not ignored.
    """
    repository = request.repository
    assert repository is not None
    disk = WorktreeSnapshot(request.root, repository)
    changes: dict[str, bytes | None] = {}
    asked = ("ls-files", "-t", "-m", "-o", "-z", "--exclude-standard", "--full-name", "--", *repository.pathspecs())
    for piece in repository.git.run(*asked).split(b"\0"):
        path = repository.store_path(os.fsdecode(piece[2:]))
        is_tracked = not piece.startswith(b"? ")
        if path is not None and (is_tracked or layout.kind_of(path) in layout.TEXT_KINDS):
            data = disk.read(path)
            if not isinstance(data, TooLarge):
                changes[path] = data
    return changes
