"""The hook script: when it starts Python and what it hands on, under every shell that is here."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, new_scratch, run

from jit_hooks.git.hooks import HOOK_IDS
from jit_hooks.install.gate import CHAINED_SUFFIX, read_signature, script

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SHELLS = [
    pytest.param(words, id=words[0])
    for words in (("sh",), ("dash",), ("bash", "--posix"), ("busybox", "sh"))
    if shutil.which(words[0])
]

RAW = ":000000 100644 "


class StandIn:
    """A Python that writes down how it was started, and the gate that starts it."""

    def __init__(self, home: Path, scratch: Scratch, shell: tuple[str, ...] = ("sh",)) -> None:
        self.home = home / "it's here"
        self.scratch = scratch
        self.shell = shell
        package = self.home / "lib" / "jit_hooks" / "hooks"
        package.mkdir(parents=True)
        (package / "entry.py").touch()
        self.interpreter = self.home / "python"
        self.interpreter.write_text(
            '#!/bin/sh\nhere=${0%/*}\nprintf "%s\\n" "$@" >"$here/argv"\ncat >"$here/stdin"\nexit 7\n', encoding="utf-8"
        )
        self.interpreter.chmod(0o755)

    def run(
        self, hook: str, *arguments: str, stdin: str = "", chained: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        text = script(
            hook, str(self.interpreter), str(self.home / "lib"), self.scratch.prefix, "9.9", chained=bool(chained)
        )
        path = self.home / hook
        path.write_text(text, encoding="utf-8")
        aside = self.home / f"{hook}{CHAINED_SUFFIX}"
        aside.write_text(chained, encoding="utf-8")
        aside.chmod(0o755)
        for name in ("argv", "stdin"):
            (self.home / name).unlink(missing_ok=True)
        return run(self.scratch.top, *self.shell, str(path), *arguments, stdin=stdin, **variables)

    @property
    def argv(self) -> list[str]:
        """The words Python got after its program."""
        words = (self.home / "argv").read_text(encoding="utf-8").splitlines()
        assert words[:3] == ["-I", "-S", "-c"]
        assert words[4] == str(self.home / "lib")
        return words[5:]

    @property
    def stdin(self) -> str:
        return (self.home / "stdin").read_text(encoding="utf-8")

    @property
    def started(self) -> bool:
        return (self.home / "argv").exists()


@pytest.fixture(params=SHELLS)
def gate(request: pytest.FixtureRequest, tmp_path: Path, scratch: Scratch) -> StandIn:
    return StandIn(tmp_path, scratch, request.param)


def stage(scratch: Scratch, name: str) -> None:
    path = scratch.top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new\n", encoding="utf-8")
    git(scratch.top, "add", "--force", "--", name)


def test_a_commit_that_leaves_the_store_alone_starts_no_python(gate: StandIn) -> None:
    stage(gate.scratch, "notes.txt")
    done = gate.run("pre-commit")
    assert (done.returncode, done.stdout, gate.started) == (0, "", False)


def test_it_asks_git_once(tmp_path: Path, scratch: Scratch) -> None:
    gate = StandIn(tmp_path, scratch)
    for name in ("notes.txt", ".jit/issues/new.json"):
        stage(scratch, name)
        gate.run("pre-commit", GIT_TRACE=str(tmp_path / "trace"))
        assert (tmp_path / "trace").read_text(encoding="utf-8").count("built-in: git ") == 1
        (tmp_path / "trace").unlink()


def test_an_unstaged_change_of_the_store_starts_no_python(gate: StandIn) -> None:
    (gate.scratch.data / "index.json").write_text("torn", encoding="utf-8")
    assert gate.run("pre-commit").returncode == 0
    assert not gate.started


@pytest.mark.parametrize(
    "name", [".jit/issues/new.json", ".jit-bootstrap/x/journal.json", "jit-stage-1/a", ".merge_file_a1"]
)
def test_what_is_staged_in_the_store_or_beside_it_goes_on_with_its_names(
    tmp_path: Path, scratch: Scratch, name: str
) -> None:
    gate = StandIn(tmp_path, scratch)
    stage(scratch, name)
    assert gate.run("pre-commit").returncode == 7
    assert gate.argv == ["pre-commit", "--store", ".jit/", "--diff-on-stdin"]
    assert gate.stdin.startswith(RAW)
    assert gate.stdin.endswith(f" A\t{name}\n")


def test_the_names_are_those_git_prints(gate: StandIn) -> None:
    git(gate.scratch.top, "rm", "--quiet", gate.scratch.issue(gate.scratch.ids[0]))
    stage(gate.scratch, ".jit/issues/$HOME `date` $(x) 'a'.json")
    assert gate.run("pre-commit").returncode == 7
    assert gate.stdin == git(
        gate.scratch.top, "diff-index", "--cached", "--raw", "--no-abbrev", "--no-renames", "HEAD", "--", ".jit"
    )


def test_many_names_do_not_block(gate: StandIn) -> None:
    for number in range(3000):
        (gate.scratch.data / "issues" / f"{number:08}.json").write_text("x", encoding="utf-8")
    git(gate.scratch.top, "add", ".jit")
    assert gate.run("pre-commit").returncode == 7
    assert gate.stdin.count("\n") == 3000


def test_a_name_that_git_quotes_is_left_to_python(gate: StandIn) -> None:
    stage(gate.scratch, '.jit/issues/a"b\nc.json')
    assert gate.run("pre-commit").returncode == 7
    assert gate.argv == ["pre-commit", "--store", ".jit/"]
    assert gate.stdin == ""


def test_without_a_first_commit_python_is_asked(gate: StandIn, tmp_path: Path) -> None:
    gate.scratch = new_scratch(tmp_path / "unborn", commit=False)
    done = gate.run("pre-commit")
    assert (done.returncode, done.stdout) == (7, "")
    assert gate.argv == ["pre-commit", "--store", ".jit/"]


def test_a_repository_that_cannot_be_read_is_no_pass(gate: StandIn) -> None:
    (gate.scratch.top / ".git" / "index").write_bytes(b"torn")
    assert gate.run("pre-commit").returncode == 7


def test_a_merge_that_is_concluded_goes_on_though_nothing_is_staged(gate: StandIn) -> None:
    (gate.scratch.top / ".git" / "MERGE_HEAD").write_text("", encoding="utf-8")
    assert gate.run("pre-commit").returncode == 7
    assert gate.argv == ["pre-commit", "--store", ".jit/"]


@pytest.mark.parametrize("with_git_dir", [True, False], ids=["GIT_DIR", "no GIT_DIR"])
def test_a_linked_worktree_has_a_merge_of_its_own(tmp_path: Path, scratch: Scratch, *, with_git_dir: bool) -> None:
    gate = StandIn(tmp_path, scratch)
    git(scratch.top, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    own = scratch.top / ".git" / "worktrees" / "linked"
    scratch.top = tmp_path / "linked"
    variables = {"GIT_DIR": str(own)} if with_git_dir else {}
    (tmp_path / "work" / ".git" / "MERGE_HEAD").write_text("", encoding="utf-8")
    assert gate.run("pre-commit", **variables).returncode == 0
    (own / "MERGE_HEAD").write_text("", encoding="utf-8")
    assert gate.run("pre-commit", **variables).returncode == 7


@pytest.mark.parametrize("name", ["LITERAL", "NOGLOB", "GLOB", "ICASE"])
def test_variables_that_change_pathspecs_change_nothing(tmp_path: Path, scratch: Scratch, name: str) -> None:
    gate = StandIn(tmp_path, scratch)
    stage(scratch, ".jit-bootstrap/x")
    assert gate.run("pre-commit", **{f"GIT_{name}_PATHSPECS": "1"}).returncode == 7


@pytest.mark.parametrize("hook", ["pre-merge-commit", "post-merge"])
def test_every_other_hook_always_goes_on(gate: StandIn, hook: str) -> None:
    assert gate.run(hook, "0").returncode == 7
    assert gate.argv == [hook, "--store", ".jit/", "0"]


def test_a_store_in_a_directory_with_blanks(tmp_path: Path) -> None:
    gate = StandIn(tmp_path, new_scratch(tmp_path / "a b", prefix="my [tracker]/it's/.jit/"))
    stage(gate.scratch, ".jit/issues/elsewhere.json")
    assert gate.run("pre-commit").returncode == 0
    stage(gate.scratch, "my [tracker]/it's/.jit/issues/here.json")
    stage(gate.scratch, "my [tracker]/it's/jit-stage-1/x")
    assert gate.run("pre-commit").returncode == 7
    assert gate.argv == ["pre-commit", "--store", "my [tracker]/it's/.jit/", "--diff-on-stdin"]
    assert gate.stdin.count("\n") == 2


@pytest.mark.parametrize("hook", HOOK_IDS)
@pytest.mark.parametrize("value", ["{}", "flake8,{}", " {} ,x", "x, {},"])
def test_skip_skips_and_says_so(gate: StandIn, hook: str, value: str) -> None:
    stage(gate.scratch, ".jit/issues/new.json")
    done = gate.run(hook, SKIP=value.format(HOOK_IDS[hook]))
    assert (done.returncode, gate.started) == (0, False)
    assert done.stdout == f"jit-hooks: {hook} skipped, because SKIP names {HOOK_IDS[hook]}\n"


def test_skip_of_something_else_skips_nothing(gate: StandIn) -> None:
    stage(gate.scratch, ".jit/issues/new.json")
    assert gate.run("pre-commit", SKIP="jit-checks,*,jit-post-merge").returncode == 7
    assert gate.argv == ["pre-commit", "--store", ".jit/", "--diff-on-stdin"]


@pytest.mark.parametrize("gone", ["python", "lib/jit_hooks/hooks/entry.py"])
def test_a_python_that_is_gone_is_one_line_and_no_pass(gate: StandIn, gone: str) -> None:
    stage(gate.scratch, ".jit/issues/new.json")
    (gate.home / gone).unlink()
    done = gate.run("pre-commit")
    assert done.returncode == 3
    assert done.stdout.count("\n") == 1
    assert "jit-hooks install" in done.stdout
    assert "git commit --no-verify" in done.stdout


def test_a_hook_that_stood_there_runs_first_with_its_arguments(gate: StandIn) -> None:
    done = gate.run("post-merge", "0", "a b", chained='#!/bin/sh\necho "${0##*/}: $1, $2"\n')
    assert done.returncode == 7
    assert done.stdout == "post-merge.jit-chained: 0, a b\n"
    assert gate.argv == ["post-merge", "--store", ".jit/", "0", "a b"]


def test_what_a_hook_that_stood_there_refuses_is_refused_with_its_code(gate: StandIn) -> None:
    assert gate.run("pre-commit", chained="#!/bin/sh\nexit 42\n").returncode == 42
    assert not gate.started


def test_skip_does_not_skip_the_hook_that_stood_there(gate: StandIn) -> None:
    assert gate.run("pre-commit", chained="#!/bin/sh\nexit 42\n", SKIP="jit-check").returncode == 42


@pytest.mark.parametrize("stdin", ["", "one two\n", "a b c d\n" * 9000], ids=["empty", "one", "many"])
def test_both_hooks_get_what_git_says_on_stdin(gate: StandIn, stdin: str) -> None:
    done = gate.run("pre-push", "origin", "url", stdin=stdin, chained="#!/bin/sh\ncat\n")
    assert done.returncode == 7
    assert done.stdout == stdin
    assert gate.stdin == stdin
    assert gate.argv == ["pre-push", "--store", ".jit/", "origin", "url"]


def test_stdin_is_handed_on_when_nothing_is_chained(gate: StandIn) -> None:
    gate.run("pre-push", stdin="one two\n")
    assert gate.stdin == "one two\n"


def test_a_refusal_stands_where_stdin_is_saved(gate: StandIn) -> None:
    assert gate.run("pre-push", stdin="one\n" * 9000, chained="#!/bin/sh\nexit 42\n").returncode == 42


def test_a_script_says_who_wrote_it() -> None:
    text = script("post-merge", "/it's/my python", "/a\nb", "x y/.jit/", "1.2.3")
    signature = read_signature(text)
    assert signature is not None
    assert (signature.hook, signature.version) == ("post-merge", "1.2.3")
    assert (signature.interpreter, signature.package, signature.store) == ("/it's/my python", "/a\nb", "x y/.jit/")
    assert read_signature("#!/bin/sh\n# jit-hooks are fine\n") is None


def test_nothing_in_the_repository_is_imported(scratch: Scratch) -> None:
    """``python -m`` would put the repository first on the path: a ``json.py`` lying there ran."""
    for name in ("json", "os", "site", "jit_hooks"):
        (scratch.top / f"{name}.py").write_text("raise SystemExit(99)\n", encoding="utf-8")
    package = scratch.top.parent / "lib" / "jit_hooks" / "hooks"
    package.mkdir(parents=True)
    package.with_name("__init__.py").touch()
    (package / "entry.py").write_text(
        "import json, sys\ndef main(argv):\n    print(argv, [p for p in sys.path if p in ('', '.')])\n    return 5\n",
        encoding="utf-8",
    )
    hook = scratch.top.parent / "hook"
    lib = str(scratch.top.parent / "lib")
    hook.write_text(script("post-merge", sys.executable, lib, ".jit/", "1"), encoding="utf-8")
    done = run(scratch.top, "sh", str(hook), "0", PYTHONPATH=str(scratch.top))
    assert (done.returncode, done.stdout) == (5, "['post-merge', '--store', '.jit/', '0'] []\n")
