"""Errors that only the library raises: what is wrong with one file, and an error for people.

The commands of this program report a wrong store as problems.
"""

from __future__ import annotations

from jit_hooks.errors import JitHooksError, StorageError


class CorruptJsonError(StorageError):
    """A file that should hold JSON does not parse; ``line`` and ``column`` count from 1, 0 where unknown."""

    def __init__(self, path: str, reason: str, line: int = 0, column: int = 0) -> None:
        self.path, self.reason, self.line, self.column = path, reason, line, column
        place = ":".join([path, *(str(number) for number in (line, column) if number)])
        super().__init__(f"{place} is not valid JSON: {reason}")


class IndexInconsistencyError(StorageError):
    """The issue index and the issue files disagree.

    ``unlisted`` are ids with a file that the issue index does not list, ``absent`` ids it lists without a file.
    """

    def __init__(self, path: str, unlisted: tuple[str, ...], absent: tuple[str, ...]) -> None:
        self.path, self.unlisted, self.absent = path, unlisted, absent
        super().__init__(
            f"{path} does not list {len(unlisted)} issues that have a file, and lists {len(absent)} that have none"
        )


class OrphanedLockError(StorageError):
    """Metadata of a lock names a holder that no longer lives; ``pid`` is None where it cannot be read."""

    def __init__(self, path: str, pid: int | None) -> None:
        self.path, self.pid = path, pid
        who = "nobody" if pid is None else f"process {pid}, which no longer lives"
        super().__init__(f"{path} names {who}")


class OrphanedTempFileError(StorageError):
    """The temp file of a writer that is dead; ``age`` in seconds."""

    def __init__(self, path: str, age: float) -> None:
        self.path, self.age = path, age
        super().__init__(f"{path} was left by a writer that died ({age:.0f} s old)")


class BrokenReferenceError(StorageError):
    """An issue refers to an issue, a gate or a document that does not exist."""

    def __init__(self, issue_id: str, ref_id: str) -> None:
        self.issue_id, self.ref_id = issue_id, ref_id
        super().__init__(f"issue {issue_id} refers to {ref_id}, which does not exist")


class ActionableError(JitHooksError):
    """An error for people: what happened, what may have caused it, what to do.

    Attributes:
        problem: one sentence.
        causes: what is possible, the likeliest first.
        remedies: what to do, the safest first; none destroys anything.
    """

    def __init__(self, problem: str, causes: tuple[str, ...], remedies: tuple[str, ...]) -> None:
        self.problem, self.causes, self.remedies = problem, causes, remedies
        lines = [problem]
        for title, points in (("possible causes:", causes), ("what to do:", remedies)):
            if points:
                lines += ["", title, *(f"  - {point}" for point in points)]
        super().__init__("\n".join(lines))

    @classmethod
    def lock_timeout(cls, path: str, elapsed: float, holder: str | None = None) -> ActionableError:
        """A lock that was not had within ``elapsed`` seconds; ``holder`` where its metadata names one."""
        who = f"{holder} holds it" if holder else "another jit command, an agent or a program of yours holds it"
        return cls(
            f"{path} is locked: waited {elapsed:.1f} s",
            (who, "many readers or writers at once: the lock is not fair"),
            (
                "try again in a moment",
                "see who has the file open, with lsof",
                "leave the lock file: a free one is harmless",
            ),
        )

    @classmethod
    def corrupt_json(cls, path: str, reason: str) -> ActionableError:
        """A file that should hold JSON and does not parse."""
        return cls(
            f"{path} is not valid JSON: {reason}",
            (
                "a write was cut short by a crash or a full disk",
                "a merge left conflict markers",
                "it was edited by hand",
            ),
            (
                "jit-check --fix --dry-run  (what can be had back, and from where)",
                "jit-check --fix  (jit-hooks undo takes it back)",
            ),
        )

    @classmethod
    def schema_mismatch(cls, path: str, expected: int, found: int) -> ActionableError:
        """A document of another schema version than the reader's."""
        if found > expected:
            causes = ("the store was written by a newer jit",)
            remedies = (
                "update this program",
                f"or accept it: schema-version = {found} under [accept] in .jit/hooks.toml",
            )
        else:
            causes = ("the store was written by an older jit and never migrated",)
            remedies = ("jit-check --fix --dry-run  (what the migration would change)", "jit-check --fix")
        return cls(f"{path} has schema version {found}, expected {expected}", causes, remedies)

    @classmethod
    def orphaned_temp_file(cls, path: str, age: float) -> ActionableError:
        """The temp file of a dead writer, ``age`` seconds old."""
        return cls(
            f"{path} was left behind {age:.0f} s ago",
            ("the program that wrote it was killed, or the machine stopped",),
            ("keep it: it may hold the newest content", "jit-check --fix  (uses what it holds, then clears it away)"),
        )


class SkippedLine:
    """A line of a log that could not be read.

    Attributes:
        line_number: counted from 1.
        raw: its bytes, without the newline.
        error: why, in one sentence.
    """

    __slots__ = ("error", "line_number", "raw")

    def __init__(self, line_number: int, raw: bytes, error: str) -> None:
        self.line_number = line_number
        self.raw = raw
        self.error = error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SkippedLine) and (self.line_number, self.raw, self.error) == (
            other.line_number,
            other.raw,
            other.error,
        )

    def __hash__(self) -> int:
        return hash((self.line_number, self.raw, self.error))

    def __repr__(self) -> str:
        return f"SkippedLine({self.line_number}, {self.raw!r}, {self.error!r})"
