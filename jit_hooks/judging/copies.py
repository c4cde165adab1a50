"""Other copies of a file of the store: in the worktree, in git, in what a dead writer left."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

from jit_hooks.checks import BY_CODE, CHECKS, WHOLE_FILE
from jit_hooks.disk.processes import is_dead
from jit_hooks.disk.reading import read_file
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.git.snapshots import GitIndexSnapshot, TreeSnapshot
from jit_hooks.repairs.context import Copy
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.request import Request
    from jit_hooks.problem import Problem
    from jit_hooks.store.snapshot import Snapshot

    Identity = tuple[str, str, str]

OLDER_VERSIONS = 50
"""How many versions of a file are looked at in first-parent history."""


class CopiesInGit:
    """The copies of the files of one worktree's store.

    Args:
        repository: the git repository around it.
        snapshot: the worktree as it was judged; may be set anew.
        parents: ids of HEAD and of the other parents of a merge under way.
    """

    def __init__(self, repository: Repository, snapshot: WorktreeSnapshot, parents: tuple[str, ...]) -> None:
        self.repository = repository
        self.snapshot = snapshot
        self.parents = parents
        self._index = GitIndexSnapshot(repository)
        self._trees: dict[str, TreeSnapshot] = {}
        self._commits: dict[str, list[str]] = {}

    def of(self, path: str) -> Iterator[Copy]:
        """The copies of one file, the best first: a dead writer's temp, the git index, HEAD, other parents, older.

        Nothing for a file whose deletion is staged: it is in HEAD and not in the git index.
        """
        if self._deletion_is_staged(path):
            return
        seen: set[bytes] = set()
        for copy in self._all(path):
            if copy.data not in seen:
                seen.add(copy.data)
                yield copy

    def _all(self, path: str) -> Iterator[Copy]:
        yield from self._temps(path)
        yield from self._in(self._index, "the git index", path)
        for number, parent in enumerate(self.parents):
            yield from self._in(self._tree(parent), "the other parent" if number else "HEAD", path)
        if self.parents:
            yield from self._older(path)

    def _tree(self, commit: str) -> TreeSnapshot:
        if commit not in self._trees:
            self._trees[commit] = TreeSnapshot(self.repository, commit)
        return self._trees[commit]

    def _in(self, snapshot: Snapshot, source: str, path: str) -> Iterator[Copy]:
        data = snapshot.read(path)
        if type(data) is bytes:
            yield Copy(source, data)

    def _deletion_is_staged(self, path: str) -> bool:
        if not self.parents or path in self._index.unmerged() or self._index.entry(path) is not None:
            return False
        return self._tree(self.parents[0]).entry(path) is not None

    def _temps(self, path: str) -> Iterator[Copy]:
        """June's temps of dead writers: what the tracker was about to write (``.<name>.<pid>.<seq>.tmp``)."""
        directory, _, name = path.rpartition("/")
        lead = f"{directory}/.{name}." if directory else f".{name}."
        for temp in sorted(self.snapshot.entries(), reverse=True):
            if temp.startswith(lead) and temp.endswith(".tmp"):
                pid, dot, sequence = temp[len(lead) : -len(".tmp")].partition(".")
                if dot and pid.isdecimal() and sequence.isdecimal() and is_dead(int(pid)):
                    yield from self._in(self.snapshot, f"a temp file of process {pid}, which is gone", temp)

    def _older(self, path: str) -> Iterator[Copy]:
        if path not in self._commits:
            top = self.repository.top_path(path)
            asked = ("log", f"--max-count={OLDER_VERSIONS}", "--first-parent", "--format=%H", self.parents[0], "--")
            status, out, _ = self.repository.git.ask(*asked, f":(literal){top}")
            self._commits[path] = out.decode("ascii").split() if status == 0 else []
        for commit in self._commits[path]:
            yield from self._in(self._tree(commit), f"commit {commit[:12]}", path)

    def logs(self) -> Iterator[Copy]:
        """The event logs of the git index, the parents and the other worktrees of the repository."""
        yield from self._in(self._index, "the git index", layout.LOG)
        for parent in self.parents:
            yield from self._in(self._tree(parent), f"commit {parent[:12]}", layout.LOG)
        for top in self._other_worktrees:
            root = os.path.join(top, self.repository.prefix.rstrip("/"))
            if not os.path.islink(root):
                data = read_file(os.path.join(root, layout.LOG), layout.MAX_LOG_BYTES)
                if type(data) is bytes:
                    yield Copy(f"the worktree {top}", data)

    @cached_property
    def _other_worktrees(self) -> list[str]:
        here = os.path.realpath(self.repository.git.directory or ".")
        lines = self.repository.git.run("worktree", "list", "--porcelain").split(b"\n")
        found = [line.removeprefix(b"worktree ") for line in lines if line.startswith(b"worktree ")]
        return [top for top in map(os.path.realpath, map(os.fsdecode, found)) if top != here]


_RECORD_CHECKS = tuple(row for row in CHECKS if row.needs == "record" and row.severity == "error")


@dataclass(frozen=True)
class Whereabouts:
    """The place of a sound copy of one file.

    Attributes:
        path: its store path.
        place: ``worktree``; ``HEAD`` or the id of another parent; empty when none has it.
        gone: True if the git index has no such file at all.
    """

    path: str
    place: str = ""
    gone: bool = False


def find_copies(request: Request, case: Case, problems: Iterable[Problem]) -> dict[Identity, Whereabouts]:
    """For each problem of the git index that a copy of one file would cure: where that copy is.

    A copy counts only when the fault is gone with it, and when no check finds an error in the copy itself.
    """
    wanted: dict[str, dict[Identity, str]] = {}
    for problem in problems:
        path = _path_wanted(problem, case)
        if path:
            wanted.setdefault(problem.code, {})[problem.identity] = path
    if not wanted:
        return {}
    places: list[tuple[str, Snapshot]] = [("worktree", WorktreeSnapshot(request.root, request.repository))]
    for number, (name, parent) in enumerate(zip(request.parents, case.focus.parents, strict=False)):
        places.append((name if number else "HEAD", parent.snapshot))
    found: dict[Identity, Whereabouts] = {}
    for code, paths in wanted.items():
        left = dict(paths)
        for name, snapshot in places:
            for identity in _cured(code, left, snapshot, case):
                path = left.pop(identity)
                found[identity] = Whereabouts(path, name, gone=not case.store.stands_at(path))
        found.update({identity: Whereabouts(path) for identity, path in left.items()})
    return found


def _path_wanted(problem: Problem, case: Case) -> str:
    """The store path of the file whose right bytes would take a problem away; empty where it is not one file."""
    parents = case.focus.parents
    if problem.code == "index-lists-missing":
        return problem.related[0]
    if problem.code == "registry-absent" and parents:
        return parents[0].registry_path or problem.path
    row = BY_CODE[problem.code]
    return problem.path if WHOLE_FILE in row.marks or row.needs == "record" else ""


def _cured(code: str, paths: dict[Identity, str], snapshot: Snapshot, case: Case) -> list[Identity]:
    """Those of some problems of one code that are gone when the files are as in that snapshot, and sound."""
    copies: dict[str, bytes | None] = {}
    for path in dict.fromkeys(paths.values()):
        data = snapshot.read(path)
        if type(data) is bytes:
            copies[path] = data
    if not copies:
        return []
    laid = case.with_changes(copies)
    kept = {p.identity for p in laid.only(laid.focus.paths, case.focus.parents).find([BY_CODE[code]]).problems}
    unsound = {problem.path for problem in laid.only(copies).find(_RECORD_CHECKS).problems}
    return [
        identity for identity, path in paths.items() if path in copies and path not in unsound and identity not in kept
    ]
