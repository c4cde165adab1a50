"""The library, as a program that writes a store uses it."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jit_hooks import storage
from jit_hooks.checks import BY_CODE
from jit_hooks.storage import integrity
from jit_hooks.testing import FaultInjector
from jit_hooks.testing.damage import healthy_scene
from jit_hooks.testing.stores import lay_healthy_store

if TYPE_CHECKING:
    from pathlib import Path


pytest_plugins = ["jit_hooks.testing.plugin"]


def errors(store: Path) -> list[storage.IntegrityProblem]:
    return [problem for problem in storage.validate_storage_integrity(store) if problem.severity == "error"]


def test_a_healthy_store_has_no_error(jit_store: Path) -> None:
    assert errors(jit_store) == []


def test_problems_are_typed(jit_store: Path, fault_injector: FaultInjector) -> None:
    issue = min((jit_store / "issues").iterdir())
    issue.write_bytes(issue.read_bytes()[:-9])
    (found, *_) = errors(jit_store)
    assert (found.code, found.kind, found.path, found.fixable) == (
        "json-unparsable",
        storage.CorruptJsonError,
        f"issues/{issue.name}",
        True,
    )
    assert found.description


def test_what_only_the_time_tells_is_told(jit_store: Path) -> None:
    temp = jit_store / "index.json.tmp"
    temp.write_bytes(b"{")
    assert storage.validate_storage_integrity(jit_store) == []
    os.utime(temp, (0, 0))
    (found,) = storage.validate_storage_integrity(jit_store)
    assert (found.code, found.kind, found.path) == ("temp-stale", storage.OrphanedTempFileError, "index.json.tmp")


def test_every_kind_of_error_has_a_code_that_exists() -> None:
    assert set(integrity.KINDS) <= set(BY_CODE)
    errors = {getattr(storage, name) for name in storage.__all__ if name.endswith("Error")}
    kinds = {error for error in errors if issubclass(error, storage.StorageError)} | {storage.ActionableError}
    lock_kinds = {storage.LockTimeoutError, storage.LockIOError}
    assert set(integrity.KINDS.values()) == kinds - lock_kinds - {storage.ActionableError, storage.StorageError}


def test_nothing_is_locked_where_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(storage.MissingFileError), storage.store_lock(tmp_path / ".jjit"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_beneath_a_transaction_of_the_tracker(tmp_path: Path) -> None:
    lay_healthy_store(tmp_path / ".jit", "v1")
    FaultInjector(tmp_path / ".jit").inject_damage("transaction-prepared")
    with pytest.raises(storage.NotSettledError), storage.store_lock(tmp_path / ".jit"):
        pass
    with pytest.raises(storage.NotSettledError):
        storage.validate_storage_integrity(tmp_path / ".jit")


def test_no_store_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(storage.MissingFileError):
        storage.validate_storage_integrity(tmp_path / "nowhere")


def test_a_log_is_read_resiliently_and_strictly(jit_store: Path) -> None:
    log = jit_store / "events.jsonl"
    whole = storage.read_log(log)
    log.write_bytes(log.read_bytes() + b'{"torn": \n[1]\n')
    good, skipped = storage.read_log_resiliently(log)
    assert good == whole
    assert [(line.line_number, line.raw) for line in skipped] == [
        (len(whole) + 1, b'{"torn": '),
        (len(whole) + 2, b"[1]"),
    ]
    with pytest.raises(storage.CorruptJsonError) as caught:
        storage.read_log(log)
    assert caught.value.line == len(whole) + 1
    with pytest.raises(storage.MissingFileError):
        storage.read_log(jit_store / "none.jsonl")


LOGS = {
    "events.jsonl": healthy_scene("june").files["events.jsonl"].splitlines()[:12],
    "claims.jsonl": healthy_scene("june").control["claims.jsonl"].splitlines(),
}
JUNK = st.binary(max_size=40).filter(lambda junk: b"\n" not in junk)


@st.composite
def hurt_logs(draw: st.DrawFn) -> tuple[str, list[bytes], list[int]]:
    """A log, its lines of which some are cut, overwritten or joined by junk, and which are whole."""
    name = draw(st.sampled_from(sorted(LOGS)))
    lines, whole = [], []
    for line in LOGS[name]:
        kind = draw(st.sampled_from(("whole", "whole", "cut", "junk", "inserted")))
        if kind == "cut":
            lines.append(line[: draw(st.integers(1, len(line) - 1))])
        elif kind == "junk":
            at = draw(st.integers(0, len(line)))
            lines.append(line[:at] + b"\x80" + draw(JUNK) + line[at:])
        else:
            if kind == "inserted":
                lines.append(b"}" + draw(JUNK))
            whole.append(len(lines))
            lines.append(line)
    return name, lines, whole


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@given(hurt_logs())
def test_no_line_that_is_whole_is_lost_beside_corrupt_ones(
    directory: Path, hurt: tuple[str, list[bytes], list[int]]
) -> None:
    name, lines, whole = hurt
    (directory / name).write_bytes(b"\n".join(lines))
    good, skipped = storage.read_log_resiliently(directory / name)
    assert good == [json.loads(lines[at]) for at in whole]
    assert [(line.line_number, line.raw) for line in skipped] == [
        (number, line) for number, line in enumerate(lines, 1) if number - 1 not in whole
    ]
    if skipped:
        with pytest.raises(storage.CorruptJsonError):
            storage.read_log(directory / name)
    else:
        assert storage.read_log(directory / name) == good


def test_the_lock_keeps_others_out_and_says_what_it_waited_for(jit_store: Path, fault_injector: FaultInjector) -> None:
    busy = pytest.raises(storage.LockTimeoutError)
    with storage.store_lock(jit_store), busy as caught, storage.store_lock(jit_store, wait=0):
        raise AssertionError
    assert caught.value.path.endswith(".repo-write.lock")
    with fault_injector.inject_lock_hold(".events.lock", 60), busy, storage.store_lock(jit_store, wait=0):
        raise AssertionError
    with storage.store_lock(jit_store, gates=True):
        storage.atomic_write(jit_store / "index.json", b"{}")
    assert (jit_store / "index.json").read_bytes() == b"{}"


def test_two_writers_under_the_lock_lose_nothing(jit_store: Path) -> None:
    target = jit_store / "counter"
    target.write_bytes(b"0")

    def count() -> None:
        for _ in range(20):
            with storage.store_lock(jit_store):
                storage.atomic_write(target, b"%d" % (int(target.read_bytes()) + 1))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == b"60"
