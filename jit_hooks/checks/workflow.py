"""Family ``workflow``: an issue's state against its gates and its dependencies."""

from __future__ import annotations

from jit_hooks.checks.wording import pointer_to, titled
from jit_hooks.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import Issue, Record
    from jit_hooks.store.store import Store


def gated_not_open(record: Record) -> Iterator[Problem]:
    """An issue waits for its gates, and all of them have passed.

    The tracker moves it to ``done`` in the same command that passes the last gate; killed between the two it
    leaves this.

    FAIL: ``"state": "gated"`` with every required gate ``passed``.

    PASS: ``gated`` with a gate that is pending, failed or not yet judged.

    REPAIR: none; ``jit issue update ID --state done`` finishes it.

    TO FIX: nothing breaks; move the issue on with ``jit issue update``.
    """
    if record.loads and record.members["state"] == "gated" and not _open_gates(record):
        yield Problem(
            "gated-not-open",
            record.path,
            "is gated, though every gate it requires has passed",
            pointer="/state",
        )


def done_gate_open(record: Record) -> Iterator[Problem]:
    """An issue is done, and a gate it requires has not passed.

    The tracker never moves an issue past an open gate; a hand, or a merge of ``done`` here with a gate added
    or failed there, does.

    FAIL: ``"state": "done"`` with ``tests`` pending, failed or not judged.

    PASS: ``done`` with every required gate ``passed``.

    REPAIR: none; a person passes the gate, takes it off, or opens the issue again.

    TO FIX: judge the gate (``jit gate check``, ``jit gate pass``), or reopen the issue.
    """
    if not record.loads or record.members["state"] != "done":
        return
    for key, status, position in _open_gates(record):
        yield Problem(
            "done-gate-open",
            record.path,
            f"is done, though its gate `{key}` {f'is {status}' if status else 'was never judged'}",
            subject=key,
            pointer=pointer_to("gates_status", key) if status else f"/gates_required/{position}",
        )


def _open_gates(record: Record) -> list[tuple[str, object, int]]:
    """Each required gate that has not passed, its status, its place in the list; of a record that loads."""
    required, statuses = record.members["gates_required"], record.members["gates_status"]
    assert type(required) is list
    assert type(statuses) is dict
    if not required:
        return []
    status = {key: statuses[key]["status"] for key in required if key in statuses}
    return [
        (key, status.get(key), required.index(key)) for key in dict.fromkeys(required) if status.get(key) != "passed"
    ]


def done_dependency_open(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue is done, or waits for its gates, over a dependency that is not finished.

    Finished is ``done``, ``rejected``, and ``archived`` from one of them. Opening an issue again leaves this
    above it, and so does a merge.

    FAIL: A is ``done`` and depends on B, which is ``in_progress``.

    PASS: B is ``rejected``, or ``archived`` from ``done``.

    REPAIR: none; a person decides whether A was really done.

    TO FIX: finish the dependency, or drop the edge.
    """
    for issue in _with_a_say(store, focus, ("done", "gated")):
        for target in _unfinished(store, issue):
            yield _over_open(store, "done-dependency-open", issue, target)


def ready_dependency_open(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue is ready for work, and something it depends on is not finished.

    People and programs take what is ready; the tracker would show it as blocked and ready at once.

    FAIL: A is ``ready`` and depends on B, which is ``ready`` too.

    PASS: A is ``backlog``; or B is ``done``, ``rejected``, or ``archived`` from one of them.

    REPAIR: none; ``jit issue update A --state backlog`` puts it back.

    TO FIX: nothing breaks; the tracker corrects the state when it next looks.
    """
    for issue in _with_a_say(store, focus, ("ready",)):
        for target in _unfinished(store, issue):
            yield _over_open(store, "ready-dependency-open", issue, target)


def backlog_not_blocked(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue waits in the backlog, and everything it depends on is finished.

    The tracker moves it to ``ready`` in the same command that finishes the last dependency; killed between
    the two, or merged from two branches that finished one each, it stays behind and nobody takes it. A
    dependency that is missing or does not load counts as open.

    FAIL: A is ``backlog`` and depends only on B, which is ``done``.

    PASS: A is ``ready``; or B is ``in_progress``.

    REPAIR: none; ``jit issue update A --state ready``, or ``jit validate --fix``.

    TO FIX: nothing breaks; the tracker corrects the state when it next looks.
    """
    for issue in _with_a_say(store, focus, ("backlog",)):
        found = [store.issue(target) for target in issue.dependencies]
        if all(target is not None and target.is_finished for target in found):
            yield Problem(
                "backlog-not-blocked",
                issue.path,
                f"issue {titled(store, issue.id)} is in the backlog, though "
                + ("everything it depends on is finished" if found else "it depends on nothing"),
                pointer="/state",
            )


def _unfinished(store: Store, issue: Issue) -> Iterator[str]:
    for target in dict.fromkeys(issue.dependencies):
        dependency = store.issue(target)
        if dependency is not None and not dependency.is_finished:
            yield target


def _over_open(store: Store, code: str, issue: Issue, target: str) -> Problem:
    dependency = store.issue(target)
    state = dependency.state if dependency is not None else ""
    return Problem(
        code,
        issue.path,
        f"issue {titled(store, issue.id)} is {issue.state}, though it depends on {titled(store, target)}, "
        f"which is {state}",
        subject=target,
        pointer=f"/dependencies/{issue.dependencies.index(target)}",
        related=(dependency.path,) if dependency is not None else (),
    )


def _with_a_say(store: Store, focus: Focus, states: tuple[str, ...]) -> Iterator[Issue]:
    """Issues in these states, judged or above one that was finished, opened or read for the first time."""
    ids = dict.fromkeys(focus.issue_ids(store))
    if not focus.everything:
        parent = focus.parents[0] if focus.parents else None
        for issue_id in list(ids):
            now = store.issue(issue_id)
            before = parent.issue(issue_id) if parent is not None else None
            if now is not None and (before is None or before.is_finished != now.is_finished):
                ids.update(dict.fromkeys(store.dependents(issue_id)))
    for issue_id in ids:
        issue = store.issue(issue_id)
        if issue is not None and issue.state in states:
            yield issue
