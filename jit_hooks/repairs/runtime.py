"""Repairs of what the tracker left on the disk of one machine."""

from __future__ import annotations

from jit_hooks.repairs.context import Copy
from jit_hooks.repairs.file import free_place
from jit_hooks.repairs.index import temp_of_deletion
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

    Changes = dict[str, bytes | None]

MADE_BY_INIT = (layout.INDEX, layout.GATES_JSON, layout.GATES_TOML, layout.CONFIG, layout.RULES)
"""Files that ``jit init`` makes where they are missing, whatever else is there."""

QUARANTINE = "tmp/stuck-transactions/"
"""Where transactions are moved that the tracker cannot finish; it looks into ``tmp/transactions/`` alone."""


def transaction_stuck(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Files that are away come back from the backups of the transaction, which is moved aside whole.

    What stands where a file is to come back stays, whoever wrote it. Of a transaction that was committed nothing comes
    back: what is away since then was taken away on purpose.
    """
    changes: Changes = {}
    for problem in problems:
        folder = problem.path.removesuffix("journal.json")
        files, why = _files_below(store, folder)
        if folder.startswith(layout.TOP):
            why = "it lies at the top of the worktree, and may be of another store: move it out of there"
        if why:
            context.leave(problem, why)
            continue
        for path, data in _absent(files, folder).items():
            if path not in changes and not store.stands_at(path):
                changes[path] = data
                context.say(path, "as it was before the transaction, from its backup")
        name = problem.subject
        there = free_place(store, QUARANTINE + name, {path[len(folder) :]: data for path, data in files.items()})
        context.say(problem.path, f"the transaction is kept in {there}")
        for path, data in files.items():
            changes[path] = None
            changes[there + path[len(folder) :]] = data
        changes.update(dict.fromkeys(_folders(store, folder)))
    return changes


def _files_below(store: Store, folder: str) -> tuple[dict[str, bytes], str]:
    """The files of a transaction but for locks, which stay where they are; or why it cannot be moved."""
    files: dict[str, bytes] = {}
    for path, entry in store.entries().items():
        if path.startswith(folder) and not path.endswith(("/", ".lock")):
            data = store.snapshot.read(path)
            if entry.kind != "file" or type(data) is not bytes:
                return {}, f"{path} is not a file that can be moved"
            files[path] = data
    return files, ""


def _folders(store: Store, folder: str) -> set[str]:
    """The directories of a transaction that hold no lock, its own as well."""
    found, stay = {folder}, set[str]()
    for path in store.entries():
        if path.startswith(folder):
            parts = path[len(folder) :].split("/")[:-1]
            above = {folder, *(folder + "/".join(parts[: depth + 1]) + "/" for depth in range(len(parts)))}
            (stay if path.endswith((".lock", ".lock/")) else found).update(above)
    return found - stay


def _absent(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    """What the backups of a transaction hold of its targets: store path to bytes."""
    document = read_journal(files[f"{folder}journal.json"])
    if document is None or document.get("decision") == "committed":
        return {}
    found: dict[str, bytes] = {}
    for target in targets_in(document):
        data = _backup(files, folder, target) if _is_record(target.path) else None
        if data is not None:
            found[target.path] = data
    return found


def _backup(files: dict[str, bytes], folder: str, target: Target) -> bytes | None:
    """The old bytes of a target: the file that its digest tells, or the backup that the journal names."""
    from hashlib import sha256

    named = files.get(folder + target.backup) if target.backup else None
    if not target.old:
        return named
    kept = [data for path, data in files.items() if path.startswith(f"{folder}backups/")]
    found = [named, *kept]
    return next((data for data in found if data is not None and sha256(data).hexdigest() == target.old), None)


def _is_record(path: str) -> bool:
    """Whether a path that a journal spells is that of a file of the store: a journal is not to be trusted."""
    parts = path.split("/")
    return layout.kind_of(path) in layout.TEXT_KINDS and not {"", ".", ".."}.intersection(parts) and "\0" not in path


def temp_stale(store: Store, problems: list[Problem], context: Context) -> Changes:
    """A temporary file goes when the file it was to replace loads, or when it is no record itself.

    While that file is missing or broken this may be the best copy there is: the repairs that bring it back take it
    from here first, and then this goes. An undo brings back each byte of it.
    """
    changes: Changes = {}
    for problem in problems:
        why = _why_kept(store, problem.path, context)
        if why:
            context.leave(problem, why)
        else:
            changes[problem.path] = None
            has_target = problem.related and store.stands_at(problem.related[0])
            said = (
                "the file it was to replace loads"
                if has_target
                else "no record can be read from it; undo has its bytes"
            )
            context.say(problem.path, said)
    return changes


def _why_kept(store: Store, path: str, context: Context) -> str:
    """Why a temporary file may still be needed; empty when it is not."""
    if path.rpartition("/")[2].startswith(".merge_file_"):
        return "git made it, not the tracker: look at it, then remove it"
    target = target_of(path)
    if layout.kind_of(target) == "claims-index":
        broken = store.claims_index is not None and store.claims_index.fault is not None
        return "the claims index does not load: it may hold what that lost" if broken else ""
    if not target or layout.kind_of(target) not in layout.TEXT_KINDS:
        return _why_strange(store, path)
    data, temp = store.snapshot.read(target), store.snapshot.read(path)
    if type(data) is bytes and is_sound(target, Copy("", data), context):
        return _why_proof(store, path) if target == layout.INDEX else ""
    if store.stands_at(target):
        return f"{target} does not load: it may hold what that lost"
    if type(temp) is bytes and is_sound(target, Copy("", temp), context):
        said = f"{target} is not there, and this is a whole record"
        if target in MADE_BY_INIT and not store.issue_ids():
            return f"{said}: `jit init` was killed; run it again, and then this goes"
        return f"{said}: look at it, then rename or remove it"
    return _why_strange(store, path)


def _why_strange(store: Store, path: str) -> str:
    """Why a file is none of the tracker's, by what can be read in it: what that writes is JSON, as far as it came."""
    data = store.snapshot.read(path)
    try:
        text = data.decode("utf-8") if type(data) is bytes else ""
    except UnicodeDecodeError:
        return ""
    is_text = text.strip() and not text.lstrip().startswith(("{", "[")) and "\0" not in text
    return "it is a text that the tracker did not write: look at it, then remove it" if is_text else ""


def _why_proof(store: Store, path: str) -> str:
    """Why a temp file beside a sound issue index is still needed: it shows that an issue was being deleted."""
    index = store.issue_index
    for issue_id in index.alive if index is not None else ():
        if not store.stands_at(layout.issue_path(issue_id)) and temp_of_deletion(store, issue_id) == path:
            return f"it shows that the tracker was deleting issue {issue_id[:8]}"
    return ""


def lock_meta_stale(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The metadata goes; the lock file stays, for another process may be about to take it.

    What has such a name beside no lock, or is no metadata, is not the tracker's.
    """
    changes: Changes = {}
    for problem in problems:
        has_lock = problem.path.startswith(layout.CONTROL) or store.stands_at(lock_of(problem.path))
        why = _why_strange(store, problem.path) if has_lock else "there is no lock of that name: look at it"
        if why:
            context.leave(problem, why)
        else:
            context.say(problem.path, "nobody holds the lock")
            changes[problem.path] = None
    return changes
