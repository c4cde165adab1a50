"""The journal: what every plan found, did and left, append-only.

Below ``<git common dir>/jit-hooks/``: ``journal.lock``; ``journal/objects/<sha256>``, the prior bytes, each content
once; ``journal/entries/``, where ``<n>.json`` is an entry, ``<n>.2.json`` the same after a second planning under the
locks, and ``<n>.outcome.json`` what came of it. A file of the journal is written once, whole, and never changed; an
entry without outcome is *interrupted*. Nothing is removed by itself.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager, suppress

from jit_hooks.disk.layer import join, name_of, parent_of, temp_name
from jit_hooks.errors import JournalError
from jit_hooks.journal.plan import DIRECTORY, digest_of, may_clear, may_touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jit_hooks.disk.layer import FileLayer

FORMAT = 1
ABOVE = "common:jit-hooks"
LOCK = f"{ABOVE}/journal.lock"
OBJECTS = f"{ABOVE}/journal/objects"
ENTRIES = f"{ABOVE}/journal/entries"

_CONTENT = re.compile(rf"[0-9a-f]{{64}}|{DIRECTORY}")
_MODES = 0o7777
_LONGEST_NUMBER = 18
"""Digits of an entry's number: no run comes that far, and file names end somewhere."""

DONE = "done"
INTERRUPTED = "interrupted"
NOT_BEGUN = "nothing written"
TAKEN_BACK = "taken back"
TORN = "torn"


class Note:
    """The words of a caller about an entry.

    Attributes:
        time: when, UTC, as the caller writes it; the journal asks no clock.
        command: what was typed.
        undoes: the entry that this one takes back, or None.
        left: rooted path to the reason why it was left as it is.
        kept: rooted paths that already held what they should.
    """

    def __init__(self, time: str = "", command: str = "", undoes: str | None = None) -> None:
        self.time = time
        self.command = command
        self.undoes = undoes
        self.left: dict[str, str] = {}
        self.kept: list[str] = []


class Recorded:
    """One change as the journal keeps it: digests (SHA-256 hex, ``directory``, or None), sizes and prior mode."""

    __slots__ = ("after", "after_size", "append_only", "before", "before_mode", "before_size", "temp")

    def __init__(
        self,
        before: str | None,
        before_size: int,
        before_mode: int | None,
        after: str | None,
        after_size: int,
        *,
        append_only: bool,
        temp: str | None,
    ) -> None:
        self.before = before
        self.before_size = before_size
        self.before_mode = before_mode
        self.after = after
        self.after_size = after_size
        self.append_only = append_only
        self.temp = temp

    def as_json(self) -> dict[str, object]:
        """The members of one change in an entry."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Recorded:
        """A change read back.

        Raises:
            KeyError, TypeError: it is not one.
        """
        temp, mode = document["temp"], document["before_mode"]
        if temp is not None and not (isinstance(temp, str) and may_clear(temp)):
            raise TypeError
        return cls(
            _content(document["before"]),
            _number(document["before_size"]),
            None if mode is None else _number(mode, _MODES),
            _content(document["after"]),
            _number(document["after_size"]),
            append_only=document["append_only"] is True,
            temp=temp,
        )


def _content(value: object) -> str | None:
    if value is None or (isinstance(value, str) and _CONTENT.fullmatch(value)):
        return value
    raise TypeError


def _number(value: object, most: int | None = None) -> int:
    if isinstance(value, int) and value >= 0 and (most is None or value <= most):
        return value
    raise TypeError


class Entry:
    """One entry of the journal.

    Attributes:
        id: its number, as text.
        state: ``done``, ``interrupted``, ``nothing written``, ``taken back``, or ``torn`` (it cannot be read).
        time: when, as its caller wrote it.
        command: what was typed.
        worktree: top of the worktree it belongs to; empty when torn.
        undoes: the entry it takes back, or None.
        changes: rooted path to what was planned there.
        left: rooted path to the reason why it was left as it is.
        kept: rooted paths that already held what they should.
        tails: log to the number of bytes that were appended meanwhile and kept.
        held: seconds for which the tracker's locks were held; only where it was just executed.
    """

    def __init__(self, number: str, worktree: str, note: Note, changes: Mapping[str, Recorded]) -> None:
        self.id = number
        self.worktree = worktree
        self.time = note.time
        self.command = note.command
        self.undoes = note.undoes
        self.changes = dict(changes)
        self.state = INTERRUPTED
        self.left: dict[str, str] = dict(note.left)
        self.kept: list[str] = list(note.kept)
        self.tails: dict[str, int] = {}
        self.held = 0.0

    def as_json(self) -> bytes:
        """The bytes of the entry's file."""
        document = {
            "format": FORMAT,
            "entry": self.id,
            "time": self.time,
            "command": self.command,
            "worktree": self.worktree,
            "undoes": self.undoes,
            "changes": {path: change.as_json() for path, change in sorted(self.changes.items())},
        }
        return _dump(document)

    def outcome_as_json(self) -> bytes:
        """The bytes of the outcome's file."""
        return _dump(
            {"format": FORMAT, "outcome": self.state, "left": self.left, "kept": self.kept, "tails": self.tails}
        )

    def __repr__(self) -> str:
        return f"Entry({self.id}, {self.state}, {len(self.changes)} changes)"


def _mark_taken_back(entries: Mapping[str, Entry]) -> None:
    """Give the entries that later ones took back their state; what took back one of those brought its own back."""
    for entry in entries.values():
        took_nothing = bool(entry.left) and not entry.changes
        undone = entries.get(entry.undoes or "")
        if entry.state == DONE and undone is not None and not took_nothing:
            undone.state = TAKEN_BACK
            before = entries.get(undone.undoes or "")
            if before is not None:
                before.state = DONE


def _dump(document: dict[str, object]) -> bytes:
    # Names that are not UTF-8 reach us as surrogates: ASCII escapes hold them.
    return json.dumps(document, indent=1).encode("ascii") + b"\n"


class Journal:
    """The journal of one repository, over a file layer."""

    def __init__(self, files: FileLayer) -> None:
        self._files = files
        self._temps = 0

    @contextmanager
    def locked(self, wait: float) -> Iterator[None]:
        """Hold the journal's own lock; it is taken before any lock of the tracker. Makes the directories.

        Raises:
            LockTimeoutError: another run of this program holds it.
            OSError: the journal cannot be made.
        """
        for directory in (OBJECTS, ENTRIES):
            self._files.ensure_directory(directory)
        for directory in (parent_of(ABOVE), ABOVE, parent_of(OBJECTS)):
            # A run that died may have made what is below and not forced it to the disk.
            self._files.fsync_directory(directory)
        handle = self._files.lock(LOCK, wait, create=True)
        try:
            yield
        finally:
            if handle is not None:
                self._files.unlock(handle)

    def keep(self, contents: Mapping[str, tuple[bytes, int | None]]) -> None:
        """Put bytes away, durably; what is there already is read to be sure.

        ``contents`` is SHA-256 hex to the bytes and the permission bits of the file they are of: a copy is no less
        private.
        """
        for digest, (data, mode) in contents.items():
            path = join(OBJECTS, digest)
            status = self._files.status(path)
            if status is not None and status.size == len(data) and self._files.read(path) == data:
                continue
            self._write(path, data, mode)
        if contents:
            # Even when all were there: a run that died may have renamed them and not got this far.
            self._files.fsync_directory(OBJECTS)

    def take_out(self, digest: str) -> bytes:
        """The bytes kept under a digest.

        Raises:
            JournalError: they are gone or damaged.
            OSError: they cannot be read now.
        """
        path = join(OBJECTS, digest)
        data = self._files.read(path)
        if data is None:
            raise JournalError(path, "is not there")
        if digest_of(data) != digest:
            raise JournalError(path, "is damaged: its bytes do not have its name's digest")
        return data

    def clear_temps(self) -> None:
        """Take away what runs that died were writing into the journal; ask only under the lock."""
        for directory in (OBJECTS, ENTRIES):
            for name in self._files.names(directory):
                if name.startswith(".") and name.endswith(".tmp"):
                    self._files.unlink(join(directory, name))

    def next_number(self) -> str:
        """The number of the next entry; ask only under the lock."""
        taken = [int(number) for number in self._numbers()]
        return str(max(taken, default=0) + 1)

    def begin(self, entry: Entry, revision: int = 1) -> None:
        """Record an entry, durably, before anything of its plan is done."""
        name = f"{entry.id}.json" if revision == 1 else f"{entry.id}.{revision}.json"
        self._write_entry(name, entry.as_json())

    def finish(self, entry: Entry) -> None:
        """Record what came of an entry, durably."""
        self._write_entry(f"{entry.id}.outcome.json", entry.outcome_as_json())

    def entries(self) -> list[Entry]:
        """Every entry, the newest first, with its state.

        Raises:
            JournalError: the journal cannot be listed.
        """
        try:
            names = set(self._files.names(ENTRIES))
            entries = [self._load(number, names) for number in self._numbers()]
        except OSError as error:
            path = str(error.filename or ENTRIES)
            raise JournalError(self._files.absolute(path), error.strerror or str(error)) from error
        _mark_taken_back({entry.id: entry for entry in entries if entry.state != TORN})
        return entries[::-1]

    def size(self) -> int:
        """Bytes of the whole journal.

        Raises:
            JournalError: the journal cannot be listed.
        """
        total = 0
        try:
            for directory in (OBJECTS, ENTRIES):
                for name in self._files.names(directory):
                    status = self._files.status(join(directory, name))
                    total += status.size if status is not None else 0
        except OSError as error:
            raise JournalError(self._files.absolute(ENTRIES), error.strerror or str(error)) from error
        return total

    def _numbers(self) -> list[str]:
        numbers = {name.partition(".")[0] for name in self._files.names(ENTRIES) if not name.startswith(".")}
        known = (each for each in numbers if each.isascii() and each.isdecimal() and len(each) <= _LONGEST_NUMBER)
        return sorted(known, key=int)

    def _load(self, number: str, names: set[str]) -> Entry:
        entry = None
        for name in (f"{number}.2.json", f"{number}.json"):
            if name in names:
                entry = self._read_entry(number, name)
                if entry is not None:
                    break
        if entry is None:
            entry = Entry(number, "", Note(), {})
            entry.state = TORN
            return entry
        self._read_outcome(entry)
        return entry

    def _read_entry(self, number: str, name: str) -> Entry | None:
        document = self._document(name)
        try:
            note = Note(str(document["time"]), str(document["command"]))
            undoes = document["undoes"]
            note.undoes = None if undoes is None else str(undoes)
            changes = document["changes"]
            if not isinstance(changes, dict) or not all(map(may_touch, changes)):
                return None
            loaded = {str(path): Recorded.from_json(change) for path, change in changes.items()}
            return Entry(number, str(document["worktree"]), note, loaded)
        except (KeyError, TypeError):
            return None

    def _read_outcome(self, entry: Entry) -> None:
        document = self._document(f"{entry.id}.outcome.json")
        state = document.get("outcome")
        if state not in (DONE, NOT_BEGUN):
            return
        entry.state = state
        left, kept, tails = (document.get(name) for name in ("left", "kept", "tails"))
        if isinstance(left, dict):
            entry.left = {str(path): str(reason) for path, reason in left.items()}
        if isinstance(kept, list):
            entry.kept = [str(path) for path in kept]
        if isinstance(tails, dict):
            entry.tails = {str(path): size for path, size in tails.items() if isinstance(size, int)}

    def _document(self, name: str) -> dict[str, object]:
        """A file of the journal; empty when it is not there or torn."""
        data = self._files.read(join(ENTRIES, name))
        try:
            document = json.loads(data or b"{}")
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def _write_entry(self, name: str, data: bytes) -> None:
        self._write(join(ENTRIES, name), data)
        self._files.fsync_directory(ENTRIES)

    def _write(self, path: str, data: bytes, mode: int | None = None) -> None:
        self._temps += 1
        temp = join(parent_of(path), temp_name(name_of(path), os.getpid(), str(self._temps)))
        try:
            try:
                self._files.write_new(temp, data, mode)
            except FileExistsError:
                # Of a run that died, with our process id by chance: whoever holds the lock is the only writer.
                self._files.unlink(temp)
                self._files.write_new(temp, data, mode)
            self._files.rename(temp, path)
        except BaseException:
            # On a full disk every try would leave one, and take the room that was made for it.
            with suppress(OSError):
                self._files.unlink(temp)
            raise
