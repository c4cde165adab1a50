"""`jit-hooks history`: where each problem entered and where it left."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from project import CORPUS

from jit_hooks.cli import shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

BUNDLE = CORPUS / "just-in-time-jit-history.bundle"


@pytest.fixture
def history(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(repo.top)
        code = shell.run("jit-hooks", "hooks_app", ["history", *arguments])
        said = capsys.readouterr()
        assert said.err == ""
        return code, said.out

    return run


def ids(last: int) -> list[str]:
    return [f"{n:08x}-0000-4000-8000-{n:012x}" for n in range(1, last + 1)]


def elsewhere(repo: Repo, text: str) -> str:
    (repo.top / "elsewhere").write_text(text)
    return repo.commit(text)


def episodes(answer: tuple[int, str]) -> list[tuple[str, str, str | None]]:
    return [
        (one["code"], one["entered"]["commit"], one["left"] and one["left"]["commit"])
        for one in json.loads(answer[1])["episodes"]
    ]


def test_a_problem_enters_and_leaves(repo: Repo, history: Callable[..., tuple[int, str]]) -> None:
    repo.issue(3)
    entered = repo.commit("without its entry")
    elsewhere(repo, "a")
    repo.issue(1, "First, renamed")
    repo.commit("innocent")
    repo.index(*ids(3))
    left = repo.commit("with its entry")
    elsewhere(repo, "b")
    answer = history("--json")
    assert answer[0] == 0
    assert episodes(answer) == [("index-misses-issue", entered, left)]
    code, table = history()
    assert code == 0
    assert table.splitlines()[0] == "jit-hooks: 1 problem in 4 commits"
    assert f"{entered[:10]} 2024-01-01  {left[:10]} 2024-01-01  error[index-misses-issue]" in table


def test_what_is_still_there(repo: Repo, history: Callable[..., tuple[int, str]]) -> None:
    repo.issue(3, "Third", "nobody")
    entered = repo.commit("two faults")
    repo.index(*ids(3))
    left = repo.commit("one mended")
    answer = history("--json")
    assert answer[0] == 1
    assert sorted(episodes(answer)) == [
        ("dependency-missing", entered, None),
        ("index-misses-issue", entered, left),
    ]
    assert "still there" in history()[1]
    assert episodes(history("--json", "--range", f"{entered}..HEAD")) == []


def test_a_loss_leaves_when_what_was_lost_returns(repo: Repo, history: Callable[..., tuple[int, str]]) -> None:
    second = repo.store / "issues" / f"{ids(2)[1]}.json"
    kept = second.read_bytes()
    second.unlink()
    repo.index(ids(1)[0])
    entered = repo.commit("gone")
    second.write_bytes(kept)
    repo.index(*ids(2))
    left = repo.commit("back")
    assert ("issue-vanished", entered, left) in episodes(history("--json"))


def test_a_problem_that_comes_twice_is_two_episodes(repo: Repo, history: Callable[..., tuple[int, str]]) -> None:
    found = []
    for _ in range(2):
        repo.issue(3)
        repo.index(*ids(2))
        entered = repo.commit("without")
        repo.index(*ids(3))
        found.append(("index-misses-issue", entered, repo.commit("with")))
    assert [one for one in episodes(history("--json")) if one[0] == "index-misses-issue"] == found


def test_through_branches_and_merges(repo: Repo, history: Callable[..., tuple[int, str]]) -> None:
    repo.issue(3)
    entered = repo.commit("without its entry")
    repo.git("switch", "-q", "-c", "side")
    repo.issue(1, "First, renamed")
    repo.commit("side works on, still without")
    repo.git("switch", "-q", "main")
    repo.index(*ids(3))
    left = repo.commit("mended on main")
    repo.git("merge", "-q", "--no-edit", "side")
    elsewhere(repo, "later")
    assert episodes(history("--json")) == [("index-misses-issue", entered, left)]


def test_a_problem_that_a_side_branch_still_has_when_it_is_merged(
    repo: Repo, history: Callable[..., tuple[int, str]]
) -> None:
    repo.git("switch", "-q", "-c", "side")
    repo.issue(3)
    entered = repo.commit("without its entry")
    repo.git("switch", "-q", "main")
    elsewhere(repo, "main goes on")
    repo.git("merge", "-q", "--no-edit", "side")
    repo.index(*ids(3))
    left = repo.commit("mended after the merge")
    assert episodes(history("--json")) == [("index-misses-issue", entered, left)]


def test_what_could_not_be_checked_is_no_pass(repo: Repo, history: Callable[..., tuple[int, str]]) -> None:
    (repo.store / "index.json").write_text("{")
    torn = repo.commit("torn")
    repo.issue(3)
    repo.commit("nobody can tell")
    code, table = history("--range", f"{torn}..HEAD")
    assert code == 3
    assert "not checked, because the issue index does not load: index-misses-issue" in table


def test_where_there_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    assert shell.run("jit-hooks", "hooks_app", ["history"]) == 0


@pytest.mark.parametrize(("range_", "code"), [("nope", 3), ("--all", 2), ("", 3)])
def test_what_names_no_commits(repo: Repo, monkeypatch: pytest.MonkeyPatch, range_: str, code: int) -> None:
    monkeypatch.chdir(repo.top)
    assert shell.run("jit-hooks", "hooks_app", ["history", "--range", range_]) == code


def test_the_bar_moves_on_a_terminal_and_not_in_the_report(repo: Repo) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "history"]
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, cwd=repo.top, env=environment, stdout=subprocess.PIPE, stderr=slave, check=False)
    os.close(slave)
    try:
        shown = os.read(master, 1 << 16)
    finally:
        os.close(master)
    assert b"commits" in shown
    assert done.stdout == b"jit-hooks: 0 problems in 1 commits\n"


@pytest.mark.skipif(not BUNDLE.exists(), reason="the corpus is not here")
def test_the_faults_of_the_real_history(tmp_path: Path) -> None:
    top = tmp_path / "real"
    subprocess.run(["git", "clone", "-q", "-b", "main", str(BUNDLE), str(top)], check=True)
    command = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "history", "--json", str(top)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)

    def source(point: dict[str, str]) -> str:
        log = ["git", "log", "-1", "--format=%B", point["commit"]]
        said = subprocess.run(log, cwd=top, capture_output=True, text=True, check=True).stdout
        return said.removeprefix("source commit ")[:8]

    found = {one["code"]: (source(one["entered"]), source(one["left"])) for one in answer["episodes"]}
    assert found["index-misses-issue"] == ("53bca2a7", "f6db5a93")
    assert found["dependency-missing"] == ("810d477d", "4fa5dfe1")
    assert answer["stats"]["commits"] / answer["stats"]["seconds"] > 200 / 4, "a quarter of the aim, on a busy machine"
