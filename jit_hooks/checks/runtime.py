"""Family ``runtime``: what the tracker left on the disk of one machine.

A transaction that waits makes the worktree *not settled*: that is said, and nothing is judged (``line``). A stranger
where transactions live stops the tracker, but puts no file in doubt: the store is judged, and it is an error. What
harms nobody is a note.
"""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store import layout
from jit_hooks.store.machine import holder_in, lock_of, target_of, writer_of
from jit_hooks.store.transactions import pending_among, residue_among, strangers_among, why_stuck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.snapshot import Snapshot
    from jit_hooks.store.store import Store

OLD_SECONDS = 3600
"""How old a temporary file without a writer in its name has to be: what the tracker's own ``recover`` goes by."""

ARCHIVE_ROOT = "dev/archive"
MANAGED_PATHS = ["dev/active", "dev/studies", "dev/sessions"]
"""What ``doc archive`` goes by where config.toml does not say; categories have no default (``config.rs``)."""


def temp_stale(store: Store, focus: Focus) -> Iterator[Problem]:
    """A temporary file of a writer that is dead.

    The tracker writes each file under such a name and then renames it. It was killed in between: the file it was
    to replace is the old one, and this is what it was to become. Where no process is named, a file older
    than an hour counts.

    FAIL: ``.index.json.4711.0.tmp`` and no process 4711; ``result.json.tmp`` of yesterday.

    PASS: the temporary file of a process that runs; one that git tracks (that is ``temp-tracked``).

    REPAIR: it goes when the file it was to replace loads; else it may be the best copy there is. What git made, and a
    text that the tracker did not write, stay.

    TO FIX: nothing breaks; keep it as long as the file it was to replace does not load.
    """
    del focus
    machine = store.snapshot.machine
    for path in _untracked(store.snapshot, _temps(store)):
        process = writer_of(path)
        if path == layout.CLAIMS_TEMP:
            if layout.CLAIMS_LOCK not in machine.free:
                continue
            said = "is a temporary file, and nobody holds the lock of its writers"
        elif process is not None:
            if process not in machine.dead:
                continue
            said = f"is a temporary file of process {process}, which does not run"
        elif machine.ages.get(path, 0) > OLD_SECONDS:
            said = f"is a temporary file that was last written {_hours(machine.ages[path])} ago"
        else:
            continue
        target = target_of(path)
        yield Problem("temp-stale", path, said, related=(target,) if target else ())


def _temps(store: Store) -> Iterator[str]:
    for path, entry in (*store.entries().items(), *(store.snapshot.control_entries() or {}).items()):
        if entry.kind == "file" and (
            path == layout.CLAIMS_TEMP
            or (layout.kind_of(path) == "temp" and layout.is_temp(path.rpartition("/")[2]) and not _is_archive(path))
        ):
            yield path


def _is_archive(path: str) -> bool:
    return path.startswith("tmp/archive-")


def _hours(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"


def unsettled(snapshot: Snapshot) -> list[Problem]:
    """The problems that make a worktree not settled: transactions that wait, and those that cannot be finished."""
    return [*_waiting(snapshot, stuck=True), *_waiting(snapshot, stuck=False)]


def pending_transactions(snapshot: Snapshot) -> list[str]:
    """The store paths of transactions that wait, as ``pending_among`` names them.

    What git tracks of them is told as ``transaction-tracked``.
    """
    return _untracked(snapshot, pending_among(snapshot.entries()))


def _untracked(snapshot: Snapshot, paths: Iterable[str]) -> list[str]:
    """Those of some names that git does not track: files, and directories (with a final ``/``) without a file."""
    found = list(paths)
    if not found or not snapshot.in_git:
        return found
    held = snapshot.tracked()
    return [
        path
        for path in found
        if path not in held and not (path.endswith("/") and any(one.startswith(path) for one in held))
    ]


def transaction_pending(store: Store, focus: Focus) -> Iterator[Problem]:
    """The tracker crashed inside a transaction, and its journal waits to be taken up.

    Since v1 a command writes a journal before it touches the store. While one waits the worktree is not settled:
    files may be old, new or missing, and the next command of the tracker puts them right. Whatever changes a
    file of the store meanwhile (a checkout, a merge, a repair) makes that fail for good, so nothing is judged
    and nothing is written here until then.

    FAIL: ``.jit/tmp/transactions/<id>/journal.json``; a journal in ``.jit-bootstrap/transactions/``; a
    ``jit-stage-<id>/`` beside the store.

    PASS: no journal. A control directory without one harms nobody.

    REPAIR: ``jit recover`` (after an interrupted ``jit init``: ``jit init``).

    TO FIX: let the tracker finish or roll back::

        jit recover
    """
    del focus
    yield from _waiting(store.snapshot, stuck=False)


def transaction_stuck(store: Store, focus: Focus) -> Iterator[Problem]:
    """A transaction waits that the tracker can no longer finish nor take back.

    A file that it was about was changed since, by a checkout, a merge or an editor: it is neither what it was nor
    what it was to become. The tracker compares before it recovers, so from then on every command that writes
    fails, ``jit validate`` and ``jit recover`` too. Nothing is judged, as for ``transaction-pending``. A journal
    that another machine made cannot be told from one of this: there ``jit recover`` is what finds it out.

    FAIL: a journal, and a file it names whose bytes are neither the old nor the new ones; a journal that is no
    JSON; a journal that outlived its ``stages/`` in a ``cleanup-<id>/``.

    PASS: each file as it was, as it was to become, or moved away meanwhile.

    REPAIR: unsafe: files that are away come back from ``backups/``, those that are there stay as they are, and the
    transaction is moved aside, whole.

    TO FIX: move it aside; its files are kept::

        jit-check --fix --unsafe-fixes
    """
    del focus
    yield from _waiting(store.snapshot, stuck=True)


def _waiting(snapshot: Snapshot, *, stuck: bool) -> Iterator[Problem]:
    for path in pending_transactions(snapshot):
        name = path.rstrip("/").removesuffix("/journal.json").rpartition("/")[2]
        reason, targets = why_stuck(snapshot, path) if path.endswith("/journal.json") else ("", ())
        if stuck and reason:
            said = f"is a transaction that the tracker cannot finish ({name[:24]}): {reason}"
            yield Problem("transaction-stuck", path, said, subject=name, related=targets)
        if not stuck and not reason:
            said = f"is a transaction that the tracker did not finish ({name[:24]}): the worktree is not settled"
            yield Problem("transaction-pending", path, said, subject=name, remedy=_way_out(snapshot))


def _way_out(snapshot: Snapshot) -> str:
    """The command that ends a transaction: while the first store is still being made there is none to recover."""
    return "jit recover" if any(not path.startswith(("../", layout.TOP)) for path in snapshot.entries()) else "jit init"


def transaction_foreign(store: Store, focus: Focus) -> Iterator[Problem]:
    """Something lies where the tracker keeps its transactions that is none.

    Since v1 the tracker looks there before each command that writes, and refuses to go on when it finds what it did
    not put there. No file of the store is in doubt, so the rest is judged.

    FAIL: a plain file or a link in ``.jit/tmp/transactions/``; ``.jit/tmp`` that is a link; ``.jit-bootstrap/``
    without its marker.

    PASS: directories of transactions; nothing.

    REPAIR: none; look at it and move it out of there.

    TO FIX: look at it, and move it out of there.
    """
    del focus
    for path in _untracked(store.snapshot, strangers_among(store.entries())):
        said = "lies where the tracker keeps its transactions, and is none: no command that writes will work"
        yield Problem("transaction-foreign", path, said)


def transaction_residue(store: Store, focus: Focus) -> Iterator[Problem]:
    """A remainder of a transaction that never began, or is over.

    The tracker was killed before it wrote a journal, or while it cleared up. Its next command that writes removes it.

    FAIL: ``.jit/tmp/transactions/<id>/`` without a ``journal.json``; ``.jit-bootstrap/transactions/<id>/`` with
    nothing but a ``companion``.

    PASS: no such directory.

    REPAIR: none is needed.

    TO FIX: nothing to mend: the tracker clears it up.
    """
    del focus
    for folder in _untracked(store.snapshot, residue_among(store.entries())):
        yield Problem("transaction-residue", folder, "is what is left of a transaction; it harms nobody")


def archive_unfinished(store: Store, focus: Focus) -> Iterator[Problem]:
    """``jit doc archive`` was interrupted.

    June's tracker copies documents below ``.jit/tmp``, renames the copies into the archive, writes the issues, and
    removes the sources last. What it staged stays for ever, and a document that lies in both places is one that it
    did not finish.

    FAIL: ``.jit/tmp/archive-.../`` older than an hour; ``dev/active/study.md``, and the same bytes where it would
    be archived, while an issue names one of them.

    PASS: a document in one place; two that differ.

    REPAIR: none; archive it again, or remove the copy that no issue names. What is staged may go when its source
    is still there.

    TO FIX: archive the document again, or remove the copy that no issue names.
    """
    del focus
    machine = store.snapshot.machine
    staged: dict[str, float] = {}
    for path in _untracked(store.snapshot, [path for path in store.entries() if _is_archive(path)]):
        folder = "/".join(path.split("/")[:2]) + "/"
        staged[folder] = min(machine.ages.get(path, 0), staged.get(folder, float("inf")))
    for folder, age in staged.items():
        if age > OLD_SECONDS:
            said = f"holds documents that were staged for the archive {_hours(age)} ago and never came there"
            yield Problem("archive-unfinished", folder, said)
    told: set[str] = set()
    for issue in store.issues():
        for document in issue.documents:
            for source, copy in _pairs(store, document):
                if source not in told and _are_alike(store.snapshot, source, copy):
                    told.add(source)
                    said = (
                        f'names "{document["path"]}"; the same document lies in "{source}" and, archived, in "{copy}"'
                    )
                    yield Problem("archive-unfinished", issue.path, said, subject=source)


def _pairs(store: Store, document: dict[str, object]) -> Iterator[tuple[str, str]]:
    """The places of each document: where it is and would be archived, or is archived and was, by ``config.toml``."""
    path = document.get("path")
    config = (store.table(layout.CONFIG) or {}).get("documentation")
    if type(path) is not str or document.get("commit") is not None or type(config) is not dict:
        return
    root, managed = config.get("archive_root", ARCHIVE_ROOT), config.get("managed_paths", MANAGED_PATHS)
    categories = config.get("categories")
    if type(root) is not str or type(managed) is not list or type(categories) is not dict:
        return
    active = [_folder(one) for one in managed if type(one) is str and one]
    archive = [_folder(root) + _folder(one) for one in categories.values() if type(one) is str and one]
    for here in active:
        for there in archive:
            if path.startswith(here):
                yield path, there + path[len(here) :]
            elif path.startswith(there):
                yield here + path[len(there) :], path


def _folder(path: str) -> str:
    return path.rstrip("/") + "/"


def _are_alike(snapshot: Snapshot, source: str, copy: str) -> bool:
    found = snapshot.read_document(copy)
    return type(found) is bytes and found == snapshot.read_document(source)


def lock_meta_stale(store: Store, focus: Focus) -> Iterator[Problem]:
    """The metadata of a lock that nobody holds.

    The tracker writes who holds ``claims.lock`` beside it, and removes that after it let go. It was killed in between.
    The next holder writes it anew.

    FAIL: ``claims.lock.meta`` of a process that does not run, or empty, and the lock is free.

    PASS: the lock is held, or the process runs: it may be about to remove the file.

    REPAIR: the file goes, under the lock, if it is metadata. The lock file itself stays: another process may be about
    to take it.

    TO FIX: nothing breaks; the next holder of the lock writes it anew.
    """
    del focus
    machine = store.snapshot.machine
    found = [path for path, entry in store.entries().items() if entry.kind == "file" and path.endswith(".lock.meta")]
    for path, entry in (store.snapshot.control_entries() or {}).items():
        if entry.kind == "file" and layout.kind_of(path) == "control-meta":
            found.append(path)
    for path in _untracked(store.snapshot, found):
        data = store.snapshot.read(path)
        process = holder_in(data) if type(data) is bytes else None
        if lock_of(path) not in machine.free or (process is not None and process not in machine.dead):
            continue
        whose = f"process {process}, which does not run," if process is not None else "nobody"
        said = f"says that {whose} holds the lock beside it, which is free"
        yield Problem("lock-meta-stale", path, said)
