"""The tracker's transactions, since v1: which of them are pending, by their names, and what their journals say.

This is the one answer to "is a transaction pending?". The judge gives it the listing of a worktree, the writer and the
hook no more than the names at a few places (``paths_around``).

Source: ``storage/file_transaction.rs`` and ``transaction_journal.rs``. How nested enumerations are spelled is not
known for sure, so what cannot be read here is never held against a journal.
"""

from __future__ import annotations

from jit_hooks.store.layout import TOP, TRANSACTIONS
from jit_hooks.store.reader import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from jit_hooks.store.snapshot import Snapshot

JOURNAL = "journal.json"
MARKER = "transaction-protocol-v1"
"""What stands in a bootstrap directory of the tracker, to tell it from one of somebody else."""

BOOTSTRAPS = ("../.jit-bootstrap", f"{TOP}.jit-bootstrap")
STAGES = ("../jit-stage-", "../cleanup-jit-stage-")
PLACES = (TRANSACTIONS.removesuffix("/"), *(f"{bootstrap}/transactions" for bootstrap in BOOTSTRAPS))
"""The directories in which the tracker keeps its transactions, each in a directory of its own."""

_DIRECTORIES = ("tmp", *BOOTSTRAPS, *PLACES)
_AROUND = ("tmp", "../", TOP)


def pending_among(paths: Iterable[str]) -> list[str]:
    """The transactions that wait, by their journals; of a store that was being made, its directory with a final ``/``.

    While one waits the worktree is not settled: the next command of the tracker takes it back or completes it.

    - A directory in one of ``PLACES`` is pending if it holds a journal, under the name ``cleanup-<id>`` as well.
      Without one the transaction never began, or is over: the tracker sweeps it.
    - ``jit-stage-<id>`` is a store that ``jit init`` was making, ``cleanup-jit-stage-<id>`` one that it was taking
      away. Either lies beside the store that it was to become: at the top of the worktree it says nothing of a store
      further below.
    - ``.jit-bootstrap`` at the top of the worktree counts for every store in it, and one beside a store for that
      store: the tracker recovers from both before each command that writes.
    - ``.jit-bootstrap.lock`` stays for ever, and ``.merge_file_*`` is git's: neither is a transaction.

    Args:
        paths: store paths of files and links; a directory, with a final ``/``, needs to be named only if it is empty.
    """
    pending: dict[str, None] = {}
    for path in paths:
        if path.startswith(STAGES):
            pending["/".join(path.split("/")[:2]) + "/"] = None
        elif path.startswith(_AROUND) and path.endswith(f"/{JOURNAL}") and _place_of(path) in PLACES:
            pending[path] = None
    return list(pending)


def residue_among(paths: Collection[str]) -> list[str]:
    """The directories, with a final ``/``, of transactions that never began or are over; paths as above."""
    folders = {
        f"{place}/{path[len(place) + 1 :].split('/', 1)[0]}/": None
        for path in paths
        if path.startswith(_AROUND)
        for place in PLACES
        if path.startswith(f"{place}/") and "/" in path[len(place) + 1 :]
    }
    return [folder for folder in folders if folder + JOURNAL not in paths]


def strangers_among(paths: Iterable[str]) -> list[str]:
    """The things in the tracker's places of transactions that are none: it fails at each; paths as above.

    A bootstrap directory, with a final ``/``, is a stranger if it holds anything but no marker.
    """
    around = [path for path in paths if path.startswith(_AROUND)]
    strangers = [path for path in around if path in _DIRECTORIES or path.rpartition("/")[0] in PLACES]
    strangers = [path for path in strangers if not path.endswith("/")]
    for bootstrap in BOOTSTRAPS:
        inside = [path for path in around if path.startswith(f"{bootstrap}/") and path != f"{bootstrap}/"]
        if inside and f"{bootstrap}/{MARKER}" not in inside:
            strangers.append(f"{bootstrap}/")
    return strangers


def paths_around(names_in: Callable[[str], Collection[str] | None]) -> Iterator[str]:
    """The paths that decide what is pending and what is a stranger, without a look at the rest of the store.

    Args:
        names_in: gives the names in a directory, by its store path: empty where nothing stands, None where something
            other than a directory does.
    """
    for name in names_in("..") or ():
        if f"../{name}".startswith(STAGES):
            yield f"../{name}"
    for above in ("tmp", *BOOTSTRAPS):
        names = names_in(above)
        if names is None:
            yield above
            continue
        if above in BOOTSTRAPS:
            yield from (f"{above}/{name}" for name in names if name != "transactions")
        if "transactions" in names:
            yield from _paths_below(names_in, f"{above}/transactions", 1)


def _paths_below(names_in: Callable[[str], Collection[str] | None], folder: str, depth: int) -> Iterator[str]:
    names = names_in(folder)
    if not names:
        yield folder if names is None else f"{folder}/"
    for name in names or ():
        if depth:
            yield from _paths_below(names_in, f"{folder}/{name}", depth - 1)
        else:
            yield f"{folder}/{name}"


def _place_of(journal: str) -> str:
    """The directory that holds the directory of a journal."""
    return journal.rsplit("/", 2)[0]


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
    targets = [_target(action) for action in actions if type(action) is dict]
    return [target for target in targets if target is not None]


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
        digest = identity.get("sha256")
        if type(digest) is str:
            return digest.lower()
        identity = next((value for value in identity.values() if type(value) is dict), None)
    return ""


def why_stuck(snapshot: Snapshot, journal: str) -> tuple[str, tuple[str, ...]]:
    """The reason why the tracker cannot recover from a journal, and the store paths of the targets that are in the way.

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
        return "its journal cannot be read", ()
    if journal.startswith(("../", TOP)):
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
