"""The seven integration tests of the plan for error recovery, by its names: real stores, real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, run

from jit_hooks import storage
from jit_hooks.testing import FaultInjector

if TYPE_CHECKING:
    from pathlib import Path

YESTERDAY = 86_400


def check(scratch: Scratch, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(scratch.top, sys.executable, "-c", "from jit_hooks.cli import check; check()", *arguments)


def undo(scratch: Scratch) -> subprocess.CompletedProcess[str]:
    return run(scratch.top, sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "undo")


def issue_of(scratch: Scratch) -> Path:
    return scratch.data / f"issues/{scratch.ids[0]}.json"


def a_dead_process() -> int:
    """The id of a process that was."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def left_behind(path: Path, data: bytes) -> Path:
    """A file that has been lying there since yesterday."""
    path.write_bytes(data)
    then = time.time() - YESTERDAY
    os.utime(path, (then, then))
    return path


def test_corrupt_issue_json_detected_by_validate(scratch: Scratch) -> None:
    prior = FaultInjector(scratch.data).inject_corrupt_json(issue_of(scratch))
    (found,) = storage.validate_storage_integrity(scratch.data)
    assert (found.code, found.kind, found.fixable) == ("json-unparsable", storage.CorruptJsonError, True)
    assert found.path == f"issues/{scratch.ids[0]}.json"
    refused = check(scratch)
    assert (refused.returncode, f"error[json-unparsable]  .jit/{found.path}" in refused.stdout) == (1, True)
    assert check(scratch, "--fix").returncode == 0
    assert issue_of(scratch).read_bytes() == prior
    assert storage.validate_storage_integrity(scratch.data) == []


def test_corrupt_events_jsonl_skipped_in_resilient_read(scratch: Scratch) -> None:
    log = scratch.data / "events.jsonl"
    whole = storage.read_log(log)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], b'{"id": "torn\n', *lines[2:]]))
    good, skipped = storage.read_log_resiliently(log)
    assert good == whole
    assert skipped == [storage.SkippedLine(3, b'{"id": "torn', "ends inside a string")]
    with pytest.raises(storage.CorruptJsonError) as caught:
        storage.read_log(log)
    assert (caught.value.path, caught.value.line) == (str(log), 3)
    refused = check(scratch, "--json")
    report = json.loads(refused.stdout)
    assert [(problem["code"], problem["line"]) for problem in report["problems"]] == [("event-unparsable", 3)]


def test_orphaned_temp_file_detected_and_fixed(scratch: Scratch) -> None:
    issue, index = issue_of(scratch), scratch.data / "index.json"
    temps = [
        left_behind(issue.with_name(f".{issue.name}.{a_dead_process()}.0.tmp"), issue.read_bytes()),
        left_behind(index.with_name("index.json.tmp"), b"{"),
    ]
    living = index.with_name(f".index.json.{os.getpid()}.0.tmp")
    living.write_bytes(b"{")
    found = {problem.path: problem for problem in storage.validate_storage_integrity(scratch.data)}
    assert set(found) == {str(temp.relative_to(scratch.data)) for temp in temps}
    assert {(one.code, one.kind, one.fixable) for one in found.values()} == {
        ("temp-stale", storage.OrphanedTempFileError, True)
    }
    dry = check(scratch, "--fix", "--dry-run")
    assert ("--fix would mend: 2 temp-stale" in dry.stdout, all(temp.exists() for temp in temps)) == (True, True)
    done = check(scratch, "--fix")
    assert (done.returncode, "mended: 2 temp-stale" in done.stdout) == (0, True), done.stdout
    assert not any(temp.exists() for temp in temps)
    assert living.exists()
    assert undo(scratch).returncode == 0
    assert [temp.read_bytes() for temp in temps] == [issue.read_bytes(), b"{"]


def test_stale_lock_detected_and_fixed(scratch: Scratch) -> None:
    """The metadata that lies goes; the lock file stays: who unlinks one lets two writers in at once."""
    locks = scratch.top / ".git" / "jit" / "locks"
    locks.mkdir(parents=True)
    lock, meta = locks / "claims.lock", locks / "claims.lock.meta"
    lock.touch()
    facts = {"pid": a_dead_process(), "agent_id": "agent:beta", "created_at": "2026-06-01T12:00:00Z"}
    meta.write_text(json.dumps({**facts, "last_updated": facts["created_at"]}, indent=2))
    (found,) = storage.validate_storage_integrity(scratch.data)
    assert (found.code, found.kind, found.fixable) == ("lock-meta-stale", storage.OrphanedLockError, True)
    with FaultInjector(locks).inject_lock_hold("claims.lock", 60):
        assert "lock-meta-stale" not in check(scratch, "--fix").stdout
    assert meta.exists()
    done = check(scratch, "--fix")
    assert (done.returncode, "mended: 1 lock-meta-stale" in done.stdout) == (0, True), done.stdout
    assert (meta.exists(), lock.exists()) == (False, True)


def test_lock_timeout_returns_actionable_error(scratch: Scratch) -> None:
    lock = scratch.data / ".index.lock"
    hold = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); "
    hold += "print(flush=True); sys.stdin.read()"
    held = [sys.executable, "-c", hold, str(lock)]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(storage.LockTimeoutError) as caught, storage.store_lock(scratch.data, wait=0.05):
            raise AssertionError
        holder.communicate()
    error = caught.value
    assert (error.path, error.elapsed >= 0.05) == (str(lock), True)
    said = storage.ActionableError.lock_timeout(error.path, error.elapsed, error.holder)
    assert str(lock) in str(said)
    assert (bool(said.causes), "try again in a moment" in said.remedies) == (True, True)
    with storage.store_lock(scratch.data, wait=0.05):
        assert lock.exists()


def test_partial_write_recovery(scratch: Scratch) -> None:
    """A rename that never came: the temp holds what was about to be written, and the file itself was torn."""
    issue = issue_of(scratch)
    newer = issue.read_bytes().replace(b"Build the pier", b"Build the long pier")
    temp = left_behind(issue.with_name(f".{issue.name}.{a_dead_process()}.0.tmp"), newer)
    FaultInjector(scratch.data).inject_partial_write(issue, keep=0)
    done = check(scratch, "--fix")
    assert (done.returncode, "a temp file of process" in done.stdout) == (0, True), done.stdout
    assert issue.read_bytes() == newer
    assert not temp.exists()
    assert "there is nothing that --fix can mend" in check(scratch, "--fix").stdout


def test_schema_mismatch_detected(scratch: Scratch) -> None:
    path = scratch.data / "index.json"
    newer = path.read_bytes().replace(b'"schema_version": 2', b'"schema_version": 999')
    path.write_bytes(newer)
    with pytest.raises(storage.SchemaMismatchError) as caught:
        storage.validate_storage_integrity(scratch.data)
    assert (caught.value.path, caught.value.expected, caught.value.found) == ("index.json", 2, 999)
    said = check(scratch, "--fix")
    assert (said.returncode, "index.json has schema version 999" in said.stdout) == (3, True), said.stdout
    assert path.read_bytes() == newer
