"""The library: for programs that read and write an issue store beside the trackers.

What a store gets wrong is data (``validate_storage_integrity``); what cannot be done is raised: of a file, as one
of the kinds of ``StorageError`` with its facts as attributes; of the whole store, as a ``NotJudgedError``. Nothing here
writes a store but ``atomic_write``, which the caller calls inside ``store_lock``.
"""

from __future__ import annotations

from jit_hooks.disk.replacing import atomic_write
from jit_hooks.errors import (
    BusyError,
    JitHooksError,
    LockIOError,
    LockTimeoutError,
    MissingFileError,
    NotJudgedError,
    NotSettledError,
    PartialWriteError,
    SchemaMismatchError,
    StorageError,
    UsageError,
)
from jit_hooks.storage.errors import (
    ActionableError,
    BrokenReferenceError,
    CorruptJsonError,
    IndexInconsistencyError,
    OrphanedLockError,
    OrphanedTempFileError,
    SkippedLine,
)
from jit_hooks.storage.integrity import IntegrityProblem, validate_storage_integrity
from jit_hooks.storage.locking import store_lock
from jit_hooks.storage.logs import read_log, read_log_resiliently

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
