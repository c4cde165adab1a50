"""What judging and mending gave, as data; the room ``report`` renders it."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.copies import Whereabouts
    from jit_hooks.problem import Graded
    from jit_hooks.store.snapshot import Snapshot

    Identity = tuple[str, str, str]


@dataclass(frozen=True)
class Repairs:
    """What repairs did, or with ``dry`` would do.

    Attributes:
        plan: what was to be written (``plan_as_json``).
        fixes: code to how many of its problems the repairs took away.
        left: the identity of a problem to the reason for which its repair left it.
        sources: store path to where its new bytes come from.
        stays: the identities of the problems that are there afterwards.
        entry: the journal entry; empty when nothing was written.
        dry: True if nothing was to be written.
    """

    plan: list[dict[str, object]] = field(default_factory=list)
    fixes: dict[str, int] = field(default_factory=dict)
    left: dict[Identity, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    stays: set[Identity] = field(default_factory=set)
    entry: str = ""
    dry: bool = False


@dataclass
class Report:
    """What judging gave.

    Attributes:
        source: as in the request, for people.
        problems: introduced ones, the worst first.
        carried: those the first parent already has.
        skipped: code to the reason for which that check could not be made.
        amending: True if it is known that this may replace HEAD.
        stage: paths from the top whose ``git add`` makes the commit whole.
        copies: identity of an error to where the right bytes are (of the git index only).
        excused: how many errors settings would excuse that lie in the worktree and are not staged.
        notices: one line each: what else the reader should know.
        reason: why nothing was judged, when nothing was.
        remedy: what to type then.
        code: of what kept it from being judged, where ``explain`` knows it.
        prefix: the path of the store from the top of the repository, with a final ``/``.
        snapshot: what was read.
        stats: figures by name.
        repairs: what ``--fix`` did, where it was asked for.
        fix: the command that repairs this store.
    """

    source: str
    problems: list[Graded] = field(default_factory=list)
    carried: list[Graded] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    amending: bool = False
    stage: list[str] = field(default_factory=list)
    copies: dict[Identity, Whereabouts] = field(default_factory=dict)
    excused: int = 0
    notices: list[str] = field(default_factory=list)
    reason: str = ""
    remedy: str = ""
    code: str = ""
    prefix: str = ".jit/"
    snapshot: Snapshot | None = None
    stats: dict[str, float] = field(default_factory=dict)
    repairs: Repairs | None = None
    fix: str = "jit-check --fix"

    @property
    def errors(self) -> list[Graded]:
        """The problems that block."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def verdict(self) -> str:
        """``healthy``, ``problems`` (errors remain) or ``not-judged``."""
        if self.reason:
            return "not-judged"
        return "problems" if self.errors else "healthy"

    @property
    def exit_code(self) -> int:
        """0 judged and no error, 1 errors, 3 not judged."""
        return {"healthy": 0, "problems": 1, "not-judged": 3}[self.verdict]
