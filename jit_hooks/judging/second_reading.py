"""What is found beside live writers is believed after a second reading under their locks."""

from __future__ import annotations

from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.findings import Findings

_READINGS_UNDER_LOCKS = 2
"""How often the worktree is read again before what is new in the last reading is left to the next check."""


def read_twice(case: Case, wait: float) -> tuple[Case, Findings]:
    """The findings of two readings, the later made of all files in question while no tracker was writing.

    A reading that meets a file on the move cannot judge what stands on it, so the second one may show more than
    the first did; what is new in it gets a reading of its own. What only the last one shows is not believed: it
    rests on files read beside writers. Where nothing has changed meanwhile, the first reading was all that.

    Args:
        case: of a worktree.
        wait: seconds to wait for the tracker's locks.
    """
    findings = case.find()
    snapshot = first = case.store.snapshot
    assert isinstance(snapshot, WorktreeSnapshot)
    if not findings.problems and not snapshot.in_motion:
        return case, findings
    named = {layout.INDEX, layout.LOG, layout.GATES_JSON, layout.GATES_TOML}
    known: set[tuple[str, str, str]] = set()
    for _ in range(_READINGS_UNDER_LOCKS):
        named |= snapshot.vanished
        for problem in findings.problems:
            named.update((problem.path, *problem.related))
            known.add(problem.identity)
        if snapshot is first and first.is_unchanged(named, wait):
            return case, findings
        snapshot = snapshot.read_again(sorted(named), wait)
        case = case.of(snapshot)
        findings = case.find()
        believed = [
            problem
            for problem in findings.problems
            if problem.identity in known and named.issuperset((problem.path, *problem.related))
        ]
        if len(believed) == len(findings.problems):
            break
    findings.problems = believed
    return case, findings
