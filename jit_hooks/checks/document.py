"""Family ``document``: the documents that issues name."""

from __future__ import annotations

from jit_hooks.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import Record
    from jit_hooks.store.store import Store


def document_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue names a document that is not there.

    Looked for in the tree that is judged, or at the ``commit`` it names; a revision that does not resolve is
    missing too. The tracker never looks when a document is added. A document that this commit forgot to stage
    breaks the reference in every clone.

    FAIL: ``"path": "docs/desing.md"``

    PASS: a path relative to the directory that holds the store, with its file in the same tree.

    REPAIR: none; a person stages the file, or mends the path (``jit doc remove``, ``jit doc add``).

    TO FIX: stage the document, correct its path, or take the reference out (``jit doc remove``).
    """
    for issue_id in focus.issue_ids(store):
        issue = store.issue(issue_id)
        if issue is None or not issue.documents:
            continue
        asked: set[str] = set()
        for position, document in enumerate(issue.documents):
            path, commit = document.get("path"), document.get("commit")
            if type(path) is not str or not (commit is None or type(commit) is str):
                continue
            subject = path if commit is None else f"{path}@{commit}"
            if subject in asked:
                continue
            asked.add(subject)
            if store.snapshot.has_document(path, commit) is False:
                where = "is not there" if commit is None else f"is not at its commit {commit[:12]}"
                inside = commit is None and not path.startswith("/") and ".." not in path.split("/")
                yield Problem(
                    "document-missing",
                    issue.path,
                    f'names the document "{path}", which {where}',
                    subject=subject,
                    pointer=f"/documents/{position}/path",
                    related=(f"../{path}",) if inside else (),
                )


def document_duplicate(record: Record) -> Iterator[Problem]:
    """An issue names one document twice, in all members alike.

    ``jit doc add`` does not look whether the document is there already; ``jit doc remove`` then takes both.
    One path under two labels is two documents, and legal.

    FAIL: two equal entries in ``documents``.

    PASS: entries that differ in ``label`` or ``commit``.

    REPAIR: the first stays.

    TO FIX: keep one of the two.
    """
    if not record.loads:
        return
    documents = record.members["documents"]
    assert type(documents) is list
    if len(documents) < 2:
        return
    from jit_hooks.store.loss import value_of

    seen: set[bytes] = set()
    told: set[str] = set()
    for position, document in enumerate(documents):
        value = value_of(document)
        if value not in seen:
            seen.add(value)
            continue
        path, commit = document["path"], document.get("commit")
        subject = path if commit is None else f"{path}@{commit}"
        if subject not in told:
            told.add(subject)
            yield Problem(
                "document-duplicate",
                record.path,
                f'names the document "{path}" twice, in all members alike',
                subject=subject,
                pointer=f"/documents/{position}",
            )
