"""Where else the bytes of a file of the store are: what a dead writer left, and git."""

from __future__ import annotations

import os
from functools import cached_property

from jit_hooks.git import GitIndexSnapshot, TreeSnapshot
from jit_hooks.repairs.context import Copy
from jit_hooks.store import layout
from jit_hooks.worktree import WorktreeSnapshot, is_dead, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.git import Repository
    from jit_hooks.store.snapshot import Snapshot

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
