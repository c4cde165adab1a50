"""The commits of a range as git tells of them: names, parents, changes, listings; no commit costs a git process.

The names and object ids of every commit come from two streams of ``git log``; listings grow from parent to child,
bytes and facts are read once per object.
"""

from __future__ import annotations

import os
from itertools import chain

from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.git.command import EVERY_LINK
from jit_hooks.git.snapshots import TreeSnapshot
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jit_hooks.git.repository import Repository
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.snapshot import Entry

    Changes = Mapping[str, tuple[Entry | None, Entry | None]]

_LOG = ("-c", "log.diffMerges=separate", "log", "--full-history", "--topo-order", "--reverse", "--no-decorate")
_PLAIN = ("--no-color", "--no-show-signature", EVERY_LINK)
_RAW = ("-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--root", "--pretty=oneline")
_FACTS_KEPT = 50_000
_ENTRIES_KEPT = 500_000
"""Entries of listings that are kept; git lists a commit again whose listing had to go."""

_FETCH_ALL = "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'"
"""For a clone with few commits, which mostly has one branch, too."""


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
        commit = repository.commits.resolve(name.removeprefix("^"))
        if commit is None:
            new = []
            break
        (old if name.startswith("^") else new).append(commit)
    if not new:
        message = f"the range {range_} does not resolve to commits of this repository"
        if repository.commits.is_shallow():
            raise NotJudgedError(f"{message}, a shallow clone", _FETCH_ALL)
        raise NotJudgedError(message, "git fetch, if the commits are elsewhere")
    return new, old


class History:
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
        """The changes of a commit against one of its parents; empty for a parent with the same store."""
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
            self._bases[commit] = self.repository.commits.merge_bases(parents)
        found = self._bases[commit]
        return None if found is None else tuple(self.store(base) for base in found)

    def changed_by(self, commit: str) -> set[str]:
        """The paths that a commit changes against any of its parents; all it holds, where it has none."""
        return set(chain.from_iterable(self.changes(commit, parent) for parent in self.parents[commit] or [""]))

    def changed_since(self, commit: str, after: str) -> set[str]:
        """The paths in which a later commit differs from any parent of a commit, whatever lies between them."""
        new = self.entries(after)
        befores = [self.entries(parent) for parent in self.parents[commit]]
        return {path for old in befores for path in old.keys() | new.keys() if old.get(path) != new.get(path)}

    def is_empty(self, tips: Iterable[str]) -> bool:
        """True if no commit touches a store, and no tip holds one."""
        return not self.parents and not any(self.entries(tip) for tip in tips)


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
