"""What is wrong with a store, for programs: typed, and the worst first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from jit_hooks.errors import MissingFileError, PartialWriteError, SchemaMismatchError, StorageError
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.place import repository_around
from jit_hooks.repairs import BY_CODE as REPAIRS
from jit_hooks.storage.errors import (
    BrokenReferenceError,
    CorruptJsonError,
    IndexInconsistencyError,
    OrphanedLockError,
    OrphanedTempFileError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem

KINDS: dict[str, type[StorageError]] = {
    "text-not-utf8": CorruptJsonError,
    "json-unparsable": CorruptJsonError,
    "json-duplicate-key": CorruptJsonError,
    "json-lone-surrogate": CorruptJsonError,
    "conflict-marker": CorruptJsonError,
    "claim-unparsable": PartialWriteError,
    "event-unparsable": PartialWriteError,
    "event-log-unterminated": PartialWriteError,
    "index-absent": MissingFileError,
    "registry-absent": MissingFileError,
    "run-result-missing": MissingFileError,
    "issue-vanished": MissingFileError,
    "run-lost": MissingFileError,
    "index-outdated": SchemaMismatchError,
    "index-misses-issue": IndexInconsistencyError,
    "index-lists-missing": IndexInconsistencyError,
    "index-duplicate-id": IndexInconsistencyError,
    "index-deleted-alive": IndexInconsistencyError,
    "claims-index-mismatch": IndexInconsistencyError,
    "lock-meta-stale": OrphanedLockError,
    "temp-stale": OrphanedTempFileError,
    "dependency-missing": BrokenReferenceError,
    "gate-unregistered": BrokenReferenceError,
    "document-missing": BrokenReferenceError,
    "run-issue-unknown": BrokenReferenceError,
}


@dataclass(frozen=True)
class IntegrityProblem:
    """One thing that is wrong with a store.

    Attributes:
        code: the problem code; ``jit-hooks explain CODE`` is its manual.
        kind: the kind of storage error it would be for a program that meets it.
        severity: ``error``, ``warning`` or ``note``.
        path: the file, from the store's directory.
        line: in a log, counted from 1; else 0.
        subject: what else it names: another id, a gate, a member; may be empty.
        fixable: True if ``jit-check --fix`` mends it, as far as a sound copy or the record itself allows.
        description: one sentence.
    """

    code: str
    kind: type[StorageError]
    severity: str
    path: str
    line: int
    subject: str
    fixable: bool
    description: str


def validate_storage_integrity(root: str | os.PathLike[str]) -> list[IntegrityProblem]:
    """The problems of the store in a directory, the worst first; empty when it is healthy. Nothing is written.

    Args:
        root: the store's directory (``.jit``). In a git repository the store is compared with HEAD, too.

    Raises:
        MissingFileError: there is no such directory.
        SchemaMismatchError: a newer tracker wrote it than this program knows.
        UsageError: the settings in force cannot be followed.
        NotJudgedError: the store could not be looked at; is busy (``BusyError``); is not settled (``NotSettledError``).
    """
    store = os.path.abspath(os.fspath(root))
    if not os.path.isdir(store) or os.path.islink(store):
        raise MissingFileError(store)
    repository = repository_around(store)
    head = repository.commits.head() if repository is not None else None
    try:
        parents = (head,) if head else ()
        report = judge(Request("worktree", store, repository, parents, now=datetime.now(UTC).isoformat()))
    finally:
        if repository is not None:
            repository.close()
    return [_typed(problem) for problem in (*report.problems, *report.carried)]


def _typed(problem: Problem) -> IntegrityProblem:
    repair = REPAIRS.get(problem.code)
    return IntegrityProblem(
        problem.code,
        KINDS.get(problem.code, StorageError),
        problem.severity,
        problem.path,
        problem.line,
        problem.subject,
        repair is not None and not repair.unsafe,
        problem.message,
    )
