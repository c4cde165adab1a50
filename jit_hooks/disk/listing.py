"""What stands in the directories of a store, of the control plane and beside them; no link is followed."""

from __future__ import annotations

import os
import stat

from jit_hooks.disk.reading import is_directory, unreadable
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Entry

CONTROL_FOLDERS = ("", "locks/")
"""The directories of the control plane that are listed; both hold a handful of names."""

FILE = Entry("file")
_FOLDER = Entry("directory")


def list_store(root: str, top: str = "") -> dict[str, Entry]:
    """Every file, link and other thing below a store, and the tracker's names around it.

    Args:
        root: the store's directory.
        top: the top of the worktree, where that is not the directory that holds the store.
    """
    entries: dict[str, Entry] = {}
    waiting: list[tuple[str, str]] = []
    try:
        mode = os.lstat(root).st_mode
    except FileNotFoundError:
        pass
    else:
        if not stat.S_ISDIR(mode):
            entries["."] = Entry("link" if stat.S_ISLNK(mode) else "file")
            return entries
        waiting.append((root, ""))
    _list_around(os.path.dirname(root), "../", layout.BESIDE, entries, waiting)
    if top:
        _list_around(top, layout.TOP, (".jit-bootstrap",), entries, waiting)
    while waiting:
        _list_one(*waiting.pop(), entries, waiting)
    return entries


def _list_around(
    directory: str, prefix: str, starts: tuple[str, ...], entries: dict[str, Entry], waiting: list[tuple[str, str]]
) -> None:
    """Enter what stands in a directory around the store and has a name of the tracker's."""
    try:
        with os.scandir(directory) as items:
            for item in items:
                if item.name.startswith(starts):
                    _take(item, prefix + item.name, entries, waiting)
    except FileNotFoundError:
        return


def list_control(directory: str) -> dict[str, Entry]:
    """Every file in the control plane and its directory of locks."""
    entries: dict[str, Entry] = {}
    if not is_directory(directory):
        return {f"{layout.CONTROL}.": Entry("unreadable")} if os.path.lexists(directory) else entries
    for folder in CONTROL_FOLDERS:
        place = os.path.join(directory, folder)
        if not is_directory(place.rstrip("/")):
            continue
        try:
            with os.scandir(place) as items:
                for item in items:
                    kind = _kind_of(item)
                    if kind is not _FOLDER:
                        entries[f"{layout.CONTROL}{folder}{item.name}"] = kind
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(place, error) from error
    return entries


def _list_one(directory: str, prefix: str, entries: dict[str, Entry], waiting: list[tuple[str, str]]) -> None:
    """Enter what stands in one directory; those in it wait, for a store may nest deeper than calls can."""
    is_empty = True
    try:
        with os.scandir(directory) as items:
            for item in items:
                is_empty = False
                _take(item, prefix + item.name, entries, waiting)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise unreadable(directory, error) from error
    is_run = prefix.startswith(layout.RUNS) and prefix != layout.RUNS
    if prefix and (is_empty or (is_run and f"{prefix}result.json" not in entries)):
        entries[prefix] = Entry("directory")


def _take(item: os.DirEntry[str], path: str, entries: dict[str, Entry], waiting: list[tuple[str, str]]) -> None:
    if item.is_symlink():
        entries[path] = Entry("link")
    elif item.is_file(follow_symlinks=False):
        entries[path] = FILE
    elif item.is_dir(follow_symlinks=False):
        waiting.append((item.path, f"{path}/"))
    else:
        entries[path] = Entry("unreadable")


def _kind_of(item: os.DirEntry[str]) -> Entry:
    if item.is_symlink():
        return Entry("link")
    if item.is_file(follow_symlinks=False):
        return FILE
    return _FOLDER if item.is_dir(follow_symlinks=False) else Entry("unreadable")
