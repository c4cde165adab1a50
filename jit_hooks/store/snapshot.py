"""Immutable bytes of a store from one source, behind one type.

The worktree, the git index and a commit tree all become a ``Snapshot``; no check may ask which it got.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from jit_hooks.store.layout import CLAIMS, CLAIMS_ASIDE, CONTROL, LOG, MAX_LOG_BYTES, MAX_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jit_hooks.store.machine import Machine


class Entry:
    """What stands at a path: ``kind`` is ``file``, ``link``, ``submodule``, ``directory`` or ``unreadable``.

    ``identity`` tells two contents apart within one source (a blob id, or none on disk); ``executable`` as git
    sees it.
    """

    __slots__ = ("executable", "identity", "kind")

    def __init__(self, kind: str, identity: str | None = None, *, executable: bool = False) -> None:
        self.kind = kind
        self.identity = identity
        self.executable = executable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and (self.kind, self.identity) == (other.kind, other.identity)

    def __hash__(self) -> int:
        return hash((self.kind, self.identity))

    def __repr__(self) -> str:
        return f"Entry({self.kind!r}, {self.identity!r})"


class TooLarge:
    """Stands for bytes that were not read because their size, known beforehand, is over the limit."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


class Snapshot(ABC):
    """Names and bytes of one store at one moment.

    Paths are store paths (``issues/<uuid>.json``); names beside the store begin with ``../``
    (``layout.BESIDE``). A run directory without a ``result.json`` is an entry that ends in ``/``, where the
    source knows directories. Names of the control plane (``control:claims.jsonl``) are listed by themselves.
    """

    record_bytes = MAX_RECORD_BYTES
    log_bytes = MAX_LOG_BYTES
    """What is read of one record, and of the event log; a store sets them to what its settings allow."""

    in_git = True
    """Whether anything is known of what git tracks."""

    on_disk = False
    """Whether this is the worktree, with what processes leave in it."""

    def is_left_out(self, path: str) -> bool:
        """True if a file stands here only because a sparse checkout left it out of the worktree."""
        del path
        return False

    def limit_of(self, path: str) -> int:
        """How many bytes are read of a file at the most."""
        return self.log_bytes if path in (LOG, CLAIMS, CLAIMS_ASIDE) else self.record_bytes

    @abstractmethod
    def entries(self) -> Mapping[str, Entry]:
        """Everything the store holds in this source."""

    @abstractmethod
    def entry(self, path: str) -> Entry | None:
        """The entry at this path, without listing the store if the source can answer so."""

    def learn(self, known: Mapping[str, Entry | None]) -> None:
        """Take what is already known to stand at some paths, where that spares asking for it."""
        del known

    def look_closely(self, paths: Iterable[str]) -> None:
        """Find out what stands at these paths even where ``entry`` would take a link for a file."""
        del paths

    @abstractmethod
    def read(self, path: str) -> bytes | TooLarge | None:
        """The bytes of a regular file; None when there is none. Links are never followed."""

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | TooLarge | None]]:
        """Many files, each with its bytes, in the order asked for; one at a time in memory."""
        for path in paths:
            yield path, self.read(path)

    def tracked(self) -> Mapping[str, Entry]:
        """The entries that git tracks of the store; ask only where ``in_git``. A plan changes no git index."""
        return self.entries()

    def tracked_entry(self, path: str) -> Entry | None:
        """The entry that git tracks at one path; ask only where ``in_git``."""
        return self.entry(path)

    def unmerged(self) -> Iterable[str]:
        """Store paths for which the git index still holds the sides of a conflict."""
        return ()

    @property
    def machine(self) -> Machine:
        """The facts known of the machine this lies on; none, but of a worktree."""
        from jit_hooks.store.machine import UNKNOWN

        return UNKNOWN

    def control_entries(self) -> Mapping[str, Entry] | None:
        """The entries of the control plane; None where there is none to look at."""
        return None

    def read_document(self, path: str) -> bytes | TooLarge | None:
        """The bytes of a file on disk beside the store, by its path from the directory that holds the store.

        None when there is none, or the source has no disk. Links are never followed.
        """
        del path
        return None

    @abstractmethod
    def has_document(self, path: str, commit: str | None) -> bool | None:
        """True if a file of this repository exists: in this source, or at a commit when one is named.

        ``path`` is relative to the directory that holds the store. None when the source cannot look.
        """


class Files(Snapshot):
    """A store held in memory: for tests, and for what a plan would leave.

    ``files`` maps store paths to bytes; ``other`` adds what is not a regular file; ``documents`` holds paths
    outside the store that exist, ``at_commits`` those that exist at a commit. With a ``machine`` it is a worktree on
    it, with the control plane that its paths name (``control:``) and the ``beside`` files of its disk.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        other: Mapping[str, Entry] | None = None,
        documents: Iterable[str] | None = None,
        at_commits: Mapping[str, Iterable[str]] | None = None,
        unmerged: Iterable[str] = (),
        machine: Machine | None = None,
        beside: Mapping[str, bytes] | None = None,
    ) -> None:
        self.files = files
        if machine is not None:
            self.on_disk = True
        self._machine = machine
        self._beside = beside or {}
        self._at_commits = at_commits
        self._other = dict(other or {})
        self._documents = None if documents is None else frozenset(documents)
        self._unmerged = tuple(unmerged)

    def entries(self) -> Mapping[str, Entry]:
        """Every file and every entry that is none."""
        return {path: entry for path, entry in self._all().items() if not path.startswith(CONTROL)}

    def control_entries(self) -> Mapping[str, Entry] | None:
        """Every file and every other entry of the control plane, on a machine."""
        if self._machine is None:
            return None
        return {path: entry for path, entry in self._all().items() if path.startswith(CONTROL)}

    def _all(self) -> dict[str, Entry]:
        entries = {path: Entry("file") for path in self.files}
        entries.update(self._other)
        return entries

    @property
    def machine(self) -> Machine:
        """The machine it was given."""
        return super().machine if self._machine is None else self._machine

    def read_document(self, path: str) -> bytes | None:
        """The bytes of one file beside the store."""
        return self._beside.get(path)

    def entry(self, path: str) -> Entry | None:
        """The entry of one path."""
        return self._other.get(path) or (Entry("file") if path in self.files else None)

    def read(self, path: str) -> bytes | None:
        """The bytes of one file."""
        return None if path in self._other else self.files.get(path)

    def unmerged(self) -> Iterable[str]:
        """Paths given as unmerged."""
        return self._unmerged

    def has_document(self, path: str, commit: str | None) -> bool | None:
        """True if the path was given as a document, of this snapshot or of the commit named."""
        if commit is not None:
            return None if self._at_commits is None else path in self._at_commits.get(commit, ())
        return None if self._documents is None else path in self._documents


class Overlay(Snapshot):
    """One snapshot with some paths replaced: what a commit would be after a ``git add``, or a store after a plan.

    ``changes`` maps a store path to its new bytes, or to None when it goes.
    """

    def __init__(self, below: Snapshot, changes: Mapping[str, bytes | None]) -> None:
        self.below = below
        self.changes = changes
        self.on_disk = below.on_disk
        self.in_git = below.in_git

    def entries(self) -> Mapping[str, Entry]:
        """The entries below, with the changes laid over them."""
        return self._laid_over(self.below.entries(), control=False)

    def control_entries(self) -> Mapping[str, Entry] | None:
        """The control plane below, with the changes laid over it."""
        below = self.below.control_entries()
        return None if below is None else self._laid_over(below, control=True)

    def _laid_over(self, below: Mapping[str, Entry], *, control: bool) -> dict[str, Entry]:
        entries = dict(below)
        for path, data in self.changes.items():
            if path.startswith(CONTROL) != control:
                continue
            if data is None:
                entries.pop(path, None)
            else:
                entries[path] = Entry("file")
        return entries

    @property
    def machine(self) -> Machine:
        """As the snapshot below knows it."""
        return self.below.machine

    def tracked(self) -> Mapping[str, Entry]:
        """The entries that git tracks of the store; ask only where ``in_git``. A plan changes no git index."""
        return self.below.tracked() if self.on_disk else self.entries()

    def tracked_entry(self, path: str) -> Entry | None:
        """The entry that git tracks at one path; ask only where ``in_git``."""
        return self.below.tracked_entry(path) if self.on_disk else self.entry(path)

    def read_document(self, path: str) -> bytes | TooLarge | None:
        """As the snapshot below answers."""
        return self.below.read_document(path)

    def entry(self, path: str) -> Entry | None:
        """The entry of one path after the changes."""
        if path in self.changes:
            return None if self.changes[path] is None else Entry("file")
        return self.below.entry(path)

    def read(self, path: str) -> bytes | TooLarge | None:
        """The bytes of one path after the changes."""
        return self.changes[path] if path in self.changes else self.below.read(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | TooLarge | None]]:
        """Many files after the changes."""
        wanted = list(paths)
        below = self.below.read_many([path for path in wanted if path not in self.changes])
        for path in wanted:
            yield (path, self.changes[path]) if path in self.changes else next(below)

    def unmerged(self) -> Iterable[str]:
        """The paths that stay unmerged: one that is replaced no longer is."""
        return [path for path in self.below.unmerged() if path not in self.changes]

    def has_document(self, path: str, commit: str | None) -> bool | None:
        """As the snapshot below answers."""
        return self.below.has_document(path, commit)
