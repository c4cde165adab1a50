"""The two commands as real processes in real repositories: what they print, and what they end with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from jit_hooks import __version__, schemas
from jit_hooks.cli import shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

FAMILIES = "file,index,issue,dependency"
"""Enough for these tests: what each check finds is tested where the checks are."""

ENTRY = "import sys; sys.argv[0] = 'x'; from jit_hooks.cli import {0}; {0}()"


def command(function: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", ENTRY.format(function), *arguments]


def run(function: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(function, *arguments),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def check(cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    selected = () if "--select" in arguments else ("--select", FAMILIES, "--ignore", "layout-not-canonical")
    return run("check", *arguments, *selected, cwd=cwd, **environment)


def forget_the_index(repo: Repo, number: int = 3, title: str = "Third") -> str:
    """A new issue that is staged, its entry of the issue index only in the worktree; its id."""
    index = json.loads((repo.store / "index.json").read_text())
    own = repo.issue(number, title)
    repo.index(*index["all_ids"], own)
    repo.git("add", f".jit/issues/{own}.json")
    return own


def test_a_healthy_store(repo: Repo) -> None:
    done = check(repo.top)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "jit-check: the issue store in the worktree is healthy (5 records judged)\n"


def test_the_printed_remedy_works_when_pasted_from_where_it_was_typed(repo: Repo) -> None:
    forget_the_index(repo)
    typed = repo.top / "d" / "e f"
    typed.mkdir(parents=True)
    refused = check(typed, "--staged")
    assert refused.returncode == 1
    assert "error[index-misses-issue]  .jit/index.json:" in refused.stdout
    remedy = next(line.split("to fix:  ")[1] for line in refused.stdout.splitlines() if "to fix:" in line)
    assert remedy == "git add :/.jit/index.json"
    subprocess.run(remedy, shell=True, cwd=typed, check=True)
    assert check(typed, "--staged").returncode == 0


@pytest.mark.parametrize("prefix", ["", "with blank/", "-d/", "gl[o]b/", "n\new/", ":x/"])
def test_remedies_work_for_any_name(repo: Repo, prefix: str) -> None:
    top = repo.top
    if prefix:
        (top / prefix).mkdir()
        repo.git("mv", "--", ".jit", f"./{prefix}.jit")
        repo.git("commit", "-q", "-m", "moved")
        repo.store = top / prefix / ".jit"
    own = repo.issue(3)
    repo.index(*json.loads((repo.store / "index.json").read_text())["all_ids"], own)
    repo.git("--literal-pathspecs", "add", "--", f"{prefix}.jit/issues/{own}.json")
    refused = check(top, "--staged", JIT_DATA_DIR=f"{prefix}.jit")
    assert refused.returncode == 1, refused
    remedy = next(line.split("to fix:  ")[1] for line in refused.stdout.splitlines() if "to fix:" in line)
    subprocess.run(["bash", "-c", remedy], cwd=top, check=True)
    assert check(top, "--staged", JIT_DATA_DIR=f"{prefix}.jit").returncode == 0


def test_the_json_report_is_valid(repo: Repo) -> None:
    own = forget_the_index(repo)
    done = check(repo.top, "--staged", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    assert schemas.violations("report", document) == []
    assert document["verdict"] == "problems"
    assert document["source"] == "git-index"
    found = document["problems"][0]
    assert (found["code"], found["subject"], found["repair"]) == ("index-misses-issue", own, "stage")


def test_hostile_titles_and_names_stay_off_the_terminal(repo: Repo) -> None:
    forget_the_index(repo, title="\x1b[2J\u202eevil")
    done = check(repo.top, "--staged", "--color", "never")
    assert done.returncode == 1
    assert "\\x1b[2J\\u202eevil" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def break_it(repo: Repo) -> None:
    repo.write("index.json", "{")


def drop_the_store(repo: Repo) -> None:
    repo.git("rm", "-r", "-q", ".jit")


def nothing(_: Repo) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "arguments", "code", "said"),
    [
        pytest.param(break_it, [], 1, "error[json-unparsable]  .jit/index.json:1", id="problems"),
        pytest.param(nothing, ["--staged"], 0, "in the git index is healthy", id="staged"),
        pytest.param(nothing, ["--commit", "HEAD"], 0, "is healthy", id="commit"),
        pytest.param(nothing, ["--range", "HEAD"], 0, "(1 commit judged)", id="range"),
        pytest.param(break_it, ["--quiet", "--staged"], 0, "", id="quiet"),
        pytest.param(drop_the_store, ["--staged"], 1, "error[issue-vanished]", id="the whole store is gone"),
        pytest.param(nothing, ["--version"], 0, f"jit-check {__version__}", id="version"),
        pytest.param(nothing, ["--help"], 0, "EXIT STATUS", id="help"),
        pytest.param(nothing, ["--only", "00000002"], 0, "only what touches issue 00000002-", id="only"),
    ],
)
def test_what_is_judged(
    repo: Repo, prepare: Callable[[Repo], None], arguments: list[str], code: int, said: str
) -> None:
    prepare(repo)
    done = check(repo.top, *arguments)
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout
    assert bool(done.stdout) == bool(said)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--select", "index-mises-issue"], 2, "did you mean index-misses-issue?", id="unknown code"),
        pytest.param(["--ignore", "indx"], 2, "did you mean index?", id="unknown family"),
        pytest.param(["--select", "file", "--ignore", "file"], 2, "no check to make", id="nothing left"),
        pytest.param(["--staged", "--commit", "HEAD"], 2, "are two sources", id="two sources"),
        pytest.param(["--output-format", "jsn"], 2, "did you mean json?", id="unknown format"),
        pytest.param(["--json", "--output-format", "text"], 2, "two formats", id="two formats"),
        pytest.param(["--color", "pink"], 2, "auto, always, never", id="color"),
        pytest.param(["--nonsense"], 2, "No such option: --nonsense", id="unknown option"),
        pytest.param(["a", "b"], 2, "b", id="two places"),
        pytest.param(["--every-commit"], 2, "--every-commit goes with --range", id="every commit of nothing"),
        pytest.param(["nowhere"], 2, "nowhere is not a directory", id="no such place"),
        pytest.param([".jit/index.json"], 2, "is not a directory", id="a file for a place"),
        pytest.param(["--only", "ffff"], 2, "no issue has an id", id="only nobody"),
        pytest.param(["--only", "0000000"], 2, "2 issues have an id", id="only too many"),
        pytest.param(["--commit", ""], 3, "names no commit", id="an empty commit"),
        pytest.param(["--range", ""], 3, "names no commit", id="an empty range"),
        pytest.param(["--staged", "--commit", ""], 2, "are two sources", id="two sources, one empty"),
        pytest.param([""], 2, "is not a directory", id="an empty directory"),
        pytest.param(["--range", "--all"], 2, "is no range", id="an option for a range"),
        pytest.param(["--commit", "nope"], 3, "the revision nope names no commit", id="revision"),
        pytest.param(["--commit", "--help"], 3, "names no commit", id="an option for a revision"),
        pytest.param(["--range", "nope..HEAD"], 3, "does not resolve", id="range"),
        pytest.param(["--output-file", "no/where"], 3, "cannot write no/where", id="unwritable report"),
    ],
)
def test_a_failure_is_one_clear_line_on_stderr(
    repo: Repo,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(repo.top)
    selected = [] if "--select" in arguments else ["--select", "index"]
    assert shell.run("jit-check", "check_app", [*arguments, *selected]) == code
    out, err = capsys.readouterr()
    assert out == ""
    first, *rest = err.splitlines()
    assert first.startswith("jit-check: ")
    assert said in first
    assert all(line.startswith("  to fix:  ") for line in rest)


def test_a_typo_in_the_settings(repo: Repo) -> None:
    repo.write("hooks.toml", "[severty]\n")
    done = check(repo.top)
    assert done.returncode == 2
    assert "did you mean `severity`?" in done.stderr


def test_not_judged_in_json(repo: Repo) -> None:
    done = check(repo.top, "--json", "--commit", "nope")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert schemas.violations("report", document) == []
    assert document["verdict"] == "not-judged"
    assert "nope" in document["stats"]["reason"]
    assert done.stderr.startswith("jit-check: not judged: the revision nope")


# Places


def test_no_store_at_all(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "empty")], check=True)
    for place in (tmp_path, tmp_path / "empty"):
        done = check(place)
        assert (done.returncode, done.stdout) == (0, "jit-check: nothing to judge: there is no issue store here\n")
    assert check(tmp_path / "empty", "--staged").returncode == 0
    document = json.loads(check(tmp_path, "--json").stdout)
    assert schemas.violations("report", document) == []


def test_outside_git_the_worktree_is_judged_without_parents(repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    repo.store.rename(outside / ".jit")
    assert check(outside).returncode == 0
    (outside / ".jit" / "index.json").write_text("{")
    assert check(outside).returncode == 1
    assert check(outside, "--staged").returncode == 2


def test_an_unborn_head(tmp_path: Path) -> None:
    from conftest import Repo

    fresh = Repo(tmp_path)
    fresh.git("init", "-q")
    fresh.index(fresh.issue(1))
    assert check(tmp_path).returncode == 0
    fresh.git("add", "-A")
    assert check(tmp_path, "--staged").returncode == 0
    fresh.git("rm", "-q", "--cached", ".jit/index.json")
    assert check(tmp_path, "--staged").returncode == 1


def test_a_store_above_beside_and_elsewhere(repo: Repo, tmp_path: Path) -> None:
    below = repo.top / "a" / "b"
    below.mkdir(parents=True)
    repo.write("index.json", "{")
    assert check(below).returncode == 1
    assert check(tmp_path, str(repo.top)).returncode == 1
    assert check(tmp_path, str(below)).returncode == 1
    assert check(tmp_path, JIT_DATA_DIR=str(repo.store)).returncode == 1
    assert check(repo.top, JIT_DATA_DIR="elsewhere").returncode == 0
    assert check(repo.store / "issues").returncode == 1


def test_a_repository_named_on_the_command_line_ignores_the_variables_of_a_hook(repo: Repo, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    repo.write("index.json", "{")
    repo.commit("broken")
    inherited = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git" / "index")}
    done = check(tmp_path, str(repo.top), "--commit", "HEAD", **inherited)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_bare_repository_is_judged_at_head(repo: Repo, tmp_path: Path) -> None:
    repo.write("index.json", "{")
    repo.commit("broken")
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", ".", str(bare))
    done = check(bare)
    assert done.returncode == 1
    assert "error[json-unparsable]  .jit/index.json:1" in done.stdout
    assert check(bare, "--staged").returncode == 2
    assert check(bare, "--range", "HEAD").returncode == 1


def test_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    repo.index(*json.loads((repo.store / "index.json").read_text())["all_ids"], repo.issue(3))
    repo.commit("third")
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.top}", str(tmp_path / "shallow"))
    done = check(tmp_path / "shallow", "--commit", "HEAD")
    assert done.returncode == 0
    assert "shallow clone" in done.stdout
    ranged = check(tmp_path / "shallow", "--range", "HEAD")
    assert ranged.returncode == 3
    assert "git fetch --unshallow" in ranged.stderr


def store_is_a_file(repo: Repo) -> None:
    repo.git("rm", "-r", "-q", "--cached", ".jit")
    repo.store.rename(repo.top / "away")
    repo.store.write_text("x")


def store_is_a_link(repo: Repo) -> None:
    repo.store.rename(repo.top / "away")
    repo.store.symlink_to("away")


def git_is_damaged(repo: Repo) -> None:
    (repo.top / ".git" / "HEAD").write_text("")


def head_is_missing(repo: Repo) -> None:
    (repo.top / ".git" / "refs" / "heads" / "main").write_text("1" * 40 + "\n")


@pytest.mark.parametrize("damage", [store_is_a_file, store_is_a_link, git_is_damaged, head_is_missing])
def test_what_cannot_be_looked_at(repo: Repo, damage: Callable[[Repo], None]) -> None:
    damage(repo)
    done = check(repo.top)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("jit-check: ")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_store(repo: Repo) -> None:
    repo.store.chmod(0)
    try:
        done = check(repo.top)
    finally:
        repo.store.chmod(0o755)
    assert done.returncode == 3
    assert "cannot read" in done.stderr


def test_an_empty_store(tmp_path: Path) -> None:
    (tmp_path / ".jit").mkdir()
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


# The process


def test_a_closed_stdout_keeps_the_exit_code(repo: Repo) -> None:
    repo.write("index.json", "{")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("check", "--select", FAMILIES, "--ignore", "layout-not-canonical"),
        cwd=repo.top,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_ascii_terminal(repo: Repo) -> None:
    forget_the_index(repo, title="Épic")
    done = check(repo.top, "--staged", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "\\xc9pic" in done.stdout


def test_a_fault_of_ours_is_one_line(repo: Repo) -> None:
    broken = "import jit_hooks.cli.place as p; p.find_place = None; import jit_hooks.cli.check_app as c; "
    broken += "c.find_place = lambda _: 1 / 0; from jit_hooks.cli import check; check()"
    done = subprocess.run([sys.executable, "-c", broken], cwd=repo.top, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert "ZeroDivisionError" in done.stderr
    assert __version__ in done.stderr


def test_interrupted(repo: Repo) -> None:
    slow = "import time, jit_hooks.cli.check_app as c; "
    slow += "c.find_place = lambda _: (print('on', flush=True), time.sleep(60)); "
    slow += "from jit_hooks.cli import check; check()"
    process = subprocess.Popen(
        [sys.executable, "-c", slow], cwd=repo.top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err == "jit-check: interrupted\n"


def test_the_report_in_a_file(repo: Repo) -> None:
    repo.write("index.json", "{")
    done = check(repo.top, "--json", "--output-file", "report.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads((repo.top / "report.json").read_text())["verdict"] == "problems"


def test_all_counts_what_the_parent_has(repo: Repo) -> None:
    repo.write("index.json", "{")
    repo.commit("broken")
    assert check(repo.top).returncode == 0
    done = check(repo.top, "--all")
    assert done.returncode == 1
    assert "error[json-unparsable]" in done.stdout


# jit-hooks


def test_explain(repo: Repo) -> None:
    done = run("hooks", "explain", "index-misses-issue", cwd=repo.top)
    assert done.returncode == 0
    assert done.stdout.startswith("index-misses-issue: error, family index, repair lossless\n")
    assert "FAIL:" in done.stdout
    wrong = run("hooks", "explain", "index-miss-issue", cwd=repo.top)
    assert wrong.returncode == 2
    assert "did you mean index-misses-issue?" in wrong.stderr


def test_schema(repo: Repo) -> None:
    assert "issue" in run("hooks", "schema", cwd=repo.top).stdout.split()
    assert run("hooks", "schema", "issue", cwd=repo.top).stdout == schemas.text("issue")
    wrong = run("hooks", "schema", "isue", cwd=repo.top)
    assert wrong.returncode == 2
    assert "did you mean issue?" in wrong.stderr


def test_the_version_and_the_help_of_jit_hooks(repo: Repo) -> None:
    assert run("hooks", "--version", cwd=repo.top).stdout == f"jit-hooks {__version__}\n"
    assert "EXIT STATUS" in run("hooks", cwd=repo.top).stdout


def test_a_hook_body_starts_without_typer() -> None:
    probe = (
        "import sys, types; body = types.ModuleType('jit_hooks.hooks.entry'); "
        "body.main = lambda words: print(words, 'typer' in sys.modules) or 7; "
        "sys.modules.setdefault('jit_hooks.hooks', types.ModuleType('jit_hooks.hooks')); "
        "sys.modules['jit_hooks.hooks.entry'] = body; sys.argv = ['x', 'pre-commit', '--x']; "
        "from jit_hooks.cli import hooks; hooks()"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "['pre-commit', '--x'] False\n")
