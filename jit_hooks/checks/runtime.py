"""Family ``runtime``: what the tracker left on the disk of one worktree."""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store


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
    held = store.snapshot.tracked() if store.snapshot.in_git else {}
    told: set[str] = set()
    for path in store.entries():
        if not path.startswith(("../", "tmp/")) or layout.kind_of(path) != "transaction" or path in held:
            continue  # What git tracks is told as `transaction-tracked`.
        parts = path.split("/")
        is_stage = path.startswith("../") and parts[1].startswith(("jit-stage-", "cleanup-jit-stage-"))
        if is_stage:
            top = "/".join(parts[:2]) + "/"
        elif len(parts) >= 4 and parts[-1] == "journal.json" and parts[-3] == "transactions":
            top = path
        else:
            continue
        if top in told:
            continue
        told.add(top)
        name = parts[1] if is_stage else parts[-2]
        yield Problem(
            "transaction-pending",
            top,
            f"is a transaction that the tracker did not finish ({name[:24]}): the worktree is not settled",
            subject=name,
            remedy="jit recover",
        )
