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


UNSTAGED = "unstaged"
"""A forgotten ``git add`` can make it an error: commit hooks look for it, too."""

READER = "reader"
"""It tells only what reader and schema found: of a record without a fault it has nothing to say."""

UNREADABLE = "unreadable"
"""The record did not load: what it newly shows when it does is news, not harm."""

UNREAD_LINE = "unread-line"
"""A line of a log that no reader takes."""

WHOLE_FILE = "whole-file"
"""Another copy of the file that it shows in would take it away."""

LOGGED_LATER = "logged-later"
"""June's tracker shows it while a command is under way: it saves a record, lets go of the lock, then logs it."""

LOST_WITH_SIDE = "lost-with-side"
"""A loss that a merge brings, problem by problem, when it throws a side away."""


class Check:
    """One row of the registry.

    Attributes:
        code: kebab-case, never renamed once released.
        family: the module that holds the function.
        needs: ``record``, ``relation``, ``parents``, ``tree``, ``disk``, ``merge`` or ``control``.
        severity: by harm, before settings and the rules of ``line`` change it.
        repair: class of repair: ``lossless``, ``restore``, ``unsafe``, ``stage``, ``human`` or ``none``.
        hook: True if commit hooks run it.
        kinds: of a record check, the kinds of record it sees (``layout.kind_of``).
        stands_on: ``index``, ``registry`` or ``config``: what must load for the check to mean anything.
        marks: what else sets this code apart: some of the constants below.
    """

    __slots__ = ("code", "family", "hook", "kinds", "marks", "needs", "repair", "severity", "stands_on")

    def __init__(
        self,
        code: str,
        family: str,
        needs: str,
        severity: str,
        repair: str,
        *,
        kinds: tuple[str, ...] = (),
        stands_on: str = "",
        marks: tuple[str, ...] = (),
    ) -> None:
        self.code = code
        self.family = family
        self.needs = needs
        self.severity = severity
        self.repair = repair
        self.hook = UNSTAGED in marks or (severity == "error" and needs not in ("disk", "control"))
        self.kinds = kinds
        self.stands_on = stands_on
        self.marks = marks

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

    @property
    def to_fix(self) -> tuple[str, str]:
        """The last section of its manual: what to do, in words, and a command to type, if there is one.

        In the command ``{path}``, ``{id}`` and ``{subject}`` stand for words of the problem.
        """
        words, _, command = self.manual.rpartition("TO FIX: ")[2].partition("::\n")
        return " ".join(words.split()).removesuffix(".").replace("``", "`"), command.strip()


JSON = ("issue", "index", "run", "gates-json", "preset", "profile", "schema")
JSON_AND_LOG = (*JSON, "log")
TEXT = (*JSON_AND_LOG, "gates-toml", "config", "rules", "templates", "invariants")
"""Kinds of record that checks of the family ``file`` see."""

CHECKS: tuple[Check, ...] = (
    Check("text-not-utf8", "file", "record", "error", "restore", kinds=TEXT, marks=(READER, UNREADABLE, UNREAD_LINE)),
    Check("json-unparsable", "file", "record", "error", "restore", kinds=JSON, marks=(READER, UNREADABLE)),
    Check("json-duplicate-key", "file", "record", "error", "human", kinds=JSON_AND_LOG, marks=(READER, UNREADABLE)),
    Check("json-lone-surrogate", "file", "record", "error", "human", kinds=JSON_AND_LOG, marks=(READER, UNREADABLE)),
    Check("conflict-marker", "file", "record", "error", "human", kinds=TEXT, marks=(READER, UNREADABLE, UNREAD_LINE)),
    Check("limit-exceeded", "file", "record", "error", "human", kinds=TEXT, marks=(READER, UNREADABLE, UNREAD_LINE)),
    Check("layout-not-canonical", "file", "record", "note", "none", kinds=("issue", "index", "gates-json")),
    Check(
        "unknown-key",
        "file",
        "record",
        "warning",
        "none",
        kinds=("issue", "index", "log", "run", "gates-json", "gates-toml", "preset"),
    ),
    Check("issue-malformed", "issue", "record", "error", "unsafe", kinds=("issue",), marks=(READER, UNREADABLE)),
    Check("issue-id-mismatch", "issue", "record", "error", "human", kinds=("issue",)),
    Check("issue-id-invalid", "issue", "record", "error", "human", kinds=("issue",)),
    Check("issue-lifecycle-mismatch", "issue", "parents", "note", "lossless"),
    Check("issue-created-after-updated", "issue", "record", "note", "human", kinds=("issue",)),
    Check("index-malformed", "index", "record", "error", "lossless", kinds=("index",), marks=(READER, UNREADABLE)),
    Check("index-absent", "index", "relation", "error", "lossless", marks=(WHOLE_FILE,)),
    Check("index-misses-issue", "index", "relation", "error", "lossless", stands_on="index"),
    Check("index-lists-missing", "index", "relation", "error", "restore", stands_on="index"),
    Check("index-duplicate-id", "index", "record", "error", "lossless", kinds=("index",)),
    Check("index-deleted-alive", "index", "relation", "error", "human", stands_on="index"),
    Check("index-reordered", "index", "parents", "note", "lossless", stands_on="index"),
    Check("index-outdated", "index", "record", "note", "lossless", kinds=("index",)),
    Check("tombstone-lost", "index", "parents", "error", "lossless", stands_on="index"),
    Check(
        "issue-vanished", "index", "parents", "error", "restore", stands_on="index", marks=(WHOLE_FILE, LOST_WITH_SIDE)
    ),
    Check("dependency-missing", "dependency", "relation", "error", "unsafe"),
    Check("dependency-cycle", "dependency", "relation", "error", "unsafe"),
    Check("dependency-duplicate", "dependency", "record", "warning", "lossless", kinds=("issue",)),
    Check("dependency-redundant", "dependency", "relation", "warning", "lossless"),
    Check("issue-isolated", "dependency", "relation", "warning", "human"),
    Check("gate-unregistered", "gate", "relation", "error", "human", stands_on="registry"),
    Check("gate-not-required", "gate", "record", "warning", "human", kinds=("issue",)),
    Check("gate-required-duplicate", "gate", "record", "warning", "lossless", kinds=("issue",)),
    Check(
        "registry-malformed",
        "gate",
        "record",
        "error",
        "restore",
        kinds=("gates-json", "gates-toml", "preset", "profile"),
        marks=(UNREADABLE,),
    ),
    Check("registry-inconsistent", "gate", "record", "warning", "human", kinds=("gates-json", "gates-toml")),
    Check("registry-absent", "gate", "relation", "error", "restore", marks=(WHOLE_FILE,)),
    Check("registry-shadowed", "gate", "relation", "warning", "human"),
    Check("gate-event-unmatched", "gate", "relation", "note", "human"),
    Check("gated-not-open", "workflow", "record", "note", "human", kinds=("issue",)),
    Check("done-gate-open", "workflow", "record", "warning", "human", kinds=("issue",)),
    Check("done-dependency-open", "workflow", "relation", "note", "human"),
    Check("ready-dependency-open", "workflow", "relation", "warning", "human"),
    Check("backlog-not-blocked", "workflow", "relation", "note", "human"),
    Check("label-malformed", "label", "relation", "warning", "human", stands_on="config"),
    Check("label-duplicate", "label", "record", "warning", "lossless", kinds=("issue",)),
    Check("label-unregistered", "label", "relation", "warning", "human", stands_on="config"),
    Check("label-not-unique", "label", "relation", "warning", "human", stands_on="config"),
    Check("document-missing", "document", "relation", "warning", "human", marks=(UNSTAGED,)),
    Check("document-duplicate", "document", "record", "note", "lossless", kinds=("issue",)),
    Check("event-unparsable", "event", "record", "error", "lossless", kinds=("log",), marks=(UNREADABLE, UNREAD_LINE)),
    Check("event-fragment-certified", "event", "record", "note", "none", kinds=("log",), marks=(UNREAD_LINE,)),
    Check("event-malformed", "event", "record", "error", "human", kinds=("log",)),
    Check("event-type-unknown", "event", "record", "warning", "none", kinds=("log",)),
    Check("event-log-unterminated", "event", "record", "error", "lossless", kinds=("log",)),
    Check("event-duplicate-id", "event", "record", "warning", "lossless", kinds=("log",)),
    Check("event-lost", "event", "parents", "error", "lossless", marks=(WHOLE_FILE, LOST_WITH_SIDE)),
    Check("event-created-missing", "event", "relation", "warning", "lossless", marks=(UNSTAGED, LOGGED_LATER)),
    Check("event-created-repeated", "event", "relation", "warning", "human"),
    Check("event-deleted-missing", "event", "relation", "note", "none", stands_on="index"),
    Check("event-issue-unknown", "event", "relation", "note", "human", stands_on="index"),
    Check("event-state-mismatch", "event", "relation", "warning", "lossless", marks=(UNSTAGED, LOGGED_LATER)),
    Check("event-state-chain-broken", "event", "relation", "note", "human"),
    Check("event-completed-missing", "event", "relation", "note", "lossless", marks=(LOGGED_LATER,)),
    Check("event-gate-mismatch", "event", "relation", "note", "lossless", marks=(UNSTAGED, LOGGED_LATER)),
    Check("run-malformed", "run", "record", "error", "restore", kinds=("run",), marks=(READER, UNREADABLE)),
    Check("run-inconsistent", "run", "record", "warning", "human", kinds=("run",)),
    Check("run-result-missing", "run", "relation", "warning", "restore"),
    Check("run-id-mismatch", "run", "record", "error", "human", kinds=("run",)),
    Check("run-stray-file", "run", "relation", "warning", "human"),
    Check("run-issue-unknown", "run", "relation", "note", "human", stands_on="index"),
    Check("run-source-missing", "run", "relation", "note", "human"),
    Check("run-gate-unregistered", "run", "relation", "note", "human", stands_on="registry"),
    Check("run-changed", "run", "parents", "error", "restore", marks=(WHOLE_FILE,)),
    Check("run-lost", "run", "parents", "error", "restore", marks=(WHOLE_FILE, LOST_WITH_SIDE)),
    Check("run-missing", "run", "relation", "warning", "stage", marks=(UNSTAGED,)),
    Check("run-status-mismatch", "run", "relation", "warning", "lossless", marks=(LOGGED_LATER,)),
    Check("run-event-imbalance", "run", "relation", "note", "lossless", marks=(LOGGED_LATER,)),
    Check("config-malformed", "config", "relation", "error", "restore", marks=(UNREADABLE,)),
    Check("baked-schema-outdated", "config", "relation", "warning", "lossless", stands_on="config"),
    Check("machine-file-tracked", "tracked", "tree", "error", "stage"),
    Check("lock-tracked", "tracked", "tree", "warning", "stage"),
    Check("transaction-tracked", "tracked", "tree", "error", "stage"),
    Check("temp-tracked", "tracked", "tree", "warning", "stage"),
    Check("record-not-file", "tracked", "tree", "error", "human"),
    Check("unmerged-entry", "tracked", "tree", "error", "human"),
    Check("temp-stale", "runtime", "disk", "warning", "lossless"),
    Check("transaction-pending", "runtime", "disk", "error", "human"),
    Check("transaction-stuck", "runtime", "disk", "error", "unsafe"),
    Check("transaction-foreign", "runtime", "disk", "error", "human"),
    Check("transaction-residue", "runtime", "disk", "note", "none"),
    Check("archive-unfinished", "runtime", "disk", "warning", "human"),
    Check("lock-meta-stale", "runtime", "disk", "warning", "lossless"),
    Check("claim-unparsable", "claim", "control", "error", "lossless"),
    Check("claim-malformed", "claim", "control", "error", "human"),
    Check("claim-sequence-gap", "claim", "control", "warning", "none"),
    Check("claims-index-mismatch", "claim", "control", "error", "lossless"),
    Check("lease-duplicate", "claim", "control", "warning", "human"),
    Check("lease-without-assignee", "claim", "control", "note", "human"),
    Check("lease-expired", "claim", "control", "note", "lossless"),
    Check("merge-lost-edit", "merge", "merge", "error", "lossless", marks=(LOST_WITH_SIDE,)),
    Check("merge-misplaced-edit", "merge", "merge", "error", "human"),
    Check("merge-resurrected-issue", "merge", "merge", "error", "human"),
    Check("merge-side-discarded", "merge", "merge", "error", "human"),
    Check("merge-lost-path", "merge", "merge", "error", "lossless"),
    Check("merge-duplicate-work", "merge", "merge", "note", "none"),
    Check("merge-both-dropped", "merge", "merge", "warning", "human"),
    Check("merge-own-edit", "merge", "merge", "warning", "none"),
)

BY_CODE = {check.code: check for check in CHECKS}
