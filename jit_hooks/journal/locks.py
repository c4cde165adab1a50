"""The locks of both trackers, in the one order that neither of them can cross.

Order, and which tracker needs which: ``claims.lock`` (outermost in v1), ``.jit-bootstrap.lock`` (v1, only where it
exists), ``.repo-write.lock`` (every write of v1), ``.index.lock`` (issues and issue index of June), ``.gates.lock``
(its registry), ``.events.lock`` (its log). Never an issue's lock: June drops an issue whose lock it times out on,
v1 unlinks such files. A free lock file stays where it is: the next opener of a new one would lock another inode.
Source: the tracker's ``storage/json.rs``, ``repo_lock.rs``, ``guard_order.rs``.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager

from jit_hooks.disk.layer import normal, parent_of
from jit_hooks.errors import LockIOError, LockTimeoutError, NotSettledError
from jit_hooks.journal.plan import touches_control, touches_gates
from jit_hooks.store.transactions import JOURNAL, paths_around, pending_among, strangers_among

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.disk.layer import FileLayer, Handle
    from jit_hooks.journal.plan import Plan
    from jit_hooks.place import Place

LONGEST_WAIT = 5.0
"""Seconds a command waits for all locks together; a hook tries once (0)."""

CLAIMS_LOCK = "control:locks/claims.lock"
CLAIMS_META = "control:locks/claims.lock.meta"


def lock_paths(files: FileLayer, plan: Plan) -> list[tuple[str, bool]]:
    """The lock files a plan needs, in order, each with True if it is made where it is absent."""
    wanted: list[tuple[str, bool]] = []
    if touches_control(plan):
        wanted.append((CLAIMS_LOCK, True))
    bootstraps = dict.fromkeys(("top:.jit-bootstrap.lock", "beside:.jit-bootstrap.lock"), None)
    seen = set()
    for path in bootstraps:
        if files.absolute(path) not in seen:
            seen.add(files.absolute(path))
            wanted.append((path, False))
    wanted.append(("store:.repo-write.lock", True))
    wanted.append(("store:.index.lock", True))
    if touches_gates(plan):
        wanted.append(("store:.gates.lock", True))
    wanted.append(("store:.events.lock", True))
    return wanted


class Held:
    """Locks that are held; ``since`` on the monotonic clock, in seconds, once all of them are."""

    def __init__(self, files: FileLayer) -> None:
        self._files = files
        self._handles: list[Handle] = []
        self.since = 0.0

    def take(self, path: str, wait: float, *, create: bool) -> None:
        """Take one more lock."""
        handle = self._files.lock(path, wait, create=create)
        if handle is not None:
            self._handles.append(handle)

    def release(self) -> None:
        """Let all go, the last one first. One that cannot be let go ends with the process."""
        failed: OSError | None = None
        while self._handles:
            try:
                self._files.unlock(self._handles.pop())
            except OSError as error:
                failed = error
        if failed is not None:
            raise LockIOError(str(failed.filename), failed.strerror or "")


@contextmanager
def tracker_locks(place: Place, plan: Plan, wait: float, *, existing_only: bool = False) -> Iterator[Held]:
    """Hold what a writer beside both trackers has to hold; start no other program meanwhile.

    Args:
        place: the store.
        plan: says which of the locks are needed.
        wait: seconds for all of them together; 0 tries each once.
        existing_only: make no lock file.

    Raises:
        LockTimeoutError: another process holds one (a ``BusyError``); with the holder where the metadata tells.
        LockIOError: one cannot be locked at all.
    """
    files = place.files
    held = Held(files)
    began = time.monotonic()
    try:
        for path, create in lock_paths(files, plan):
            if create and not existing_only:
                _make_holder(files, path)
            left = max(0.0, began + wait - time.monotonic())
            try:
                held.take(path, left, create=create and not existing_only)
            except LockTimeoutError as error:
                holder = find_holder(files) if path == CLAIMS_LOCK else None
                raise LockTimeoutError(error.path, time.monotonic() - began, holder) from None
        held.since = time.monotonic()
        yield held
    finally:
        held.release()


def _make_holder(files: FileLayer, path: str) -> None:
    try:
        files.ensure_directory(parent_of(path))
    except OSError as error:
        raise LockIOError(files.absolute(path), error.strerror or str(error)) from error


def find_holder(files: FileLayer) -> str | None:
    """Who holds ``claims.lock``, from its metadata; None where there is none or it cannot be read.

    Shape of the file: one JSON object with ``pid`` and ``agent_id`` (the tracker's ``storage/lock.rs``). It is
    removed after the lock is let go, and survives a crash, so it is a hint.
    """
    try:
        raw = files.read(CLAIMS_META)
        document = json.loads(raw or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    agent, pid = document.get("agent_id"), document.get("pid")
    names = [agent] if isinstance(agent, str) and agent else []
    if type(pid) is int:
        names.append(f"process {pid}")
    return ", ".join(names) or None


def require_settled(files: FileLayer, settling: frozenset[str] = frozenset()) -> None:
    """Pass in a store where no transaction of the tracker is pending but those in ``settling``.

    Strangers where those are kept count, too: the tracker fails at them.

    Raises:
        NotSettledError: one is.
        OSError: it cannot be looked.
    """
    pending, strangers = find_pending(files)
    for path in pending:
        if path not in settling:
            raise NotSettledError(files.absolute(path))
    for path in strangers:
        raise NotSettledError(files.absolute(path), foreign=True)


def find_pending(files: FileLayer) -> tuple[list[str], list[str]]:
    """The directories of pending transactions, and the strangers among them, as rooted paths.

    Raises:
        OSError: a directory cannot be listed.
    """
    is_nested = files.absolute("top:") != files.absolute("beside:")

    def names_in(path: str) -> list[str] | None:
        if path.startswith("top:") and not is_nested:
            return []
        rooted = _rooted(path)
        status = files.status(rooted)
        if status is None:
            return []
        return files.names(rooted) if status.kind == "directory" else None

    paths = list(paths_around(names_in))
    pending = [_rooted(path.removesuffix(f"/{JOURNAL}").rstrip("/")) for path in pending_among(paths)]
    return pending, [_rooted(path.rstrip("/")) for path in strangers_among(paths)]


def _rooted(path: str) -> str:
    return path if path.startswith("top:") else normal(f"store:{path}")
