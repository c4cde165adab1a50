"""The judged case: everything a verdict stands on, from any source."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain

from jit_hooks.checks import CHECKS
from jit_hooks.checks.runtime import pending_transactions, unsettled
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import NewerStoreError, NotSettledError
from jit_hooks.git.command import SEVERITIES_ASKED
from jit_hooks.git.snapshots import GitIndexSnapshot, TreeSnapshot
from jit_hooks.judging.findings import find_problems
from jit_hooks.judging.request import GIT_INDEX, WORKTREE
from jit_hooks.judging.timelimit import time_limit
from jit_hooks.settings import read_settings
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Overlay, TooLarge
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from jit_hooks.checks import Check
    from jit_hooks.git.command import Git
    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.findings import Findings
    from jit_hooks.judging.request import Request
    from jit_hooks.settings import Settings
    from jit_hooks.store.snapshot import Entry, Snapshot

    Changes = Mapping[str, tuple[Entry | None, Entry | None]]


class Case:
    """A store to judge, with all that its verdict stands on; never changed, only made anew.

    Attributes:
        store: what is judged.
        focus: which of its records, and the parents and bases to hold them against.
        settings: those in force.
        checks: the rows of the registry to run.
        prefix: the path of the store from the top of the repository, with a final ``/``.
        unlike: for each parent the paths at which it differs from the store; nothing where that is not known.
    """

    __slots__ = ("checks", "focus", "prefix", "settings", "store", "unlike")

    def __init__(
        self,
        store: Store,
        focus: Focus,
        settings: Settings,
        checks: tuple[Check, ...],
        prefix: str = ".jit/",
        unlike: tuple[Container[str], ...] = (),
    ) -> None:
        self.store = store
        self.focus = focus
        self.settings = settings
        self.checks = checks
        self.prefix = prefix
        self.unlike = unlike

    def find(self, checks: Iterable[Check] | None = None) -> Findings:
        """The findings of these checks; all checks of the case unless others are named."""
        return find_problems(self.store, self.focus, self.checks if checks is None else checks)

    def of(self, snapshot: Snapshot) -> Case:
        """The same case of another reading of its source."""
        store = Store(snapshot, self.settings.accepted, log_start(snapshot, self.focus))
        return Case(store, self.focus, self.settings, self.checks, self.prefix, self.unlike)

    def share(self) -> None:
        """Let the parents know what is known of records that are the same in them: once all is read."""
        for parent, paths in zip(self.focus.parents, self.unlike, strict=False):
            parent.share(self.store, paths)

    def with_changes(self, changes: Mapping[str, bytes | None]) -> Case:
        """The case after some paths get other bytes, or None where they go."""
        snapshot = Overlay(self.store.snapshot, changes) if changes else self.store.snapshot
        return self._with(Store(snapshot, self.settings.accepted), self.focus.widened(changes))

    def widened(self, paths: Iterable[str]) -> Case:
        """The same case with more paths in its focus."""
        return self._with(self.store, self.focus.widened(paths))

    def against(self, *parents: Store) -> Case:
        """The same records held against other parents, one by one: not a merge."""
        return self._with(self.store, Focus(self.focus.paths, everything=self.focus.everything, parents=parents))

    def only(self, paths: Iterable[str], parents: tuple[Store, ...] = ()) -> Case:
        """The case with nothing but some paths in its focus."""
        return self._with(self.store, Focus(paths, parents=parents))

    def under(self, settings: Settings) -> Case:
        """The same case under other settings."""
        store = Store(Overlay(self.store.snapshot, {}), settings.accepted, self.store.log_start)
        return Case(store, self.focus, settings, self.checks, self.prefix)

    def _with(self, store: Store, focus: Focus | None = None) -> Case:
        return Case(store, self.focus if focus is None else focus, self.settings, self.checks, self.prefix)


@contextmanager
def opened(request: Request) -> Iterator[Case]:
    """The case of a request; what is done with it ends within the time limit.

    Raises:
        UsageError: the settings in force cannot be followed.
        NotJudgedError: the store cannot be looked at, or not within the time limit.
    """
    snapshot = open_snapshot(request)
    settings = read_settings(snapshot)
    if request.repository is not None:
        settings = tightened(settings, request.repository.git)
    with time_limit(request.seconds if settings.seconds is None else settings.seconds):
        yield open_case(request, snapshot, settings)


def open_case(request: Request, snapshot: Snapshot, settings: Settings) -> Case:
    """The case of a snapshot under these settings, with the parents that the request names.

    Raises:
        NewerStoreError: the store is newer than this program knows or the settings accept.
    """
    changes = [changes_since(request, parent) for parent in request.parents]
    if changes and snapshot.on_disk:
        untracked = dict.fromkeys(_untracked(snapshot), (None, None))
        changes = [{**untracked, **change} for change in changes]
    for change in changes:  # git's modes tell a link from a file
        snapshot.learn({path: after for path, (_, after) in change.items()})
    parents = tuple(
        Store(_parent_snapshot(request, parent, change), settings.accepted)
        for parent, change in zip(request.parents, changes, strict=True)
    )
    focus = Focus(
        frozenset(chain.from_iterable(changes)),
        everything=request.everything or not parents,
        parents=parents,
        bases=_merge_bases(request, settings),
    )
    store = Store(snapshot, settings.accepted, log_start(snapshot, focus))
    refuse_newer(store, settings)
    return Case(store, focus, settings, _rows(request, settings), request.prefix, tuple(changes))


def _rows(request: Request, settings: Settings) -> tuple[Check, ...]:
    """The checks asked for, less those that settings turn off; a hook makes those that they raise to errors, too."""
    raised = () if request.everything else settings.raised
    return tuple(
        row
        for row in CHECKS
        if (row in request.checks or row.code in raised) and settings.severity_of(row.code, row.severity) != "off"
    )


def tightened(settings: Settings, git: Git) -> Settings:
    """The settings with what git config makes stricter.

    Raises:
        UsageError: git config names a code or a severity that does not exist.
    """
    status, out, _ = git.ask_once(*SEVERITIES_ASKED)
    return settings if status else settings.tightened(out)


def open_snapshot(request: Request) -> Snapshot:
    """The snapshot a request names.

    Raises:
        NotSettledError: the tracker has not finished a transaction in this worktree.
    """
    if request.source == WORKTREE:
        snapshot = WorktreeSnapshot(request.root, request.repository, request.now)
        if pending_transactions(snapshot):
            snapshot = snapshot.read_again((), request.wait)
            _require_settled(request, snapshot)
        return snapshot
    assert request.repository is not None
    if request.source == GIT_INDEX:
        return GitIndexSnapshot(request.repository)
    return TreeSnapshot(request.repository, request.source)


def _require_settled(request: Request, snapshot: Snapshot) -> None:
    for problem in unsettled(snapshot):
        is_stuck = problem.code == "transaction-stuck"
        if not (request.settling and is_stuck):
            raise NotSettledError(request.top_path(problem.path), problem.message if is_stuck else "", problem.remedy)


def _parent_snapshot(request: Request, commit: str, changes: Changes) -> TreeSnapshot:
    """The snapshot of a parent, which already knows what stood there where something changed."""
    assert request.repository is not None
    return TreeSnapshot(request.repository, commit, {path: before for path, (before, _) in changes.items()})


def changes_since(request: Request, parent: str) -> Changes:
    """The changes of the source against one commit: store path to its entry before and after."""
    repository = request.repository
    assert repository is not None
    if request.source == WORKTREE:
        return repository.changes("diff-index", parent)
    if request.source == GIT_INDEX:
        return repository.staged_since(parent)
    return repository.changes("diff-tree", "-r", parent, request.source)


def _merge_bases(request: Request, settings: Settings) -> tuple[Store, ...] | None:
    """The stores of the merge bases of what is judged, if that is a merge; None where they are not known."""
    if len(request.parents) < 2 or request.repository is None:
        return None
    bases = request.repository.commits.merge_bases(request.parents)
    return None if bases is None else stores_at(request.repository, settings, *bases)


def stores_at(repository: Repository, settings: Settings, *commits: str) -> tuple[Store, ...]:
    """The stores of some commits."""
    return tuple(Store(TreeSnapshot(repository, commit), settings.accepted) for commit in commits)


def log_start(snapshot: Snapshot, focus: Focus) -> int:
    """How many bytes at the beginning of the event log a partial focus may take as known."""
    if focus.everything or not focus.parents:
        return 0
    before = focus.parents[0].snapshot.read(layout.LOG)
    now = snapshot.read(layout.LOG)
    if not before or not now or isinstance(before, TooLarge) or isinstance(now, TooLarge):
        return 0
    return len(before) if now.startswith(before) and before.endswith(b"\n") else 0


def refuse_newer(store: Store, settings: Settings) -> None:
    """Refuse to judge a store whose issue index is newer than this program knows or the settings accept.

    Raises:
        NewerStoreError: it is.
    """
    record = store.record(layout.INDEX)
    version = record.members.get("schema_version") if record is not None else None
    if type(version) is int and version > settings.accepted.schema_version:
        raise NewerStoreError(layout.INDEX, version, settings.accepted.schema_version)


def _untracked(snapshot: Snapshot) -> list[str]:
    """The records and gate runs on disk that no diff tells of, for git does not know them yet."""
    tracked = snapshot.tracked() if snapshot.in_git else {}
    return [
        path
        for path in snapshot.entries()
        if path not in tracked and (layout.kind_of(path) in layout.TEXT_KINDS or path.startswith(layout.RUNS))
    ]
