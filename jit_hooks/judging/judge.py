"""The straight line: a request becomes a snapshot, a snapshot problems, problems a report.

event -> request -> snapshot -> judge -> problems -> report -> exit code
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import chain
from shlex import quote as quoted

from jit_hooks.checks import CHECKS, Check
from jit_hooks.checks.runtime import pending_transactions, unsettled
from jit_hooks.errors import NewerStoreError, NotSettledError
from jit_hooks.git import GitIndexSnapshot, Repository, SideSnapshot, TreeSnapshot
from jit_hooks.judging.findings import Findings, find_lost, find_problems
from jit_hooks.judging.grading import grade
from jit_hooks.judging.staging import count_excused, find_unsettled, find_unstaged
from jit_hooks.judging.timelimit import time_limit
from jit_hooks.judging.whereabouts import find_copies
from jit_hooks.settings import Settings, read_settings
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.store import Store
from jit_hooks.worktree import WorktreeSnapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jit_hooks.judging.whereabouts import Whereabouts
    from jit_hooks.problem import Problem
    from jit_hooks.store.snapshot import Entry, Snapshot

    Changes = Mapping[str, tuple[Entry | None, Entry | None]]


_READINGS_UNDER_LOCKS = 2
"""How often the worktree is read again before what is new in the last reading is left to the next check."""


_WORTH_A_LISTING = 20
"""From how many paths on it is cheaper to list a commit than to ask git for each of them."""


@dataclass(frozen=True)
class Request:
    """What to judge.

    Attributes:
        source: ``worktree``, ``git-index`` or the id of a commit.
        root: the store's directory on disk; empty in a bare repository.
        repository: the git repository; None outside git.
        parents: ids of the commits this one follows, first parent first.
        everything: whether every record is judged, or only what differs from the parents; without a parent
            all of it is new.
        checks: the rows of the registry to run.
        amended: ids of HEAD's parents when this may replace HEAD (``git commit --amend``).
        wait: seconds to wait for the tracker's locks.
        seconds: the time limit, where the settings name none; 0 is none.
        now: the time it is asked at, RFC 3339, the only clock there is; empty: nothing is old.
        settling: whether a worktree with a transaction that the tracker cannot finish is judged all the same: by one
            who is about to clear it away.
    """

    source: str
    root: str
    repository: Repository | None
    parents: tuple[str, ...] = ()
    everything: bool = True
    checks: tuple[Check, ...] = CHECKS
    amended: tuple[str, ...] = ()
    wait: float = 5.0
    seconds: float = 0.0
    now: str = ""
    settling: bool = False

    def top_path(self, path: str) -> str:
        """A store path as reports print it, from the top of the repository."""
        return self.repository.top_path(path) if self.repository is not None else f".jit/{path}"


@dataclass(frozen=True)
class Mending:
    """What repairs did, or with ``dry`` would do.

    Attributes:
        plan: what was to be written (``plan_as_json``).
        fixes: code to how many of its problems the repairs took away.
        left: the identity of a problem to the reason why its repair left it.
        said: store path to where its new bytes come from.
        stays: the identities of the problems that are there afterwards.
        entry: the journal entry; empty when nothing was written.
        dry: whether nothing was to be written.
    """

    plan: list[dict[str, object]] = field(default_factory=list)
    fixes: dict[str, int] = field(default_factory=dict)
    left: dict[tuple[str, str, str], str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    stays: set[tuple[str, str, str]] = field(default_factory=set)
    entry: str = ""
    dry: bool = False


@dataclass
class Report:
    """What judging gave.

    Attributes:
        verdict: ``healthy``, ``problems`` (errors remain) or ``not-judged``.
        source: as in the request, for people.
        problems: introduced ones, the worst first.
        carried: those the first parent already has.
        skipped: code to the reason why that check could not be made.
        amending: whether it is known that this may replace HEAD.
        stage: paths from the top whose ``git add`` makes the commit whole.
        copies: identity of an error to where the right bytes are (of the git index only).
        excused: how many errors settings would excuse that lie in the worktree and are not staged.
        notices: one line each: what else the reader should know.
        reason: why nothing was judged, when nothing was.
        remedy: what to type then.
        code: of what kept it from being judged, where ``explain`` knows it.
        mended: what ``--fix`` did, where it was asked for.
        fix: the command that repairs this store.
    """

    verdict: str
    source: str
    problems: list[Problem] = field(default_factory=list)
    carried: list[Problem] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    amending: bool = False
    stage: list[str] = field(default_factory=list)
    copies: dict[tuple[str, str, str], Whereabouts] = field(default_factory=dict)
    excused: int = 0
    notices: list[str] = field(default_factory=list)
    reason: str = ""
    remedy: str = ""
    code: str = ""
    prefix: str = ".jit/"
    snapshot: Snapshot | None = None
    stats: dict[str, float] = field(default_factory=dict)
    mended: Mending | None = None
    fix: str = "jit-check --fix"

    @property
    def errors(self) -> list[Problem]:
        """The problems that block."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def exit_code(self) -> int:
        """0 judged and no error, 1 errors, 3 not judged."""
        return {"healthy": 0, "problems": 1, "not-judged": 3}[self.verdict]


@dataclass(frozen=True)
class Ground:
    """What a verdict stands on.

    Attributes:
        settings: those in force.
        focus: what was judged, and the parents.
        checks: the checks that were made.
        snapshot: what was read last.
    """

    settings: Settings
    focus: Focus
    checks: tuple[Check, ...]
    snapshot: Snapshot


def judge(request: Request) -> Report:
    """Judge one source.

    Raises:
        UsageError: the settings in force cannot be followed.
        NotJudgedError: the store could not be looked at, or not within the time limit.
    """
    return look(request)[0]


def look(request: Request) -> tuple[Report, Ground]:
    """As ``judge``, with what the verdict stands on."""
    snapshot = open_snapshot(request)
    settings = read_settings(snapshot)
    if request.repository is not None:
        settings = settings.tightened(request.repository.git)
    with time_limit(request.seconds if settings.seconds is None else settings.seconds):
        return _judge(request, snapshot, settings)


def _judge(request: Request, snapshot: Snapshot, settings: Settings) -> tuple[Report, Ground]:
    began = time.monotonic()
    changes = [changes_since(request, parent) for parent in request.parents]
    if changes and snapshot.on_disk:
        untracked = dict.fromkeys(_untracked(snapshot), (None, None))
        changes = [{**untracked, **change} for change in changes]
    paths = frozenset(chain.from_iterable(changes))
    learn_from(snapshot, changes)
    parents = tuple(
        Store(parent_snapshot(request, parent, change), settings.accepted)
        for parent, change in zip(request.parents, changes, strict=True)
    )
    bases = merge_bases(request, settings)
    focus = Focus(paths, everything=request.everything or not parents, parents=parents, bases=bases)
    store = Store(snapshot, settings.accepted, log_start(snapshot, focus))
    refuse_newer(store, settings)
    raised = {code for code, severity in settings.severity.items() if severity == "error"}
    checks = tuple(
        row
        for row in CHECKS
        if (row in request.checks or (row.code in raised and not request.everything))
        and settings.severity_of(row.code, row.severity) != "off"
    )
    findings = find_problems(store, focus, checks)
    if isinstance(snapshot, WorktreeSnapshot) and (findings.problems or snapshot.in_motion):
        store, findings = _read_again(request, store, focus, checks, findings)
    settled = _judge_settled(request, store, focus, checks, findings) if request.source == "git-index" else []
    for parent, change in zip(parents, changes, strict=True):
        parent.share(store, change)
    introduced, carried = split_introduced(request, findings.problems, focus, settings, checks, unchanged=not paths)
    known = {problem.identity for problem in introduced}
    introduced.extend(problem for problem in settled if problem.identity not in known)
    report = Report("healthy", request.source, carried=carried, skipped=findings.skipped, snapshot=store.snapshot)
    stale = grade(chain(introduced, carried), settings, store, parents, prefix=_prefix(request))
    report.problems = introduced
    report.amending = bool(request.amended)
    unsettled_note = find_unsettled(request) if request.source == "git-index" and request.root else ""
    if unsettled_note:
        report.notices.append(unsettled_note)
    elif request.source == "git-index" and request.root and introduced:
        report.stage = find_unstaged(request, store, focus, settings, introduced)
        unstaged = [problem for problem in report.errors if problem.repair != "stage"]
        report.copies = find_copies(request, store, focus, settings, unstaged)
    if request.source == "git-index" and request.root:
        report.excused = count_excused(request, store, focus, report.errors)
    if request.everything:
        report.notices.extend(f"stale [[accept]] in hooks.toml: {entry.code} of {entry.record}" for entry in stale)
    if request.repository is not None:
        report.prefix = request.repository.prefix
    report.problems.sort(key=worst_first)
    report.carried.sort(key=worst_first)
    if report.errors:
        report.verdict = "problems"
    report.stats = {"records": len(focus.record_paths(store)), "seconds": round(time.monotonic() - began, 4)}
    return report, Ground(settings, focus, checks, store.snapshot)


def open_snapshot(request: Request) -> Snapshot:
    """The snapshot a request names."""
    if request.source == "worktree":
        snapshot = WorktreeSnapshot(request.root, request.repository, request.now)
        if pending_transactions(snapshot):
            snapshot = snapshot.read_again((), request.wait)
            found = [
                problem
                for problem in unsettled(snapshot)
                if not (request.settling and problem.code == "transaction-stuck")
            ]
            if found:
                first = found[0]
                said = first.message if first.code == "transaction-stuck" else ""
                raise NotSettledError(request.top_path(first.path), said, first.remedy)
        return snapshot
    assert request.repository is not None
    if request.source == "git-index":
        return GitIndexSnapshot(request.repository)
    return TreeSnapshot(request.repository, request.source)


def parent_snapshot(request: Request, commit: str, changes: Changes) -> TreeSnapshot:
    """The snapshot of a parent, which already knows what stood where something changed."""
    assert request.repository is not None
    return TreeSnapshot(request.repository, commit, {path: before for path, (before, _) in changes.items()})


def changes_since(request: Request, parent: str) -> Changes:
    """What the source changes against one commit."""
    repository = request.repository
    assert repository is not None
    if request.source == "worktree":
        return repository.changes("diff-index", parent)
    if request.source == "git-index":
        return repository.changes("diff-index", "--cached", parent)
    return repository.changes("diff-tree", "-r", parent, request.source)


def learn_from(snapshot: Snapshot, changes: Iterable[Changes]) -> None:
    """Tell a snapshot what the diffs said stands in it: git's modes tell a link from a file."""
    for change in changes:
        snapshot.learn({path: after for path, (_, after) in change.items()})


def merge_bases(request: Request, settings: Settings) -> tuple[Store, ...] | None:
    """The stores of the merge bases of what is judged, if that is a merge; None where they are not known."""
    if len(request.parents) < 2 or request.repository is None:
        return None
    found = request.repository.merge_bases(request.parents)
    if found is None:
        return None
    return tuple(Store(TreeSnapshot(request.repository, base), settings.accepted) for base in found)


def log_start(snapshot: Snapshot, focus: Focus) -> int:
    """How many bytes at the beginning of the event log a partial focus may take as known."""
    if focus.everything or not focus.parents:
        return 0
    before = focus.parents[0].snapshot.read(layout.LOG)
    now = snapshot.read(layout.LOG)
    if not before or not now or isinstance(before, TooLarge) or isinstance(now, TooLarge):
        return 0
    return len(before) if now.startswith(before) and before.endswith(b"\n") else 0


def refuse_newer(store: Store, settings: Settings) -> None:
    """Refuse to judge a store whose issue index is newer than this program knows or the settings accept.

    Raises:
        NewerStoreError: it is.
    """
    record = store.record(layout.INDEX)
    version = record.members.get("schema_version") if record is not None else None
    if type(version) is int and version > settings.accepted.schema_version:
        raise NewerStoreError(layout.INDEX, version, settings.accepted.schema_version)


def _read_again(
    request: Request, store: Store, focus: Focus, checks: tuple[Check, ...], findings: Findings
) -> tuple[Store, Findings]:
    """What two readings found, the later of which read all files in question while no tracker was writing.

    A reading that meets a file on the move cannot judge what stands on it, so the second one may show more than
    the first did; what is new in it gets a reading of its own. What only the last one shows is not believed: it
    rests on files read beside writers. Where nothing has changed meanwhile, the first reading was all that.
    """
    named = {layout.INDEX, layout.LOG, layout.GATES_JSON, layout.GATES_TOML}
    known: set[tuple[str, str, str]] = set()
    snapshot = first = store.snapshot
    for _ in range(_READINGS_UNDER_LOCKS):
        assert isinstance(snapshot, WorktreeSnapshot)
        named |= snapshot.vanished
        for problem in findings.problems:
            named.update((problem.path, *problem.related))
            known.add(problem.identity)
        if snapshot is first and first.is_settled(named, request.wait):
            return store, findings
        snapshot = snapshot.read_again(sorted(named), request.wait)
        store = Store(snapshot, store.accepted, log_start(snapshot, focus))
        findings = find_problems(store, focus, checks)
        believed = [
            problem
            for problem in findings.problems
            if problem.identity in known and named.issuperset((problem.path, *problem.related))
        ]
        if len(believed) == len(findings.problems):
            break
    findings.problems = believed
    return store, findings


def _judge_settled(
    request: Request, store: Store, focus: Focus, checks: tuple[Check, ...], findings: Findings
) -> list[Problem]:
    """What was lost in conflicts settled in the git index, which remembers their sides.

    A commit that is picked, reverted or rebased has one parent, so there only the sides tell. They mean something
    while that work is under way and our side is still HEAD's. Losses found otherwise get the remedy that fits.
    """
    repository = request.repository
    if repository is None or not focus.parents or not (focus.is_merge or repository.is_replaying()):
        return []
    settled = repository.settled_conflicts()
    lost: list[Problem] = []
    if settled and not focus.is_merge:
        head = focus.parents[0].snapshot
        live = {path: sides for path, sides in settled.items() if head.entry(path) == sides[1]}
        base, *sides = (
            Store(SideSnapshot(repository, {path: entry for path, three in live.items() if (entry := three[number])}))
            for number in range(3)
        )
        lost = find_lost(store, Focus(live, parents=tuple(sides), bases=(base,)), checks)
    for problem in (*findings.problems, *lost):
        if problem.path in settled and problem.code in ("merge-lost-edit", "event-lost"):
            again = f"git checkout -m -- {quoted(f':/{request.top_path(problem.path)}')}"
            problem.remedy = f"bring the change back by hand, or merge the file once more, in place of it: {again}"
    return lost


def find_lost_in_rewriting(
    repository: Repository, checks: tuple[Check, ...], before: str, old: str, onto: str, new: str
) -> list[Problem]:
    """What a commit that was applied elsewhere has lost on the way.

    Args:
        repository: where the commits are.
        checks: the rows of the registry to run.
        before: the parent of the old commit, or of the first of those that were folded into the new one.
        old: the commit as it was, or the last one.
        onto: the parent of the new commit.
        new: what became of it.
    """
    snapshot = TreeSnapshot(repository, new)
    settings = read_settings(snapshot)
    store = Store(snapshot, settings.accepted)
    base, ours, theirs = (Store(TreeSnapshot(repository, one), settings.accepted) for one in (before, onto, old))
    paths = repository.changes("diff-tree", "-r", before, old)
    found = find_lost(store, Focus(paths, parents=(ours, theirs), bases=(base,)), checks)
    grade(found, settings, store, (ours, theirs), prefix=repository.prefix)
    for problem in found:
        problem.commit = new
    return found


def _untracked(snapshot: Snapshot) -> list[str]:
    """The records and gate runs on disk that no diff tells of, for git does not know them yet."""
    tracked = snapshot.tracked() if snapshot.in_git else {}
    return [
        path
        for path in snapshot.entries()
        if path not in tracked and (layout.kind_of(path) in layout.TEXT_KINDS or path.startswith(layout.RUNS))
    ]


def split_introduced(
    request: Request,
    problems: list[Problem],
    focus: Focus,
    settings: Settings,
    checks: tuple[Check, ...],
    *,
    unchanged: bool = False,
) -> tuple[list[Problem], list[Problem]]:
    """The problems this source brings, and those its first parent already has.

    ``unchanged``: no file of the store differs from any parent's. When HEAD may be about to be replaced
    (``amended``), only what is new against HEAD and against its parents counts as brought.
    """
    if not focus.parents or not problems:
        return problems, []
    known = identities_in(focus.parents[0], problems, focus, checks, unchanged=unchanged)
    if request.amended:
        known |= _not_against(request, problems, settings, checks)
    introduced = [problem for problem in problems if problem.identity not in known]
    carried = [problem for problem in problems if problem.identity in known]
    for problem in carried:
        problem.introduced = False
    return introduced, carried


def identities_in(
    parent: Store, problems: list[Problem], focus: Focus, checks: Iterable[Check], *, unchanged: bool = False
) -> set[tuple[str, str, str]]:
    """Which of these problems a parent has, too: without judging more of it than they rest on.

    ``unchanged``: the store equals the parent's; then only documents, which lie outside it, can differ.
    """
    rows = {row.code: row for row in checks}
    known: set[tuple[str, str, str]] = set()
    asked: list[Problem] = []
    if len({problem.path for problem in problems}) > _WORTH_A_LISTING:
        parent.entries()
    for problem in problems:
        row = rows[problem.code]
        if row.needs in ("parents", "merge", "disk", "control"):
            continue
        rests_on_itself = row.needs == "record" and problem.path not in focus.paths and parent.is_file(problem.path)
        if rests_on_itself or (unchanged and row.family != "document"):
            known.add(problem.identity)
        else:
            asked.append(problem)
    if asked:
        paths = {path for problem in asked for path in (problem.path, *problem.related)}
        codes = {problem.code for problem in asked}
        before = Focus(paths | focus.paths, parents=())
        found = find_problems(parent, before, (rows[code] for code in sorted(codes)))
        known.update(problem.identity for problem in found.problems)
    return known


def _not_against(
    request: Request, problems: list[Problem], settings: Settings, checks: tuple[Check, ...]
) -> set[tuple[str, str, str]]:
    """What would not be new if the commit took the place of HEAD."""
    assert request.repository is not None
    instead = Request(
        request.source, "", request.repository, request.amended, request.everything, checks, wait=request.wait
    )
    changes = [changes_since(instead, parent) for parent in instead.parents]
    parents = tuple(
        Store(parent_snapshot(instead, parent, change), settings.accepted)
        for parent, change in zip(instead.parents, changes, strict=True)
    )
    focus = Focus(chain.from_iterable(changes), everything=request.everything, parents=parents)
    snapshot = open_snapshot(instead)
    learn_from(snapshot, changes)
    store = Store(snapshot, settings.accepted, log_start(snapshot, focus))
    found = {problem.identity for problem in find_problems(store, focus, checks).problems}
    old = identities_in(parents[0], problems, focus, checks)
    return {problem.identity for problem in problems if problem.identity not in found or problem.identity in old}


def _prefix(request: Request) -> str:
    return request.repository.prefix if request.repository is not None else ".jit/"


def worst_first(problem: Problem) -> tuple[int, str, str, int]:
    """The order of problems in a report: by severity, then by place."""
    rank = {"error": 0, "warning": 1, "note": 2}.get(problem.severity, 3)
    return rank, problem.path, problem.code, problem.line
