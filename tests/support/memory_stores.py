"""Stores in memory for the tables of the check tests: a dictionary of paths to documents, texts or bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jit_hooks.checks import BY_CODE
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Entry, Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from jit_hooks.problem import Problem

A, B, C, D, E = (f"{letter * 8}-0000-4000-8000-00000000000{letter}" for letter in "abcde")
"""Ids, in the order of names."""

GONE = "99999999-0000-4000-8000-000000000009"

Found = tuple[str, str, str]
Paths = Mapping[str, object]


def path(issue_id: str) -> str:
    return f"issues/{issue_id}.json"


def issue(issue_id: str, *dependencies: str, **members: object) -> dict[str, object]:
    """An issue as June's tracker writes it; a member given as ``...`` is left out."""
    document: dict[str, object] = {
        "id": issue_id,
        "title": f"Title of {issue_id[0]}",
        "description": "",
        "state": "in_progress",
        "priority": "normal",
        "assignee": None,
        "dependencies": list(dependencies),
        "gates_required": [],
        "gates_status": {},
        "context": {},
        "documents": [],
        "labels": [],
        "created_at": "2026-06-01T10:00:00.000000001Z",
        "updated_at": "2026-06-02T10:00:00.000000001Z",
    }
    document.update(members)
    return {name: value for name, value in document.items() if value is not ...}


def v1(issue_id: str, *dependencies: str, **members: object) -> dict[str, object]:
    """An issue as the tracker writes it since v1."""
    document = issue(issue_id, *dependencies, **{"first_ready_at": "2026-07-28T20:49:58.078912793Z", **members})
    return dict(sorted(document.items()))


def store_of(*issues: dict[str, object], **files: object) -> dict[str, object]:
    """The paths of a store of these issues, their index, and files named with ``__`` for ``.`` and ``/``."""
    paths: dict[str, object] = {path(str(document["id"])): document for document in issues}
    paths["index.json"] = {
        "schema_version": 2,
        "all_ids": [document["id"] for document in issues],
        "deleted_ids": [],
    }
    return paths | files


def bytes_of(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return json.dumps(content, indent=2).encode()


def opened(paths: Paths, documents: tuple[str, ...] = ()) -> Store:
    files = {name: bytes_of(content) for name, content in paths.items() if not isinstance(content, Entry)}
    other = {name: content for name, content in paths.items() if isinstance(content, Entry)}
    return Store(Files(files, other=other, documents=documents))


def problems(code: str, paths: Paths, before: Paths | None = None, *, full: bool = True) -> list[Problem]:
    """What one check finds: in the whole store, or in what was written since the parent."""
    documents = ("docs/there.md",)
    parents = () if before is None else (opened(before, documents),)
    old = before or {}
    written = [name for name in paths.keys() | old.keys() if paths.get(name) != old.get(name)]
    focus = Focus(written, everything=full, parents=parents)
    return find_problems(opened(paths, documents), focus, [BY_CODE[code]]).problems


def identities(found: list[Problem]) -> set[Found]:
    triples = {problem.identity for problem in found}
    assert len(triples) == len(found), f"told twice: {found}"
    assert all(problem.message and problem.message[0] != " " for problem in found)
    return triples


def check(code: str, before: Paths, after: Paths, *expected: tuple[str, str]) -> None:
    """The code is found exactly so in ``after``, and a commit after ``before`` is told all that is new."""
    wanted = {(code, name, subject) for name, subject in expected}
    assert identities(problems(code, after, before)) == wanted
    if BY_CODE[code].needs != "parents":
        assert identities(problems(code, after)) == wanted
        carried = identities(problems(code, before))
    else:
        carried = set()
    told = identities(problems(code, after, before, full=False))
    assert wanted - carried <= told <= wanted
