"""``jit-hooks undo``: the journal as people see it."""

from __future__ import annotations

from jit_hooks.cli.place import find_place
from jit_hooks.errors import UsageError
from jit_hooks.journal import undo as journal
from jit_hooks.judging.request import now
from jit_hooks.place import Place, place_of
from jit_hooks.report.commands import shown_path


def listed() -> tuple[list[str], int]:
    """The entries of the repository's journal, the newest first, and the exit code."""
    place = _place()[0]
    lines = []
    for entry in journal.entries(place):
        what = f"takes back {entry.undoes}" if entry.undoes else entry.command or "(nothing is said of it)"
        where = "" if entry.worktree == place.worktree else f", in {entry.worktree or 'an unknown worktree'}"
        lines.append(
            f"{entry.id:>4}  {entry.time or '-':<30}  {entry.state}: {what}, {_paths(len(entry.changes))}{where}"
        )
    if not lines:
        return ["the journal is empty"], 0
    return [*lines, f"{journal.journal_size(place):,} bytes; nothing is removed by itself"], 0


def undone(entry_id: str | None) -> tuple[list[str], int]:
    """Take an entry back; what was done, and the exit code: 1 when a file had to be left as it is."""
    place, prefix = _place()
    entry = journal.undo(entry_id, place, time=now())

    def shown(path: str) -> str:
        return shown_path(path.removeprefix("store:"), prefix)

    lines = [f"entry {entry.id} takes back entry {entry.undoes}: {_paths(len(entry.changes))}"]
    lines += [f"  {shown(path)}" for path in sorted(entry.changes)]
    lines += [f"  {shown(path)}: has its prior bytes already" for path in entry.kept]
    lines += [f"  {shown(path)}: left as it is: {why}" for path, why in sorted(entry.left.items())]
    return lines, 1 if entry.left else 0


def _paths(count: int) -> str:
    return f"{count} path{'' if count == 1 else 's'}"


def _place() -> tuple[Place, str]:
    """The place of the store here, and the path of the store from the top, with a final ``/``."""
    found = find_place(None)
    if found.repository is None or found.bare:
        message = "there is no worktree of a git repository here, so there is no journal"
        raise UsageError(message)
    return place_of(found.repository, found.root), found.repository.prefix
