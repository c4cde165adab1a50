"""The registry: every code, in the order reports explain them, and the function that finds it.

A check is a pure function named like its code, in the module of its family: a *record check* sees one record,
``check(record)``; a check of the family ``merge`` sees a merge beside its parents and their merge bases,
``check(audit)``; every other sees a store and a focus, ``check(store, focus)``. It yields problems, reads no file and
raises for nothing but its own bugs.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jit_hooks.problem import Problem


class Check:
    """One row of the registry.

    Attributes:
        code: kebab-case, never renamed once released.
        family: the module that holds the function.
        needs: ``record``, ``relation``, ``parents``, ``tree``, ``disk``, ``merge`` or ``control``.
        severity: by harm, before settings and the rules of ``line`` change it.
        repair: class of repair: ``lossless``, ``restore``, ``unsafe``, ``stage``, ``human`` or ``none``.
        hook: whether commit hooks run it.
        kinds: of a record check, the kinds of record it sees (``layout.kind_of``).
        stands_on: ``index``, ``registry`` or ``config``: what must load for the check to mean anything.
    """

    __slots__ = ("code", "family", "hook", "kinds", "needs", "repair", "severity", "stands_on")

    def __init__(
        self,
        code: str,
        family: str,
        needs: str,
        severity: str,
        repair: str,
        *,
        hook: bool,
        kinds: tuple[str, ...] = (),
        stands_on: str = "",
    ) -> None:
        self.code = code
        self.family = family
        self.needs = needs
        self.severity = severity
        self.repair = repair
        self.hook = hook
        self.kinds = kinds
        self.stands_on = stands_on

    @property
    def function(self) -> Callable[..., Iterable[Problem]]:
        """The function that finds it, imported when first asked for."""
        module = import_module(f"jit_hooks.checks.{self.family}")
        found: Callable[..., Iterable[Problem]] = getattr(module, self.code.replace("-", "_"))
        return found

    @property
    def manual(self) -> str:
        """Its docstring: the page that ``jit-hooks explain`` prints."""
        return self.function.__doc__ or ""


CHECKS: tuple[Check, ...] = (
    Check(
        "text-not-utf8",
        "file",
        "record",
        "error",
        "restore",
        hook=True,
        kinds=(
            "issue",
            "index",
            "log",
            "run",
            "gates-json",
            "preset",
            "profile",
            "schema",
            "gates-toml",
            "config",
            "rules",
            "templates",
            "invariants",
        ),
    ),
    Check(
        "json-unparsable",
        "file",
        "record",
        "error",
        "restore",
        hook=True,
        kinds=(
            "issue",
            "index",
            "run",
            "gates-json",
            "preset",
            "profile",
            "schema",
        ),
    ),
    Check(
        "json-duplicate-key",
        "file",
        "record",
        "error",
        "human",
        hook=True,
        kinds=(
            "issue",
            "index",
            "log",
            "run",
            "gates-json",
            "preset",
            "profile",
            "schema",
        ),
    ),
    Check(
        "json-lone-surrogate",
        "file",
        "record",
        "error",
        "human",
        hook=True,
        kinds=(
            "issue",
            "index",
            "log",
            "run",
            "gates-json",
            "preset",
            "profile",
            "schema",
        ),
    ),
    Check(
        "conflict-marker",
        "file",
        "record",
        "error",
        "human",
        hook=True,
        kinds=(
            "issue",
            "index",
            "log",
            "run",
            "gates-json",
            "preset",
            "profile",
            "schema",
            "gates-toml",
            "config",
            "rules",
            "templates",
            "invariants",
        ),
    ),
    Check(
        "limit-exceeded",
        "file",
        "record",
        "error",
        "human",
        hook=True,
        kinds=(
            "issue",
            "index",
            "log",
            "run",
            "gates-json",
            "preset",
            "profile",
            "schema",
            "gates-toml",
            "config",
            "rules",
            "templates",
            "invariants",
        ),
    ),
    Check(
        "layout-not-canonical",
        "file",
        "record",
        "note",
        "none",
        hook=False,
        kinds=("issue", "index", "gates-json"),
    ),
    Check(
        "unknown-key",
        "file",
        "record",
        "warning",
        "none",
        hook=False,
        kinds=(
            "issue",
            "index",
            "log",
            "run",
            "gates-json",
            "gates-toml",
            "preset",
        ),
    ),
    Check("issue-malformed", "issue", "record", "error", "unsafe", hook=True, kinds=("issue",)),
    Check("issue-id-mismatch", "issue", "record", "error", "human", hook=True, kinds=("issue",)),
    Check("issue-id-invalid", "issue", "record", "error", "human", hook=True, kinds=("issue",)),
    Check("issue-lifecycle-mismatch", "issue", "parents", "note", "lossless", hook=False),
    Check("issue-created-after-updated", "issue", "record", "note", "human", hook=False, kinds=("issue",)),
    Check("index-malformed", "index", "record", "error", "lossless", hook=True, kinds=("index",)),
    Check("index-absent", "index", "relation", "error", "lossless", hook=True),
    Check("index-misses-issue", "index", "relation", "error", "lossless", hook=True, stands_on="index"),
    Check("index-lists-missing", "index", "relation", "error", "restore", hook=True, stands_on="index"),
    Check("index-duplicate-id", "index", "record", "error", "lossless", hook=True, kinds=("index",)),
    Check("index-deleted-alive", "index", "relation", "error", "human", hook=True, stands_on="index"),
    Check("index-reordered", "index", "parents", "note", "lossless", hook=False, stands_on="index"),
    Check("index-outdated", "index", "record", "note", "lossless", hook=False, kinds=("index",)),
    Check("tombstone-lost", "index", "parents", "error", "lossless", hook=True, stands_on="index"),
    Check("issue-vanished", "index", "parents", "error", "restore", hook=True, stands_on="index"),
    Check("dependency-missing", "dependency", "relation", "error", "unsafe", hook=True),
    Check("dependency-cycle", "dependency", "relation", "error", "unsafe", hook=True),
    Check("dependency-duplicate", "dependency", "record", "warning", "lossless", hook=False, kinds=("issue",)),
    Check("dependency-redundant", "dependency", "relation", "warning", "lossless", hook=False),
    Check("issue-isolated", "dependency", "relation", "warning", "human", hook=False),
    Check("gate-unregistered", "gate", "relation", "error", "human", hook=True, stands_on="registry"),
    Check("gate-not-required", "gate", "record", "warning", "human", hook=False, kinds=("issue",)),
    Check("gate-required-duplicate", "gate", "record", "warning", "lossless", hook=False, kinds=("issue",)),
    Check(
        "registry-malformed",
        "gate",
        "record",
        "error",
        "restore",
        hook=True,
        kinds=(
            "gates-json",
            "gates-toml",
            "preset",
            "profile",
        ),
    ),
    Check(
        "registry-inconsistent",
        "gate",
        "record",
        "warning",
        "human",
        hook=False,
        kinds=(
            "gates-json",
            "gates-toml",
        ),
    ),
    Check("registry-absent", "gate", "relation", "error", "restore", hook=True),
    Check("registry-shadowed", "gate", "relation", "warning", "human", hook=False),
    Check("gate-event-unmatched", "gate", "relation", "note", "human", hook=False),
    Check("gated-not-open", "workflow", "record", "note", "human", hook=False, kinds=("issue",)),
    Check("done-gate-open", "workflow", "record", "warning", "human", hook=False, kinds=("issue",)),
    Check("done-dependency-open", "workflow", "relation", "note", "human", hook=False),
    Check("ready-dependency-open", "workflow", "relation", "warning", "human", hook=False),
    Check("backlog-not-blocked", "workflow", "relation", "note", "human", hook=False),
    Check("label-malformed", "label", "relation", "warning", "human", hook=False, stands_on="config"),
    Check("label-duplicate", "label", "record", "warning", "lossless", hook=False, kinds=("issue",)),
    Check("label-unregistered", "label", "relation", "warning", "human", hook=False, stands_on="config"),
    Check("label-not-unique", "label", "relation", "warning", "human", hook=False, stands_on="config"),
    Check("document-missing", "document", "relation", "warning", "human", hook=True),
    Check("document-duplicate", "document", "record", "note", "lossless", hook=False, kinds=("issue",)),
    Check("event-unparsable", "event", "record", "error", "lossless", hook=True, kinds=("log",)),
    Check("event-fragment-certified", "event", "record", "note", "none", hook=False, kinds=("log",)),
    Check("event-malformed", "event", "record", "error", "human", hook=True, kinds=("log",)),
    Check("event-type-unknown", "event", "record", "warning", "none", hook=False, kinds=("log",)),
    Check("event-log-unterminated", "event", "record", "error", "lossless", hook=True, kinds=("log",)),
    Check("event-duplicate-id", "event", "record", "warning", "lossless", hook=False, kinds=("log",)),
    Check("event-lost", "event", "parents", "error", "lossless", hook=True),
    Check("event-created-missing", "event", "relation", "warning", "lossless", hook=True),
    Check("event-created-repeated", "event", "relation", "warning", "human", hook=False),
    Check("event-deleted-missing", "event", "relation", "note", "none", hook=False, stands_on="index"),
    Check("event-issue-unknown", "event", "relation", "note", "human", hook=False, stands_on="index"),
    Check("event-state-mismatch", "event", "relation", "warning", "lossless", hook=True),
    Check("event-state-chain-broken", "event", "relation", "note", "human", hook=False),
    Check("event-completed-missing", "event", "relation", "note", "lossless", hook=False),
    Check("event-gate-mismatch", "event", "relation", "note", "lossless", hook=True),
    Check("run-malformed", "run", "record", "error", "restore", hook=True, kinds=("run",)),
    Check("run-inconsistent", "run", "record", "warning", "human", hook=False, kinds=("run",)),
    Check("run-result-missing", "run", "relation", "warning", "restore", hook=False),
    Check("run-id-mismatch", "run", "record", "error", "human", hook=True, kinds=("run",)),
    Check("run-stray-file", "run", "relation", "warning", "human", hook=False),
    Check("run-issue-unknown", "run", "relation", "note", "human", hook=False, stands_on="index"),
    Check("run-source-missing", "run", "relation", "note", "human", hook=False),
    Check("run-gate-unregistered", "run", "relation", "note", "human", hook=False, stands_on="registry"),
    Check("run-changed", "run", "parents", "error", "restore", hook=True),
    Check("run-lost", "run", "parents", "error", "restore", hook=True),
    Check("run-missing", "run", "relation", "warning", "stage", hook=True),
    Check("run-status-mismatch", "run", "relation", "warning", "lossless", hook=False),
    Check("run-event-imbalance", "run", "relation", "note", "lossless", hook=False),
    Check("config-malformed", "config", "relation", "error", "restore", hook=True),
    Check("baked-schema-outdated", "config", "relation", "warning", "lossless", hook=False, stands_on="config"),
    Check("machine-file-tracked", "tracked", "tree", "error", "stage", hook=True),
    Check("lock-tracked", "tracked", "tree", "warning", "stage", hook=False),
    Check("transaction-tracked", "tracked", "tree", "error", "stage", hook=True),
    Check("temp-tracked", "tracked", "tree", "warning", "stage", hook=False),
    Check("record-not-file", "tracked", "tree", "error", "human", hook=True),
    Check("unmerged-entry", "tracked", "tree", "error", "human", hook=True),
    Check("temp-stale", "runtime", "disk", "warning", "lossless", hook=False),
    Check("transaction-pending", "runtime", "disk", "error", "human", hook=False),
    Check("transaction-stuck", "runtime", "disk", "error", "unsafe", hook=False),
    Check("transaction-foreign", "runtime", "disk", "error", "human", hook=False),
    Check("transaction-residue", "runtime", "disk", "note", "none", hook=False),
    Check("archive-unfinished", "runtime", "disk", "warning", "human", hook=False),
    Check("lock-meta-stale", "runtime", "disk", "warning", "lossless", hook=False),
    Check("claim-unparsable", "claim", "control", "error", "lossless", hook=False),
    Check("claim-malformed", "claim", "control", "error", "human", hook=False),
    Check("claim-sequence-gap", "claim", "control", "warning", "none", hook=False),
    Check("claims-index-mismatch", "claim", "control", "error", "lossless", hook=False),
    Check("lease-duplicate", "claim", "control", "warning", "human", hook=False),
    Check("lease-without-assignee", "claim", "control", "note", "human", hook=False),
    Check("lease-expired", "claim", "control", "note", "lossless", hook=False),
    Check("merge-lost-edit", "merge", "merge", "error", "lossless", hook=True),
    Check("merge-misplaced-edit", "merge", "merge", "error", "human", hook=True),
    Check("merge-resurrected-issue", "merge", "merge", "error", "human", hook=True),
    Check("merge-side-discarded", "merge", "merge", "error", "human", hook=True),
    Check("merge-lost-path", "merge", "merge", "error", "lossless", hook=True),
    Check("merge-duplicate-work", "merge", "merge", "note", "none", hook=False),
    Check("merge-both-dropped", "merge", "merge", "warning", "human", hook=False),
    Check("merge-own-edit", "merge", "merge", "warning", "none", hook=False),
)

BY_CODE = {check.code: check for check in CHECKS}
