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
        super().__init__(message)
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
        super().__init__(f"git {arguments[0] if arguments else ''} failed: {first}")


class MissingObjectError(NotJudgedError):
    """An object that git names is not in the object database: a damaged, shallow or partial clone."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"object {name} is not in this repository",
            "git fetch --unshallow, or git fsck if the clone is whole",
        )


class NewerStoreError(NotJudgedError):
    """The issue index has a newer schema version than this program knows."""

    def __init__(self, path: str, found: int, known: int) -> None:
        self.path, self.found, self.known = path, found, known
        super().__init__(
            f"{path} has schema version {found}; this version of jit-hooks knows {known}",
            f"update jit-hooks, or accept it: `schema-version = {found}` under [accept] in .jit/hooks.toml",
        )


class BusyError(NotJudgedError):
    """Another process holds a lock of the tracker."""

    def __init__(self, path: str, waited: float) -> None:
        self.path, self.waited = path, waited
        super().__init__(f"{path} is held by another process (waited {waited:.1f} s)", "try again in a moment")


class NotSettledError(NotJudgedError):
    """A transaction of the tracker is pending: the worktree is between two states."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"the tracker crashed inside a transaction ({path}): the worktree is not settled", "jit recover"
        )


class InstallError(UsageError):
    """The hooks cannot be installed as things stand, and nothing was written.

    ``remedy`` is the command to type next, where there is one.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
