"""All repairs to a fixed point, over a store in memory; what they change is the plan."""

from __future__ import annotations

from jit_hooks.checks.judge import find_problems
from jit_hooks.repairs import BY_CODE, REPAIRS
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Overlay
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jit_hooks.checks import Check
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.snapshot import Snapshot

    Identity = tuple[str, str, str]

MAX_ROUNDS = 12
"""How often the repairs run; each round sees what the one before left. Honest damage takes three or four."""


class Mended:
    """What the repairs did.

    Attributes:
        changes: store path to the bytes it gets, or None when it goes.
        fixes: code to how many problems of it are gone because of its repair.
        store: the store after the changes.
        problems: what judging it finds.
        dropped: codes whose repair would have added an error, with that error.
    """

    def __init__(self, changes: dict[str, bytes | None], store: Store, problems: list[Problem]) -> None:
        self.changes = changes
        self.fixes: dict[str, int] = {}
        self.store = store
        self.problems = problems
        self.dropped: dict[str, Problem] = {}


def mend(
    snapshot: Snapshot,
    focus: Focus,
    checks: Iterable[Check],
    context: Context,
    wanted: Callable[[Problem], bool] = lambda _: True,
) -> Mended:
    """Run every repair until nothing changes.

    Args:
        snapshot: the store as it is.
        focus: its parents, and what differs from them.
        checks: what judges the store between the rounds.
        context: what repairs may know and choose.
        wanted: whether a problem is to be repaired at all.
    """
    return _Mending(snapshot, focus, tuple(checks), context, wanted).run()


class _Mending:
    def __init__(
        self,
        snapshot: Snapshot,
        focus: Focus,
        checks: tuple[Check, ...],
        context: Context,
        wanted: Callable[[Problem], bool],
    ) -> None:
        self.snapshot = snapshot
        self.focus = focus
        self.checks = checks
        self.context = context
        self.wanted = wanted

    def run(self) -> Mended:
        store, problems = self.judged({})
        done = Mended({}, store, problems)
        for _ in range(MAX_ROUNDS):
            offered = self.repaired(done)
            parts = self.without_clashes(offered)
            changes = self.merged(parts)
            if not changes:
                break
            after = self.without_nothing({**done.changes, **changes})
            store, problems = self.judged(after)
            if self.adds_error(done, problems):
                parts = self.without_harm(done, offered)
                after = self.without_nothing({**done.changes, **self.merged(parts)})
                if after == done.changes:
                    break
                store, problems = self.judged(after)
            if after == done.changes:
                break
            self.count(done, parts, problems)
            done.changes, done.store, done.problems = after, store, problems
        return done

    def judged(self, changes: dict[str, bytes | None]) -> tuple[Store, list[Problem]]:
        """The store with these changes, and what is wrong with it."""
        store = Store(Overlay(self.snapshot, changes) if changes else self.snapshot, self.context.accepted)
        focus = Focus(self.focus.paths | changes.keys(), everything=True, parents=self.focus.parents)
        return store, find_problems(store, focus, self.checks).problems

    def repaired(self, done: Mended) -> dict[str, dict[str, bytes | None]]:
        """What each repair would change; code to changes that differ from what stands there."""
        by_code: dict[str, list[Problem]] = {}
        for problem in done.problems:
            if problem.code in BY_CODE and problem.code not in done.dropped and self.wanted(problem):
                by_code.setdefault(problem.code, []).append(problem)
        parts: dict[str, dict[str, bytes | None]] = {}
        for row in REPAIRS:
            found = by_code.get(row.code)
            if not found:
                continue
            if row.unsafe and not self.context.unsafe:
                for problem in found:
                    self.context.leave(problem, "mending it means choosing: --unsafe-fixes does")
                continue
            part = {
                path: data
                for path, data in row.function(done.store, found, self.context).items()
                if self.differs(done.store, path, data)
            }
            if part:
                parts[row.code] = part
        return parts

    def differs(self, store: Store, path: str, data: bytes | None) -> bool:
        if path.endswith("/"):  # a directory that holds files is no entry, but goes when they go
            return any(name.startswith(path) for name in store.entries()) == (data is None)
        return store.snapshot.read(path) != data

    def without_clashes(self, parts: dict[str, dict[str, bytes | None]]) -> dict[str, dict[str, bytes | None]]:
        """The repairs that go now: of two that would change one file the first, the other in the next round."""
        taken: set[str] = set()
        kept: dict[str, dict[str, bytes | None]] = {}
        for code, part in parts.items():
            if taken.isdisjoint(part):
                taken.update(part)
                kept[code] = part
        return kept

    def merged(self, parts: dict[str, dict[str, bytes | None]]) -> dict[str, bytes | None]:
        """The changes of all these repairs."""
        return {path: data for part in parts.values() for path, data in part.items()}

    def without_nothing(self, changes: dict[str, bytes | None]) -> dict[str, bytes | None]:
        """The changes less those that bring a file back to what it was."""
        return {path: data for path, data in changes.items() if path.endswith("/") or self.snapshot.read(path) != data}

    def adds_error(self, done: Mended, problems: list[Problem]) -> Problem | None:
        """An error on a record that loaded before and had not that error."""
        before = {problem.identity for problem in done.problems}
        faulty = {problem.path for problem in done.problems if problem.code in _UNREADABLE}
        there = done.store.entries()
        severity = {row.code: row.severity for row in self.checks}
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

    def without_harm(
        self, done: Mended, parts: dict[str, dict[str, bytes | None]]
    ) -> dict[str, dict[str, bytes | None]]:
        """The repairs that add no error, tried one after the other; the others are dropped and named."""
        kept: dict[str, dict[str, bytes | None]] = {}
        for code, part in parts.items():
            if code not in self.without_clashes({**kept, code: part}):
                continue
            tried = {**done.changes, **self.merged({**kept, code: part})}
            harm = self.adds_error(done, self.judged(tried)[1])
            if harm is None:
                kept[code] = part
            else:
                done.dropped[code] = harm
                for problem in done.problems:
                    if problem.code == code:
                        self.context.leave(problem, f"mending it would bring {harm.code} to {harm.path}")
        return kept

    def count(self, done: Mended, parts: dict[str, dict[str, bytes | None]], problems: list[Problem]) -> None:
        left = {problem.identity for problem in problems}
        for problem in done.problems:
            if problem.code in parts and problem.identity not in left:
                done.fixes[problem.code] = done.fixes.get(problem.code, 0) + 1
                self.context.left.pop(problem.identity, None)


_UNREADABLE = frozenset(
    (
        "text-not-utf8",
        "json-unparsable",
        "json-duplicate-key",
        "json-lone-surrogate",
        "conflict-marker",
        "event-unparsable",
        "limit-exceeded",
        "index-malformed",
        "issue-malformed",
        "registry-malformed",
        "run-malformed",
        "config-malformed",
    )
)
"""Codes under which a record did not load: what it newly shows when it does is news, not harm."""
