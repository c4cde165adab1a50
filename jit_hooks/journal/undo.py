"""Undo: an entry inverted, byte for byte, as a new entry through the same executor."""

from __future__ import annotations

import os

from jit_hooks.disk.layer import IN_THE_WAY, join
from jit_hooks.errors import JournalError, NoEntryError, OtherWorktreeError, WriteError
from jit_hooks.journal.execute import execute, transactions_in
from jit_hooks.journal.journal import DONE, INTERRUPTED, TORN, Entry, Journal, Note, Recorded
from jit_hooks.journal.locks import LONGEST_WAIT
from jit_hooks.journal.plan import DIRECTORY, Change, digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.disk.layer import FileLayer
    from jit_hooks.place import Place


def entries(place: Place) -> list[Entry]:
    """Every entry of the repository's journal, the newest first, of all worktrees.

    Raises:
        JournalError: the journal cannot be listed.
    """
    return Journal(place.files).entries()


def journal_size(place: Place) -> int:
    """Bytes that the journal takes."""
    return Journal(place.files).size()


def undo(
    entry_id: str | None,
    place: Place,
    *,
    time: str = "",
    command: str = "jit-hooks undo",
    wait: float = LONGEST_WAIT,
    settling: frozenset[str] = frozenset(),
) -> Entry:
    """Take an entry back; the new entry that did it.

    Its ``kept`` are the paths that already held their prior bytes, its ``left`` those that hold something else, or
    whose prior bytes are lost: they stay as they are. What was appended to a log since stays behind its prior bytes,
    on a line of its own.

    Args:
        entry_id: which; None is the newest of this worktree that was written to and is no undo nor taken back.
        place: the store.
        time: when, UTC, as the caller writes it.
        command: what was typed.
        wait: seconds for the locks.
        settling: as ``execute`` has it.

    Raises:
        NoEntryError: there is no such entry, or none left.
        OtherWorktreeError: it belongs to another worktree.
        JournalError: the entry is torn, or the journal cannot be listed.
        WriteError: the machine refused, and whatever else ``execute`` raises.
    """
    journal = Journal(place.files)
    entry = _newest(journal.entries(), place) if entry_id is None else _named(journal.entries(), entry_id, place)
    note = Note(time, command, undoes=entry.id)
    try:
        plan = _invert(entry, place.files, journal, note)
    except OSError as error:
        where = place.files.absolute(str(error.filename))
        raise WriteError(where, error.strerror or str(error), None, written=False) from error
    return execute(
        plan,
        place,
        note=note,
        wait=wait,
        replan=lambda _: _invert(entry, place.files, journal, note),
        # Of an entry that cleared a transaction away and was interrupted the transaction is there still.
        settling=settling | transactions_in(entry.changes),
    )


def _newest(entries: list[Entry], place: Place) -> Entry:
    for entry in entries:
        if entry.worktree == place.worktree and entry.undoes is None and entry.state in (DONE, INTERRUPTED):
            return entry
    raise NoEntryError(None)


def _named(entries: list[Entry], entry_id: str, place: Place) -> Entry:
    entry = next((entry for entry in entries if entry.id == entry_id), None)
    if entry is None:
        raise NoEntryError(entry_id)
    if entry.state == TORN:
        reason = "this entry is torn, or was changed by hand; a run writes nothing before its entry is whole"
        raise JournalError(entry_id, reason)
    # A worktree that is gone was moved here, or cannot be what holds these bytes.
    if entry.worktree != place.worktree and os.path.isdir(entry.worktree):
        raise OtherWorktreeError(entry_id, entry.worktree)
    return entry


def _invert(entry: Entry, files: FileLayer, journal: Journal, note: Note) -> dict[str, Change]:
    """The plan that takes an entry back, from what stands there now."""
    note.left, note.kept = {}, []
    plan: dict[str, Change] = {}
    for path, change in entry.changes.items():
        if path.endswith("/"):
            continue
        back = _way_back(path, change, files, journal)
        if back is None:
            note.kept.append(path)
        elif isinstance(back, str):
            note.left[path] = back
        else:
            plan[path] = back
    for path in [path for path in plan if _holds_what_stays_away(path, entry, note)]:
        del plan[path]
        note.left[path] = "it holds bytes of a file that is left"
    _invert_directories(entry, files, note, plan)
    return plan


def _way_back(path: str, change: Recorded, files: FileLayer, journal: Journal) -> Change | str | None:
    """The way back for the file at a path; None when it is back already; else the reason why there is none."""
    try:
        status = files.status(path)
        if status is not None and status.kind != "file":
            return f"a {status.kind} stands there"
        return _invert_file(change, files.read(path), journal)
    except JournalError as error:
        return str(error)
    except OSError as error:
        if error.errno not in IN_THE_WAY:
            raise
        return error.strerror or str(error)


def _holds_what_stays_away(path: str, entry: Entry, note: Note) -> bool:
    """True if a path got bytes that the entry took out of another, which is not to get them back.

    Moved files have one digest; of logs lines were moved.
    """
    change = entry.changes[path]
    taken = [entry.changes[other] for other in note.left if not other.endswith("/")]
    if any(prior.before is not None and prior.before == change.after for prior in taken):
        return True
    logs = [prior for prior in taken if prior.append_only and prior.before is not None]
    if not change.append_only or not logs:
        return False
    return change.after is not None and change.before_size < change.after_size


def _invert_file(change: Recorded, now: bytes | None, journal: Journal) -> Change | str | None:
    digest = None if now is None else digest_of(now)
    tail = b"" if digest == change.after else _tail(change, now)
    if digest == change.before or tail is None:
        return None
    if isinstance(tail, str):
        return tail
    prior = None if change.before is None else journal.take_out(change.before)
    if tail:
        gap = b"\n" if prior and not prior.endswith(b"\n") else b""
        prior = (prior or b"") + gap + tail
    return Change.of(now, prior, append_only=change.append_only, mode=change.before_mode)


def _tail(change: Recorded, now: bytes | None) -> bytes | str | None:
    """The bytes of a log behind those it was given; None when it is its prior bytes, grown; else what it is not.

    The longer of the two prefixes decides, for one may be the start of the other.
    """
    if not change.append_only or now is None:
        return "it holds neither its prior bytes nor those it was given"
    sides = [(change.after_size, change.after, "after"), (change.before_size, change.before, "before")]
    for size, digest, side in sorted(sides, key=lambda item: -item[0]):
        if digest is not None and len(now) >= size and digest_of(now[:size]) == digest:
            return now[size:] if side == "after" else None
    return "it starts neither with its prior bytes nor with those it was given"


def _invert_directories(entry: Entry, files: FileLayer, note: Note, plan: dict[str, Change]) -> None:
    for path in sorted((path for path in entry.changes if path.endswith("/")), reverse=True):
        bare, change = path.removesuffix("/"), entry.changes[path]
        status = files.status(bare)
        is_back = change.before_mode is not None or status is None if change.after == DIRECTORY else status is not None
        if status is not None and status.kind != "directory":
            note.left[path] = f"a {status.kind} stands there"
        elif is_back:
            note.kept.append(path)
        elif change.after != DIRECTORY:
            plan[path] = Change.make_directory(change.before_mode)
        elif all(_is_going(plan, _key(bare, name, files)) for name in files.names(bare)):
            plan[path] = Change.remove_directory()
        else:
            note.left[path] = "it is not empty"


def _is_going(plan: dict[str, Change], path: str) -> bool:
    return path in plan and plan[path].after is None


def _key(directory: str, name: str, files: FileLayer) -> str:
    path = join(directory, name)
    status = files.status(path)
    return f"{path}/" if status is not None and status.kind == "directory" else path
