"""The library: for programs that read and write an issue store beside the trackers.

What a store gets wrong is data (``validate_storage_integrity``); what cannot be done is raised: of a file, as one
of the kinds of ``StorageError`` with its facts as attributes; of the whole store, as a ``NotJudgedError``. Nothing here
writes a store but ``atomic_write``, which the caller calls inside ``store_lock``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from jit_hooks.disk.files import atomic_write
from jit_hooks.errors import (
    ActionableError,
    BrokenReferenceError,
    BusyError,
    CorruptJsonError,
    IndexInconsistencyError,
    JitHooksError,
    LockIOError,
    LockTimeoutError,
    MissingFileError,
    NotJudgedError,
    NotSettledError,
    OrphanedLockError,
    OrphanedTempFileError,
    PartialWriteError,
    SchemaMismatchError,
    SkippedLine,
    StorageError,
    UsageError,
)
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.journal.locks import require_settled, tracker_locks
from jit_hooks.journal.plan import Change
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.place import Place
from jit_hooks.repairs import BY_CODE as REPAIRS
from jit_hooks.store.reader import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.problem import Problem

__all__ = [
    "ActionableError",
    "BrokenReferenceError",
    "BusyError",
    "CorruptJsonError",
    "IndexInconsistencyError",
    "IntegrityProblem",
    "JitHooksError",
    "LockIOError",
    "LockTimeoutError",
    "MissingFileError",
    "NotJudgedError",
    "NotSettledError",
    "OrphanedLockError",
    "OrphanedTempFileError",
    "PartialWriteError",
    "SchemaMismatchError",
    "SkippedLine",
    "StorageError",
    "UsageError",
    "atomic_write",
    "read_log",
    "read_log_resiliently",
    "store_lock",
    "validate_storage_integrity",
]

_KINDS: dict[str, type[StorageError]] = {
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
        fixable: whether ``jit-check --fix`` mends it, as far as a sound copy or the record itself allows.
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
    """What is wrong with the store in a directory, the worst first; empty when it is healthy. Nothing is written.

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
    repository = _repository_around(store)
    head = repository.head() if repository is not None else None
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
        _KINDS.get(problem.code, StorageError),
        problem.severity,
        problem.path,
        problem.line,
        problem.subject,
        repair is not None and not repair.unsafe,
        problem.message,
    )


def _repository_around(store: str) -> Repository | None:
    git = Git(os.path.dirname(store), inherit=False)
    status, out, _ = git.ask("rev-parse", "--show-toplevel")
    if status:
        return None
    top = os.fsdecode(out).removesuffix("\n")
    git.directory = top
    return Repository(git, os.path.relpath(os.path.realpath(store), os.path.realpath(top)) + "/")


@contextmanager
def store_lock(root: str | os.PathLike[str], *, wait: float = 5.0, gates: bool = False) -> Iterator[None]:
    """Keep both trackers from writing a store while the block runs: their own locks, exclusive, in their order.

    Start no program of the tracker inside: it would wait for these locks. Keep it short.

    Args:
        root: the store's directory (``.jit``).
        wait: seconds for all locks together; 0 tries each once.
        gates: whether the gate registry is going to be written.

    Raises:
        MissingFileError: there is no such directory.
        NotSettledError: a transaction of the tracker is pending there: what is written beneath one gets it stuck.
        LockTimeoutError: another process holds one; ``path`` and ``elapsed`` say which, and how long it was waited for.
        LockIOError: one cannot be locked at all.
        UnsupportedPlatformError: there is no ``flock(2)`` here.
    """
    store = os.path.abspath(os.fspath(root))
    if not os.path.isdir(store) or os.path.islink(store):
        raise MissingFileError(store)
    above = os.path.dirname(store)
    place = Place(store, above, above)
    touched = {"store:gates.json" if gates else "store:index.json": Change.of(b"", b"x")}
    with tracker_locks(place, touched, wait):
        require_settled(place.files)
        yield


def read_log_resiliently(path: str | os.PathLike[str]) -> tuple[list[dict[str, object]], list[SkippedLine]]:
    """The good records of an event or claims log, and the lines that are none, each with the reason.

    Raises:
        MissingFileError: there is no such file.
        StorageError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise MissingFileError(os.fspath(path)) from None
    except OSError as error:
        raise StorageError(f"cannot read {os.fspath(path)}: {error.strerror}") from error
    good: list[dict[str, object]] = []
    skipped: list[SkippedLine] = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw.strip(b" \t\r"):
            continue
        document, fault = read_json(raw)
        if fault is None and type(document) is dict:
            good.append(document)
        else:
            skipped.append(SkippedLine(number, raw, fault.message if fault is not None else "is not an object"))
    return good, skipped


def read_log(path: str | os.PathLike[str]) -> list[dict[str, object]]:
    """The records of an event or claims log, every one of them.

    Raises:
        CorruptJsonError: a line is not one JSON object; ``line`` says which.
        MissingFileError: there is no such file.
        StorageError: it cannot be read.
    """
    good, skipped = read_log_resiliently(path)
    if skipped:
        first = skipped[0]
        raise CorruptJsonError(os.fspath(path), first.error, first.line_number)
    return good
