"""The JSON report holds what its schema promises."""

from __future__ import annotations

import json

import pytest

from jit_hooks import schemas
from jit_hooks.judging.report import Report
from jit_hooks.problem import Graded, Problem
from jit_hooks.report.as_json import as_document, render
from jit_hooks.store.snapshot import Files

FILES = {
    "index.json": b'{\n  "schema_version": 2,\n  "all_ids": ["a"]\n}\n',
    "events.jsonl": b'{"id": "e"}\n{"id": \x1b\x80\n',
}


def problems() -> list[Graded]:
    lists = Problem("index-lists-missing", "index.json", "lists issue a", subject="a", pointer="/all_ids/0")
    torn = Problem("event-unparsable", "events.jsonl", "is torn", record="digest", line=2, offset=12)
    odd = Problem("issue-malformed", "issues/\udc80\u202e.json", "\udcff", subject="\ud800")
    return [Graded(lists, "error", "restore"), Graded(torn, "error", ""), Graded(odd, "warning", "human")]


def test_it_is_valid_and_complete() -> None:
    report = Report("worktree", problems=problems(), snapshot=Files(FILES))
    report.carried = [Graded(Problem("index-outdated", "index.json", "x"), "note", "lossless") for _ in range(2)]
    report.skipped = {"index-reordered": "there is no parent"}
    report.stats = {"records": 2, "seconds": 0.5}
    text = render(report)
    assert text.isascii()
    document = json.loads(text)
    assert schemas.violations("report", document) == []
    first, second, third = document["problems"]
    assert first == {
        "code": "index-lists-missing",
        "severity": "error",
        "commit": None,
        "path": ".jit/index.json",
        "record": ".jit/index.json",
        "subject": "a",
        "pointer": "/all_ids/0",
        "line": 3,
        "column": 15,
        "message": "lists issue a",
        "remedy": "jit-check --fix",
        "repair": "unsafe",
        "introduced": True,
        "left": None,
    }
    assert (second["record"], second["line"], second["column"]) == ("digest", 2, 1)
    assert third["path"] == ".jit/issues/\\x80\u202e.json"
    assert document["carried"] == {"index-outdated": 2}
    assert document["skipped_checks"] == [{"code": "index-reordered", "reason": "there is no parent"}]
    assert document["skipped_lines"] == [
        {"line_number": 2, "raw": '{"id": \\x1b\\x80', "error": "is torn", "path": ".jit/events.jsonl"}
    ]
    assert document["plan"] == []
    assert document["fixes_applied"] == {}
    assert document["journal_entry"] is None


@pytest.mark.parametrize(("verdict", "reason"), [("healthy", ""), ("not-judged", "busy")])
def test_reports_without_problems(verdict: str, reason: str) -> None:
    report = Report("", reason=reason, remedy="try again", notices=["x"])
    document = as_document(report)
    assert schemas.violations("report", document) == []
    assert document["verdict"] == verdict
    told = {"reason": reason} if reason else {}
    assert document["stats"] == {**told, "remedy": "try again", "notices": "x"}


def test_a_staged_remedy_is_the_one_command() -> None:
    found = [problems()[0].but(repair="stage")]
    report = Report("git-index", problems=found, stage=[".jit/index.json"], snapshot=Files(FILES))
    document = json.loads(render(report, prefix="d/"))
    assert document["problems"][0]["remedy"] == "git add :/.jit/index.json"
    assert document["problems"][0]["repair"] == "stage"
