"""A focus on what changed finds exactly what a full check finds new: after any edit, honest or not."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from git_scratch import git
from proofs import how_many, over, proof
from random_edits import Editor

from jit_hooks.checks import CHECKS
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.case import log_start
from jit_hooks.judging.findings import find_problems
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.log import Log
from jit_hooks.store.records import Record
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pytest

    from jit_hooks.checks import Check

    Found = tuple[str, str, str]

STEPS = 10_000
BATCH = 250
COMMITS = 200
INDEX_EVERY = 4
WHOLE_EVERY = 10
MOST_KEPT = 4_000
"""Records that are kept as they were read."""

ROWS = tuple(check for check in CHECKS if check.needs != "disk")
LASTING = tuple(check for check in ROWS if check.needs != "parents")
"""Checks whose problems a store has by itself, without its parents."""
PARENTS = tuple(check for check in ROWS if check.needs == "parents")


class Known(Store):
    """A store that takes records and logs it has met before as they were read then: most of a store never changes."""

    _records: ClassVar[dict[tuple[str, bytes], Record]] = {}
    _logs: ClassVar[dict[tuple[bytes, int], Log]] = {}

    def records(self, paths: Iterable[str]) -> Iterator[Record]:
        return (record for path in paths if (record := self.record(path)) is not None)

    def record(self, path: str) -> Record | None:
        data = self.snapshot.read(path)
        if type(data) is not bytes:
            return None
        if len(self._records) > MOST_KEPT:
            self._records.clear()
        if (path, data) not in self._records:
            self._records[path, data] = Record(path, data, self.accepted)
        return self._keep(self._records[path, data])

    @property
    def log(self) -> Log:
        data = self.snapshot.read(layout.LOG)
        key = data if type(data) is bytes else b"", self.log_start
        if len(self._logs) > MOST_KEPT // 20:
            self._logs.clear()
        if key not in self._logs:
            self._logs[key] = Log(key[0], self.accepted, self.log_start)
        return self._logs[key]


def full(files: Mapping[str, bytes], outside: Mapping[str, bytes], checks: tuple[Check, ...]) -> set[Found]:
    found = find_problems(Known(Files(files, documents=outside)), Focus(everything=True), checks)
    return {problem.identity for problem in found.problems}


def step_by_step(
    before: Mapping[str, bytes],
    outside_before: Mapping[str, bytes],
    after: Mapping[str, bytes],
    outside: Mapping[str, bytes],
    checks: tuple[Check, ...] = ROWS,
    *,
    partly: bool = False,
) -> set[Found]:
    """What a full check, or a focus on the change, finds in a store that follows another."""
    paths = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    focus = Focus(paths, everything=not partly, parents=(Known(Files(before, documents=outside_before)),))
    now = Files(after, documents=outside)
    store = Known(now, log_start=log_start(now, focus) if partly else 0)
    return {problem.identity for problem in find_problems(store, focus, checks).problems}


def is_older(found: Found, before: Mapping[str, bytes]) -> bool:
    """Whether a circle stood in the old store already, in a larger one that went by another name."""
    code, _, subject = found
    if code != "dependency-cycle":
        return False
    store = Store(Files(before))
    ids = subject.split(" ")
    issues = [store.issue(issue_id) for issue_id in ids]
    return all(
        issue is not None and target in issue.dependencies
        for issue, target in zip(issues, [*ids[1:], ids[0]], strict=True)
    )


def differences(editor: Editor, known: set[Found], *, whole: bool = False) -> tuple[list[str], set[Found]]:
    """Make one step; how the two kinds of looking differ over it, and what the store now has by itself.

    With ``whole`` the full check with parents is made, too, and not only what of it depends on them.
    """
    before, outside = dict(editor.files), dict(editor.outside)
    editor.step()
    lasting = full(editor.files, editor.outside, LASTING)
    stores = before, outside, editor.files, editor.outside
    everything = lasting | step_by_step(*stores, PARENTS)
    partly = step_by_step(*stores, partly=True)
    missed = {found for found in everything - known - partly if not is_older(found, before)}
    shown = [f"missed {found}" for found in sorted(missed)]
    shown += [f"invented {found}" for found in sorted(partly - everything)]
    if whole:
        shown += [f"parents changed {found}" for found in sorted(everything ^ step_by_step(*stores))]
    return [f"{text}\n  after {editor.said}" for text in shown], lasting


@over("seed", range(STEPS // BATCH), few=2)
def test_a_focus_finds_what_a_full_check_finds_new(seed: int) -> None:
    editor = Editor(seed)
    known = full(editor.files, editor.outside, LASTING)
    for number in range(BATCH):
        wrong, known = differences(editor, known, whole=number % WHOLE_EVERY == 0)
        assert not wrong, "\n".join(wrong)


def chain(top: Path, commits: int) -> tuple[list[str], list[Editor]]:
    """A repository with one commit for each step of an editor; their ids, and the editor after each of them."""
    stream: list[bytes] = []
    editor = Editor(77)
    states: list[Editor] = []
    before: Mapping[str, bytes] = {}
    for number in range(commits):
        tree = {f".jit/{path}": data for path, data in editor.files.items()} | editor.outside
        stream.append(b"commit refs/heads/main\nmark :%d\n" % (number + 1))
        stream.append(b"committer A <a@example.org> %d +0000\ndata 1\nx\n" % (1780000000 + number))
        stream += [b"D %s\n" % path.encode() for path in before if path not in tree]
        stream += [
            b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)
            for path, data in tree.items()
            if before.get(path) != data
        ]
        before = tree
        states.append(copy.copy(editor))
        editor.said, editor.files = [*editor.said], dict(editor.files)
        editor.step()
    git(top, "init", "-q", "-b", "main")
    git(
        top, "fast-import", "--quiet", "--export-marks=marks", stdin=b"".join(stream).decode("utf-8", "surrogateescape")
    )
    ids = dict(row.split() for row in (top / "marks").read_text().splitlines())
    return [ids[f":{number + 1}"] for number in range(commits)], states


def introduced(repository: Repository, source: str, parent: str, *, everything: bool) -> set[Found]:
    """What judging a source tells as new."""
    report = judge(Request(source, "", repository, (parent,), everything, ROWS))
    return {problem.identity for problem in report.problems}


@proof
def test_it_holds_in_commits_and_in_the_git_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, states = chain(tmp_path, how_many(COMMITS, few=20))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    repository = Repository(Git(str(tmp_path)))
    wrong: list[str] = []
    for number, (parent, commit) in enumerate(pairwise(ids)):
        everything = introduced(repository, commit, parent, everything=True)
        partly = introduced(repository, commit, parent, everything=False)
        expected = {found for found in everything if not is_older(found, states[number].files)}
        if expected != partly:
            wrong.append(f"{number}: {sorted(expected ^ partly)}\n  after {states[number + 1].said}")
        if number % INDEX_EVERY == 0:
            git(tmp_path, "read-tree", commit)
            own = Repository(Git(str(tmp_path)))  # cat-file reads the git index once
            staged = introduced(own, "git-index", parent, everything=False)
            own.close()
            if staged != partly:
                wrong.append(f"{number}, git index: {sorted(staged ^ partly)}")
    repository.close()
    assert not wrong, "\n".join(wrong)


def test_the_edits_show_most_codes() -> None:
    seen: set[str] = set()
    for seed in range(8):
        editor = Editor(1000 + seed)
        for _ in range(50):
            editor.step()
            seen.update(code for code, _, _ in full(editor.files, editor.outside, LASTING))
    assert len(seen) > len(LASTING) // 2, sorted({row.code for row in LASTING} - seen)
