"""Family ``runtime``: what the tracker left on the disk of one worktree."""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.snapshot import Snapshot
    from jit_hooks.store.store import Store


def pending_transactions(snapshot: Snapshot) -> list[str]:
    """The store paths of transactions that the tracker did not finish: journals, and stores being made.

    Source: ``.jit/tmp/transactions/<id>/journal.json``; beside a store that is being made the same below
    ``.jit-bootstrap``, and the store itself in ``jit-stage-<id>/`` (``storage/file_transaction.rs``). What git tracks
    of them is told as ``transaction-tracked``.
    """
    found: dict[str, None] = {}
    for path in snapshot.entries():
        if not path.startswith(("../", "tmp/")) or layout.kind_of(path) != "transaction":
            continue
        parts = path.split("/")
        if path.startswith("../") and parts[1].startswith(("jit-stage-", "cleanup-jit-stage-")):
            found["/".join(parts[:2]) + "/"] = None
        elif len(parts) >= 4 and parts[-1] == "journal.json" and parts[-3] == "transactions":
            found[path] = None
    if found and snapshot.in_git:
        held = snapshot.tracked()
        return [path for path in found if path not in held and not any(one.startswith(path) for one in held)]
    return list(found)


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
    """
    del focus
    for path in pending_transactions(store.snapshot):
        name = path.rstrip("/").removesuffix("/journal.json").rpartition("/")[2]
        yield Problem(
            "transaction-pending",
            path,
            f"is a transaction that the tracker did not finish ({name[:24]}): the worktree is not settled",
            subject=name,
            remedy="jit recover",
        )
