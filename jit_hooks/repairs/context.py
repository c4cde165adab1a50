"""What a repair may know besides the store: its parents, other copies of a file, and what it is allowed to choose."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jit_hooks.problem import Problem
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.loss import Lost
    from jit_hooks.store.store import Store


class Copy:
    """Another copy of a file: where it is, in words, and its bytes."""

    __slots__ = ("data", "source")

    def __init__(self, source: str, data: bytes) -> None:
        self.source = source
        self.data = data

    def __repr__(self) -> str:
        return f"Copy({self.source!r}, {len(self.data)} bytes)"


class Copies:
    """The copies of one file, each looked for only when it is asked for; true when there is one."""

    def __init__(self, source: Iterable[Copy]) -> None:
        self._source = iter(source)
        self._found: list[Copy] = []

    def __iter__(self) -> Iterator[Copy]:
        yield from self._found
        for copy in self._source:
            self._found.append(copy)
            yield copy

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None


def no_copies(_: str) -> Iterable[Copy]:
    """The copies of a file outside git."""
    return ()


class Context:
    """What one run of the repairs knows and has to say.

    Args:
        parents: the stores of the parents, first parent first.
        bases: of a merge, the stores of its merge bases.
        accepted: growth of the tracker that the settings take in.
        copies: the copies of a store path, the best source first: a temp that a dead writer left, the git index, HEAD,
            the other parents, older versions. Empty for a path whose deletion is staged. Asked only when needed.
        logs: the event logs of all other sources (git index, parents, linked worktrees), for events that stand there.
        unsafe: whether repairs may choose between readings (``--unsafe-fixes``).
        now: the time of the request, RFC 3339; only what expires looks at it.

    Attributes:
        left: by identity, the reason why a problem was not mended.
        said: by path, where the new bytes of a file in the plan come from.
    """

    def __init__(
        self,
        *,
        parents: tuple[Store, ...] = (),
        bases: tuple[Store, ...] = (),
        accepted: Accepted,
        copies: Callable[[str], Iterable[Copy]] = no_copies,
        logs: Callable[[], Iterable[Copy]] = tuple,
        unsafe: bool = False,
        now: str = "",
    ) -> None:
        self.parents = parents
        self.bases = bases
        self.accepted = accepted
        self.unsafe = unsafe
        self.now = now
        self.left: dict[tuple[str, str, str], str] = {}
        self.said: dict[str, str] = {}
        self._ask_copies = copies
        self._ask_logs = logs
        self._copies: dict[str, Copies] = {}
        self._logs: tuple[Copy, ...] | None = None
        self._elsewhere: tuple[bytes, tuple[tuple[Lost, ...], ...]] = b"", ()

    def copies(self, path: str) -> Copies:
        """The copies of a file, the best source first."""
        if path not in self._copies:
            self._copies[path] = Copies(self._ask_copies(path))
        return self._copies[path]

    def logs(self) -> tuple[Copy, ...]:
        """The event logs of all other sources."""
        if self._logs is None:
            self._logs = tuple(self._ask_logs())
        return self._logs

    def events_elsewhere(self, log: bytes) -> tuple[tuple[Lost, ...], ...]:
        """By source, the events that other logs hold and this log has in no form."""
        if self._elsewhere[0] is not log or not log:
            from jit_hooks.store.loss import lost_events

            others = dict.fromkeys(copy.data for copy in self.logs())
            found = (tuple(lost for lost in lost_events(data, log) if not lost.is_changed) for data in others)
            self._elsewhere = log, tuple(filter(None, found))
        return self._elsewhere[1]

    def leave(self, problem: Problem, reason: str) -> None:
        """Say why a problem is left to a person, or to ``--unsafe-fixes``."""
        self.left[problem.identity] = reason
