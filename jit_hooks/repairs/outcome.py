"""The two answers of a repair: the files it would change, or the reason for leaving a problem to a person."""

from __future__ import annotations

from jit_hooks.store.snapshot import Overlay
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context

    Changes = dict[str, bytes | None]
    Identity = tuple[str, str, str]


class Mend:
    """The files that a repair would change.

    Attributes:
        changes: store path to its new bytes, or None for a file that goes; a path that ends in ``/`` is an empty
            directory.
        sources: by path, in words, where the new bytes come from.
        left: of a repair that is given several problems, those that it leaves, by identity, with the reason.
    """

    __slots__ = ("changes", "left", "sources")

    def __init__(
        self,
        changes: Changes | None = None,
        sources: dict[str, str] | None = None,
        left: dict[Identity, str] | None = None,
    ) -> None:
        self.changes = changes if changes is not None else {}
        self.sources = sources if sources is not None else {}
        self.left = left if left is not None else {}

    def add(self, outcome: Mend | Left, problems: list[Problem]) -> None:
        """Take in what a repair made of some more problems."""
        if isinstance(outcome, Left):
            self.left.update({problem.identity: outcome.reason for problem in problems})
        else:
            self.changes.update(outcome.changes)
            self.sources.update(outcome.sources)
            self.left.update(outcome.left)


class Left:
    """The reason for which a problem is left to a person, or to ``--unsafe-fixes``."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


def one_by_one(
    repair: Callable[[Store, Problem, Context], Mend | Left],
    store: Store,
    problems: list[Problem],
    context: Context,
    *,
    afresh: bool = False,
) -> Mend:
    """The problems mended one after the other, each in its file as those before it left that.

    All other files are as they were before, unless the store is to be looked at afresh each time.
    """
    done = Mend()
    for problem in problems:
        at = _after(store, done.changes) if afresh or problem.path in done.changes else store
        done.add(repair(at, problem, context), [problem])
    return done


def _after(store: Store, changes: Changes) -> Store:
    after = Store(Overlay(store.snapshot, dict(changes)), store.accepted, store.log_start)
    after.share(store, changes.keys())
    return after
