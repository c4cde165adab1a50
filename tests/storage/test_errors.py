"""Each error carries its facts and says them; the actionable ones name causes and safe remedies."""

from typing import Any

import pytest

from jit_hooks import errors, storage
from jit_hooks.errors import BusyError, JitHooksError, StorageError
from jit_hooks.storage.errors import ActionableError, SkippedLine

KINDS: list[tuple[type[StorageError], dict[str, Any], str]] = [
    (
        storage.CorruptJsonError,
        {"path": "a.json", "reason": "unexpected end", "line": 3, "column": 7},
        "a.json:3:7 is not valid JSON: unexpected end",
    ),
    (
        errors.PartialWriteError,
        {"path": "a.json", "expected": 10, "written": 4, "reason": "No space left on device"},
        "a.json: 4 of 10 bytes could be written (No space left on device); the file is unchanged",
    ),
    (
        errors.LockTimeoutError,
        {"path": "claims.lock", "elapsed": 5.04, "holder": "agent:a, process 7"},
        "claims.lock is held by agent:a, process 7 (waited 5.0 s)",
    ),
    (
        errors.LockTimeoutError,
        {"path": ".index.lock", "elapsed": 5.0, "holder": None},
        ".index.lock is held by another process (waited 5.0 s)",
    ),
    (errors.LockIOError, {"path": ".index.lock", "reason": "Permission denied"}, "cannot lock .index.lock: Permission"),
    (errors.MissingFileError, {"path": "index.json"}, "index.json is missing"),
    (
        errors.SchemaMismatchError,
        {"path": "index.json", "expected": 2, "found": 1},
        "index.json has schema version 1, expected 2",
    ),
    (
        storage.IndexInconsistencyError,
        {"path": "index.json", "unlisted": ("a",), "absent": ("b", "c")},
        "index.json does not list 1 issues that have a file, and lists 2 that have none",
    ),
    (storage.OrphanedLockError, {"path": "claims.lock.meta", "pid": 4711}, "names process 4711, which no longer lives"),
    (storage.OrphanedLockError, {"path": "claims.lock.meta", "pid": None}, "names nobody"),
    (storage.OrphanedTempFileError, {"path": ".a.json.1.0.tmp", "age": 61.4}, "a writer that died (61 s old)"),
    (storage.BrokenReferenceError, {"issue_id": "a", "ref_id": "b"}, "issue a refers to b, which does not exist"),
]


@pytest.mark.parametrize(("kind", "facts", "says"), KINDS)
def test_a_storage_error_carries_its_facts_and_says_them(
    kind: type[StorageError], facts: dict[str, Any], says: str
) -> None:
    error = kind(**facts)
    assert {name: getattr(error, name) for name in facts} == facts
    assert says in str(error)
    assert isinstance(error, JitHooksError)
    assert error.exit_code == 3


def test_all_ten_kinds_are_there() -> None:
    assert len({kind for kind, _, _ in KINDS}) == 10


def test_a_lock_timeout_is_busy_with_the_remedy_of_that() -> None:
    error = errors.LockTimeoutError(".index.lock", 5.0)
    assert isinstance(error, BusyError)
    assert (error.waited, error.elapsed, error.remedy) == (5.0, 5.0, "try again in a moment")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ActionableError.lock_timeout("claims.lock", 5.0, "agent:a"), "agent:a holds it"),
        (ActionableError.lock_timeout("claims.lock", 5.0), "another jit command"),
        (ActionableError.corrupt_json("a.json", "unexpected end"), "jit-check --fix --dry-run"),
        (ActionableError.schema_mismatch("index.json", 2, 3), "schema-version = 3"),
        (ActionableError.schema_mismatch("index.json", 2, 1), "an older jit"),
        (ActionableError.orphaned_temp_file(".a.json.1.0.tmp", 90), "left behind 90 s ago"),
    ],
)
def test_an_actionable_error_names_causes_and_remedies(error: ActionableError, says: str) -> None:
    assert says in str(error)
    assert error.causes
    assert error.remedies
    text = str(error)
    assert text.startswith(error.problem)
    assert all(f"  - {point}" in text for point in (*error.causes, *error.remedies))
    assert not any(word in text for word in ("rm ", "reset --hard", "clean -f", "checkout --", "unlink"))


def test_a_skipped_line_is_a_value() -> None:
    line = SkippedLine(3, b'{"torn', "unexpected end")
    assert line == SkippedLine(3, b'{"torn', "unexpected end")
    assert line != SkippedLine(4, b'{"torn', "unexpected end")
    assert len({line, SkippedLine(3, b'{"torn', "unexpected end")}) == 1
    assert repr(line) == "SkippedLine(3, b'{\"torn', 'unexpected end')"


def test_the_writers_errors_say_whether_anything_was_written() -> None:
    assert str(errors.WriteError("a", "No space left on device", None, written=False)).endswith("nothing was written")
    assert "`jit-hooks undo 3` takes it back" in str(errors.WriteError("a", "I/O error", "3", written=True))
    assert "and 2 more changed" in str(errors.StaleError(("store:a", "store:b", "store:c")))
    assert errors.NoEntryError("3").exit_code == 2


def test_a_place_is_said_as_far_as_it_is_known() -> None:
    said = [str(storage.CorruptJsonError("a.json", "ends", *place)) for place in ((), (3,), (3, 4))]
    assert said == [f"a.json{place} is not valid JSON: ends" for place in ("", ":3", ":3:4")]
