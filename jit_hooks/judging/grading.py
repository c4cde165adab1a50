"""Severity follows harm: what the registry says, changed by the record's era, the settings and what is accepted."""

from __future__ import annotations

from jit_hooks.checks import BY_CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.problem import Problem
    from jit_hooks.settings import AcceptedInstance, Settings
    from jit_hooks.store.store import Store


def grade(
    problems: Iterable[Problem], settings: Settings, store: Store, parents: tuple[Store, ...], *, prefix: str
) -> list[AcceptedInstance]:
    """Give each problem its severity and class of repair; the accepted instances that met no problem.

    A shape the tracker began to require later is required of a record only when some record of its kind in a
    parent already has it (without a parent: in the store itself); otherwise its absence is a warning.
    """
    unmet = list(settings.instances)
    for problem in problems:
        check = BY_CODE[problem.code]
        problem.repair = problem.repair or check.repair
        severity = settings.severity_of(problem.code, problem.severity or check.severity)
        if problem.era and severity == "error" and not _era_has_come(problem.era, store, parents):
            severity = "warning"
        for entry in settings.instances:
            if entry.covers(problem, prefix + problem.record):
                severity = "note"
                problem.message += f" (accepted: {entry.reason})"
                if entry in unmet:
                    unmet.remove(entry)
        problem.severity = severity
    return unmet


def _era_has_come(member: str, store: Store, parents: tuple[Store, ...]) -> bool:
    return any(witness.has_issue_with(member) for witness in parents or (store,))
