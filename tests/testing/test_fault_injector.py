"""Faults do to a file what their names say."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jit_hooks import storage
from jit_hooks.testing.damage import DAMAGES, Damage
from jit_hooks.testing.faults import FaultInjector
from jit_hooks.testing.stores import lay_healthy_store

pytest_plugins = ["jit_hooks.testing.plugin"]


def test_a_corrupt_record_does_not_parse_and_the_prior_bytes_are_given(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"id": 1}')
    assert FaultInjector(tmp_path).inject_corrupt_json("a.json") == b'{"id": 1}'
    with pytest.raises(json.JSONDecodeError):
        json.loads((tmp_path / "a.json").read_bytes())


def test_a_partial_write_is_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"abcdef")
    faults = FaultInjector(tmp_path)
    faults.inject_partial_write("log")
    assert (tmp_path / "log").read_bytes() == b"abc"
    faults.inject_partial_write("log", keep=1)
    assert (tmp_path / "log").read_bytes() == b"a"


def try_lock(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_a_held_lock_keeps_out_this_process_and_others_until_released(tmp_path: Path) -> None:
    lock = tmp_path / ".index.lock"
    with FaultInjector(tmp_path).inject_lock_hold(".index.lock", 30) as hold:
        assert hold.is_held
        assert not try_lock(lock)
        code = f"import fcntl; fcntl.flock(open({str(lock)!r}), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 1
        with pytest.raises(BlockingIOError):
            FaultInjector(tmp_path).inject_lock_hold(".index.lock", 30)
    assert try_lock(lock)
    assert not hold.is_held


def test_a_held_lock_is_let_go_when_its_time_is_over(tmp_path: Path) -> None:
    hold = FaultInjector(tmp_path).inject_lock_hold(".index.lock", 0.05)
    end = time.monotonic() + 5
    while hold.is_held and time.monotonic() < end:
        time.sleep(0.01)
    assert try_lock(tmp_path / ".index.lock")


NOT_SETTLED = ("transaction-pending", "transaction-stuck", "transaction-foreign")
IN_GIT_ONLY = ("document-not-at-commit", "document-revision-unknown")


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damage_of_the_catalogue_is_planted_or_refused(tmp_path: Path, damage: Damage) -> None:
    store = tmp_path / ".jit"
    lay_healthy_store(store, damage.eras[0])
    injector = FaultInjector(os.path.relpath(store))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    try:
        planted = injector.inject_damage(damage.name)
    except LookupError:
        assert damage.needs not in {"record", "relation"}
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return
    assert planted is damage
    try:
        found = {problem.code for problem in storage.validate_storage_integrity(store)}
    except (storage.NotSettledError, storage.SchemaMismatchError):
        assert damage.code in NOT_SETTLED
        return
    assert damage.code in found or damage.name in IN_GIT_ONLY


def test_a_damage_is_to_the_healthy_store_only(fault_injector: FaultInjector) -> None:
    fault_injector.inject_partial_write("index.json")
    with pytest.raises(ValueError, match="not the healthy store"):
        fault_injector.inject_damage("issue-cut")


@pytest.mark.parametrize("name", ["nonsense", "theirs-dropped", "claims-torn", "issue-link"])
def test_a_damage_to_more_than_files_is_refused(fault_injector: FaultInjector, name: str) -> None:
    with pytest.raises(LookupError, match=name):
        fault_injector.inject_damage(name)
