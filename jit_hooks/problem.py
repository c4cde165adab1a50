"""One finding, as plain data."""

from __future__ import annotations

SEVERITIES = ("error", "warning", "note")


class Problem:
    """What is wrong with one record, or between two.

    Attributes:
        code: the kind of problem, one of ``checks.tsv``.
        path: the store path of the file it shows in.
        subject: what else it names: another id, a gate key, a member. Part of its identity.
        record: what it is about: the path, or in a log the event's id, else the digest of the line.
        pointer: RFC 6901, from the top of the document (in a log, of the line).
        line: of a log, counted from 1; 0 elsewhere until the report works it out.
        offset: byte offset in the file, or -1.
        message: one sentence, without the path.
        severity: empty until judged, unless the check itself decides it.
        era: the member that a newer tracker requires and this older record lacks; empty otherwise.
        related: other store paths whose bytes decide it.
        remedy: what to type or whom to ask; empty when the code's own remedy will do.
        era: the member a newer tracker requires and this older record lacks; empty otherwise.
    """

    __slots__ = (
        "code",
        "column",
        "commit",
        "era",
        "introduced",
        "line",
        "message",
        "offset",
        "path",
        "pointer",
        "record",
        "related",
        "remedy",
        "repair",
        "severity",
        "subject",
    )

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
        offset: int = -1,
        severity: str = "",
        remedy: str = "",
        related: tuple[str, ...] = (),
        era: str = "",
    ) -> None:
        self.code = code
        self.path = path
        self.message = message
        self.subject = subject
        self.record = record or path
        self.pointer = pointer
        self.line = line
        self.column = 0
        self.era = ""
        self.offset = offset
        self.severity = severity
        self.remedy = remedy
        self.related = related
        self.era = era
        self.repair = ""
        self.introduced = True
        self.commit: str | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two problems the same: code, record and subject; never message, line or pointer."""
        return self.code, self.record, self.subject

    def __repr__(self) -> str:
        return f"Problem({self.code!r}, {self.record!r}, {self.subject!r}: {self.message})"


def parts_of(pointer: str) -> list[str]:
    """The names and positions that an RFC 6901 pointer goes through."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
