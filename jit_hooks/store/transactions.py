"""Journals of the tracker's transactions, since v1: the files each is about, and whether it can be recovered from.

Source: ``storage/file_transaction.rs`` and ``transaction_journal.rs``. How nested enumerations are spelled is not
known for sure, so what cannot be read here is never held against a journal.
"""

from __future__ import annotations

from jit_hooks.store.reader import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.store.snapshot import Snapshot


class Target:
    """A file of the store that a transaction writes or deletes.

    Attributes:
        path: its store path, as the journal spells it: look it up, never join it to a directory.
        backup: where its old bytes are, below the journal's directory; empty when the journal names no place.
        old: SHA-256 of what it was, in hex; empty when it was not there, or this is not told.
        new: SHA-256 of what it is to become; empty when it is to go, or this is not told yet.
    """

    __slots__ = ("backup", "new", "old", "path")

    def __init__(self, path: str, backup: str, old: str, new: str) -> None:
        self.path = path
        self.backup = backup
        self.old = old
        self.new = new


def read_journal(data: bytes) -> dict[str, object] | None:
    """The document of a journal; None when it is none."""
    document, _ = read_json(data)
    if type(document) is not dict or type(document.get("actions", [])) is not list:
        return None
    return document


def targets_in(document: dict[str, object]) -> list[Target]:
    """The files of the store that a journal is about; not its directories, modes, and files beside the store."""
    actions = document.get("actions", [])
    assert type(actions) is list
    found = [_target(action) for action in actions if type(action) is dict]
    return [target for target in found if target is not None]


def _target(action: dict[str, object]) -> Target | None:
    path, what = action.get("path"), action.get("action")
    if type(path) is not dict or path.get("root") != "data" or type(what) is not dict:
        return None
    relative, backup = path.get("relative"), what.get("backup")
    if type(relative) is not str or what.get("kind") not in ("write_file", "delete_file"):
        return None
    old, new = _digest(action.get("expected")), _digest(action.get("final_identity"))
    return Target(relative, backup if type(backup) is str else "", old, new)


def _digest(identity: object) -> str:
    """The SHA-256 in the identity of a file, however it is wrapped; empty when there is none."""
    while type(identity) is dict:
        found = identity.get("sha256")
        if type(found) is str:
            return found.lower()
        identity = next((value for value in identity.values() if type(value) is dict), None)
    return ""


def why_stuck(snapshot: Snapshot, journal: str) -> tuple[str, tuple[str, ...]]:
    """Why the tracker cannot recover from a journal, and the store paths of the targets that keep it from it.

    Empty where no reason is known: each target is as it was, as it was to become, or away.
    """
    folder = journal.removesuffix("journal.json")
    if folder.split("/")[-2].startswith("cleanup-") and not _holds(snapshot, f"{folder}stages/"):
        return "its journal outlived what it was to publish", ()
    data = snapshot.read(journal)
    if data is None:
        return "", ()
    document = read_journal(data) if type(data) is bytes else None
    if document is None:
        return "its journal is none that can be read", ()
    if journal.startswith("../"):
        return "", ()  # of a store that was being made
    changed = tuple(
        target.path for target in targets_in(document) if _is_changed(snapshot, target, document.get("decision"))
    )
    if not changed:
        return "", ()
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"{changed[0]}{more} changed since", changed


def _holds(snapshot: Snapshot, folder: str) -> bool:
    return any(path.startswith(folder) for path in snapshot.entries())


def _is_changed(snapshot: Snapshot, target: Target, decision: object) -> bool:
    data = snapshot.read(target.path)
    if type(data) is not bytes:
        return False
    allowed = {"committed": {target.new}, "rolled_back": {target.old}}.get(str(decision), {target.old, target.new})
    if not any(allowed):
        return False  # there was none, or there is to be none: what stands here is not told apart
    from hashlib import sha256

    return sha256(data).hexdigest() not in allowed
