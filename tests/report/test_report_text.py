"""The report for people, as golden strings."""

from __future__ import annotations

import pytest
from conftest import issue_id

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.judging.report import Report
from jit_hooks.problem import Graded, Problem
from jit_hooks.report.commands import git_add, quote, remedy_for, safe_command, shown_path
from jit_hooks.report.text import render
from jit_hooks.report.visible import visible
from jit_hooks.store.snapshot import Files

ONE = issue_id(1)
INDEX = b'{\n  "schema_version": 2,\n  "all_ids": [],\n  "deleted_ids": []\n}\n'


def missing(number: int = 1, title: str = "Add retry") -> Graded:
    problem = Problem(
        "index-misses-issue",
        "index.json",
        f'does not list issue {issue_id(number)[:8]} "{title}", which has a file: every clone would hide it',
        subject=issue_id(number),
        pointer="/all_ids",
    )
    return Graded(problem, "error", "lossless")


def graded(code: str, severity: str, path: str = "index.json", message: str = "is odd", **more: str) -> Graded:
    return Graded(Problem(code, path, message, **more), severity, BY_CODE[code].repair)  # type: ignore[arg-type]


def report(*problems: Graded, source: str = "git-index", **more: object) -> Report:
    made = Report(source, problems=list(problems), snapshot=Files({"index.json": INDEX}))
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_a_refusal_names_the_file_the_line_and_the_command() -> None:
    problem = missing().but(repair="stage")
    refused = report(
        problem,
        *(graded("index-outdated", "warning") for _ in range(3)),
        stage=[".jit/index.json"],
        carried=[graded("index-outdated", "note") for _ in range(12)],
    )
    assert render(refused, command="jit-check --staged", hook="pre-commit") == (
        "jit-hooks: this commit would break the issue store: 1 error\n"
        "\n"
        "error[index-misses-issue]  .jit/index.json:3:14\n"
        '  does not list issue 00000001 "Add retry", which has a file: every clone would hide it. Your\n'
        "  worktree has the right file; it is not staged.\n"
        "\n"
        "  to fix:  git add .jit/index.json\n"
        "\n"
        "not blocking: 3 warnings, 12 problems the parent already has (jit-check --staged --all)\n"
        "\n"
        f"jit-hooks {__version__}, pre-commit. Way round in an emergency: git commit --no-verify\n"
    )


def test_equal_problems_fold() -> None:
    many = report(*(missing(number) for number in range(1, 418)))
    lines = render(many).splitlines()
    assert lines[0] == "jit-check: this commit would break the issue store: 417 errors"
    assert sum(line.startswith("error[") for line in lines) == 5
    assert "  ... and 412 more index-misses-issue" in lines
    assert sum(line.startswith("error[") for line in render(many, all=True).splitlines()) == 417


def test_the_last_line_is_the_one_next_command() -> None:
    two = report(missing(), graded("index-absent", "error"))
    assert render(two).splitlines()[-1] == "next:  jit-hooks explain index-misses-issue"
    two.problems[0] = two.problems[0].but(repair="stage")
    two.stage = [".jit/index.json"]
    assert render(two).splitlines()[-1] == "next:  git add .jit/index.json"


def test_a_partial_commit_repeats_the_command() -> None:
    problem = missing().but(repair="stage")
    text = render(report(problem, stage=[".jit/index.json"]), hook="pre-commit", partial=True, prefix="d/e/")
    assert "to fix:  git add :/.jit/index.json\n" in text
    assert "then repeat your command with these paths too\n" in text


def test_a_loss_may_be_an_amend() -> None:
    lost = report(graded("event-lost", "error", "events.jsonl"))
    assert "If you are amending" in render(lost, hook="pre-commit")
    assert "If you are amending" in render(lost, command="jit-check --staged")
    assert "If you are amending" not in render(lost, hook="pre-merge-commit")
    lost.amending = True
    assert "If you are amending" not in render(lost, hook="pre-commit")


def test_a_healthy_store() -> None:
    healthy = report(source="worktree", stats={"records": 1619, "seconds": 0.1})
    assert render(healthy) == "jit-check: the issue store in the worktree is healthy (1,619 records judged)\n"
    assert render(healthy, quiet=True) == ""


def test_healthy_is_said_with_care() -> None:
    old = report(source="worktree", carried=[missing()])
    assert render(old) == (
        "jit-check: the issue store in the worktree has no error that its parent does not have\n"
        "\n"
        "not blocking: 1 problem the parent already has (1 error) (jit-check --all)\n"
    )


def test_warnings_show_by_hand_and_fold_in_a_hook_and_notes_fold() -> None:
    found = report(graded("index-outdated", "warning"), graded("index-reordered", "note"), source="worktree")
    by_hand = render(found)
    assert "warning[index-outdated]" in by_hand
    assert "note[" not in by_hand
    assert "not blocking: 1 note (jit-check --all)" in by_hand
    assert "note[index-reordered]" in render(found, verbose=True)
    assert "warning[" not in render(found, hook="post-merge")
    assert "warning[" not in render(found, quiet=True)


def test_skipped_checks_fold_by_reason() -> None:
    skipped = dict.fromkeys(("a", "b", "c", "d"), "the issue index does not load")
    skipped["e"] = "there is no parent to compare with"
    text = render(report(skipped=skipped))
    assert "not checked, because the issue index does not load: 4 checks\n" in text
    assert "not checked, because there is no parent to compare with: e\n" in text


def test_colors_only_when_asked() -> None:
    assert "\x1b" not in render(report(missing()))
    assert "\x1b[1;31merror[index-misses-issue]\x1b[0m" in render(report(missing()), color=True)


def test_store_text_never_reaches_the_terminal_raw() -> None:
    hostile = 'x\x1b]0;owned\x07\u202e\u200b\n\r\x9b31m\udc80"$(touch pwned)`id`'
    problem = missing(title=hostile).but(repair="stage")
    other = graded("issue-malformed", "error", f"issues/{hostile}.json", hostile, subject=hostile)
    dropped = graded("dependency-missing", "error", f"issues/{ONE}.json", hostile, subject=hostile)
    dropped = dropped.but(remedy=f"jit dep rm {ONE} {hostile}")
    found = report(problem, other, dropped, stage=[f".jit/issues/{hostile}.json"], notices=[hostile])
    found.skipped = {"a": hostile}
    text = render(found, all=True, verbose=True)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "\\x1b" in text
    assert "\\u202e" in text
    assert "\\x80" in text
    assert "jit dep rm" in text
    for line in text.splitlines():
        if "touch pwned" in line and ("git add" in line or "jit dep rm" in line):
            assert "$'" in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Épic ─ 日本語 👍", "Épic ─ 日本語 👍"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff", "\\xff"),
        ("x" * 3000, "x" * 2000 + "…"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        (".jit/index.json", ".jit/index.json"),
        ("with blank", "'with blank'"),
        ("it's", "'it'\"'\"'s'"),
        ("a\nb'\\", "$'a\\012b\\047\\134'"),
        ("\udcff", "$'\\377'"),
    ],
)
def test_quote(word: str, quoted: str) -> None:
    assert quote(word) == quoted


@pytest.mark.parametrize(
    ("paths", "prefix", "command"),
    [
        ([".jit/a", ".jit/b c"], "", "git add .jit/a '.jit/b c'"),
        ([".jit/a"], "d/e/", "git add :/.jit/a"),
        (["-d/.jit/a"], "", "git add -- -d/.jit/a"),
        (["-d/.jit/a"], "-d/", "git add :/-d/.jit/a"),
        ([":d/a"], "", "git add ./:d/a"),
        (["d[x]/a"], "", "git add ':(literal)d[x]/a'"),
    ],
)
def test_git_add(paths: list[str], prefix: str, command: str) -> None:
    assert git_add(paths, prefix) == command


def test_many_paths_stand_one_a_line() -> None:
    command = git_add([f".jit/{number}" for number in range(21)])
    assert command.startswith("git add \\\n    .jit/0 \\\n")
    assert command.count("\n") == 21


def test_paths_from_the_top() -> None:
    assert shown_path("index.json", "sub/.jit/") == "sub/.jit/index.json"
    assert shown_path(".", ".jit/") == ".jit"
    assert shown_path("../jit-stage-1/x", "sub/.jit/") == "sub/jit-stage-1/x"
    assert shown_path("../jit-stage-1/x", ".jit/") == "jit-stage-1/x"


def test_every_code_has_a_remedy() -> None:
    assert [row.code for row in CHECKS if not row.to_fix[0]] == []
    assert BY_CODE["transaction-pending"].to_fix == ("let the tracker finish or roll back", "jit recover")


def test_no_remedy_destroys_or_promises() -> None:
    for say, command in (row.to_fix for row in CHECKS):
        for word in ("rm -r", "rm -f", "--hard", "checkout", "clean", "reset", "--force", "restore "):
            assert word not in command
        assert "--force" not in say


def test_a_command_of_a_check_is_quoted_word_by_word() -> None:
    assert safe_command("jit dep rm a ;reboot") == "jit dep rm a ';reboot'"
    problem = graded("dependency-missing", "error", f"issues/{ONE}.json", subject="$(reboot)")
    assert remedy_for(problem, report()).command == f"jit dep rm {ONE} '$(reboot)'"
