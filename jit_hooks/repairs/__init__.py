"""The registry: the codes that can be repaired, and the function that does it.

A repair is a pure function named like its code, in the module of the family of its check: ``repair(store, problem,
context)`` gives a ``Mend``, the files it would change, or ``Left``, the reason why a person is needed. It is given
the store that the repairs before it left, and asked again until nothing changes. Where all problems of a code are one
edit of one file (the issue index, a log), it is given them together.
"""

from __future__ import annotations

from importlib import import_module

from jit_hooks.checks import BY_CODE as CHECKS
from jit_hooks.repairs.outcome import Mend, one_by_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.repairs.outcome import Left
    from jit_hooks.store.store import Store


class Repair:
    """One row of the registry.

    Attributes:
        code: the problem code it mends. The row of its check says the family and the class of repair.
        settles: True if the store is believed only after it: nothing else is mended in that round.
        together: True if the function is given all problems of its code at once.
    """

    __slots__ = ("code", "settles", "together")

    def __init__(self, code: str, *, settles: bool = False, together: bool = False) -> None:
        self.code = code
        self.settles = settles
        self.together = together

    @property
    def unsafe(self) -> bool:
        """True if it always chooses between readings, so that it runs with ``--unsafe-fixes`` only.

        A repair that sometimes does asks ``context.unsafe``.
        """
        return CHECKS[self.code].repair == "unsafe"

    @property
    def function(self) -> Callable[..., Mend | Left]:
        """The function that does it, imported when first asked for."""
        module = import_module(f"jit_hooks.repairs.{CHECKS[self.code].family}")
        function: Callable[..., Mend | Left] = getattr(module, self.code.replace("-", "_"))
        return function

    def mend(self, store: Store, problems: list[Problem], context: Context) -> Mapping[str, bytes | None]:
        """The files that change for these problems; the context is told the reasons of those that are left."""
        if not self.together:
            mend = one_by_one(self.function, store, problems, context, afresh=self.settles)
        else:
            mend = Mend()
            mend.add(self.function(store, problems, context), problems)
        context.left.update(mend.left)
        context.said.update(mend.sources)
        return mend.changes


REPAIRS: tuple[Repair, ...] = (
    Repair("transaction-stuck", settles=True),
    Repair("text-not-utf8", together=True),
    Repair("json-unparsable"),
    Repair("config-malformed"),
    Repair("registry-malformed"),
    Repair("registry-absent"),
    Repair("issue-malformed"),
    Repair("run-malformed"),
    Repair("run-result-missing"),
    Repair("run-changed"),
    Repair("run-lost"),
    Repair("index-absent"),
    Repair("index-malformed", together=True),
    Repair("index-duplicate-id", together=True),
    Repair("index-outdated"),
    Repair("issue-vanished", together=True),
    Repair("index-lists-missing", together=True),
    Repair("index-misses-issue", together=True),
    Repair("tombstone-lost", together=True),
    Repair("index-reordered"),
    Repair("event-unparsable", together=True),
    Repair("event-log-unterminated"),
    Repair("event-lost", together=True),
    Repair("event-duplicate-id", together=True),
    Repair("merge-lost-edit", together=True),
    Repair("merge-lost-path"),
    Repair("dependency-missing"),
    Repair("dependency-cycle", together=True),
    Repair("dependency-duplicate"),
    Repair("dependency-redundant"),
    Repair("gate-required-duplicate"),
    Repair("label-duplicate"),
    Repair("document-duplicate"),
    Repair("issue-lifecycle-mismatch"),
    Repair("baked-schema-outdated"),
    Repair("run-status-mismatch"),
    Repair("event-created-missing", together=True),
    Repair("event-state-mismatch", together=True),
    Repair("event-completed-missing", together=True),
    Repair("event-gate-mismatch", together=True),
    Repair("run-event-imbalance", together=True),
    Repair("claim-unparsable", together=True),
    Repair("claims-index-mismatch", together=True),
    Repair("lease-expired", together=True),
    Repair("temp-stale"),
    Repair("lock-meta-stale"),
)
"""In the order they run: what makes a record readable comes before what looks into it."""

BY_CODE: Mapping[str, Repair] = {row.code: row for row in REPAIRS}
