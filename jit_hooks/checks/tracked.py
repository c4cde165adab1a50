"""Family ``tracked``: what git holds of a store that it should not, or not in this form."""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store

UNTRACK = "git rm --cached {path}"

WHAT = {
    "link": "a symbolic link",
    "submodule": "a submodule",
    "directory": "a directory",
    "unreadable": "a pipe, a socket or a device",
}

FOLDERS = frozenset((".", "issues", "gate-runs", "config", "config/gate-presets", "profiles"))
"""The store and its directories of records; a link in the place of one hides them all."""


def _tracked(store: Store, focus: Focus, kind: str) -> list[str]:
    """The paths of this kind that git tracks, among those judged."""
    if focus.everything:
        return store.tracked_of(kind)
    found = [path for path in sorted(focus.paths) if layout.kind_of(path) == kind]
    if found:
        held = store.snapshot.tracked()
        return [path for path in found if path in held or _top(path) in held]
    return []


def _top(path: str) -> str:
    """The directory beside the store that holds a path: a tree lists it as one entry."""
    return "/".join(path.split("/")[:2]) + "/"


def machine_file_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """Git tracks a file that belongs to one machine: ``worktree.json``, ``server.*``, ``*.lock.meta``.

    ``worktree.json`` names an absolute path and an identity; every clone that gets it takes itself for a
    worktree that moved and writes the file again, for ever.

    FAIL: ``git add -f .jit/worktree.json``

    PASS: the file on disk, and a line for it in ``.gitignore`` or ``info/exclude``.

    REPAIR: ``git rm --cached`` takes it out of git and leaves it on disk.

    TO FIX: it belongs to one machine; take it out of git, it stays on disk::

        git rm --cached {path}
    """
    for path in _tracked(store, focus, "machine"):
        said = "belongs to one machine, but git tracks it: every clone would take it for its own"
        yield Problem("machine-file-tracked", path, said, remedy=UNTRACK)


def lock_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """Git tracks a lock file of the tracker.

    It is empty and says nothing; checking it out replaces the file that another process holds a lock on, and
    two writers then write at once.

    FAIL: ``.jit/.index.lock``, ``.jit/issues/<id>.lock``, ``.jit-bootstrap.lock`` in git.

    PASS: lock files on disk. They are never removed while the tracker may run.

    REPAIR: ``git rm --cached`` takes it out of git and leaves it on disk.

    TO FIX: it belongs to one machine; take it out of git, it stays on disk::

        git rm --cached {path}
    """
    for path in _tracked(store, focus, "lock"):
        said = "is a lock file, but git tracks it: a checkout would swap it under its holder"
        yield Problem("lock-tracked", path, said, remedy=UNTRACK)


def transaction_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """Git tracks the journal of a transaction of the tracker, or half a store of one.

    Since v1 the tracker looks for journals before each command. One that another machine wrote matches no clone:
    every command that writes fails there, and ``jit recover`` too.

    FAIL: ``.jit/tmp/transactions/...``, ``.jit-bootstrap/...``, ``jit-stage-.../...`` in git.

    PASS: none of them in git.

    REPAIR: ``git rm -r --cached`` takes it out of git. In the clone where it was made: ``jit recover``.

    TO FIX: take it out of git; it stays on disk, where the tracker may need it::

        git rm --cached {path}
    """
    told: set[str] = set()
    for path in _tracked(store, focus, "transaction"):
        top = layout.TRANSACTIONS if path.startswith(layout.TRANSACTIONS) else _top(path)
        if top not in told:
            told.add(top)
            said = "holds a transaction of one machine, but git tracks it: no clone could write to its store"
            yield Problem("transaction-tracked", top, said, remedy="git rm -r --cached {path}", related=(path,))


def temp_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """Git tracks a temporary file of a write, of the tracker or of git.

    It is half of something that was finished or given up long ago.

    FAIL: ``.jit/.index.json.4711.0.tmp``, ``.jit/tmp/archive-...``, ``.merge_file_a01b2c`` in git.

    PASS: none of them in git.

    REPAIR: ``git rm --cached`` takes it out of git; look at it before you remove it from the disk.

    TO FIX: take it out of git; it stays on disk::

        git rm --cached {path}
    """
    for path in _tracked(store, focus, "temp"):
        yield Problem("temp-tracked", path, "is a temporary file of a write, but git tracks it", remedy=UNTRACK)


def record_not_file(store: Store, focus: Focus) -> Iterator[Problem]:
    """A symbolic link, a submodule or a directory stands where a record belongs.

    June's tracker follows a link and then writes through it or replaces it; v1 refuses it. The content lies
    elsewhere and is in no commit of this file. It is never followed here. The same for the directories of
    records, and for the store itself.

    FAIL: ``issues/3f2a81c0-....json`` is a link to ``../README.md``; ``issues`` is a link.

    PASS: regular files, executable or not.

    REPAIR: none; put the content itself there.

    TO FIX: replace it by the regular file it stands for.
    """
    told: set[str] = set()
    if focus.everything:
        entries = store.entries()
    else:
        entries = {path: entry for path in sorted(focus.paths) if (entry := store.snapshot.entry(path)) is not None}
    for path, entry in entries.items():
        if entry.kind == "file" and not any(part in path for part in (".json/", ".jsonl/", ".toml/")):
            continue
        for place in _places(path):
            what = entry.kind if place == path else "directory"
            if what in WHAT and place not in told:
                told.add(place)
                need = "a file" if layout.kind_of(place) in layout.RECORD_KINDS else "a directory"
                said = f"is {WHAT[what]}, where the store needs {need}: it is not followed"
                yield Problem("record-not-file", place, said)


def _places(path: str) -> Iterator[str]:
    """The paths of records or their directories that this entry takes the place of, or lies below."""
    is_run = path.startswith(layout.RUNS) and path.count("/") == 1 and not path.endswith("/")
    if is_run or path in FOLDERS or layout.kind_of(path) in layout.RECORD_KINDS:
        yield path
    above = path.rpartition("/")[0]
    while above:
        if layout.kind_of(above) in layout.RECORD_KINDS:
            yield above
        above = above.rpartition("/")[0]


def unmerged_entry(store: Store, focus: Focus) -> Iterator[Problem]:
    """The git index still holds the sides of a conflict.

    Git refuses the commit, but ``git add`` and ``commit -a`` take whatever the file then holds for resolved.

    FAIL: a merge that stopped at ``index.json``.

    PASS: the conflict resolved and the file added.

    REPAIR: none; resolve the file, then ``git add`` it. ``git checkout -m -- FILE`` makes the conflict again.

    TO FIX: resolve the conflict, then::

        git add {path}
    """
    del focus
    for path in dict.fromkeys(store.snapshot.unmerged()):
        yield Problem("unmerged-entry", path, "still holds the sides of a conflict in the git index")
