"""Family ``tracked``: what git holds that it must not, and records that are no files."""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.snapshot import Entry
    from jit_hooks.store.store import Store

_UNTRACK = "git rm --cached -- {path}"
"""Takes a file out of git and leaves it on disk."""

_NOT_FILES = {"link": "a symbolic link", "submodule": "a submodule", "directory": "a directory"}


def _tracked(store: Store, focus: Focus) -> Iterator[tuple[str, Entry]]:
    if focus.everything:
        yield from sorted(store.snapshot.tracked().items(), key=lambda item: item[0])
        return
    for path in sorted(focus.paths):
        entry = store.snapshot.tracked_entry(path)
        if entry is not None:
            yield path, entry


def _of_kind(store: Store, focus: Focus, code: str, kind: str, says: str) -> Iterator[Problem]:
    for path, _ in _tracked(store, focus):
        if layout.kind_of(path) == kind:
            yield Problem(code, path, says, remedy=_UNTRACK)


def machine_file_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """A file that belongs to one machine is in git.

    ``worktree.json`` names this checkout by its absolute path; ``server.pid.json``, ``server.log`` and the metadata
    of locks name processes of this machine. In another clone they lie, and every clone rewrites them.

    FAIL: ``.jit/worktree.json`` added with ``git add -f``.

    PASS: the file on disk, ignored.

    REPAIR: ``git rm --cached`` takes it out of git and leaves it on disk.
    """
    return _of_kind(
        store,
        focus,
        "machine-file-tracked",
        "machine",
        "is in git, but it belongs to one machine: it lies in every clone",
    )


def lock_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """A lock file is in git.

    It is empty and harms nobody, but it shows up in every status and every merge.

    FAIL: ``.jit/.index.lock`` in a commit.

    PASS: lock files on disk, ignored.

    REPAIR: ``git rm --cached``; never delete one that a process may hold.
    """
    return _of_kind(store, focus, "lock-tracked", "lock", "is a lock file, which is noise in git")


def transaction_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """Files of a transaction of the tracker are in git.

    A journal names one machine's files by their numbers. In a clone it never matches, and the tracker there
    refuses every command until a person removes it.

    FAIL: ``.jit/tmp/transactions/<id>/journal.json`` in a commit.

    PASS: none of ``.jit/tmp/``, ``.jit-bootstrap/``, ``jit-stage-*`` in git.

    REPAIR: ``git rm --cached``, and run ``jit recover`` where the transaction was made.
    """
    return _of_kind(
        store,
        focus,
        "transaction-tracked",
        "transaction",
        "is part of a transaction of the tracker: in a clone it stops every command",
    )


def temp_tracked(store: Store, focus: Focus) -> Iterator[Problem]:
    """A temporary file of the tracker or of a merge is in git.

    It is what a killed writer left, picked up by ``git add -A``.

    FAIL: ``.jit/.index.json.4711.0.tmp`` in a commit.

    PASS: no such name in git.

    REPAIR: ``git rm --cached``; look first whether it holds what its target lost.
    """
    return _of_kind(store, focus, "temp-tracked", "temp", "is the temporary file of a writer that is gone")


def record_not_file(store: Store, focus: Focus) -> Iterator[Problem]:
    """A link, a submodule or a directory stands where a record should be.

    It is never followed: a link in a store could lead anywhere. The tracker does not read the record behind it.

    FAIL: ``issues/3f2a81c0-....json`` is a symbolic link.

    PASS: a regular file at every record's path.

    REPAIR: none; a person puts the file in its place.
    """
    seen: set[str] = set()
    for path in focus.entry_paths(store):
        entry = store.snapshot.entry(path)
        found = _in_the_way(path, entry.kind if entry is not None else "")
        if found is None or found[0] in seen:
            continue
        seen.add(found[0])
        yield Problem("record-not-file", found[0], f"is {found[1]}, where a file of the store should be")


def _in_the_way(path: str, kind: str) -> tuple[str, str] | None:
    """The path at which something other than a file stands where a record should, and what; None when all is well."""
    plain = path.rstrip("/")
    if kind in ("link", "submodule") and (_holds_records(plain) or _may_be_record(plain)):
        return plain, _NOT_FILES[kind]
    if kind == "directory" and layout.kind_of(plain) in layout.TEXT_KINDS:
        return plain, _NOT_FILES[kind]
    if plain == "." and kind == "file":
        return plain, "a file"
    parts = plain.split("/")
    for end in range(1, len(parts)):
        above = "/".join(parts[:end])
        if layout.kind_of(above) in layout.TEXT_KINDS:
            return above, _NOT_FILES["directory"]
    return None


def _may_be_record(path: str) -> bool:
    return layout.kind_of(path) in layout.TEXT_KINDS


def _holds_records(path: str) -> bool:
    """Whether a directory of the store has this name."""
    folders = (layout.ISSUES, layout.RUNS, layout.PRESETS, layout.PROFILES, layout.SCHEMAS, "config/")
    return path == "." or f"{path}/" in folders or (path.startswith(layout.RUNS) and path.count("/") == 1)


def unmerged_entry(store: Store, focus: Focus) -> Iterator[Problem]:
    """The git index still holds the sides of a conflict.

    git refuses a plain commit then, but ``git add`` and ``git commit -a`` take whatever the file holds for the
    resolution: one side, or the markers.

    FAIL: ``git ls-files -u`` names a record.

    PASS: every conflict resolved and added.

    REPAIR: none; edit the file until it says what both sides meant, then ``git add`` it.
    """
    for path in store.snapshot.unmerged():
        if focus.touches(path):
            yield Problem("unmerged-entry", path, "is in conflict: the git index holds several versions of it")
