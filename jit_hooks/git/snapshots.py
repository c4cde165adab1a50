"""The store in git: in its index, in the tree of a commit, on one side of a conflict that was resolved."""

from __future__ import annotations

import os
from abc import abstractmethod
from itertools import chain

from jit_hooks.errors import MissingObjectError
from jit_hooks.git.objects import entry_of, lines_of_tree
from jit_hooks.store.snapshot import Entry, Snapshot, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jit_hooks.git.repository import Repository


class _GitSnapshot(Snapshot):
    """The common part of the git index and a commit tree."""

    def __init__(self, repository: Repository, known: Mapping[str, Entry | None] | None = None) -> None:
        self.repository = repository
        self._known = dict(known or {})
        self._entries: dict[str, Entry] | None = None

    def entry(self, path: str) -> Entry | None:
        """The entry at a path: from the listing if there is one, else asked for by name."""
        if self._entries is not None:
            return self._entries.get(path)
        if path not in self._known:
            self._known[path] = self._look_up(path)
        known = self._known[path]
        if known is not None and known.identity in _EMPTY_BLOBS:
            return self.entries().get(path)  # only announced (``git add -N``), or empty: the listing tells
        return known

    def learn(self, known: Mapping[str, Entry | None]) -> None:
        """Take entries with their modes, as a diff gives them."""
        self._known.update(known)

    def look_closely(self, paths: Iterable[str]) -> None:
        """Ask git for the modes at these paths: by its name alone a link looks like a file."""
        wanted = list(paths)
        if self._entries is None:
            self._known.update({**dict.fromkeys(wanted), **self._entries_at(wanted)})

    @abstractmethod
    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        """The entries at these paths, without a listing of the store."""

    def _look_up(self, path: str) -> Entry | None:
        """One path by its name in git; the mode of a file is not known then."""
        top = self.repository.top_path(path)
        if "\n" in top or "\0" in top:
            return self.entries().get(path)
        known = self.repository.blobs.find(f"{self._unchanged}{top}", self.limit_of(path))
        if known is None:
            return None
        identity, kind = known
        return Entry("file" if kind == "blob" else "directory", identity)

    @property
    def _unchanged(self) -> str:
        """The same, for what the store has at a path that no diff has told of."""
        return self._named

    @property
    @abstractmethod
    def _named(self) -> str:
        """The text before a path where git names an object of this source."""

    def read(self, path: str) -> bytes | TooLarge | None:
        """The blob at a path, as git stores it."""
        entry = self.entry(path)
        if entry is None or entry.kind != "file" or entry.identity is None:
            return None
        content = self.repository.blobs.read(entry.identity, self.limit_of(path))
        if content is None:
            raise MissingObjectError(entry.identity)
        return content

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | TooLarge | None]]:
        """Many blobs through one batch."""
        wanted = [(path, entry.identity) for path in paths if (entry := self.entry(path)) and entry.kind == "file"]
        answers = self.repository.blobs.read_many((identity or "", self.limit_of(path)) for path, identity in wanted)
        for (path, identity), (_, content) in zip(wanted, answers, strict=True):
            if content is None:
                raise MissingObjectError(identity or path)
            yield path, content

    def _document_name(self, path: str, commit: str | None) -> str | None:
        """How git names a document; None for a name that leads elsewhere."""
        if not is_path_of_document(path):
            return None
        return f"{commit}:{self.repository.beside}{path}" if commit else f"{self._named}{self.repository.beside}{path}"

    def has_document(self, path: str, commit: str | None) -> bool | None:
        """True if a document is in this source, or at the commit named; None for a revision we do not pass on."""
        if commit is not None and not is_plain_revision(commit):
            return None
        name = self._document_name(path, commit)
        return name is not None and self.repository.names.find(name) is not None


class GitIndexSnapshot(_GitSnapshot):
    """The store in the git index that git will commit: the one ``GIT_INDEX_FILE`` names, where it is set.

    Args:
        repository: whose index.
        known: entries already known, from ``diff-index``.
        unmerged: paths known to be unmerged; None when nothing is known of that yet.
        base: a commit; ``known`` is all in which the store differs from it. Then git need not read its whole index
            to find one name.
    """

    def __init__(
        self,
        repository: Repository,
        known: Mapping[str, Entry | None] | None = None,
        unmerged: tuple[str, ...] | None = None,
        base: str | None = None,
    ) -> None:
        super().__init__(repository, known)
        self._unmerged = unmerged
        self._base = base
        self._left_out: dict[str, Entry] = {}

    def entries(self) -> Mapping[str, Entry]:
        """Every entry of stage 0; intent-to-add entries are not in the commit and not here."""
        if self._entries is None:
            self._list()
        assert self._entries is not None
        return self._entries

    def _list(self) -> None:
        repository = self.repository
        entries: dict[str, Entry] = {}
        unmerged: dict[str, None] = {}
        asked = ("ls-files", "-t", "-s", "-z", "--full-name", "--", *repository.pathspecs())
        for piece in repository.git.lines(*asked, separator=b"\0"):
            facts, _, name = piece.partition(b"\t")
            tag, mode, identity, stage = facts.decode("ascii").split()
            path = repository.store_path(os.fsdecode(name))
            if path is None:
                continue
            if stage == "0":
                entries[path] = entry_of(mode, identity)
                if tag == "S":
                    self._left_out[path] = entries[path]
            else:
                unmerged[path] = None
        for path in self._intended(entries):
            del entries[path]
        self._entries = entries
        self._unmerged = tuple(unmerged)

    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        return {path: entry for path, entry in self.entries().items() if path in paths}

    def _intended(self, entries: Mapping[str, Entry]) -> list[str]:
        """Paths that are only announced (``git add -N``): they show as empty files."""
        empty = [path for path, entry in entries.items() if entry.identity in _EMPTY_BLOBS]
        if not empty:
            return []
        top = [self.repository.top_path(path) for path in empty]
        out = self.repository.git.run("ls-files", "--debug", "--", *(f":(literal){path}" for path in top))
        announced: list[str] = []
        current = -1
        for line in os.fsdecode(out).split("\n"):
            if line and not line.startswith(" "):
                current += 1
            elif "flags:" in line and int(line.rsplit("flags:", 1)[1].strip(), 16) & 0x20000000:
                announced.append(sorted(empty, key=self.repository.top_path)[current])
        return announced

    def left_out(self) -> Mapping[str, Entry]:
        """The entries that need no file in the worktree (``skip-worktree``), as in a sparse checkout."""
        self.entries()
        return self._left_out

    @property
    def _unchanged(self) -> str:
        return f"{self._base}:" if self._base else self._named

    @property
    def _named(self) -> str:
        return ":0:"

    def unmerged(self) -> Iterable[str]:
        """Store paths with the sides of a conflict still in the git index."""
        if self._unmerged is None:
            self._list()
        return self._unmerged or ()


def resolved_conflicts(repository: Repository) -> dict[str, list[Entry | None]]:
    """The entries of base, ours and theirs at each store path whose conflict was resolved by ``git add`` or the like.

    The git index remembers it until the next merge, checkout or reset, across the commit.
    """
    out = repository.git.run("ls-files", "--resolve-undo", "-z", "--full-name", "--", *repository.pathspecs())
    sides: dict[str, list[Entry | None]] = {}
    for piece in out.split(b"\0"):
        facts, _, name = piece.partition(b"\t")
        path = repository.store_path(os.fsdecode(name)) if name else None
        if path is not None:
            mode, identity, stage = facts.decode("ascii").split()
            sides.setdefault(path, [None, None, None])[int(stage) - 1] = entry_of(mode, identity)
    return sides


class SideSnapshot(_GitSnapshot):
    """One side of conflicts that were resolved in the git index: nothing but the paths in conflict."""

    def __init__(self, repository: Repository, entries: Mapping[str, Entry]) -> None:
        super().__init__(repository)
        self._entries = dict(entries)

    def entries(self) -> Mapping[str, Entry]:
        """The entries of this side at these paths."""
        assert self._entries is not None
        return self._entries

    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        return {path: entry for path, entry in self.entries().items() if path in paths}

    @property
    def _named(self) -> str:
        return ":0:"


_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)

_REVISION = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._/-~^")


_LONGEST_REVISION = 256
"""Characters; a longer one is no name that anybody gave."""


def is_path_of_document(path: str) -> bool:
    """True for a path that leads nowhere but below the directory it is looked up in."""
    leads_away = path.startswith("/") or ".." in path.split("/")
    return bool(path) and not leads_away and "\0" not in path and "\n" not in path


def is_plain_revision(text: str) -> bool:
    """True if a revision read from a record is a plain name: no search, no date, no option."""
    return (
        0 < len(text) <= _LONGEST_REVISION
        and not text.startswith("-")
        and _REVISION.issuperset(text)
        and ".." not in text
    )


class TreeSnapshot(_GitSnapshot):
    """The store in the tree of one commit.

    Args:
        repository: where the commit is.
        commit: its id.
        known: entries already known, from ``diff-index`` or ``diff-tree``.
    """

    def __init__(self, repository: Repository, commit: str, known: Mapping[str, Entry | None] | None = None) -> None:
        super().__init__(repository, known)
        self.commit = commit

    def entries(self) -> Mapping[str, Entry]:
        """Every entry of the tree below the store, and those beside it that the tracker makes."""
        if self._entries is None:
            repository = self.repository
            entries: dict[str, Entry] = {}
            asked = ("ls-tree", "-z", "--full-tree", self.commit)
            inside = repository.git.lines(*asked, "-r", "--", repository.prefix, separator=b"\0")
            for piece in chain(inside, self._beside(asked)):
                if not piece:
                    continue
                facts, _, name = piece.partition(b"\t")
                mode, _, identity = facts.decode("ascii").split()
                is_tree = mode == "040000"
                path = repository.store_path(os.fsdecode(name) + "/" * is_tree)
                if path is not None and path.startswith("../") and is_tree:
                    entries[path] = entry_of("100644", identity)
                elif path is not None and not is_tree:
                    entries[path] = entry_of(mode, identity)
            self._entries = entries
        return self._entries

    def _beside(self, asked: tuple[str, ...]) -> Iterable[bytes]:
        """The entries of the directory that holds the store, as ``ls-tree -z`` prints them."""
        repository = self.repository
        if repository.beside:
            return repository.git.lines(*asked, "--", repository.beside, separator=b"\0")
        tree = repository.blobs.read(f"{self.commit}^{{tree}}")
        if not isinstance(tree, bytes):
            raise MissingObjectError(f"{self.commit}^{{tree}}")
        return list(lines_of_tree(tree, len(self.commit) // 2))

    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        repository = self.repository
        asked = ("ls-tree", "-z", "--full-tree", self.commit, "--", *(repository.top_path(path) for path in paths))
        entries: dict[str, Entry] = {}
        for piece in repository.git.run(*asked).split(b"\0"):
            facts, _, name = piece.partition(b"\t")
            path = repository.store_path(os.fsdecode(name))
            if path in paths:
                mode, _, identity = facts.decode("ascii").split()
                entries[path] = entry_of(mode, identity)
        return entries

    @property
    def _named(self) -> str:
        return f"{self.commit}:"
