"""Every error this program raises on purpose.

A store that is wrong is data, a ``Problem``; an exception means that something could not be done. The shell
turns each class into one clear line and an exit code.
"""

from __future__ import annotations


class JitHooksError(Exception):
    """The base of all; ``exit_code`` is what the command ends with."""

    exit_code = 3


class UsageError(JitHooksError):
    """The words of a command or of a settings file cannot be followed."""

    exit_code = 2


class NotJudgedError(JitHooksError):
    """The store could not be looked at, so nothing is known of it. Never a pass.

    ``remedy`` is the command to type next, where there is one.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        JitHooksError.__init__(self, message)
        self.remedy = remedy


class GitError(NotJudgedError):
    """A git command failed.

    Attributes:
        arguments: what git was asked.
        status: its exit code.
        says: what it printed on stderr.
    """

    def __init__(self, arguments: tuple[str, ...], status: int, says: str) -> None:
        self.arguments = arguments
        self.status = status
        self.says = says.strip()
        first = self.says.splitlines()[0] if self.says else f"exit code {status}"
        command = arguments[2:] if arguments[:1] == ("-c",) else arguments
        super().__init__(f"git {command[0] if command else ''} failed: {first}")


class MissingObjectError(NotJudgedError):
    """An object that git names is not in the object database: a damaged, shallow or partial clone."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"object {name} is not in this repository",
            "git fetch --unshallow, or git fsck if the clone is whole",
        )


class BusyError(NotJudgedError):
    """Another process holds a lock of the tracker."""

    def __init__(self, path: str, waited: float) -> None:
        self.path, self.waited = path, waited
        super().__init__(f"{path} is held by another process (waited {waited:.1f} s)", "try again in a moment")


class NotSettledError(NotJudgedError):
    """A transaction of the tracker is pending: the worktree is between two states.

    Attributes:
        path: its journal, or where it lies.
        code: ``transaction-pending``; ``transaction-stuck`` when the tracker can no longer recover from it;
            ``transaction-foreign`` when it is none.
    """

    def __init__(self, path: str, stuck: str = "", remedy: str = "", *, foreign: bool = False) -> None:
        self.path = path
        self.code = "transaction-stuck" if stuck else "transaction-foreign" if foreign else "transaction-pending"
        if foreign:
            reason = f"{path} is in the tracker's transaction directory but is not a transaction (transaction-foreign)"
            super().__init__(f"{reason}: nothing is written beside it", "look at it, and move it out of there")
        elif stuck:
            reason = f"{path} {stuck}: the worktree is not settled (transaction-stuck)"
            super().__init__(reason, remedy or "jit-check --fix --unsafe-fixes")
        else:
            reason = f"the tracker crashed inside a transaction ({path}): the worktree is not settled"
            super().__init__(f"{reason} (transaction-pending)", remedy or "jit recover")


class ChangedUnderTransactionError(NotJudgedError):
    """Git has changed files of the store while a transaction of the tracker was pending.

    The tracker compares what lies there with what its journal says, and from then on refuses every command.
    """

    def __init__(self, pending: str, path: str, count: int, before: str) -> None:
        self.pending, self.path, self.count, self.before = pending, path, count, before
        others = f" and {count - 1} more" if count > 1 else ""
        super().__init__(
            f"git has just changed {path}{others} while a transaction of the tracker was pending ({pending}): the "
            f"tracker may refuse every command until the files are as they were in commit {before[:12]}",
            "jit recover",
        )


class InstallError(UsageError):
    """The hooks cannot be installed as things stand, and nothing was written.

    ``remedy`` is the command to type next, where there is one.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class StaleError(JitHooksError):
    """Files changed between the snapshot and the write; nothing was written. ``paths`` are rooted."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        super().__init__(
            f"{paths[0]}{more} changed while the repair was planned, nothing was written: run `jit-check --fix` again"
        )


class WriteError(JitHooksError):
    """The machine refused a step of the writer: disk full, read-only, no permission, a thing in the way.

    Attributes:
        path: where, rooted.
        reason: what the system said.
        entry: the journal entry that was begun, or None.
        written: whether files of the store may have changed; then the entry is interrupted.
    """

    def __init__(self, path: str, reason: str, entry: str | None, *, written: bool) -> None:
        self.path, self.reason, self.entry, self.written = path, reason, entry, written
        if written:
            rest = (
                f"entry {entry} is interrupted: `jit-check --fix` finishes it, `jit-hooks undo {entry}` takes it back"
            )
        else:
            rest = "nothing was written"
        super().__init__(f"cannot write {path}: {reason}; {rest}")


class PlanError(JitHooksError):
    """A plan names what no repair may touch: a lock file, a path outside its root. Our own bug."""


class JournalError(JitHooksError):
    """The journal cannot be read or extended, or bytes it should hold are damaged."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"the journal cannot be used: {path}: {reason}")


class NoEntryError(UsageError):
    """There is no such journal entry, or nothing left to undo."""

    def __init__(self, entry: str | None) -> None:
        self.entry = entry
        super().__init__(f"the journal has no entry {entry}" if entry else "there is nothing to undo")


class OtherWorktreeError(UsageError):
    """A journal entry belongs to another worktree of this repository; ``worktree`` is its top."""

    def __init__(self, entry: str, worktree: str) -> None:
        self.entry, self.worktree = entry, worktree
        super().__init__(f"entry {entry} belongs to the worktree {worktree}: run `jit-hooks undo {entry}` there")


class UnsupportedPlatformError(JitHooksError):
    """This system has no ``flock(2)``: the tracker's locks cannot be taken, so nothing is written."""

    def __init__(self) -> None:
        super().__init__("jit-hooks writes only where flock(2) exists (Linux, macOS); here it judges and never writes")


class StorageError(JitHooksError):
    """Something is wrong with what is stored, or with storing it: for programs that write stores themselves.

    The commands of this program report a wrong store as problems; these classes are for the library.
    """


class PartialWriteError(StorageError):
    """A write ended before its last byte; the file itself is unchanged. ``expected`` and ``written`` in bytes."""

    def __init__(self, path: str, expected: int, written: int, reason: str) -> None:
        self.path, self.expected, self.written, self.reason = path, expected, written, reason
        super().__init__(f"{path}: {written} of {expected} bytes could be written ({reason}); the file is unchanged")


class LockTimeoutError(StorageError, BusyError):
    """A lock of the tracker was held by somebody else for all the time that was given.

    Attributes:
        path: the lock file.
        elapsed: seconds waited.
        holder: who holds it, where the lock's metadata tells; else None.
    """

    def __init__(self, path: str, elapsed: float, holder: str | None = None) -> None:
        BusyError.__init__(self, path, elapsed)
        self.elapsed, self.holder = elapsed, holder
        if holder:
            self.args = (f"{path} is held by {holder} (waited {elapsed:.1f} s)",)


class LockIOError(StorageError):
    """A lock file cannot be opened or locked at all."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"cannot lock {path}: {reason}")


class MissingFileError(StorageError):
    """A file that a store must have is not there."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is missing")


class SchemaMismatchError(StorageError):
    """A document states another schema version than the one its reader knows."""

    def __init__(self, path: str, expected: int, found: int) -> None:
        self.path, self.expected, self.found = path, expected, found
        super().__init__(f"{path} has schema version {found}, expected {expected}")


class NewerStoreError(NotJudgedError, SchemaMismatchError):
    """The issue index has a newer schema version than this program knows; ``found``, and ``expected``."""

    def __init__(self, path: str, found: int, known: int) -> None:
        self.path, self.found, self.expected = path, found, known
        NotJudgedError.__init__(
            self,
            f"{path} has schema version {found}; this version of jit-hooks knows {known}",
            f"update jit-hooks, or accept it: `schema-version = {found}` under [accept] in .jit/hooks.toml",
        )
