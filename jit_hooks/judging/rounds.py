"""All repairs to a fixed point, over a store in memory; what they change is the plan."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from jit_hooks.checks import BY_CODE, UNREADABLE
from jit_hooks.repairs import REPAIRS
from jit_hooks.repairs.ground import Ground

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.judging.case import Case
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Identity = tuple[str, str, str]

MAX_ROUNDS = 12
"""How often the repairs run; each round sees what the one before left. Honest damage takes three or four."""


class Known(NamedTuple):
    """A store, what judging it found, and the paths at which the one to be judged next may differ from it."""

    store: Store
    problems: list[Problem]
    unlike: set[str]


class Draft:
    """The repairs of a store in memory.

    Attributes:
        first: the store as it was, and what judging it found.
        changes: store path to the bytes it gets, or None when it goes.
        fixes: code to how many problems of it are gone because of its repair.
        store: the store after the changes.
        problems: what judging it finds.
        dropped: codes whose repair would have added an error, with that error.
    """

    def __init__(self, store: Store, problems: list[Problem]) -> None:
        self.first = (store, problems)
        self.changes: dict[str, bytes | None] = {}
        self.fixes: dict[str, int] = {}
        self.store = store
        self.problems = problems
        self.dropped: dict[str, Problem] = {}


def draft_repairs(
    case: Case,
    context: Context,
    wanted: Callable[[Problem], bool] = lambda _: True,
    known: Known | None = None,
) -> Draft:
    """Run every repair until nothing changes.

    Args:
        case: the store as it is; its checks judge it between the rounds.
        context: what repairs may know and choose.
        wanted: tells if a problem is to be repaired at all.
        known: a store that was judged before, where that spares judging all of this one.
    """
    return _Rounds(case, context, wanted).run(known)


class _Rounds:
    def __init__(self, case: Case, context: Context, wanted: Callable[[Problem], bool]) -> None:
        self.case = case
        self.snapshot = case.store.snapshot
        self.context = context
        self.wanted = wanted
        self.rows = {row.code: row for row in REPAIRS}

    @cached_property
    def ground(self) -> Ground:
        """The names of the store, asked where a plan may write."""
        return Ground(self.snapshot)

    def run(self, known: Known | None) -> Draft:
        done = Draft(*self.judged({}, known))
        for _ in range(MAX_ROUNDS):
            by_code = self.repairable(done)
            after, tried = self.repaired(done, by_code)
            if after == done.changes:
                break
            store, problems = self.judged_after(done, after)
            settled = any(self.rows[code].settles for code in tried)
            if not settled and self.adds_error(done, problems):
                after, tried = self.without_harm(done, by_code)
                if after == done.changes:
                    break
                store, problems = self.judged_after(done, after)
            self.count(done, tried, problems)
            done.changes, done.store, done.problems = after, store, problems
        return done

    def judged_after(self, done: Draft, after: dict[str, bytes | None]) -> tuple[Store, list[Problem]]:
        """The store with other changes than were made so far, and what is wrong with it."""
        paths = {*done.changes, *after}
        unlike = {path for path in paths if done.changes.get(path, _UNCHANGED) != after.get(path, _UNCHANGED)}
        return self.judged(after, Known(done.store, done.problems, unlike))

    def judged(self, changes: dict[str, bytes | None], known: Known | None) -> tuple[Store, list[Problem]]:
        """The store with these changes, and what is wrong with it.

        A record that is as it was has the problems that it had: it is read again only for what others say of it.
        """
        case = self.case.with_changes(changes)
        if known is None:
            return case.store, case.find().problems
        case.store.share(known.store, known.unlike)
        alone = {row.code: row for row in case.checks if row.kinds}
        as_before = [each for each in known.problems if each.code in alone and each.path not in known.unlike]
        paths = known.unlike if case.focus.everything else known.unlike & case.focus.paths
        records = case.only(paths).find(alone.values()).problems
        others = case.find(row for row in case.checks if not row.kinds).problems
        return case.store, as_before + records + others

    def repairable(self, done: Draft) -> dict[str, list[Problem]]:
        """The problems that may be repaired in this round, by code, in the order of the registry."""
        by_code: dict[str, list[Problem]] = {}
        for problem in done.problems:
            if problem.code in self.rows and problem.code not in done.dropped and self.wanted(problem):
                by_code.setdefault(problem.code, []).append(problem)
        found: dict[str, list[Problem]] = {}
        for row in self.rows.values():
            if row.unsafe and not self.context.unsafe:
                for problem in by_code.get(row.code, ()):
                    self.context.leave(problem, "mending it means choosing: --unsafe-fixes does")
            elif row.code in by_code:
                found[row.code] = by_code[row.code]
        return found

    def repaired(self, done: Draft, by_code: dict[str, list[Problem]]) -> tuple[dict[str, bytes | None], list[str]]:
        """The changes after these repairs, one after the other, each on what those before it left; who changed any.

        A repair is given what its own check still finds after those before it.
        """
        changes = dict(done.changes)
        tried: list[str] = []
        for code, found in by_code.items():
            changed = {path for path in changes if changes[path] != done.changes.get(path, _UNCHANGED)}
            laid = self.case.with_changes(dict(changes))
            laid.store.share(done.store, changed)
            problems = self.still_there(laid, code, found, changed) if changed else found
            part = self.part_of(code, laid.store, problems)
            if part:
                changes.update(part)
                tried.append(code)
                if self.rows[code].settles:
                    break
        return self.without_nothing(changes), tried

    def part_of(self, code: str, store: Store, problems: list[Problem]) -> dict[str, bytes | None]:
        """The changes of one repair; a problem is left when something would be written where nothing can be."""
        part = self.changed(code, store, problems)
        why = self.ground.why_not(part) if part else ""
        if not why:
            return part
        kept: list[Problem] = []
        for problem in problems:
            reason = self.ground.why_not(self.changed(code, store, [problem])) if len(problems) > 1 else why
            if reason:
                self.context.leave(problem, reason)
            else:
                kept.append(problem)
        return self.part_of(code, store, kept) if 0 < len(kept) < len(problems) else {}

    def changed(self, code: str, store: Store, problems: list[Problem]) -> dict[str, bytes | None]:
        """The changes of a repair of these problems, less what is so already."""
        return {
            path: data
            for path, data in self.rows[code].mend(store, problems, self.context).items()
            if self.differs(store, path, data)
        }

    def still_there(self, laid: Case, code: str, problems: list[Problem], changed: set[str]) -> list[Problem]:
        """The problems that a check finds after some files were changed in this round."""
        row = next(row for row in laid.checks if row.code == code)
        left: list[Problem] = []
        if row.needs == "record":
            left = [problem for problem in problems if problem.path not in changed]
            laid = laid.only(changed)
        return left + [problem for problem in laid.find((row,)).problems if self.wanted(problem)]

    def differs(self, store: Store, path: str, data: bytes | None) -> bool:
        if path.endswith("/"):  # a directory that holds files is no entry, but goes when they go
            return any(name.startswith(path) for name in store.entries()) == (data is None)
        return store.snapshot.read(path) != data

    def without_nothing(self, changes: dict[str, bytes | None]) -> dict[str, bytes | None]:
        """The changes less those that bring a file back to what it was, or remove a directory that never was."""
        return {
            path: data
            for path, data in changes.items()
            if (
                self.ground.has_folder(path) != (data is not None)
                if path.endswith("/")
                else self.snapshot.read(path) != data
            )
        }

    def adds_error(self, done: Draft, problems: list[Problem]) -> Problem | None:
        """An error on a record that loaded before and had not that error."""
        before = {problem.identity for problem in done.problems}
        faulty = {problem.path for problem in done.problems if UNREADABLE in BY_CODE[problem.code].marks}
        there = done.store.entries()
        severity = {row.code: row.severity for row in self.case.checks}
        return next(
            (
                problem
                for problem in problems
                if severity.get(problem.code) == "error"
                and problem.identity not in before
                and problem.path in there
                and problem.path not in faulty
                and not faulty.intersection(problem.related)
            ),
            None,
        )

    def without_harm(self, done: Draft, by_code: dict[str, list[Problem]]) -> tuple[dict[str, bytes | None], list[str]]:
        """The same with the repairs that add no error, tried one after the other; the others are dropped and named."""
        kept: dict[str, list[Problem]] = {}
        after, tried = done.changes, []
        for code, problems in by_code.items():
            with_it, changed = self.repaired(done, {**kept, code: problems})
            harm = self.adds_error(done, self.judged_after(done, with_it)[1]) if code in changed else None
            if harm is None:
                kept[code] = problems
                after, tried = with_it, changed
                continue
            done.dropped[code] = harm
            for problem in problems:
                self.context.leave(problem, f"mending it would bring {harm.code} to {harm.path}")
        return after, tried

    def count(self, done: Draft, tried: list[str], problems: list[Problem]) -> None:
        left = {problem.identity for problem in problems}
        for problem in done.problems:
            if problem.code in tried and problem.identity not in left:
                done.fixes[problem.code] = done.fixes.get(problem.code, 0) + 1
                self.context.left.pop(problem.identity, None)


_UNCHANGED = object()
"""Stands for a path that was not changed."""
