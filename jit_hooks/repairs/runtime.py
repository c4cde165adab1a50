"""Repairs of what the tracker left on the disk of one machine."""

from __future__ import annotations

from jit_hooks.repairs.aside import files_below, free_place
from jit_hooks.repairs.context import Copy
from jit_hooks.repairs.index import temp_of_deletion
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.restore import is_sound
from jit_hooks.store import layout
from jit_hooks.store.machine import lock_of, target_of
from jit_hooks.store.transactions import read_journal, targets_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store
    from jit_hooks.store.transactions import Target

MADE_BY_INIT = (layout.INDEX, layout.GATES_JSON, layout.GATES_TOML, layout.CONFIG, layout.RULES)
"""Files that ``jit init`` makes where they are missing, whatever else is there."""

QUARANTINE = "tmp/stuck-transactions/"
"""Where transactions are moved that the tracker cannot finish; it looks into ``tmp/transactions/`` alone."""


def transaction_stuck(store: Store, problem: Problem, _: Context) -> Mend | Left:
    """Files that are away come back from the backups of the transaction, which is moved aside whole.

    What stands where a file is to come back stays, whoever wrote it. Of a transaction that was committed nothing comes
    back: what is away since then was taken away on purpose.
    """
    folder = problem.path.removesuffix("journal.json")
    if folder.startswith(layout.TOP):
        return Left("it lies at the top of the worktree, and may be of another store: move it out of there")
    files, obstacle = files_below(store, folder)
    if obstacle:
        return Left(f"{obstacle} is not a file that can be moved")
    back = {path: data for path, data in _backed_up(files).items() if not store.stands_at(path)}
    place = free_place(store, QUARANTINE + problem.subject, files)
    changes: dict[str, bytes | None] = dict(back)
    changes.update(dict.fromkeys(folder + name for name in files))
    changes.update({place + name: data for name, data in files.items()})
    changes.update(dict.fromkeys(_folders(store, folder)))
    sources = dict.fromkeys(back, "as it was before the transaction, from its backup")
    return Mend(changes, {**sources, problem.path: f"the transaction is kept in {place}"})


def _folders(store: Store, folder: str) -> set[str]:
    """The directories of a transaction that hold no lock, its own as well."""
    folders, stay = {folder}, set[str]()
    for path in store.entries():
        if path.startswith(folder):
            parts = path[len(folder) :].split("/")[:-1]
            above = {folder, *(folder + "/".join(parts[: depth + 1]) + "/" for depth in range(len(parts)))}
            (stay if path.endswith((".lock", ".lock/")) else folders).update(above)
    return folders - stay


def _backed_up(files: dict[str, bytes]) -> dict[str, bytes]:
    """The old bytes of the targets of a transaction that was not committed, by store path."""
    document = read_journal(files["journal.json"])
    if document is None or document.get("decision") == "committed":
        return {}
    backups = [(target.path, _backup(files, target)) for target in targets_in(document) if _is_record(target.path)]
    return {path: data for path, data in backups if data is not None}


def _backup(files: dict[str, bytes], target: Target) -> bytes | None:
    """The old bytes of a target: the file that its digest tells, or the backup that the journal names."""
    from hashlib import sha256

    named = files.get(target.backup) if target.backup else None
    if not target.old:
        return named
    kept = [data for name, data in files.items() if name.startswith("backups/")]
    return next((data for data in (named, *kept) if data is not None and sha256(data).hexdigest() == target.old), None)


def _is_record(path: str) -> bool:
    """True if a path that a journal spells is that of a file of the store: a journal is not to be trusted."""
    parts = path.split("/")
    return layout.kind_of(path) in layout.TEXT_KINDS and not {"", ".", ".."}.intersection(parts) and "\0" not in path


def temp_stale(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """A temporary file goes when the file it was to replace loads, or when it is no record itself.

    While that file is missing or broken this may be the best copy there is: the repairs that bring it back take it
    from here first, and then this goes. An undo brings back each byte of it.
    """
    reason = _reason_to_keep(store, problem.path, context)
    if reason:
        return Left(reason)
    has_target = problem.related and store.stands_at(problem.related[0])
    source = "the file it was to replace loads" if has_target else "no record can be read from it; undo has its bytes"
    return Mend({problem.path: None}, {problem.path: source})


def _reason_to_keep(store: Store, path: str, context: Context) -> str:
    """The reason why a temporary file may still be needed; empty when it is not."""
    if path.rpartition("/")[2].startswith(".merge_file_"):
        return "git made it, not the tracker: look at it, then remove it"
    target = target_of(path)
    if layout.kind_of(target) == "claims-index":
        broken = store.claims_index is not None and store.claims_index.fault is not None
        return "the claims index does not load: it may hold what that lost" if broken else ""
    if not target or layout.kind_of(target) not in layout.TEXT_KINDS:
        return _strangeness(store, path)
    data, temp = store.snapshot.read(target), store.snapshot.read(path)
    if type(data) is bytes and is_sound(target, Copy("", data), context):
        return _proof_of_deletion(store, path) if target == layout.INDEX else ""
    if store.stands_at(target):
        return f"{target} does not load: it may hold what that lost"
    if type(temp) is bytes and is_sound(target, Copy("", temp), context):
        state = f"{target} is not there, and this is a whole record"
        if target in MADE_BY_INIT and not store.issue_ids():
            return f"{state}: `jit init` was killed; run it again, and then this goes"
        return f"{state}: look at it, then rename or remove it"
    return _strangeness(store, path)


def _strangeness(store: Store, path: str) -> str:
    """The reason to take a file for none of the tracker's; empty when there is none.

    What the tracker writes is JSON, as far as it came.
    """
    data = store.snapshot.read(path)
    try:
        text = data.decode("utf-8") if type(data) is bytes else ""
    except UnicodeDecodeError:
        return ""
    is_text = text.strip() and not text.lstrip().startswith(("{", "[")) and "\0" not in text
    return "it is a text that the tracker did not write: look at it, then remove it" if is_text else ""


def _proof_of_deletion(store: Store, path: str) -> str:
    """The reason to keep a temp file beside a sound issue index: it shows that an issue was being deleted."""
    index = store.issue_index
    for issue_id in index.alive if index is not None else ():
        if not store.stands_at(layout.issue_path(issue_id)) and temp_of_deletion(store, issue_id) == path:
            return f"it shows that the tracker was deleting issue {issue_id[:8]}"
    return ""


def lock_meta_stale(store: Store, problem: Problem, _: Context) -> Mend | Left:
    """The metadata goes; the lock file stays, for another process may be about to take it.

    What has such a name beside no lock, or is no metadata, is not the tracker's.
    """
    has_lock = problem.path.startswith(layout.CONTROL) or store.stands_at(lock_of(problem.path))
    reason = _strangeness(store, problem.path) if has_lock else "there is no lock of that name: look at it"
    return Left(reason) if reason else Mend({problem.path: None}, {problem.path: "nobody holds the lock"})
