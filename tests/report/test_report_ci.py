"""The formats for continuous integration: valid, stable, capped in sight, and proof against what a store says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest

from jit_hooks.checks import BY_CODE
from jit_hooks.cli import shell
from jit_hooks.judging.report import Report
from jit_hooks.problem import Graded, Problem
from jit_hooks.report import as_github, as_gitlab, as_sarif
from jit_hooks.store.snapshot import Files

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

PUBLISHED = Path(__file__).parent / "published"
FILES = {
    "index.json": b'{\n  "schema_version": 2,\n  "all_ids": ["a"]\n}\n',
    "events.jsonl": b'{"id": "e"}\n{"id": \x1b\x80\n',
}
NASTY = "ends\n::error file=x::here\r, 100%: \x1b[2J \u202e \udcff"
COMMAND = re.compile(r"::(error|warning|notice) (?:([^:]*))::(.*)")


def problem(code: str, path: str, message: str = "is wrong", *, severity: str = "error", **rest: Any) -> Graded:
    return Graded(Problem(code, path, message, **rest), severity, BY_CODE[code].repair)


def some_problems() -> list[Graded]:
    torn = problem("event-unparsable", "events.jsonl", "is torn", record="digest", line=2, offset=12)
    return [
        problem("index-lists-missing", "index.json", "lists issue a", subject="a", pointer="/all_ids/0"),
        torn.but(commit="c" * 40),
        problem("issue-malformed", "issues/\udc80,\u202e%: .json", NASTY, subject="\ud800"),
        problem("issue-isolated", "issues/b.json", "is alone", severity="warning"),
        problem("index-outdated", "index.json", "is old", severity="note"),
    ]


def report(problems: list[Graded], files: dict[str, bytes] | None = None) -> Report:
    return Report(
        "worktree",
        problems=problems,
        snapshot=Files(files or FILES),
        skipped={"event-lost": "there is no parent to compare with"},
        notices=["a shallow clone"],
    )


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """What the runner of GitHub Actions reads: level, properties and message, decoded as it does."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(piece.split("=", 1) for piece in match[2].split(","))
        found.append((match[1], {key: decoded(value) for key, value in properties.items()}, decoded(match[3])))
    return found


def decoded(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def sarif(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    schema = json.loads((PUBLISHED / "sarif-2.1.0.subset.json").read_text())
    jsonschema.validate(document, schema, jsonschema.Draft4Validator)
    assert text.isascii()
    run: dict[str, Any] = document["runs"][0]
    return run


def gitlab(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(text)
    jsonschema.validate(entries, json.loads((PUBLISHED / "gitlab-code-quality.json").read_text()))
    assert text.isascii()
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    return entries


def test_annotations_of_github() -> None:
    found = commands(as_github.render(report(some_problems()), verbose=True))
    assert [level for level, _, _ in found] == ["error", "error", "error", "warning", "notice"]
    _, place, said = found[0]
    assert place == {"file": ".jit/index.json", "line": "3", "col": "15", "title": "jit-check: index-lists-missing"}
    assert said.startswith("lists issue a. To fix: jit-check --fix")
    assert "In commit cccccccccccc." in found[1][2]
    assert found[2][1]["file"] == ".jit/issues/\\x80,\\u202e%: .json"


def test_no_text_of_a_store_becomes_a_command_of_its_own() -> None:
    nasty = problem("issue-malformed", "issues/x::error::,.json", NASTY, subject=NASTY, record=NASTY)
    text = as_github.render(report([nasty]))
    assert len(text.splitlines()) == 1
    assert text.isprintable() is False
    assert text.removesuffix("\n").isprintable()
    [(level, place, said)] = commands(text)
    assert (level, place["file"]) == ("error", ".jit/issues/x::error::,.json")
    assert "ends\\n::error file=x::here\\r, 100%: \\x1b[2J \\u202e \\xff" in said


def test_code_quality_of_gitlab() -> None:
    entries = gitlab(as_gitlab.render(report(some_problems())))
    assert [(entry["check_name"], entry["severity"]) for entry in entries] == [
        ("index-lists-missing", "critical"),
        ("event-unparsable", "critical"),
        ("issue-malformed", "critical"),
        ("issue-isolated", "minor"),
    ]
    assert entries[0]["location"] == {"path": ".jit/index.json", "lines": {"begin": 3}}
    assert entries[3]["location"]["lines"] == {"begin": 1}


def test_sarif() -> None:
    run = sarif(as_sarif.render(report(some_problems())))
    assert [result["level"] for result in run["results"]] == ["error", "error", "error", "warning"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 3, "startColumn": 15}
    assert run["results"][1]["properties"] == {"commit": "c" * 40}
    uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]]
    assert unquote_to_bytes(uris[2]) == ".jit/issues/\udc80,\u202e%: .json".encode("utf-8", "surrogateescape")
    assert not any(uri.startswith(("/", "file:")) or ":" in uri for uri in uris)
    said = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert said == ["a shallow clone", "event-lost was not checked, because there is no parent to compare with"]


def names(one: Report) -> list[str]:
    """The fingerprints of a report in both formats that have them; they are the same."""
    found = [entry["fingerprint"] for entry in gitlab(as_gitlab.render(one))]
    run = sarif(as_sarif.render(one))
    assert [result["partialFingerprints"][as_sarif.FINGERPRINT] for result in run["results"]] == found
    return found


def test_a_problem_keeps_its_fingerprint_when_lines_above_it_move() -> None:
    moved = [
        problem("index-lists-missing", "index.json", "names issue a", subject="a", pointer="/all_ids/3"),
        problem("event-unparsable", "events.jsonl", "is cut", record="digest", line=4, offset=40),
    ]
    files = {"index.json": b"\n\n\n" + FILES["index.json"], "events.jsonl": b"{}\n{}\n" + FILES["events.jsonl"]}
    before = names(report(some_problems()[:2]))
    assert names(report(moved, files)) == before
    other = problem("index-lists-missing", "index.json", "lists issue b", subject="b")
    assert names(report([other]))[0] not in before


def test_what_two_commits_bring_is_one_entry_of_gitlab() -> None:
    one = problem("index-lists-missing", "index.json", subject="a")
    both = [one.but(commit="a" * 40), one.but(commit="b" * 40)]
    assert len(gitlab(as_gitlab.render(report(both)))) == 1
    assert len(sarif(as_sarif.render(report(both)))["results"]) == 2


@pytest.mark.parametrize("module", [as_github, as_gitlab, as_sarif])
def test_a_long_report_is_cut_where_everybody_sees_it(module: Any) -> None:
    limit = module.SHOWN

    def rendered(count: int) -> str:
        found = [problem("issue-isolated", f"issues/{n}.json", severity="warning") for n in range(count)]
        text: str = module.render(report(found))
        return text

    assert "more problem" not in rendered(limit)
    over = rendered(limit + 11)
    assert "+12 more problems" in over
    counts: dict[object, Callable[[str], int]] = {
        as_github: lambda text: len(commands(text)),
        as_gitlab: lambda text: len(gitlab(text)),
        as_sarif: lambda text: len(sarif(text)["results"]),
    }
    assert counts[module](over) == limit
    assert counts[module](rendered(limit)) == limit


@pytest.mark.parametrize("module", [as_github, as_gitlab, as_sarif])
def test_quiet_means_errors_only(module: Any) -> None:
    text = module.render(report(some_problems()), quiet=True)
    assert "index-lists-missing" in text
    assert "issue-isolated" not in text


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif"])
def test_what_was_not_judged_is_no_pass(
    form: str, repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repo.top)
    assert shell.run("jit-check", "check_app", ["--output-format", form, "--range", "nope..HEAD"]) == 3
    text = capsys.readouterr().out
    if form == "github":
        [(level, _, said)] = commands(text)
        assert level == "error"
    elif form == "gitlab":
        [entry] = gitlab(text)
        assert entry["severity"] == "blocker"
        said = entry["description"]
    else:
        [invocation] = sarif(text)["invocations"]
        assert invocation["executionSuccessful"] is False
        said = invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert said.startswith("not judged: the range nope..HEAD does not resolve")


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif"])
def test_the_command(
    form: str, repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.issue(3)
    monkeypatch.chdir(repo.store)
    assert shell.run("jit-check", "check_app", ["--output-format", form, "--select", "index"]) == 1
    text = capsys.readouterr().out
    if form == "github":
        assert [place["file"] for _, place, _ in commands(text)] == [".jit/index.json"]
    elif form == "gitlab":
        assert [entry["location"]["path"] for entry in gitlab(text)] == [".jit/index.json"]
    else:
        assert [result["ruleId"] for result in sarif(text)["results"]] == ["index-misses-issue"]
