"""A machine that refuses: real processes, one clear error, the store as it was, and the next run finishes."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from git_scratch import Scratch

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
COMMAND = "import sys; from jit_hooks import cli; sys.argv = ['jit-{0}', *sys.argv[1:]]; cli.{0}()"


def typed(scratch: Scratch, *words: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    name = "hooks" if words[:1] == ("undo",) else "check"
    return subprocess.run(
        [sys.executable, "-B", "-c", COMMAND.format(name), *words],
        cwd=scratch.top,
        preexec_fn=before,
        capture_output=True,
        text=True,
        check=False,
    )


def store(scratch: Scratch) -> dict[str, bytes | None]:
    """Every path of the store, with its bytes; None for a directory. Locks, which are empty, aside."""
    return {
        str(path.relative_to(scratch.data)): path.read_bytes() if path.is_file() else None
        for path in scratch.data.rglob("*")
        if path.suffix != ".lock"
    }


@pytest.fixture
def torn(scratch: Scratch) -> Scratch:
    """A store with an issue that was cut, and that HEAD has whole."""
    issue = scratch.top / scratch.issue(scratch.ids[0])
    issue.write_bytes(issue.read_bytes()[:-40])
    return scratch


def full_disk() -> None:
    """No file of this process can grow, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def as_others() -> None:
    """Keep to the modes of files, as everybody but root has to; root on Linux gives up the right not to."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def test_a_full_disk_is_one_error_and_the_next_run_finishes(torn: Scratch) -> None:
    before = store(torn)
    done = typed(torn, "--fix", before=full_disk)
    assert done.returncode not in (0, 1), done.stdout
    assert "File too large" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert store(torn) == before
    assert typed(torn, "--fix").returncode == 0


def test_a_store_that_may_only_be_read_is_one_error(torn: Scratch) -> None:
    everything = [torn.top, *torn.top.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = store(torn)
    probe = subprocess.run(["test", "-w", str(torn.data)], preexec_fn=as_others, check=False)
    done = typed(torn, "--fix", before=as_others)
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if probe.returncode == 0:
        pytest.skip("no mode of a file binds this user")
    assert done.returncode not in (0, 1), done.stdout
    assert "ermission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert store(torn) == before
    assert typed(torn, "--fix").returncode == 0


@pytest.mark.parametrize("place", ["issues/{issue}.json", "index.json", "events.jsonl", "gates.json"])
def test_a_directory_where_a_record_should_be_is_named_and_left(scratch: Scratch, place: str) -> None:
    path = scratch.data / place.format(issue=scratch.ids[0])
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("somebody's")
    before = store(scratch)
    done = typed(scratch, "--fix", "--unsafe-fixes")
    assert done.returncode != 0
    assert path.name in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert (path / "mine.txt").read_text() == "somebody's"
    after = store(scratch)
    assert {name: after[name] for name in before} == before
    shutil.rmtree(path)
    path.write_bytes(kept)
    assert typed(scratch).returncode == 0


def put_file(journal: Path) -> None:
    journal.parent.mkdir(parents=True)
    journal.write_text("a file")


def put_link(journal: Path) -> None:
    (journal.parent.parent / "elsewhere").mkdir()
    journal.parent.mkdir(parents=True)
    journal.symlink_to(journal.parent.parent / "elsewhere")


@pytest.mark.parametrize("stranger", [put_file, put_link])
def test_what_stands_where_the_journal_should_be_stops_the_repair(
    torn: Scratch, stranger: Callable[[Path], None]
) -> None:
    journal = torn.top / ".git" / "jit-hooks" / "journal"
    stranger(journal)
    before = store(torn)
    for words in (("--fix",), ("undo",)):
        done = typed(torn, *words)
        assert done.returncode not in (0, 1), done.stdout
        assert "Traceback" not in done.stderr
        assert "journal" in done.stderr
    assert store(torn) == before
    assert not list((torn.top / ".git").glob("elsewhere/*"))
    journal.unlink()
    assert typed(torn, "--fix").returncode == 0


@pytest.mark.parametrize("bytes_", [b"", b'{"format": 1, "entry"', b"\0" * 200, b'{"format": 99}'])
def test_a_torn_journal_stops_no_repair_and_is_told(torn: Scratch, bytes_: bytes) -> None:
    assert typed(torn, "--fix").returncode == 0
    entries = torn.top / ".git" / "jit-hooks" / "journal" / "entries"
    (entries / "2.json").write_bytes(bytes_)
    listed = typed(torn, "undo", "--list")
    assert (listed.returncode, "Traceback" in listed.stderr) == (0, False)
    assert "torn" in listed.stdout or "newer" in listed.stdout
    issue = torn.top / torn.issue(torn.ids[1])
    issue.write_bytes(issue.read_bytes()[:-40])
    assert typed(torn, "--fix").returncode == 0
    assert typed(torn, "undo").returncode == 0
    assert (entries / "2.json").read_bytes() == bytes_
