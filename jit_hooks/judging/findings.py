"""Run checks over a store and a focus: the core of judging, without severities, parents' problems or settings."""

from __future__ import annotations

from jit_hooks.checks import BY_CODE, READER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jit_hooks.checks import Check
    from jit_hooks.problem import Problem
    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store

_GROUNDS: dict[str, tuple[str, Callable[[Store], object], tuple[str, ...]]] = {
    "index": ("the issue index", lambda store: store.issue_index, ("index.json",)),
    "registry": ("the gate registry", lambda store: store.registry, ("gates.toml", "gates.json")),
    "config": ("config.toml", lambda store: store.table("config.toml"), ("config.toml",)),
}
"""What checks stand on: its name, how to ask for it, and the files it may lie in."""


class Findings:
    """What judging gives: the problems, and the checks that could not be made, with the reason for each."""

    __slots__ = ("problems", "skipped")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.skipped: dict[str, str] = {}


def find_problems(store: Store, focus: Focus, checks: Iterable[Check]) -> Findings:
    """Everything these checks find in the focus."""
    findings = Findings()
    rows = list(checks)
    apart = _torn_apart(store)
    by_kind: dict[str, list[Check]] = {}
    for row in rows:
        for kind in row.kinds:
            by_kind.setdefault(kind, []).append(row)
    if by_kind:
        _judge_records(store, focus, by_kind, findings)
    for row in rows:
        if row.kinds or row.needs == "merge" or not _is_offered(store, row):
            continue
        reason = _ground_missing(store, focus, row, apart)
        if reason:
            findings.skipped[row.code] = reason
        else:
            findings.problems.extend(row.function(store, focus))
    if apart:
        _leave_out(apart, findings)
    if focus.is_merge:
        _judge_merge(store, focus, [row for row in rows if row.needs == "merge"], findings)
    return findings


def _torn_apart(store: Store) -> dict[str, str]:
    """The files of which only the sides of a conflict are there: path to the reason why nothing stands on them."""
    snapshot = store.snapshot
    return {path: f"{path} is unmerged" for path in snapshot.unmerged() if snapshot.entry(path) is None}


def _leave_out(apart: dict[str, str], findings: Findings) -> None:
    """Take out what was found because an unmerged file looks as if it were gone."""
    kept: list[Problem] = []
    for problem in findings.problems:
        reason = next((apart[path] for path in (problem.path, *problem.related) if path in apart), "")
        if reason and problem.code != "unmerged-entry":
            findings.skipped[problem.code] = reason
        else:
            kept.append(problem)
    findings.problems = kept


def _judge_merge(store: Store, focus: Focus, rows: list[Check], findings: Findings) -> None:
    """Hold a merge against its parents and bases, and say of broken relations which parent brought what.

    A side that was thrown away whole is one problem: the result then equals another parent, so all that the checks
    on parents tell is missing from this one.
    """
    if focus.bases is None:
        why = "the commit where the branches of this merge part is not known here"
        findings.skipped.update(dict.fromkeys((row.code for row in rows), why))
        return
    if rows or findings.problems:
        from jit_hooks.merge.audit import Audit
        from jit_hooks.merge.origin import origins

        audit = Audit(store, focus.parents, focus.bases, focus.paths)
        for number, problem in enumerate(findings.problems):
            where = origins(audit, problem)
            if where:
                findings.problems[number] = problem.but(message=f"{problem.message}; {where}")
        found = [problem for row in rows for problem in row.function(audit)]
        if any(problem.code == "merge-side-discarded" for problem in found):
            findings.problems = [p for p in findings.problems if BY_CODE[p.code].needs != "parents"]
        findings.problems.extend(found)


def _is_offered(store: Store, row: Check) -> bool:
    """True if the source has what a check looks at: a disk, a control plane."""
    if row.needs == "control":
        return store.snapshot.control_entries() is not None
    return row.needs != "disk" or store.snapshot.on_disk


def _judge_records(store: Store, focus: Focus, by_kind: dict[str, list[Check]], findings: Findings) -> None:
    from jit_hooks.store.layout import LOG, kind_of

    has_log = False
    paths: list[str] = []
    for path in focus.record_paths(store):
        if path == LOG:
            has_log = "log" in by_kind
        elif kind_of(path) in by_kind:
            paths.append(path)
    chosen: dict[str, list[Callable[..., Iterable[Problem]]]] = {}
    for record in store.records(paths):
        is_faulty = record.fault is not None or bool(record.faults)
        kind = f"faulty {record.kind}" if is_faulty else record.kind
        if kind not in chosen:
            chosen[kind] = [row.function for row in by_kind[record.kind] if is_faulty or READER not in row.marks]
        for check in chosen[kind]:
            findings.problems.extend(check(record))
    if has_log:
        for row in by_kind["log"]:
            findings.problems.extend(row.function(store.log))


def _ground_missing(store: Store, focus: Focus, row: Check, apart: dict[str, str]) -> str:
    """The reason for which a check cannot be made, or nothing."""
    if row.needs == "parents" and not focus.parents:
        return "there is no parent to compare with"
    if row.needs == "tree" and not store.snapshot.in_git:
        return "nothing is known of what git tracks"
    if row.stands_on:
        name, ask, paths = _GROUNDS[row.stands_on]
        for path in paths:
            if path in apart:
                return apart[path]
        if ask(store) is None and any(store.is_file(path) for path in paths):
            return f"{name} does not load"
    for path, reason in apart.items():
        if (path == "events.jsonl" and "event-" in row.code) or (path.startswith("gate-runs/") and "run-" in row.code):
            return reason
    return ""
