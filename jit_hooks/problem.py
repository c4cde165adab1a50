"""One finding as plain data, and the same with its verdict; neither changes once it is made."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Self

SEVERITIES = ("error", "warning", "note")
"""The worst first."""


class Problem:
    """What is wrong with one record, or between two.

    Attributes:
        code: the kind of problem: a row of the registry of checks.
        path: the store path of the file it shows in.
        subject: what else it names: another id, a gate key, a member. Part of its identity.
        record: what it is about: the path, or in a log the event's id, else the digest of the line.
        pointer: RFC 6901, from the top of the document (in a log, of the line).
        line: of a log, counted from 1; 0 elsewhere until a report works it out.
        column: in bytes from 1; 0 until a report works it out.
        offset: byte offset in the file, or -1.
        message: one sentence, without the path.
        severity: empty, unless the check itself decides it.
        related: other store paths whose bytes decide it.
        remedy: what to type or whom to ask; empty when the code's own remedy will do.
        era: the member a newer tracker requires and this older record lacks; empty otherwise.
    """

    __slots__ = (
        "code",
        "column",
        "era",
        "line",
        "message",
        "offset",
        "path",
        "pointer",
        "record",
        "related",
        "remedy",
        "severity",
        "subject",
    )

    code: str
    path: str
    subject: str
    record: str
    pointer: str
    line: int
    column: int
    offset: int
    message: str
    severity: str
    related: tuple[str, ...]
    remedy: str
    era: str

    def __init__(
        self,
        code: str,
        path: str,
        message: str,
        *,
        subject: str = "",
        record: str = "",
        pointer: str = "",
        line: int = 0,
        column: int = 0,
        offset: int = -1,
        severity: str = "",
        remedy: str = "",
        related: tuple[str, ...] = (),
        era: str = "",
    ) -> None:
        fill = object.__setattr__
        fill(self, "code", code)
        fill(self, "path", path)
        fill(self, "message", message)
        fill(self, "subject", subject)
        fill(self, "record", record or path)
        fill(self, "pointer", pointer)
        fill(self, "line", line)
        fill(self, "column", column)
        fill(self, "offset", offset)
        fill(self, "severity", severity)
        fill(self, "remedy", remedy)
        fill(self, "related", related)
        fill(self, "era", era)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = f"a problem does not change: {name}"
        raise AttributeError(message)

    def but(self, **changes: Any) -> Self:  # each attribute has its own type
        """The same problem with some attributes changed."""
        made = object.__new__(type(self))
        for slots in (getattr(each, "__slots__", ()) for each in type(self).__mro__):
            for name in slots:
                object.__setattr__(made, name, changes[name] if name in changes else getattr(self, name))
        return made

    @property
    def identity(self) -> tuple[str, str, str]:
        """The facts by which two problems are the same: code, record and subject; never message, line or pointer."""
        return self.code, self.record, self.subject

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {self.record!r}, {self.subject!r}: {self.message})"


class Graded(Problem):
    """A problem of one source, held against its parents and the settings.

    Attributes:
        severity: ``error``, ``warning`` or ``note``.
        repair: what mends it: ``lossless``, ``restore``, ``unsafe``, ``stage``, ``human`` or ``none``.
        introduced: True if the source brings it; False if its first parent has it already.
        commit: in a range, the commit that brings it.
    """

    __slots__ = ("commit", "introduced", "repair")

    repair: str
    introduced: bool
    commit: str | None

    def __init__(
        self,
        problem: Problem,
        severity: str,
        repair: str,
        *,
        introduced: bool = True,
        commit: str | None = None,
    ) -> None:
        fill = object.__setattr__
        for name in Problem.__slots__:
            fill(self, name, getattr(problem, name))
        fill(self, "severity", severity)
        fill(self, "repair", repair)
        fill(self, "introduced", introduced)
        fill(self, "commit", commit)


def worst_first(problem: Problem) -> tuple[int, str, str, int]:
    """The order of problems in a report: by severity, then by place."""
    return SEVERITIES.index(problem.severity), problem.path, problem.code, problem.line


def parts_of(pointer: str) -> list[str]:
    """The names and positions that an RFC 6901 pointer goes through."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
