"""The facts of one machine, gathered from a real disk that means harm, and what a verdict makes of them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from jit_hooks.checks import BY_CODE
from jit_hooks.cli.place import find_place, request_for
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import BusyError, NotSettledError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.store.layout import CLAIMS, CLAIMS_INDEX, CLAIMS_LOCK
from jit_hooks.store.snapshot import Entry, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Repo

NOW, EPOCH = "2026-06-01T12:00:00Z", 1_780_315_200
META = "control:locks/claims.lock.meta"


@pytest.fixture
def control(repo: Repo) -> Path:
    """The control plane of the repository, with a lock file that nobody holds."""
    found = repo.top / ".git" / "jit"
    (found / "locks").mkdir(parents=True)
    (found / "locks" / "claims.lock").touch()
    return found


def snapshot_of(top: Path, now: str = NOW) -> WorktreeSnapshot:
    return WorktreeSnapshot(str(top / ".jit"), Repository(Git(str(top))), now)


@pytest.fixture
def snapshot(repo: Repo, control: Path) -> WorktreeSnapshot:
    """A snapshot that has not looked yet."""
    assert control.is_dir()
    return snapshot_of(repo.top)


@pytest.fixture(scope="module")
def dead() -> int:
    """The id of a process that was."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@contextmanager
def held(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def names_below(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*") if ".git/objects" not in str(path))


def codes(repo: Repo, now: str = NOW) -> set[str]:
    """The codes of what a verdict on the worktree says."""
    place = find_place(str(repo.top))
    request = request_for(place, "worktree")
    assert request is not None
    report = judge(Request(request.source, request.root, request.repository, request.parents, now=now, wait=0.0))
    place.close()
    return {problem.code for problem in report.problems + report.carried}


def test_processes_that_run_and_those_that_do_not(repo: Repo, snapshot: WorktreeSnapshot, dead: int) -> None:
    own = os.getpid()
    ids = [own, dead, 1, 0, 2**31, 10**19]
    for one in ids:
        repo.write(f".index.json.{one}.0.tmp", b"")
    assert snapshot.machine.dead == {dead, 0, 2**31, 10**19}


def test_metadata_names_its_holder(control: Path, snapshot: WorktreeSnapshot, dead: int) -> None:
    (control / "locks" / "claims.lock.meta").write_text(json.dumps({"pid": dead}))
    (control / "locks" / "other.lock.meta").write_text(json.dumps({"pid": os.getpid()}))
    assert snapshot.machine.dead == {dead}
    assert snapshot.machine.free == {CLAIMS_LOCK, "control:locks/other.lock"}
    assert not (control / "locks" / "other.lock").exists()


def test_a_held_lock_is_not_free_and_is_not_let_go(control: Path, snapshot: WorktreeSnapshot) -> None:
    (control / "locks" / "claims.lock.meta").touch()
    with held(control / "locks" / "claims.lock"):
        assert snapshot.machine.free == set()
        with pytest.raises(BlockingIOError), (control / "locks" / "claims.lock").open() as other:
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_a_lock_that_is_no_file_is_never_free(control: Path, snapshot: WorktreeSnapshot, make: object) -> None:
    (control / "locks" / "claims.lock.meta").touch()
    (control / "locks" / "claims.lock").unlink()
    assert callable(make)
    make(control / "locks" / "claims.lock")
    assert snapshot.machine.free == set()


@pytest.mark.parametrize(
    ("now", "age"),
    [(NOW, 10.0), ("2026-06-01T14:00:00.000000001+02:00", 10.0), ("", None), ("today", None)],
)
def test_ages_are_counted_to_the_time_of_the_request(repo: Repo, now: str, age: float | None) -> None:
    temp = repo.write("a.tmp", b"")
    os.utime(temp, (EPOCH - 10, EPOCH - 10))
    assert snapshot_of(repo.top, now).machine.ages.get("a.tmp") == age


def test_looking_makes_nothing(repo: Repo, control: Path, snapshot: WorktreeSnapshot) -> None:
    repo.write(".index.json.99999999.0.tmp", b"")
    (control / "locks" / "claims.lock.meta").touch()
    (control / "claims.index.tmp").touch()
    (control / "locks" / "claims.lock").unlink()
    before = names_below(repo.top)
    assert snapshot.machine.free == {CLAIMS_LOCK}
    snapshot.read_again([CLAIMS, CLAIMS_INDEX], 0.0)
    assert codes(repo) >= {"temp-stale", "lock-meta-stale"}
    assert names_below(repo.top) == before


def test_the_control_plane_is_listed_and_no_link_is_followed(control: Path, snapshot: WorktreeSnapshot) -> None:
    outside = control.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("{}")
    (control / "claims.jsonl").symlink_to(outside / "secret")
    os.mkfifo(control / "claims.index.json")
    (control / "heartbeat").symlink_to(outside)
    (control / "deep" / "deeper").mkdir(parents=True)
    assert snapshot.control_entries() == {
        CLAIMS: Entry("link"),
        CLAIMS_INDEX: Entry("unreadable"),
        "control:heartbeat": Entry("link"),
        CLAIMS_LOCK: Entry("file"),
    }
    assert snapshot.read(CLAIMS) is None
    assert snapshot.read(CLAIMS_INDEX) is None
    assert not any(path.startswith("control:") for path in snapshot.entries())


@pytest.mark.parametrize("name", ["", "locks"])
def test_a_directory_that_is_a_link_is_not_entered(repo: Repo, control: Path, name: str) -> None:
    real = control / name
    aside = repo.top / "aside"
    real.rename(aside)
    real.symlink_to(aside)
    (aside / "claims.jsonl").write_text("{")
    (control / "claims.index.tmp").touch()
    entries = snapshot_of(repo.top).control_entries()
    assert entries is not None
    linked = {"control:locks": Entry("link"), "control:claims.index.tmp": Entry("file")}
    assert entries == (linked if name else {"control:.": Entry("unreadable")})
    assert ("claim-unparsable" in codes(repo)) == (name == "")
    assert "temp-stale" not in codes(repo)
    with held(aside / "claims.lock" if name else aside / "locks" / "claims.lock"):
        snapshot_of(repo.top).read_again([CLAIMS], 0.0)


def test_without_a_control_plane_there_is_nothing_to_say(repo: Repo, tmp_path: Path) -> None:
    assert snapshot_of(repo.top).control_entries() == {}
    assert WorktreeSnapshot(str(tmp_path), None, NOW).control_entries() is None
    assert WorktreeSnapshot(str(tmp_path), None, NOW).read(CLAIMS) is None
    assert not any(BY_CODE[code].family in ("runtime", "claim") for code in codes(repo))


def test_a_linked_worktree_shares_the_control_plane(repo: Repo, control: Path) -> None:
    (control / "claims.jsonl").write_text("{")
    repo.git("worktree", "add", "-q", "../linked")
    linked = snapshot_of(repo.top.parent / "linked")
    assert linked.read(CLAIMS) == b"{"
    assert linked.repository is not None
    assert linked.repository.top_path(CLAIMS) == str(control / "claims.jsonl")


def test_a_log_over_the_limit_is_not_read(repo: Repo, control: Path) -> None:
    with (control / "claims.jsonl").open("wb") as log:
        log.truncate(2 * 1024**3)
    found = snapshot_of(repo.top).read(CLAIMS)
    assert isinstance(found, TooLarge)
    assert "claim-unparsable" in codes(repo)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("docs/there.md", b"x"),
        ("docs/link.md", None),
        ("linked/there.md", None),
        ("docs/../docs/there.md", None),
        ("../outside.md", None),
        ("/etc/passwd", None),
        ("docs//there.md", None),
        ("docs", None),
        ("docs/pipe", None),
        ("docs/there.md/x", None),
        ("docs/a\0b", None),
        ("", None),
    ],
)
def test_documents_are_read_below_the_directory_alone(repo: Repo, path: str, data: bytes | None) -> None:
    docs = repo.top / "docs"
    docs.mkdir()
    (docs / "there.md").write_bytes(b"x")
    (repo.top.parent / "outside.md").write_bytes(b"x")
    (docs / "link.md").symlink_to("there.md")
    (repo.top / "linked").symlink_to("docs")
    os.mkfifo(docs / "pipe")
    assert snapshot_of(repo.top).read_document(path) == data


def test_claims_are_read_again_under_their_lock(control: Path, snapshot: WorktreeSnapshot) -> None:
    (control / "claims.jsonl").write_text("")
    assert snapshot.read(CLAIMS) == b""
    with held(control / "locks" / "claims.lock"):
        with pytest.raises(BusyError):
            snapshot.read_again([CLAIMS], 0.0)
        assert snapshot.read_again(["index.json"], 0.0).read(CLAIMS) == b""


def test_a_bad_claim_under_a_held_lock_is_busy(repo: Repo, control: Path) -> None:
    (control / "claims.jsonl").write_text("{")
    with held(control / "locks" / "claims.lock"), pytest.raises(BusyError):
        codes(repo)
    assert "claim-unparsable" in codes(repo)


def test_facts_are_gathered_again_under_the_locks(repo: Repo, snapshot: WorktreeSnapshot, dead: int) -> None:
    temp = repo.write(f".index.json.{dead}.0.tmp", b"")
    assert snapshot.machine.dead == {dead}
    temp.unlink()
    again = snapshot.read_again([], 0.0)
    assert again.machine.dead == set()
    assert again.now == NOW


def test_a_temp_that_is_renamed_meanwhile_is_no_matter(repo: Repo, dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    temp = repo.write(f"issues/.x.json.{dead}.0.tmp", b"")
    read_again = WorktreeSnapshot.read_again

    def end_and_read(self: WorktreeSnapshot, paths: list[str], wait: float) -> WorktreeSnapshot:
        temp.unlink(missing_ok=True)
        return read_again(self, paths, wait)

    monkeypatch.setattr(WorktreeSnapshot, "read_again", end_and_read)
    assert "temp-stale" not in codes(repo)


def check(repo: Repo, *arguments: str) -> subprocess.CompletedProcess[str]:
    entry = "from jit_hooks.cli import check; check()"
    done = [sys.executable, "-c", entry, *arguments]
    return subprocess.run(done, cwd=repo.top, capture_output=True, text=True, check=False)


TRANSACTION = f"tmp/transactions/{'0' * 32}"


@pytest.mark.parametrize(
    ("path", "exit_code", "said"),
    [
        (f"{TRANSACTION}/stages/file-0", 0, "note[transaction-residue]"),
        ("tmp/transactions/notes.txt", 1, "error[transaction-foreign]"),
        (f"{TRANSACTION}/journal.json", 3, "jit-check --fix --unsafe-fixes"),
    ],
)
def test_what_a_leftover_of_a_transaction_ends_with(repo: Repo, path: str, exit_code: int, said: str) -> None:
    repo.write(path, b"{")
    done = check(repo, "--verbose")
    assert (done.returncode, said in done.stdout + done.stderr) == (exit_code, True), done.stdout + done.stderr


def test_a_transaction_that_waits_is_not_judged(repo: Repo) -> None:
    repo.write(f"{TRANSACTION}/journal.json", b'{"decision": "prepared"}')
    done = check(repo, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"], report["problems"]) == (3, "not-judged", [])
    with pytest.raises(NotSettledError) as caught:
        codes(repo)
    assert (caught.value.code, caught.value.remedy) == ("transaction-pending", "jit recover")


def test_a_problem_of_the_control_plane_is_new_and_has_a_place(repo: Repo, control: Path) -> None:
    (control / "claims.jsonl").write_text('{"seq": 1}\n{"seq": 2')
    done = check(repo, "--json", "--select", "claim")
    report = json.loads(done.stdout)
    assert (done.returncode, report["carried"]) == (1, {})
    torn = next(problem for problem in report["problems"] if problem["code"] == "claim-unparsable")
    assert (torn["path"], torn["line"], torn["introduced"]) == ("<git common dir>/jit/claims.jsonl", 2, True)


def test_the_clock_of_the_command_sees_a_lease_that_is_over(repo: Repo, control: Path) -> None:
    began, ends = "2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z"
    times = {"acquired_at": began, "expires_at": ends, "last_beat": began, "ttl_secs": 3600}
    who = {"lease_id": "l", "issue_id": "i", "agent_id": "a:b", "worktree_id": "w"}
    line = {"schema_version": 1, "seq": 1, "timestamp": began, "op": "acquire", **who, **times}
    (control / "claims.jsonl").write_text(json.dumps(line) + "\n")
    done = check(repo, "--json", "--select", "lease-expired")
    assert [problem["record"] for problem in json.loads(done.stdout)["problems"]] == ["l"]
    assert done.returncode == 0
