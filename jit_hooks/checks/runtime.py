"""Family ``runtime``: what the tracker's processes leave on disk."""

from __future__ import annotations

from jit_hooks.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.snapshot import Snapshot
    from jit_hooks.store.store import Store


def pending_transaction(snapshot: Snapshot) -> str:
    """The store path of a journal of the tracker that is not finished; empty when there is none.

    Source: ``.jit/tmp/transactions/<id>/journal.json``, and the same below ``.jit-bootstrap`` beside a store that is
    being made (``storage/file_transaction.rs``).
    """
    for path in snapshot.entries():
        name = path.removeprefix("../.jit-bootstrap/").removeprefix("tmp/")
        if name.startswith("transactions/") and name.endswith("/journal.json"):
            return path
    return ""


def transaction_pending(store: Store, focus: Focus) -> Iterator[Problem]:
    """The tracker crashed inside a transaction.

    Between two steps of a transaction a file may be old, new or absent; the journal says which it should be. Whatever
    changes one of these files now, a checkout, an editor, a repair, makes every later command of the tracker fail. So
    the worktree is *not settled*: it is said, and not judged. The git index and commits still are.

    FAIL: ``.jit/tmp/transactions/<id>/journal.json`` and nobody holds ``.repo-write.lock``.

    PASS: no ``.jit/tmp/transactions/``.

    REPAIR: none of ours; ``jit recover`` rolls the transaction back or finishes it.
    """
    path = pending_transaction(store.snapshot)
    if path and focus.everything:
        yield Problem(
            "transaction-pending",
            path,
            "is the journal of a transaction that the tracker did not finish: the worktree is not settled",
            remedy="jit recover",
        )
