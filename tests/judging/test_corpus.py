"""Real stores: the tracker's own history, and stores made by running it. Skipped where the corpus is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from project import CORPUS

from jit_hooks.checks import CHECKS
from jit_hooks.disk import machine
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.commits import judge_range
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.judging.report import Report

BUNDLE = CORPUS / "just-in-time-jit-history.bundle"
MADE = CORPUS / "tracker-made"
SAMPLES = CORPUS / "tracker-v1-samples"

pytestmark = pytest.mark.skipif(not BUNDLE.exists(), reason="the corpus is not here")

JUDGED = tuple(row for row in CHECKS if row.family != "document")
"""The corpus holds the store alone, so the documents that its issues name are not in it."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the real store with its history."""
    top = tmp_path_factory.mktemp("real") / "store"
    subprocess.run(["git", "clone", "-q", "-b", "main", str(BUNDLE), str(top)], check=True)
    return top


def commit_of(top: Path, source: str) -> str:
    """The commit that stands for a commit of the tracker's own repository."""
    command = ["git", "log", "--format=%H", f"--grep=source commit {source}"]
    return subprocess.run(command, cwd=top, capture_output=True, text=True, check=True).stdout.strip()


def git(top: Path, *arguments: str) -> str:
    """One git command."""
    return subprocess.run(["git", *arguments], cwd=top, capture_output=True, text=True, check=True).stdout.strip()


def test_the_head_of_the_real_store_has_no_error(real: Path) -> None:
    repository = Repository(Git(str(real)))
    head = repository.commits.resolve("HEAD")
    assert head is not None
    report = judge(Request("worktree", str(real / ".jit"), repository, (head,)))
    assert report.exit_code == 0
    assert [problem for problem in report.problems + report.carried if problem.severity == "error"] == []


def test_the_only_errors_of_the_whole_history_are_real_faults(real: Path) -> None:
    repository = Repository(Git(str(real)))
    report = judge_range(repository, "HEAD", checks=JUDGED, every_commit=True)
    assert report is not None
    found = Counter(problem.code for problem in report.errors)
    assert found == {"dependency-missing": 1, "index-misses-issue": 1, "machine-file-tracked": 2}
    brought = {problem.code: problem.commit for problem in report.errors}
    assert brought["dependency-missing"] == commit_of(real, "810d477d")
    assert brought["index-misses-issue"] == commit_of(real, "53bca2a7")


def replay(real: Path, top: Path, source: str, *, healed: str) -> tuple[int, str]:
    """Commit again what a real commit committed, on its real parent, with the worktree of a later one.

    Gives the hook's exit code and what it says.
    """
    shutil.copytree(real, top)
    commit = commit_of(real, source)
    git(top, "checkout", "-q", f"{commit}^")
    git(top, "read-tree", "-u", "--reset", healed)
    git(top, "read-tree", commit)
    done = subprocess.run(
        [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"],
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_commit_that_forgot_the_issue_index_is_refused(real: Path, tmp_path: Path) -> None:
    later = f"{commit_of(real, '53bca2a7')}..main"
    healed = git(real, "rev-list", "--reverse", later, "--", ".jit/index.json").splitlines()[0]
    code, said = replay(real, tmp_path / "replay", "53bca2a7", healed=healed)
    assert code == 1
    assert "error[index-misses-issue]  .jit/index.json:" in said
    assert "git add " in said
    assert ".jit/index.json" in said.partition("git add ")[2].splitlines()[0]


def test_the_commit_that_forgot_a_dependency_is_refused(real: Path, tmp_path: Path) -> None:
    commit = commit_of(real, "810d477d")
    later = git(real, "rev-list", "--reverse", f"{commit}..main").splitlines()
    code, said = replay(real, tmp_path / "replay", "810d477d", healed=later[0])
    assert code == 1
    assert "error[dependency-missing]  .jit/issues/92bf3a9b-" in said
    assert ".jit/issues/fe91699f-" in said.partition("git add ")[2].splitlines()[0]


def test_a_commit_that_carries_its_parents_fault_is_not_blocked(real: Path, tmp_path: Path) -> None:
    code, said = replay(real, tmp_path / "replay", "814b0b03", healed=commit_of(real, "814b0b03"))
    assert (code, said) == (0, "")


def judge_folder(store: Path, top: Path) -> Report:
    """The verdict on a store outside git."""
    shutil.copytree(store, top / ".jit")
    return judge(Request("worktree", str(top / ".jit"), None, checks=JUDGED))


def codes(report: Report) -> dict[str, str]:
    """Code to severity."""
    return {problem.code: problem.severity for problem in report.problems}


@pytest.mark.parametrize("name", ["healthy/store", "linked/store-0-as-checked-out", "linked/main-store"])
def test_what_the_tracker_made_has_no_error(name: str, tmp_path: Path) -> None:
    assert "error" not in codes(judge_folder(MADE / name, tmp_path)).values()


CRASHED = {
    "C02-issue-not-in-index": "index-misses-issue",
    "C03-no-created-event": "event-created-missing",
    "C04-no-final-newline": "event-log-unterminated",
    "C04-torn-line": "event-unparsable",
    "C05-two-on-one-line": "event-unparsable",
    "C05-fragment-then-object": "event-unparsable",
    "C06-state-without-event": "event-state-mismatch",
    "C07-done-without-completed": "event-completed-missing",
    "C08-gate-event-without-gate": "gate-event-unmatched",
    "C08-gate-removed-event-only": "gate-event-unmatched",
    "C10-run-without-status": "run-status-mismatch",
    "C11-status-without-event": "event-gate-mismatch",
    "C12-gated-all-passed": "gated-not-open",
    "C13-dependents-not-unblocked": "backlog-not-blocked",
    "C14-delete-before-index": "index-lists-missing",
    "C15-delete-without-event": "event-deleted-missing",
}
"""What a kill between two writes leaves, in the families judged here."""


@pytest.mark.parametrize(("name", "code"), CRASHED.items(), ids=CRASHED)
def test_a_crash_of_the_tracker_is_seen(name: str, code: str, tmp_path: Path) -> None:
    assert code in codes(judge_folder(MADE / "crashed" / name / "store", tmp_path))


def judge_machine(name: str, top: Path, now: str) -> Counter[str]:
    """What families runtime and claim say of a state: its store, control plane and documents, left two days ago."""
    source = MADE / name
    top.mkdir(exist_ok=True)
    git(top, "init", "-q")
    if name.startswith("crashed/"):
        before = MADE / "crashed" / "before"
        shutil.copytree(before / "store", top / ".jit")
        shutil.rmtree(top / ".jit" / "issues")
    shutil.copytree(source / "store", top / ".jit", dirs_exist_ok=True)
    if name.startswith("crashed/C21"):  # the category was configured for these runs, and that is not kept
        with (top / ".jit" / "config.toml").open("a") as config:
            config.write('\n[documentation.categories]\nstudy = "studies"\n')
    if (source / "control").exists():
        shutil.copytree(source / "control", top / ".git" / "jit")
    for path in [*(top / ".jit").rglob("*"), *(top / ".git").rglob("*")]:
        os.utime(path, (LEFT, LEFT))
    listing = source / "worktree-files.txt"
    for line in listing.read_text().splitlines() if listing.exists() else ():
        document = top / line.split("  ")[1]
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(line.split("  ")[0])
    checks = tuple(row for row in CHECKS if row.family in ("runtime", "claim"))
    repository = Repository(Git(str(top)))
    found = judge(Request("worktree", str(top / ".jit"), repository, checks=checks, now=now))
    repository.close()
    return Counter(problem.code for problem in found.problems)


LEFT, SOON, LATER = 1_795_384_800, "2026-11-22T21:45:00Z", "2026-11-24T22:00:00Z"
"""When the states were made, on file and by the clock of the tracker, and two days later."""

LEFT_BEHIND = {
    "C01-temp-whole": {"temp-stale": 1},
    "C01-temp-empty": {"temp-stale": 1},
    "C01-temp-gates": {"temp-stale": 1},
    "C02-issue-not-in-index": {"temp-stale": 1},
    "C06-state-without-event": {},
    "C09-run-dir-empty": {"temp-stale": 1},
    "C09-run-temp-only": {"temp-stale": 1},
    "C14-delete-before-index": {"temp-stale": 1},
    "C17-acquire-not-in-index": {
        "claims-index-mismatch": 1,
        "lease-without-assignee": 1,
        "lock-meta-stale": 1,
        "temp-stale": 1,
    },
    "C17-release-not-in-index": {"claims-index-mismatch": 1, "lock-meta-stale": 1, "temp-stale": 1},
    "C18-claims-torn": {"claim-unparsable": 1, "lock-meta-stale": 1},
    "C18-claims-glued": {"claim-unparsable": 1},
    "C19-lock-meta-left": {"lock-meta-stale": 1},
    "C19-lock-meta-empty": {"lock-meta-stale": 1},
    "C20-lease-without-assignee": {"lease-without-assignee": 1, "temp-stale": 1},
    "C21-archive-staged": {"archive-unfinished": 1},
    "C21-archive-copied": {"archive-unfinished": 1, "temp-stale": 1},
    "C21-archive-no-event": {"archive-unfinished": 1},
}
"""What each crash leaves on the machine, as one finds it two days later: all writers are dead by then."""


@pytest.mark.parametrize(("name", "expected"), LEFT_BEHIND.items(), ids=LEFT_BEHIND)
def test_what_a_crash_leaves_on_the_machine_is_seen(
    name: str, expected: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "is_dead", lambda _: True)  # their ids may be those of others by now
    found = judge_machine(f"crashed/{name}", tmp_path, LATER)
    leases = {"lease-expired": found["lease-expired"]} if found["lease-expired"] else {}
    assert found == expected | leases


def test_real_leases_have_no_error(tmp_path: Path) -> None:
    assert judge_machine("healthy", tmp_path / "now", SOON) == {}
    assert judge_machine("healthy", tmp_path / "later", LATER) == {"lease-expired": 2}


LEFT_INVALID = {
    "normal-but-invalid/delete-leaves-dangling-dependency": "dependency-missing",
    "normal-but-invalid/gate-removed-while-required": "gate-unregistered",
    "normal-but-invalid/new-issue-is-isolated": "issue-isolated",
    "normal-but-invalid/dep-add-makes-redundant-edge": "dependency-redundant",
    "normal-but-invalid/deleted-issue-saved-again-by-full-id": "index-deleted-alive",
    "normal-but-invalid/state-saved-event-lock-timeout": "event-state-mismatch",
    "raced/cycle-by-two-dep-adds": "dependency-cycle",
    "raced/deleted-and-saved": "index-deleted-alive",
}
"""What plain commands and races of June's tracker leave, with exit code 0."""


@pytest.mark.parametrize(("name", "code"), LEFT_INVALID.items(), ids=LEFT_INVALID)
def test_what_the_tracker_leaves_with_exit_code_0_is_seen(name: str, code: str, tmp_path: Path) -> None:
    assert code in codes(judge_folder(MADE / name / "store", tmp_path))


def test_the_samples_of_v1_load(tmp_path: Path) -> None:
    store = tmp_path / ".jit"
    shutil.copytree(SAMPLES / "issues", store / "issues")
    shutil.copytree(SAMPLES / "gate-runs", store / "gate-runs")
    shutil.copy(SAMPLES / "events-tail-84e0cba0.jsonl", store / "events.jsonl")
    shutil.copy(SAMPLES / "gates-7ba66f57.toml", store / "gates.toml")
    shutil.copy(SAMPLES / "config-03677b65.toml", store / "config.toml")
    report = judge(Request("worktree", str(store), None, checks=JUDGED))
    bad = {
        "issue-malformed",
        "run-malformed",
        "event-malformed",
        "event-unparsable",
        "registry-malformed",
        "unknown-key",
    }
    assert bad.isdisjoint(codes(report)), [p for p in report.problems if p.code in bad]
    assert "layout-not-canonical" not in codes(report)
