"""Severity follows harm: what the registry says, changed by the era of a record, the settings and what is accepted."""

from __future__ import annotations

from jit_hooks.checks import BY_CODE
from jit_hooks.judging.findings import find_problems
from jit_hooks.problem import Graded
from jit_hooks.store.focus import Focus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.judging.case import Case
    from jit_hooks.problem import Problem
    from jit_hooks.settings import AcceptedInstance
    from jit_hooks.store.store import Store

    Identity = tuple[str, str, str]

_WORTH_A_LISTING = 20
"""From how many paths on it is cheaper to list a commit than to ask git for each of them."""


def grade(
    problems: Iterable[Problem], case: Case, *, introduced: bool = True, commit: str | None = None
) -> list[Graded]:
    """Each problem with its severity and class of repair.

    A shape the tracker began to require later is required of a record only when some record of its kind in a
    parent already has it (without a parent: in the store itself); otherwise its absence is a warning.

    Args:
        problems: what was found in the case.
        case: with the settings in force.
        introduced: True if the case brings them.
        commit: in a range, the commit that brings them.
    """
    graded: list[Graded] = []
    for problem in problems:
        check = BY_CODE[problem.code]
        severity = case.settings.severity_of(problem.code, problem.severity or check.severity)
        if problem.era and severity == "error" and not _era_has_come(problem.era, case):
            severity = "warning"
        reasons = [entry.reason for entry in case.settings.instances if _covers(entry, problem, case)]
        accepted = "".join(f" (accepted: {reason})" for reason in reasons)
        graded.append(
            Graded(
                problem.but(message=problem.message + accepted) if accepted else problem,
                "note" if reasons else severity,
                check.repair,
                introduced=introduced,
                commit=commit,
            )
        )
    return graded


def stale_accepts(problems: Iterable[Problem], case: Case) -> list[AcceptedInstance]:
    """The accepted instances that meet no problem."""
    if not case.settings.instances:
        return []
    met = list(problems)
    return [entry for entry in case.settings.instances if not any(_covers(entry, problem, case) for problem in met)]


def is_accepted(problem: Problem, case: Case) -> bool:
    """True if the settings excuse this very problem."""
    return any(_covers(entry, problem, case) for entry in case.settings.instances)


def _covers(entry: AcceptedInstance, problem: Problem, case: Case) -> bool:
    return entry.covers(problem, case.prefix + problem.record)


def _era_has_come(member: str, case: Case) -> bool:
    return any(witness.has_issue_with(member) for witness in case.focus.parents or (case.store,))


def already_in(parent: Store, problems: list[Problem], case: Case) -> set[Identity]:
    """The identities of those problems that a parent has, too; no more of it is judged than they rest on."""
    rows = {row.code: row for row in case.checks}
    known: set[Identity] = set()
    asked: list[Problem] = []
    if len({problem.path for problem in problems}) > _WORTH_A_LISTING:
        parent.entries()
    is_unchanged = not case.focus.paths  # only documents, which lie outside the store, can differ then
    for problem in problems:
        row = rows[problem.code]
        if row.needs in ("parents", "merge", "disk", "control"):
            continue
        rests_on_itself = (
            row.needs == "record" and problem.path not in case.focus.paths and parent.is_file(problem.path)
        )
        if rests_on_itself or (is_unchanged and row.family != "document"):
            known.add(problem.identity)
        else:
            asked.append(problem)
    if asked:
        paths = {path for problem in asked for path in (problem.path, *problem.related)}
        codes = sorted({problem.code for problem in asked})
        before = Focus(paths | case.focus.paths)
        found_before = find_problems(parent, before, (rows[code] for code in codes))
        known.update(problem.identity for problem in found_before.problems)
    return known


def not_brought(problems: list[Problem], case: Case, instead: Case | None = None) -> set[Identity]:
    """The identities of those problems that the case does not bring: its first parent has them.

    Args:
        problems: what was found in the case.
        case: with its parents.
        instead: the same source held against HEAD's parents, when it may replace HEAD: then only what is new against
            both is brought.
    """
    if not case.focus.parents or not problems:
        return set()
    known = already_in(case.focus.parents[0], problems, case)
    if instead is not None:
        still = {problem.identity for problem in instead.find().problems}
        known |= {problem.identity for problem in problems} - still
        known |= already_in(instead.focus.parents[0], problems, instead)
    return known
