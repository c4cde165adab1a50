from __future__ import annotations

import json

import pytest
from memory_stores import A, check, issue, path, store_of
from mended_stores import repaired

Case = dict[str, object]


def doc(where: str, **members: object) -> Case:
    return {"path": where, "commit": None, "label": None, "doc_type": None, **members}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([doc("docs/there.md")], [], id="there"),
        pytest.param([doc("docs/gone.md")], [(path(A), "docs/gone.md")], id="gone"),
        pytest.param(
            [doc("docs/gone.md"), doc("docs/gone.md", label="x")], [(path(A), "docs/gone.md")], id="told-once"
        ),
        pytest.param([doc("docs/gone.md", commit="abc")], [], id="could-not-look"),
    ],
)
def test_document_missing(documents: list[Case], expected: list[tuple[str, str]]) -> None:
    check("document-missing", store_of(issue(A)), store_of(issue(A, documents=documents)), *expected)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([doc("a"), doc("b")], [], id="two"),
        pytest.param([doc("a"), doc("a", label="x")], [], id="two-labels"),
        pytest.param([doc("a"), doc("a"), doc("a")], [(path(A), "a")], id="equal"),
        pytest.param([doc("a", commit="c1"), doc("a", commit="c1")], [(path(A), "a@c1")], id="equal-at-a-commit"),
    ],
)
def test_document_duplicate(documents: list[Case], expected: list[tuple[str, str]]) -> None:
    check("document-duplicate", store_of(issue(A)), store_of(issue(A, documents=documents)), *expected)


def test_what_only_python_calls_equal_is_not() -> None:
    each = [doc("a", x=value) for value in (1, True, 1.0, "1", 1)]
    check("document-duplicate", store_of(issue(A)), store_of(issue(A, documents=each[:4])))
    done = repaired(store_of(issue(A, documents=each)), only=["document-duplicate"])
    kept = [document["x"] for document in json.loads(done.files[path(A)])["documents"]]
    assert list(map(repr, kept)) == ["1", "True", "1.0", "'1'"]
