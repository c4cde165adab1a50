"""The line and column of a problem, worked out only for what is printed."""

from __future__ import annotations

import re

from jit_hooks.git.repository import Repository
from jit_hooks.git.snapshots import TreeSnapshot
from jit_hooks.problem import parts_of
from jit_hooks.store import layout
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.spans import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded
    from jit_hooks.store.snapshot import Snapshot

_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def position(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte offset, both from 1; columns count characters, a broken byte counts as one."""
    offset = max(0, min(offset, len(data)))
    begin = data.rfind(b"\n", 0, offset) + 1
    line = data.count(b"\n", 0, offset) + 1
    return line, len(data[begin:offset].decode("utf-8", "surrogateescape")) + 1


def locate_toml(data: bytes, pointer: str) -> tuple[int, int]:
    """The line of the key that a pointer names in TOML text, or of the nearest table above it; else 1, 1.

    Plain tables, arrays of tables and dotted keys are followed, line by line; inline values are not.
    """
    wanted = parts_of(pointer)
    best, place = 0, (1, 1)
    table: list[str] = []
    counts: dict[tuple[str, ...], int] = {}
    for number, raw in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        line = raw.strip()
        if line.startswith("["):
            many = line.startswith("[[")
            name = line.strip("[]").split("#")[0].strip(" ]")
            table = _toml_key(name)
            if many:
                key = tuple(table)
                counts[key] = counts.get(key, -1) + 1
            table = _with_positions(table, counts)
            path = table
        else:
            key_text, equals, _ = line.partition("=")
            if not equals or line.startswith("#"):
                continue
            path = [*table, *_toml_key(key_text.strip())]
        if len(path) > best and path == wanted[: len(path)]:
            best, place = len(path), (number, len(raw) - len(raw.lstrip()) + 1)
    return place


def _toml_key(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', text)]


def _with_positions(table: list[str], counts: dict[tuple[str, ...], int]) -> list[str]:
    """A table's path with the position of the newest element after each array of tables on it."""
    path: list[str] = []
    for depth, name in enumerate(table, 1):
        path.append(name)
        if tuple(table[:depth]) in counts:
            path.append(str(counts[tuple(table[:depth])]))
    return path


class Places:
    """Works out line and column of problems, reading each file once.

    Args:
        report: whose snapshot holds the bytes; a problem with a commit is read from that commit.
    """

    def __init__(self, report: Report) -> None:
        self._snapshot = report.snapshot
        self._read: dict[tuple[str | None, str], bytes | None] = {}
        self._lines: dict[tuple[str | None, str], list[int]] = {}

    def located(self, problems: Iterable[Graded]) -> list[Graded]:
        """The problems with line and column; both stay 0 where there is no file to point into."""
        return [problem if problem.column else self._located(problem) for problem in problems]

    def _located(self, problem: Graded) -> Graded:
        line, column = self.place(problem)
        return problem.but(line=line, column=column)

    def place(self, problem: Graded) -> tuple[int, int]:
        """Line and column of one problem; 0, 0 when there is none."""
        data = self.bytes_of(problem)
        if data is None:
            return problem.line, 0
        kind = layout.kind_of(problem.path)
        if kind in ("log", "claims"):
            return self._in_log(problem, data)
        if problem.offset > 0 or (problem.offset == 0 and kind not in layout.TOML_KINDS):
            return position(data, problem.offset)
        if kind in layout.TOML_KINDS:
            said = _TOML_PLACE.search(problem.message)
            return (int(said[1]), int(said[2])) if said else locate_toml(data, problem.pointer)
        offset = locate(data, problem.pointer)
        return (1, 1) if offset is None else position(data, offset)

    def _in_log(self, problem: Graded, data: bytes) -> tuple[int, int]:
        if problem.line <= 0:
            return position(data, problem.offset) if problem.offset >= 0 else (0, 0)
        line = self.line_of(problem)
        offset = locate(line, problem.pointer) if problem.pointer else None
        return problem.line, 1 if offset is None else position(line, offset)[1]

    def line_of(self, problem: Graded) -> bytes:
        """The line of a log that a problem names, without its end; empty when there is none."""
        data = self.bytes_of(problem)
        if data is None or problem.line <= 0:
            return b""
        key = (problem.commit, problem.path)
        if key not in self._lines:
            self._lines[key] = [0, *(found.end() for found in re.finditer(b"\n", data))]
        starts = self._lines[key]
        if problem.line > len(starts):
            return b""
        end = data.find(b"\n", starts[problem.line - 1])
        return data[starts[problem.line - 1] : end if end >= 0 else len(data)]

    def bytes_of(self, problem: Graded) -> bytes | None:
        """The bytes of the file a problem shows in, or None."""
        key = (problem.commit, problem.path)
        if key not in self._read:
            snapshot = self._snapshot_for(problem)
            data = snapshot.read(problem.path) if snapshot is not None else None
            self._read[key] = None if isinstance(data, TooLarge) else data
        return self._read[key]

    def _snapshot_for(self, problem: Graded) -> Snapshot | None:
        if problem.commit is None:
            return self._snapshot
        repository = getattr(self._snapshot, "repository", None)
        if self._snapshot is None or not isinstance(repository, Repository):
            return None
        snapshot = TreeSnapshot(repository, problem.commit)
        snapshot.record_bytes, snapshot.log_bytes = self._snapshot.record_bytes, self._snapshot.log_bytes
        return snapshot
