"""June's tracker killed between two writes: each crash state of its format (C1 to C22), made by a model and for real.

A row says how the model comes to the state, what must be found, what ``--fix`` must change, and what it must leave to
people with which words. The real states of the same names, made by killing the tracker at a chosen system call, are
held to the same rows.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from claims import NOW as CLAIMED_NOW
from claims import acquire, evict, index, lease, lines
from crashed_stores import Desk, Left, changes, codes_in, events_in, in_store, lay, told_in, tree_below
from project import CORPUS

from jit_hooks.judging.mending import Choice
from jit_hooks.store.claims import replay
from jit_hooks.testing.damage import DEAD_PID
from jit_hooks.testing.tracker import Tracker, Write, apply_write, document_bytes, temp_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

CRASHED = CORPUS / "tracker-made" / "crashed"

Store = dict[str, bytes]
Record = dict[str, Any]


class June:
    """The store that all crashes start from: A needs B and D, B needs C; C requires two gates, D one."""

    def __init__(self) -> None:
        self.tracker = Tracker(0, "june")
        self.tracker.init()
        for key, command in (("man", None), ("auto", "true")):
            self.tracker.gate_define(key, f"Gate {key}", command=command)
        labels = ["epic:harbour", "type:task"]
        gates = {"C": ["man", "auto"], "D": ["man"]}
        ids = [self.tracker.create(title, labels=labels, gates=gates.get(title, ())) for title in "ABCD"]
        self.a, self.b, self.c, self.d = ids
        for one, other in ((self.a, self.b), (self.a, self.d), (self.b, self.c)):
            self.tracker.dep_add(one, other)
        self.head = dict(self.tracker.files)
        self.outside: dict[str, bytes | None] = {}
        self.control: Store = {}
        self.now = Left.now

    def run(self, operation: str, *arguments: Any, **options: Any) -> None:
        """A command that ends well, before the one that does not."""
        self.tracker.do(operation, *arguments, **options)

    def writes(self, *commands: tuple[Any, ...]) -> list[Write]:
        """The writes of commands, which are not made."""
        fork = self.tracker.fork()
        return [write for operation, *arguments in commands for write in fork.do(operation, *arguments)]

    def killed(self, writes: Iterable[Write], *, temp: str = "", part: int = 0) -> Left:
        """The state after some writes and what was done of the next one.

        Args:
            writes: those that were done, and last the one that was not.
            temp: of that one, when it is a replacement: ``whole`` or ``empty``, its temp file lies there.
            part: of that one, when it is an append: how many bytes of it were written.
        """
        *done, last = writes
        files: dict[str, bytes | None] = dict(self.tracker.files)
        for write in done:
            apply_write(files, write)  # type: ignore[arg-type]
            if write.kind == "mkdir":
                files[write.path] = None
            elif write.path.startswith("gate-runs/"):
                files.pop(write.path.rpartition("/")[0], None)
        assert bool(temp) <= (last.kind == "replace")
        assert bool(part) <= (last.kind == "append")
        if temp:
            files.pop(last.path.rpartition("/")[0], None)
            files[temp_path(last.path, DEAD_PID)] = (last.data or b"") if temp == "whole" else b""
        if part:
            files[last.path] = (files[last.path] or b"") + (last.data or b"")[:part]
        return self.left(files)

    def left(self, files: Mapping[str, bytes | None]) -> Left:
        """A state of these files."""
        outside = {path: data for path, data in self.outside.items() if data is not None}
        below: dict[str, bytes | None] = {f".jit/{path}": data for path, data in files.items()}
        return Left({**in_store(self.head), **outside}, {**below, **self.outside}, self.control, self.now)


def update(june: June) -> list[Write]:
    return june.writes(("update", june.b, "B2"))


def create(june: June) -> list[Write]:
    return june.writes(("create", "New issue"))


def temp_of_issue(june: June, *, temp: str) -> Left:
    return june.killed(update(june)[:1], temp=temp)


def temp_of_registry(june: June) -> Left:
    return june.killed(june.writes(("gate_define", "n", "N"))[:1], temp="whole")


def created(june: June, *, done: int, temp: str = "", part: int = 0) -> Left:
    return june.killed(create(june)[: done + 1], temp=temp, part=part)


def glued(june: June, *, part: int | None) -> Left:
    """A create whose event was cut, or lacks its newline, and then a whole update."""
    *_, event, _ = create(june)
    torn = replace(event, data=(event.data or b"")[:part])
    new, listed = create(june)[:2]
    fork = june.tracker.fork()
    fork.create("New issue")
    files: dict[str, bytes | None] = dict(june.tracker.files)
    for write in (new, listed, torn, *fork.do("update", june.b, "B2")):
        apply_write(files, write)  # type: ignore[arg-type]
    return june.left(files)


def state_without_event(june: June) -> Left:
    return june.killed(june.writes(("set_state", june.c, "in_progress"))[:2])


def done_without_completed(june: June) -> Left:
    june.run("gate_pass", june.d, "man")
    return june.killed(june.writes(("done", june.d))[:4])


def gates_not_added(june: June) -> Left:
    return june.killed(june.writes(("gate_add", june.b, "man", "auto")), temp="whole")


def gate_not_removed(june: June) -> Left:
    return june.killed(june.writes(("gate_remove", june.c, "man")), temp="whole")


def ran(june: June, *, done: int, temp: str = "") -> Left:
    return june.killed(june.writes(("gate_run", june.c, "auto"))[: done + 1], temp=temp)


def all_passed(june: June) -> Left:
    june.run("gate_run", june.c, "auto")
    june.run("set_state", june.c, "in_progress")
    june.run("set_state", june.c, "done")
    return june.killed(june.writes(("gate_pass", june.c, "man"))[:4], temp="whole")


def dependents_not_unblocked(june: June) -> Left:
    june.run("gate_run", june.c, "auto")
    june.run("gate_pass", june.c, "man")
    return june.killed(june.writes(("done", june.c))[:6], temp="whole")


def deleted(june: June, *, done: int, temp: str = "") -> Left:
    june.run("dep_remove", june.a, june.d)
    return june.killed(june.writes(("delete", june.d))[: done + 1], temp=temp)


def batch(june: June, *, done: int) -> Left:
    """Three issues, then their edges: four writes each issue."""
    fork = june.tracker.fork()
    writes = [write for title in "abc" for write in fork.do("create", f"batch {title}")]
    *_, a, b, c = fork.ids()
    writes += [write for edge in ((a, b), (b, c)) for write in fork.do("dep_add", *edge)]
    return june.killed(writes[: done + 1], temp="whole")


META = json.dumps({"pid": DEAD_PID, "agent_id": "agent:alpha"}).encode()


def claims(june: June, files: Store, *, meta: bytes | None = META, assigned: bool = True) -> Left:
    """The control plane of an issue that is leased; its store is as it was before, but for the assignee."""
    june.now = CLAIMED_NOW
    june.control = {"locks/claims.lock": b"", **files}
    if meta is not None:
        june.control["locks/claims.lock.meta"] = meta
    if assigned:
        june.run("assign", june.b, "agent:alpha")
        june.head = dict(june.tracker.files)
    return june.left(dict(june.tracker.files))


def acquire_not_listed(june: June) -> Left:
    (line,) = lines(acquire(issue_id=june.b))
    files = {"claims.jsonl": line, "claims.index.tmp": index(lease(issue_id=june.b))}
    return claims(june, files, assigned=False)


def release_not_listed(june: June) -> Left:
    log = b"".join(lines(acquire(issue_id=june.b), evict()))
    files = {"claims.jsonl": log, "claims.index.json": index(lease(issue_id=june.b)), "claims.index.tmp": index()}
    return claims(june, files)


def claims_torn(june: June, *, then: bool) -> Left:
    """A claim of D whose line was cut, and perhaps a claim of C after it."""
    taken, torn = lines(acquire(issue_id=june.b), acquire("2" * 8, issue_id=june.d))
    live = [lease(issue_id=june.b)]
    log = taken + torn[:70]
    if then:
        june.run("assign", june.c, "agent:alpha")
        live.append(lease("3" * 8, issue_id=june.c))
        log += lines(acquire("3" * 8, issue_id=june.c), first=2)[0]
    files = {"claims.jsonl": log, "claims.index.json": index(*live)}
    return claims(june, files, meta=None if then else META)


def lease_alone(june: June) -> Left:
    (line,) = lines(acquire(issue_id=june.b))
    claims(june, {"claims.jsonl": line, "claims.index.json": index(lease(issue_id=june.b))}, meta=None, assigned=False)
    return june.killed(june.writes(("assign", june.b, "agent:alpha"))[:1], temp="whole")


def archived(june: June, *, how: str) -> Left:
    """``doc archive`` of a committed study that B names."""
    source, copy = "dev/active/study.md", "dev/archive/studies/study.md"
    june.run("document_add", june.b, source)
    june.head = dict(june.tracker.files)
    data = document_bytes(source)
    june.outside = {source: data}
    (save, *_) = june.writes(("document_archive", source))
    if how == "staged":
        staged = "tmp/archive-0f0e0d0c-0000-4000-8000-000000000001/doc-0f0e0d0c-0000-4000-8000-000000000002"
        return june.left({**june.tracker.files, staged: data})
    state = june.killed([save], temp="whole") if how == "copied" else june.killed([save, save])
    return replace(state, files={**state.files, copy: data})


def initialised(june: June, *, done: int) -> Left:
    """``jit init`` in a repository without a store."""
    fresh = Tracker(0, "june")
    writes = fresh.do("init")
    fresh.files = {}
    june.tracker, june.head = fresh, {}
    state = june.killed(writes[: done + 1], temp="whole")
    return replace(
        state, head={"notes.txt": b"one\n"}, files={**state.files, "notes.txt": b"one\n", ".jit/issues": None}
    )


def deleted_before_it_was_committed(june: June) -> Left:
    june.run("create", "New issue")
    return june.killed(june.writes(("delete", june.tracker.ids()[-1]))[:2], temp="whole")


@dataclass(frozen=True)
class Row:
    """A crash state, and what becomes of it.

    Attributes:
        make: the model's way to it.
        found: the codes of all that a look finds.
        fixes: what ``--fix`` changes, as ``changes`` spells it.
        events: the types of the events that the log then holds beyond those of HEAD.
        left: the codes that stay, and words of what a person is told then.
    """

    make: Callable[[June], Left]
    found: set[str]
    fixes: set[str] = field(default_factory=set)
    events: tuple[str, ...] = ()
    left: dict[str, str] = field(default_factory=dict)


TEMP_GONE = "- issues/.*.json.*.tmp"
LOG, INDEX, BAK, ISSUE = "events.jsonl", "index.json", "+ events.jsonl.bak", "~ issues/*.json"
ISOLATED = {"issue-isolated": "connect it with `jit dep add`"}
INIT = {"temp-stale": "`jit init` was killed; run it again"}
UNASSIGNED = {"lease-without-assignee": "assign the issue, or end its lease"}
UNFINISHED = {"archive-unfinished": "archive the document again, or remove the copy"}
NEW = ("issue_created",)

ROWS = {
    "C01-temp-whole": Row(lambda june: temp_of_issue(june, temp="whole"), {"temp-stale"}, {TEMP_GONE}),
    "C01-temp-empty": Row(lambda june: temp_of_issue(june, temp="empty"), {"temp-stale"}, {TEMP_GONE}),
    "C01-temp-gates": Row(temp_of_registry, {"temp-stale"}, {"- .gates.json.*.tmp"}),
    "C02-issue-not-in-index": Row(
        lambda june: created(june, done=1, temp="whole"),
        {"index-misses-issue", "event-created-missing", "temp-stale", *ISOLATED},
        {f"~ {INDEX}", f"~ {LOG}", "- .index.json.*.tmp"},
        NEW,
        ISOLATED,
    ),
    "C03-no-created-event": Row(
        lambda june: created(june, done=2), {"event-created-missing", *ISOLATED}, {f"~ {LOG}"}, NEW, ISOLATED
    ),
    "C04-no-final-newline": Row(
        lambda june: created(june, done=3), {"event-log-unterminated", *ISOLATED}, {f"~ {LOG}"}, NEW, ISOLATED
    ),
    "C04-torn-line": Row(
        lambda june: created(june, done=2, part=60),
        {"event-unparsable", "event-created-missing", *ISOLATED},
        {f"~ {LOG}", BAK},
        NEW,
        ISOLATED,
    ),
    "C05-two-on-one-line": Row(
        lambda june: glued(june, part=None),
        {"event-unparsable", *ISOLATED},
        {f"~ {LOG}"},
        ("issue_created", "issue_updated"),
        ISOLATED,
    ),
    "C05-fragment-then-object": Row(
        lambda june: glued(june, part=60),
        {"event-unparsable", "event-created-missing", *ISOLATED},
        {f"~ {LOG}", BAK},
        ("issue_updated", "issue_created"),
        ISOLATED,
    ),
    "C06-state-without-event": Row(
        state_without_event, {"event-state-mismatch"}, {f"~ {LOG}"}, ("issue_state_changed",)
    ),
    "C07-done-without-completed": Row(
        done_without_completed,
        {"event-completed-missing"},
        {f"~ {LOG}"},
        ("gate_passed", "issue_state_changed", "issue_completed"),
    ),
    "C08-gate-event-without-gate": Row(
        gates_not_added,
        {"temp-stale", "gate-event-unmatched"},
        {TEMP_GONE},
        ("gate_added", "gate_added"),
        {"gate-event-unmatched": "history differs from the issue"},
    ),
    "C08-gate-removed-event-only": Row(
        gate_not_removed,
        {"temp-stale", "gate-event-unmatched"},
        {TEMP_GONE},
        ("gate_removed",),
        {"gate-event-unmatched": "history differs from the issue"},
    ),
    "C09-run-dir-bare": Row(lambda june: ran(june, done=1), {"run-result-missing"}, {"- gate-runs/*/"}),
    "C09-run-dir-empty": Row(
        lambda june: ran(june, done=1, temp="empty"),
        {"run-result-missing", "temp-stale"},
        {"- gate-runs/*/result.json.tmp", "- gate-runs/*/"},
    ),
    "C09-run-temp-only": Row(
        lambda june: ran(june, done=1, temp="whole"),
        {"run-result-missing", "temp-stale"},
        {"- gate-runs/*/result.json.tmp", "+ gate-runs/*/result.json", ISSUE, f"~ {LOG}"},
        ("gate_passed",),
    ),
    "C10-run-without-status": Row(
        lambda june: ran(june, done=2, temp="whole"),
        {"temp-stale", "run-status-mismatch", "run-event-imbalance"},
        {TEMP_GONE, ISSUE, f"~ {LOG}"},
        ("gate_passed",),
    ),
    "C11-status-without-event": Row(
        lambda june: ran(june, done=3), {"event-gate-mismatch", "run-event-imbalance"}, {f"~ {LOG}"}, ("gate_passed",)
    ),
    "C12-gated-all-passed": Row(
        all_passed,
        {"temp-stale", "gated-not-open"},
        {TEMP_GONE},
        ("gate_passed", "issue_state_changed", "issue_state_changed", "gate_passed"),
        {"gated-not-open": "move the issue on with `jit issue update`"},
    ),
    "C13-dependents-not-unblocked": Row(
        dependents_not_unblocked,
        {"temp-stale", "backlog-not-blocked"},
        {TEMP_GONE},
        ("gate_passed", "gate_passed", "issue_state_changed", "issue_completed"),
        {"backlog-not-blocked": "the tracker corrects the state when it next looks"},
    ),
    "C14-delete-before-index": Row(
        lambda june: deleted(june, done=1, temp="whole"),
        {"index-lists-missing", "temp-stale"},
        {"+ issues/*.json", "- .index.json.*.tmp"},
        ("issue_updated",),
        ISOLATED,
    ),
    "C15-delete-without-event": Row(
        lambda june: deleted(june, done=2),
        {"event-deleted-missing"},
        events=("issue_updated",),
        left={"event-deleted-missing": "nothing to mend"},
    ),
    "C16-batch-half": Row(
        lambda june: batch(june, done=8),
        {"temp-stale", *ISOLATED},
        events=NEW * 2,
        left={**ISOLATED, "temp-stale": "this is a whole record: look at it, then rename or remove it"},
    ),
    "C16-batch-no-edges": Row(
        lambda june: batch(june, done=12), {"temp-stale", *ISOLATED}, {TEMP_GONE}, NEW * 3, ISOLATED
    ),
    "C17-acquire-not-in-index": Row(
        acquire_not_listed,
        {"claims-index-mismatch", "temp-stale", "lock-meta-stale", "lease-without-assignee"},
        {"+ control:claims.index.json", "- control:claims.index.tmp", "- control:locks/claims.lock.meta"},
        left=UNASSIGNED,
    ),
    "C17-release-not-in-index": Row(
        release_not_listed,
        {"claims-index-mismatch", "temp-stale", "lock-meta-stale"},
        {"~ control:claims.index.json", "- control:claims.index.tmp", "- control:locks/claims.lock.meta"},
    ),
    "C18-claims-torn": Row(
        lambda june: claims_torn(june, then=False),
        {"claim-unparsable", "lock-meta-stale"},
        {"~ control:claims.jsonl", "+ control:claims.jsonl.bak", "- control:locks/claims.lock.meta"},
    ),
    "C18-claims-glued": Row(
        lambda june: claims_torn(june, then=True),
        {"claim-unparsable"},
        {"~ control:claims.jsonl", "+ control:claims.jsonl.bak"},
    ),
    "C19-lock-meta-left": Row(
        lambda june: claims(june, {}), {"lock-meta-stale"}, {"- control:locks/claims.lock.meta"}
    ),
    "C19-lock-meta-empty": Row(
        lambda june: claims(june, {}, meta=b""), {"lock-meta-stale"}, {"- control:locks/claims.lock.meta"}
    ),
    "C20-lease-without-assignee": Row(
        lease_alone, {"temp-stale", "lease-without-assignee"}, {TEMP_GONE}, left=UNASSIGNED
    ),
    "C21-archive-staged": Row(
        lambda june: archived(june, how="staged"),
        {"archive-unfinished"},
        left=UNFINISHED,
    ),
    "C21-archive-copied": Row(
        lambda june: archived(june, how="copied"),
        {"archive-unfinished", "temp-stale"},
        {TEMP_GONE},
        left=UNFINISHED,
    ),
    "C21-archive-no-event": Row(
        lambda june: archived(june, how="saved"),
        {"archive-unfinished"},
        left=UNFINISHED,
    ),
    "C22-init-before-index": Row(lambda june: initialised(june, done=0), {"temp-stale"}, left=INIT),
    "C22-init-before-gates": Row(lambda june: initialised(june, done=1), {"temp-stale"}, left=INIT),
    "C22-init-before-rules": Row(lambda june: initialised(june, done=7), {"temp-stale"}, left=INIT),
}  # fmt: skip
ROWS["C04-torn-line-disk-full"] = ROWS["C04-torn-line"]


def test_every_crash_state_of_the_format_has_a_row() -> None:
    assert {name[:3] for name in ROWS} == {f"C{number:02}" for number in range(1, 23)}


@pytest.mark.parametrize("name", ROWS)
def test_a_crash_of_the_model(name: str, tmp_path: Path) -> None:
    hold_to(ROWS[name], ROWS[name].make(June()), tmp_path / "work")


def hold_to(row: Row, left: Left, top: Path) -> None:
    """The state is found, mended as the row says, mended once only, and comes back whole."""
    lay(left, top)
    desk = Desk(top, left.now)
    before = tree_below(top)
    assert codes_in(desk.judge()) == row.found
    assert tree_below(top) == before, "looking wrote"
    report = desk.fix()
    after = tree_below(top)
    assert changes(before, after) == row.fixes
    told = told_in(report)
    assert told.keys() == row.left.keys()
    assert {code: words for code, words in row.left.items() if words not in told[code]} == {}, told
    hold_true(row, left, before, after)
    again = desk.fix()
    assert again.repairs is not None
    assert (again.repairs.plan, tree_below(top)) == ([], after), "not done at once"
    if row.fixes:
        desk.undo()
        assert tree_below(top) == before, "undo left something out"


def hold_true(row: Row, left: Left, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> None:
    """The log goes on from HEAD's, what was made says what records say, and the claims agree with their log."""
    head = left.head.get(".jit/events.jsonl", b"")
    log = after.get(".jit/events.jsonl") or b""
    assert log.startswith(head)
    events = events_in(log[len(head) :])
    assert tuple(event["type"] for event in events) == row.events
    known = before.get(".jit/events.jsonl") or b""
    for event in events:
        if event["id"].encode() not in known:
            assert_tells(event, json.loads(after[f".jit/issues/{event['issue_id']}.json"] or b""), events)
    for path, data in after.items():
        if path not in before and path.startswith(".jit/issues/"):
            assert data == left.head[path]
    if ".git/jit/claims.index.json" in after:
        listed = json.loads(after[".git/jit/claims.index.json"] or b"")["leases"]
        alive = replay(after[".git/jit/claims.jsonl"] or b"").leases
        assert {one["lease_id"] for one in listed} == set(alive)


def assert_tells(event: Record, issue: Record, events: list[Record]) -> None:
    """An event that was made says nothing that the issue and the log do not say."""
    kind = event["type"]
    if kind == "issue_created":
        told = {"timestamp": issue["created_at"], "title": issue["title"], "priority": issue["priority"]}
    elif kind == "issue_state_changed":
        told = {"timestamp": issue["updated_at"], "from": "ready", "to": issue["state"]}
    elif kind == "issue_completed":
        told = {"timestamp": next(one["timestamp"] for one in events if one.get("to") == issue["state"] == "done")}
    else:
        status = issue["gates_status"][event["gate_key"]]
        assert kind == f"gate_{status['status']}"
        told = {"timestamp": status["updated_at"], "updated_by": status["updated_by"], "gate_key": event["gate_key"]}
    assert event == {"type": kind, "id": event["id"], "issue_id": issue["id"], **told}


def test_a_deletion_of_what_no_commit_holds_ends_only_when_that_is_asked_for(tmp_path: Path) -> None:
    state = deleted_before_it_was_committed(June())
    lay(state, tmp_path / "work")
    desk = Desk(tmp_path / "work", state.now)
    before = tree_below(desk.top)
    told = told_in(desk.fix())
    assert tree_below(desk.top) == before, "the temp proves what happened, and stays"
    assert "the tracker was killed while deleting it" in told["index-lists-missing"]
    assert "it shows that the tracker was deleting issue" in told["temp-stale"]
    report = desk.fix(Choice(unsafe=True))
    assert (report.exit_code, codes_in(report)) == (0, {"event-deleted-missing"})
    assert changes(before, tree_below(desk.top)) == {"~ index.json", "- .index.json.*.tmp"}
    meant = next(data for path, data in state.files.items() if path.endswith(".tmp"))
    assert (desk.top / ".jit/index.json").read_bytes() == meant
    desk.undo()
    assert tree_below(desk.top) == before


def test_an_issue_that_comes_back_says_that_it_was_being_deleted(tmp_path: Path) -> None:
    state = ROWS["C14-delete-before-index"].make(june := June())
    lay(state, tmp_path / "work")
    report = Desk(tmp_path / "work", state.now).fix()
    assert report.repairs is not None
    said = report.repairs.sources[f"issues/{june.d}.json"]
    assert said == "as in the git index; the tracker was deleting it when it was killed"


REAL_NOW = "2026-11-22T21:50:00Z"
"""Minutes after the real states were made: their leases still live."""

_WRITER = re.compile(r"\.([0-9]+)\.([0-9]+)\.tmp$")


def read_below(folder: Path) -> dict[str, bytes]:
    """The files of a real state; writers are given the id of a process that no machine has."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.name.endswith(".meta"):
                data = re.sub(rb'"pid": [0-9]+', b'"pid": %d' % DEAD_PID, data)
            found[_WRITER.sub(rf".{DEAD_PID}.\2.tmp", str(path.relative_to(folder)))] = data
    return found


def real(name: str) -> Left:
    """A state that the tracker really left, as its README says it is to be laid out."""
    files: dict[str, bytes | None] = dict(in_store(read_below(CRASHED / name / "store")))
    control = read_below(CRASHED / name / "control")
    documents = CRASHED / name / "worktree-files.txt"
    for line in documents.read_text().splitlines() if documents.exists() else ():
        digest, _, path = line.partition("  ./")
        if not path.startswith("."):
            files[path] = digest.encode()  # equal where the documents were; more is not kept of them
    if name.startswith("C22"):
        notes = {"a": files["a"] or b""}
        return Left(notes, {**files, ".jit/issues": None}, control, REAL_NOW)  # git keeps no empty directory
    before = in_store(read_below(CRASHED / "before" / "store"))
    if name.startswith("C21"):  # the category was configured for these runs, and that is not kept
        before[".jit/config.toml"] += b'\n[documentation.categories]\nstudy = "studies"\n'
    shared = (".jit/config.toml", ".jit/rules.toml", ".jit/schemas/")
    files |= {path: data for path, data in before.items() if path.startswith(shared)}
    if name == "C09-run-dir-bare":
        files[".jit/gate-runs/0f0e0d0c-0000-4000-8000-000000000001"] = None
    head = {path: data for path, data in before.items() if not path.endswith((".lock", "worktree.json"))}
    return Left(head, files, control, REAL_NOW)


@pytest.mark.skipif(not CRASHED.exists(), reason="the corpus is not here")
def test_every_real_crash_has_a_row() -> None:
    assert {path.name for path in CRASHED.iterdir()} - {"before"} == ROWS.keys()


@pytest.mark.skipif(not CRASHED.exists(), reason="the corpus is not here")
@pytest.mark.parametrize("name", ROWS)
def test_a_crash_of_the_real_tracker(name: str, tmp_path: Path) -> None:
    hold_to(ROWS[name], real(name), tmp_path / "work")
