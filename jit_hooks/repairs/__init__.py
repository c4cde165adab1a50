"""The registry: the codes that can be repaired, and the function that does it.

A repair is a pure function named like its code: ``repair(store, problems, context)``
gives the files it would change, store path to bytes, or None for one that goes (a path that ends in ``/`` is an empty
directory). It may be given problems it cannot mend: it leaves them, and says why through ``context.leave``. It is given
the store that the repairs before it left, and asked again until nothing changes.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Changes = Mapping[str, bytes | None]
    Function = Callable[[Store, list[Problem], Context], Changes]


class Repair:
    """One row of the registry.

    Attributes:
        code: the problem code it mends.
        module: the module that holds the function.
        unsafe: whether it always chooses between readings, so that it runs with ``--unsafe-fixes`` only. A repair that
            sometimes does asks ``context.unsafe``.
        settles: whether the store is believed only after it: nothing else is mended in that round.
    """

    __slots__ = ("code", "module", "settles", "unsafe")

    def __init__(self, code: str, module: str, *, unsafe: bool = False, settles: bool = False) -> None:
        self.code = code
        self.module = module
        self.unsafe = unsafe
        self.settles = settles

    @property
    def function(self) -> Function:
        """The function that does it, imported when first asked for."""
        found: Function = getattr(import_module(f"jit_hooks.repairs.{self.module}"), self.code.replace("-", "_"))
        return found


REPAIRS: tuple[Repair, ...] = (
    Repair("transaction-stuck", "runtime", unsafe=True, settles=True),
    Repair("text-not-utf8", "file"),
    Repair("json-unparsable", "file"),
    Repair("config-malformed", "file"),
    Repair("registry-malformed", "file"),
    Repair("registry-absent", "file"),
    Repair("issue-malformed", "issue", unsafe=True),
    Repair("run-malformed", "run"),
    Repair("run-result-missing", "run"),
    Repair("run-changed", "run"),
    Repair("run-lost", "run"),
    Repair("index-absent", "index"),
    Repair("index-malformed", "index"),
    Repair("index-duplicate-id", "index"),
    Repair("index-outdated", "index"),
    Repair("issue-vanished", "index"),
    Repair("index-lists-missing", "index"),
    Repair("index-misses-issue", "index"),
    Repair("tombstone-lost", "index"),
    Repair("index-reordered", "index"),
    Repair("event-unparsable", "event"),
    Repair("event-log-unterminated", "event"),
    Repair("event-lost", "event"),
    Repair("event-duplicate-id", "event"),
    Repair("merge-lost-edit", "merge"),
    Repair("merge-lost-path", "merge"),
    Repair("dependency-missing", "issue", unsafe=True),
    Repair("dependency-cycle", "issue", unsafe=True),
    Repair("dependency-duplicate", "issue"),
    Repair("dependency-redundant", "issue"),
    Repair("gate-required-duplicate", "issue"),
    Repair("label-duplicate", "issue"),
    Repair("document-duplicate", "issue"),
    Repair("issue-lifecycle-mismatch", "issue"),
    Repair("baked-schema-outdated", "config"),
    Repair("run-status-mismatch", "run"),
    Repair("event-created-missing", "event"),
    Repair("event-state-mismatch", "event"),
    Repair("event-completed-missing", "event"),
    Repair("event-gate-mismatch", "event"),
    Repair("run-event-imbalance", "run"),
    Repair("claim-unparsable", "claim"),
    Repair("claims-index-mismatch", "claim"),
    Repair("lease-expired", "claim"),
    Repair("temp-stale", "runtime"),
    Repair("lock-meta-stale", "runtime"),
)
"""In the order they run: what makes a record readable comes before what looks into it."""

BY_CODE: Mapping[str, Repair] = {row.code: row for row in REPAIRS}
