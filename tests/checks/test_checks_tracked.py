"""What git holds of a store, and what the tracker left on one machine's disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from memory_stores import A, check, issue, store_of

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Entry, Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

HEALTHY = store_of(issue(A))
RECORD = f"issues/{A}.json"
LINK, SUBMODULE, DIRECTORY = (Entry(kind) for kind in ("link", "submodule", "directory"))
JOURNAL = "tmp/transactions/0123456789abcdef0123456789abcdef/journal.json"
CODES = [row.code for row in CHECKS if row.family == "tracked"]


@pytest.mark.parametrize(
    ("code", "name", "content", "expected"),
    [
        ("machine-file-tracked", "worktree.json", b"{}", "worktree.json"),
        ("machine-file-tracked", "server.pid.json", b"{}", "server.pid.json"),
        ("machine-file-tracked", "server.log", b"", "server.log"),
        ("machine-file-tracked", "claims.lock.meta", b"", "claims.lock.meta"),
        ("lock-tracked", ".repo-write.lock", b"", ".repo-write.lock"),
        ("lock-tracked", f"issues/{A}.lock", b"", f"issues/{A}.lock"),
        ("lock-tracked", "../.jit-bootstrap.lock", b"", "../.jit-bootstrap.lock"),
        ("transaction-tracked", JOURNAL, b"{}", "tmp/transactions/"),
        ("transaction-tracked", "../.jit-bootstrap/transaction-protocol-v1", b"", "../.jit-bootstrap/"),
        ("transaction-tracked", "../jit-stage-a/index.json", b"", "../jit-stage-a/"),
        ("temp-tracked", ".index.json.4711.0.tmp", b"", ".index.json.4711.0.tmp"),
        ("temp-tracked", "tmp/archive-a/doc-b", b"", "tmp/archive-a/doc-b"),
        ("temp-tracked", "../.merge_file_a01b2c", b"", "../.merge_file_a01b2c"),
        ("record-not-file", "gates.toml", LINK, "gates.toml"),
        ("record-not-file", RECORD, SUBMODULE, RECORD),
        ("record-not-file", f"{RECORD}/", DIRECTORY, RECORD),
        ("record-not-file", "events.jsonl/a/b", b"", "events.jsonl"),
        ("record-not-file", "issues", LINK, "issues"),
        ("record-not-file", "gate-runs/a", LINK, "gate-runs/a"),
        ("record-not-file", ".", LINK, "."),
        ("", "notes.txt", LINK, ""),
        ("", "gate-runs/a/", DIRECTORY, ""),
        ("", "config.toml", b"", ""),
    ],
)
def test_what_git_holds(code: str, name: str, content: object, expected: str) -> None:
    after = HEALTHY | {name: content}
    if not isinstance(content, bytes) and name.startswith(RECORD):
        del after[RECORD]
        after[name] = content
    for each in CODES:
        check(each, HEALTHY, after, *([(expected, "")] if each == code else []))


def test_remedies_leave_the_file_on_disk() -> None:
    files = {"worktree.json": b"{}", JOURNAL: b"", "a.tmp": b"", ".index.lock": b""}
    found = find_problems(Store(Files(files)), Focus(everything=True), [BY_CODE[code] for code in CODES]).problems
    assert {(problem.code, problem.remedy) for problem in found} == {
        ("machine-file-tracked", "git rm --cached {path}"),
        ("lock-tracked", "git rm --cached {path}"),
        ("temp-tracked", "git rm --cached {path}"),
        ("transaction-tracked", "git rm -r --cached {path}"),
    }


def test_the_sides_of_a_conflict_are_told_once_a_path() -> None:
    snapshot = Files({"index.json": b"{}"}, unmerged=[RECORD, RECORD])
    for focus in (Focus(everything=True), Focus(["index.json"])):
        (problem,) = find_problems(Store(snapshot), focus, [BY_CODE["unmerged-entry"]]).problems
        assert problem.identity == ("unmerged-entry", RECORD, "")


class OnDisk(Files):
    """A worktree: what lies there, and what of it git tracks."""

    on_disk = True

    def __init__(self, files: Mapping[str, bytes], tracked: tuple[str, ...] = ()) -> None:
        super().__init__(files)
        self._tracked = tracked

    def tracked(self) -> Mapping[str, Entry]:
        return dict.fromkeys(self._tracked, Entry("file"))


@pytest.mark.parametrize(
    ("names", "tracked", "expected"),
    [
        ((), (), []),
        ((JOURNAL, JOURNAL.replace("journal.json", "stages/file-0")), (), [JOURNAL]),
        ((JOURNAL.replace("journal.json", "stages/file-0"),), (), []),
        ((JOURNAL,), (JOURNAL,), []),
        (("tmp/transactions/notes.txt",), (), []),
        (
            ("../.jit-bootstrap/transactions/a/journal.json", "../.jit-bootstrap/transaction-protocol-v1"),
            (),
            ["../.jit-bootstrap/transactions/a/journal.json"],
        ),
        (("../.jit-bootstrap/transactions/a/companion",), (), []),
        (("../jit-stage-a/index.json", "../jit-stage-a/gates.toml"), (), ["../jit-stage-a/"]),
        (("tmp/archive-a/doc-b",), (), []),
    ],
)
def test_what_waits_to_be_recovered(names: tuple[str, ...], tracked: tuple[str, ...], expected: list[str]) -> None:
    store = Store(OnDisk(dict.fromkeys(names, b"{}"), tracked))
    found = find_problems(store, Focus(everything=True), [BY_CODE["transaction-pending"]]).problems
    assert [problem.path for problem in found] == expected
    way_out = "jit init" if all(name.startswith("../") for name in names) else "jit recover"
    assert {problem.remedy for problem in found} <= {way_out}
