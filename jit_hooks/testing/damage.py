"""The damage catalogue: for every problem code, ways to bring exactly that problem into a healthy store.

A test names a damage, lets it edit a `Scene`, lays the scene out where its source can show it (a commit, the
git index, a worktree, the control plane), and expects the damage's code, and besides it only codes in `also`.
Damage goes into records the parents lack wherever the code does not need parents, so that it counts as
introduced.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from jit_hooks.testing.stores import healthy_tracker
from jit_hooks.testing.tracker import (
    Era,
    Record,
    Tracker,
    gates_toml,
    issue_path,
    line,
    pretty,
    random_id,
    run_path,
    stamp,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Needs = Literal["record", "relation", "parents", "tree", "disk", "control", "merge"]
BOTH: tuple[Era, ...] = ("june", "v1")
V1: tuple[Era, ...] = ("v1",)
JUNE: tuple[Era, ...] = ("june",)
DEAD_PID = 99_999_999
"""A process id no system gives out."""


@dataclass
class Scene:
    """A store about to be damaged, and what lies around it.

    Paths in `files`, `parents` and `bases` are below ``.jit/``; in `control` below the control plane
    (``<git common dir>/jit/``); everywhere else below the root of the repository.

    Attributes:
        tracker: makes legal edits; its store is `files`.
        parents: stores of the parent commits, first parent first.
        bases: the stores of the merge bases; empty unless there are two parents.
        parent_outside: documents of the parents' trees.
        tracked: further paths that git holds, with their bytes.
        modes: git modes of tracked paths that are not plain files: 0o120000 a link (its bytes: the target),
            0o160000 a submodule (the bytes are its commit, in hex).
        unmerged: paths with sides in the git index (base, ours, theirs) instead of one entry.
        disk: files that exist in the worktree only.
        empty_dirs: directories without a file, in the worktree only.
        control: files of the control plane.
        now: the time a request asks with, RFC 3339.
    """

    tracker: Tracker
    parents: list[dict[str, bytes]]
    bases: list[dict[str, bytes]] = field(default_factory=list)
    parent_outside: dict[str, bytes] = field(default_factory=dict)
    tracked: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    unmerged: dict[str, tuple[bytes | None, bytes | None, bytes | None]] = field(default_factory=dict)
    disk: dict[str, bytes] = field(default_factory=dict)
    empty_dirs: set[str] = field(default_factory=set)
    control: dict[str, bytes] = field(default_factory=dict)
    now: str = ""

    @property
    def era(self) -> Era:
        """The era whose order new bytes have."""
        return self.tracker.era

    @property
    def files(self) -> dict[str, bytes]:
        """The store judged; edit it in place."""
        return self.tracker.files

    @property
    def outside(self) -> dict[str, bytes]:
        """Documents of the tree judged; edit it in place."""
        return self.tracker.outside

    def settle(self) -> None:
        """What stands now is what the parent commit holds."""
        self.parents = [dict(self.files)]
        self.parent_outside = dict(self.outside)

    def by_title(self, title: str) -> str:
        """The id of the healthy store's issue of that title."""
        return next(one for one, issue in self.tracker.issues().items() if issue["title"] == title)

    @property
    def design(self) -> str:
        """A done issue to depend on."""
        return self.by_title("Draw the harbour")

    def fresh(self, *, claimed: bool = False, on: str | None = None, gates: tuple[str, ...] = ()) -> str:
        """A new issue that the parents lack, linked to a done one; ready, or in progress when `claimed`."""
        labels = ["epic:harbour", "type:task"]
        new = self.tracker.create("Fresh paint", "Two coats.\n", labels=labels, gates=gates)
        if claimed:
            self.tracker.claim(new, "agent:beta")
        self.tracker.dep_add(new, on or self.design)
        return new

    def edit(self, path: str, change: Callable[[Record], object]) -> None:
        """Change one JSON record, all else of its form kept."""
        record: Record = json.loads(self.files[path])
        is_sorted = list(record) == sorted(record)
        change(record)
        self.files[path] = pretty(record, "v1" if is_sorted else "june")

    def edit_issue(self, issue_id: str, **members: object) -> None:
        """Set members of an issue, in place."""
        self.edit(issue_path(issue_id), lambda issue: issue.update(members))

    def edit_raw(self, path: str, old: bytes, new: bytes) -> None:
        """Replace bytes that must be there, once."""
        raw = self.files[path]
        if old not in raw:
            raise LookupError(f"{old!r} is not in {path}")
        self.files[path] = raw.replace(old, new, 1)

    def edit_gates(self, change: Callable[[dict[str, Record]], object]) -> None:
        """Change the registry, in its own format."""
        gates = self.tracker.gates()
        change(gates)
        if self.era == "june":
            self.files["gates.json"] = pretty({"gates": gates})
        else:
            self.files["gates.toml"] = gates_toml(gates.values())

    def lines(self) -> list[bytes]:
        """The log's lines, each with its newline."""
        return self.files["events.jsonl"].splitlines(keepends=True)

    def set_lines(self, lines: list[bytes]) -> None:
        """The log, from lines."""
        self.files["events.jsonl"] = b"".join(lines)

    def last(self, kind: str, issue_id: str | None = None) -> int:
        """The number of the last line of that type (and issue)."""
        found = [
            number
            for number, event in enumerate(map(json.loads, self.lines()))
            if event["type"] == kind and issue_id in {None, event.get("issue_id")}
        ]
        return found[-1]

    def drop_line(self, kind: str, issue_id: str | None = None) -> None:
        """Take the last line of that type out of the log."""
        lines = self.lines()
        del lines[self.last(kind, issue_id)]
        self.set_lines(lines)

    def edit_line(self, number: int, change: Callable[[Record], object]) -> None:
        """Change one event, all else of its form kept."""
        lines = self.lines()
        event: Record = json.loads(lines[number])
        is_sorted = list(event) == sorted(event)
        change(event)
        lines[number] = line(event, "v1" if is_sorted else "june") + b"\n"
        self.set_lines(lines)


@dataclass(frozen=True, slots=True)
class Damage:
    """One way to bring one problem into a store.

    Attributes:
        code: the problem it makes.
        name: tells it from the others; unique in the catalogue.
        make: edits a healthy scene in place.
        needs: what a source must offer to show it, as in the list of checks.
        note: what happened, in words.
        also: codes that may come with it by its nature; never another error unless the note says so.
        eras: where it makes sense.
    """

    code: str
    name: str
    make: Callable[[Scene], object]
    needs: Needs
    note: str = ""
    also: tuple[str, ...] = ()
    eras: tuple[Era, ...] = BOTH


def healthy_scene(era: Era, seed: int = 0) -> Scene:
    """A clean scene: the store equals its parent, the control plane holds one live lease."""
    tracker = healthy_tracker(seed, era)
    scene = Scene(tracker, [dict(tracker.files)], parent_outside=dict(tracker.outside))
    scene.now = stamp(tracker.now + 3_600_000_000_000)
    scene.control = _Claims(scene).files()
    return scene


def damaged(damage: Damage, era: Era, seed: int = 0) -> Scene:
    """The healthy scene of an era after one damage."""
    scene = healthy_scene(era, seed)
    damage.make(scene)
    return scene


# -- files -----------------------------------------------------------------------------------------


def _raw(change: Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    """A damage to the bytes of a new issue."""

    def make(scene: Scene) -> None:
        path = issue_path(scene.fresh())
        before = scene.files[path]
        scene.files[path] = change(before)
        if scene.files[path] == before:
            raise LookupError("the damage found nothing to change")

    return make


def _swap(old: bytes, new: bytes) -> Callable[[Scene], None]:
    return _raw(lambda raw: raw.replace(old, new, 1))


def _issue(**members: object) -> Callable[[Scene], None]:
    """A damage that sets members of a new issue."""
    return lambda scene: scene.edit_issue(scene.fresh(), **members)


def _without(member: str) -> Callable[[Scene], None]:
    return lambda scene: scene.edit(issue_path(scene.fresh()), lambda issue: issue.pop(member))


def _index_bytes(change: Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        scene.files["index.json"] = change(scene.files["index.json"])

    return make


def _conflict(raw: bytes) -> bytes:
    head, _, tail = raw.partition(b"\n")
    first, _, rest = tail.partition(b"\n")
    return b"\n".join((head, b"<<<<<<< ours", first, b"=======", first, b">>>>>>> theirs", rest))


def _log_byte(scene: Scene) -> None:
    scene.tracker.update(scene.fresh(), description="More coats.\n")
    lines = scene.lines()
    lines[-1] = lines[-1].replace(b"description", b"descr\x80ption")
    scene.set_lines(lines)


def _log_conflict(scene: Scene) -> None:
    new = scene.fresh()
    scene.tracker.update(new, description="Ours.\n")
    scene.tracker.update(new, description="Theirs.\n")
    lines = scene.lines()
    marked = [b"<<<<<<< ours\n", lines[-2], b"=======\n", lines[-1], b">>>>>>> theirs\n"]
    scene.set_lines([*lines[:-2], *marked])


def _run_cut(scene: Scene) -> None:
    path = run_path(_fresh_run(scene)[1])
    scene.files[path] = scene.files[path][:-9]


def _preset_cut(scene: Scene) -> None:
    scene.files["config/gate-presets/spare.json"] = scene.files["config/gate-presets/harbour.json"][:-9]


def _registry_cut(scene: Scene) -> None:
    scene.files["gates.json"] = scene.files["gates.json"][:-9]


def _mixed_order(raw: bytes) -> bytes:
    record: Record = json.loads(raw)
    return pretty({"title": record.pop("title"), "state": record.pop("state"), **record})


# -- issues ----------------------------------------------------------------------------------------


def _ids_swapped(scene: Scene) -> None:
    first, second = issue_path(scene.fresh()), issue_path(scene.fresh())
    scene.files[first], scene.files[second] = scene.files[second], scene.files[first]


def _id_upper(scene: Scene) -> None:
    new = scene.fresh()
    scene.drop_line("issue_created", new)
    scene.set_lines([raw for raw in scene.lines() if new.encode() not in raw])
    scene.edit_raw(issue_path(new), new.encode(), new.upper().encode())
    scene.edit_raw("index.json", new.encode(), new.upper().encode())
    scene.files[issue_path(new.upper())] = scene.files.pop(issue_path(new))


def _done_at_dropped(scene: Scene) -> None:
    scene.edit(issue_path(scene.design), lambda issue: issue.pop("done_at"))


def _times_turned(scene: Scene) -> None:
    scene.edit_issue(scene.fresh(), updated_at="2026-06-01T00:00:00.000000001Z")


# -- issue index -----------------------------------------------------------------------------------


def _index(change: Callable[[Record, str], object], *, settled: bool = False) -> Callable[[Scene], None]:
    """A damage to the issue index that knows a new issue's id (`settled`: one the parent has)."""

    def make(scene: Scene) -> None:
        new = scene.fresh()
        if settled:
            scene.settle()
        scene.edit("index.json", lambda index: change(index, new))

    return make


def _index_absent(scene: Scene) -> None:
    del scene.files["index.json"]


def _issue_file_removed(scene: Scene) -> None:
    del scene.files[issue_path(scene.fresh())]


def _reordered(index: Record, _: str) -> None:
    ids = index["all_ids"]
    ids[1], ids[2] = ids[2], ids[1]


def _vanished(scene: Scene) -> None:
    new = scene.fresh()
    scene.settle()
    del scene.files[issue_path(new)]
    scene.edit("index.json", lambda index: index["all_ids"].remove(new))


# -- dependencies ----------------------------------------------------------------------------------


def _edge_to_nobody(scene: Scene) -> None:
    new = scene.fresh(claimed=True)
    stranger = random_id(scene.tracker.rng)
    scene.edit(issue_path(new), lambda issue: issue["dependencies"].append(stranger))


def _edge_to_unstaged(scene: Scene) -> None:
    new = scene.fresh(claimed=True)
    other = scene.fresh()
    scene.edit(issue_path(new), lambda issue: issue.update(dependencies=[other]))
    scene.set_lines([raw for raw in scene.lines() if b'"issue_id":"' + other.encode() not in raw])
    scene.edit("index.json", lambda index: index["all_ids"].remove(other))
    del scene.files[issue_path(other)]


def _edge_to_deleted(scene: Scene) -> None:
    new = scene.fresh(claimed=True)
    gone = scene.tracker.index()["deleted_ids"][0]
    scene.edit(issue_path(new), lambda issue: issue["dependencies"].append(gone))


def _cycle(scene: Scene) -> None:
    first, second = scene.tracker.create("Hen", labels=["epic:harbour"]), scene.tracker.create("Egg")
    for one in (first, second):
        scene.tracker.claim(one, "agent:beta")
    scene.tracker.dep_add(first, second)
    scene.edit_issue(second, dependencies=[first])


def _self_edge(scene: Scene) -> None:
    new = scene.fresh(claimed=True)
    scene.edit_issue(new, dependencies=[new])


def _edge_twice(scene: Scene) -> None:
    scene.edit_issue(scene.fresh(), dependencies=[scene.design, scene.design])


def _redundant(scene: Scene) -> None:
    middle = scene.fresh()
    top = scene.fresh(on=middle)
    scene.edit(issue_path(top), lambda issue: issue["dependencies"].append(scene.design))


# -- gates -----------------------------------------------------------------------------------------


def _gate_gone(scene: Scene) -> None:
    scene.tracker.gate_define("extra", "Extra")
    scene.tracker.gate_add(scene.fresh(), "extra")
    scene.edit_gates(lambda gates: gates.pop("extra"))


def _status_only(scene: Scene) -> None:
    new = scene.fresh(gates=("review",))
    scene.tracker.gate_pass(new, "review")
    scene.edit_issue(new, gates_required=[])


def _gate(change: Callable[[Record], object]) -> Callable[[Scene], None]:
    """A damage to a new automated gate of the registry that nobody requires."""

    def make(scene: Scene) -> None:
        scene.tracker.gate_define("extra", "Extra", command="true")
        if scene.era == "june":
            scene.edit("gates.json", lambda registry: change(registry["gates"]["extra"]))
        else:
            gates = scene.tracker.gates()
            change(gates["extra"])
            scene.files["gates.toml"] = _loose_gates_toml(list(gates.values()))

    return make


def _loose_gates_toml(gates: list[Record]) -> bytes:
    """``gates.toml`` of gates that may lack members, which the strict writer would stumble over."""
    absent = "absent"
    filled = []
    for gate in gates:
        plain = ("version", "key", "title", "description", "stage", "mode", "priority", "auto")
        filled.append({name: absent for name in plain if name not in gate} | gate)
    raw = gates_toml(filled)
    return b"".join(row for row in raw.splitlines(keepends=True) if not row.endswith(b'= "absent"\n'))


def _key_twice(scene: Scene) -> None:
    scene.tracker.gate_define("extra", "Extra")
    gates = [*scene.tracker.gates().values(), scene.tracker.gates()["extra"]]
    scene.files["gates.toml"] = gates_toml(gates)


def _toml_cut(scene: Scene) -> None:
    raw = scene.files["gates.toml"]
    scene.files["gates.toml"] = raw[: raw.rindex(b'"')]


def _preset_empty(scene: Scene) -> None:
    record = {"name": "spare", "description": "Nothing", "gates": []}
    scene.files["config/gate-presets/spare.json"] = pretty(record, scene.era)


def _profile_stranger(scene: Scene) -> None:
    record: Record = json.loads(scene.files["profiles/workflow.json"])
    record |= {"id": "spare", "estimate": 3}
    scene.files["profiles/spare.json"] = pretty(record) + b"\n"


def _registry_absent(scene: Scene) -> None:
    del scene.files["gates.json" if scene.era == "june" else "gates.toml"]


def _registry_shadowed(scene: Scene) -> None:
    gates = scene.tracker.gates()
    if scene.era == "june":
        scene.files["gates.toml"] = gates_toml(gates.values())
        return
    for gate in gates.values():
        gate.pop("inputs", None)
    scene.files["gates.json"] = pretty({"gates": gates}, "v1")


def _gate_event_alone(scene: Scene) -> None:
    scene.tracker.write_event("gate_added", scene.fresh(), gate_key="review")


# -- workflow --------------------------------------------------------------------------------------


def _gated_passed(scene: Scene) -> None:
    new = scene.fresh(gates=("review",))
    scene.tracker.claim(new, "agent:beta")
    scene.tracker.set_state(new, "gated")
    scene.tracker.write_event("gate_passed", new, gate_key="review", updated_by="human:ada")
    passed = {"status": "passed", "updated_by": "human:ada", "updated_at": stamp(scene.tracker.now)}
    scene.edit_issue(new, gates_status={"review": passed}, updated_at=stamp(scene.tracker.now))


def _done_unjudged(scene: Scene) -> None:
    new = scene.fresh(claimed=True)
    scene.tracker.done(new)
    scene.edit_issue(new, gates_required=["review"])


def _reopened_below(scene: Scene) -> None:
    below = scene.fresh()
    above = scene.fresh(on=below)
    scene.tracker.done(below)
    scene.tracker.done(above)
    scene.tracker.force(below, "in_progress")


def _ready_too_soon(scene: Scene) -> None:
    scene.tracker.force(scene.fresh(on=scene.fresh()), "ready")


def _backlog_for_nothing(scene: Scene) -> None:
    scene.tracker.force(scene.fresh(), "backlog")


# -- labels and documents --------------------------------------------------------------------------


def _labels(*labels: str) -> Callable[[Scene], None]:
    return _issue(labels=[*labels])


def _document_gone(scene: Scene) -> None:
    scene.tracker.document_add(scene.fresh(), "docs/harbor.md")
    del scene.outside["docs/harbor.md"]


def _document_not_pinned(scene: Scene) -> None:
    scene.tracker.document_add(scene.fresh(), "docs/late.md", commit="HEAD")
    del scene.outside["docs/late.md"]


def _document_revision(scene: Scene) -> None:
    scene.tracker.document_add(scene.fresh(), "docs/harbour.md", commit="no-such-revision")


def _document_twice(scene: Scene) -> None:
    new = scene.fresh()
    scene.tracker.document_add(new, "docs/harbour.md")
    scene.edit(issue_path(new), lambda issue: issue["documents"].append(issue["documents"][0]))


# -- events ----------------------------------------------------------------------------------------


def _two_updates(scene: Scene) -> list[bytes]:
    """The log's lines after two harmless updates of a new issue, which are the last two."""
    new = scene.fresh()
    scene.tracker.update(new, description="One.\n")
    scene.tracker.update(new, description="Two.\n")
    return scene.lines()


def _log(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Scene], None]:
    return lambda scene: scene.set_lines(change(_two_updates(scene)))


def _event(change: Callable[[Record], object]) -> Callable[[Scene], None]:
    """A damage to the event of a harmless update."""
    return lambda scene: scene.edit_line(len(_two_updates(scene)) - 2, change)


def _certified(scene: Scene) -> None:
    lines = _two_updates(scene)
    torn = lines.pop()[:60] + b"\n"
    scene.set_lines(lines)
    rest = {"operation": "apply", "profiles": [], "isolated_torn_tail": True}
    scene.tracker.write_event("profile_lifecycle", None, **rest)
    lines = scene.lines()
    scene.set_lines([*lines[:-1], torn, lines[-1]])


def _state_without_from(scene: Scene) -> None:
    new = scene.fresh()
    scene.tracker.claim(new, "agent:beta")
    scene.edit_line(scene.last("issue_state_changed", new), lambda event: event.pop("from"))


def _unknown_type(scene: Scene) -> None:
    scene.tracker.write_event("issue_blessed", scene.fresh(), by="human:ada")


def _line_removed(scene: Scene) -> None:
    scene.drop_line("issue_updated", scene.design)


def _line_changed(scene: Scene) -> None:
    scene.edit_line(scene.last("issue_updated", scene.design), lambda event: event.update(fields=["title"]))


def _created_missing(scene: Scene) -> None:
    scene.drop_line("issue_created", scene.fresh())


def _created_twice(scene: Scene) -> None:
    new = scene.fresh()
    lines = scene.lines()
    scene.set_lines([*lines, lines[scene.last("issue_created", new)]])
    stranger = random_id(scene.tracker.rng)
    scene.edit_line(len(lines), lambda event: event.update(id=stranger))


def _deleted_unsaid(scene: Scene) -> None:
    new = scene.tracker.create("A slip")
    scene.tracker.delete(new)
    scene.drop_line("issue_deleted", new)


def _event_of_nobody(scene: Scene) -> None:
    stranger = random_id(scene.tracker.rng)
    scene.tracker.write_event("issue_updated", stranger, updated_by="issue-update", fields=["title"])


def _chain_broken(scene: Scene) -> None:
    new = scene.fresh()
    scene.tracker.claim(new, "agent:beta")
    scene.tracker.release(new)
    back = scene.last("issue_state_changed", new)
    scene.tracker.claim(new, "agent:beta")
    scene.edit_line(back, lambda event: event.update({"from": "gated"}))


def _completed_missing(scene: Scene) -> None:
    new = scene.fresh()
    scene.tracker.done(new)
    scene.drop_line("issue_completed", new)


def _verdict_edited(scene: Scene) -> None:
    new = scene.fresh(gates=("review",))
    scene.tracker.gate_pass(new, "review")
    scene.edit(issue_path(new), lambda issue: issue["gates_status"]["review"].update(status="failed"))


# -- gate runs -------------------------------------------------------------------------------------


def _fresh_run(scene: Scene, *codes: int, gate: str = "tests") -> tuple[str, ...]:
    """A new issue and its new runs, one per exit code (one passed, if none is given): the ids."""
    new = scene.fresh(gates=(gate,))
    return new, *(scene.tracker.gate_run(new, gate, exit_code=code) for code in codes or (0,))


def _run(change: Callable[[Record], object]) -> Callable[[Scene], None]:
    return lambda scene: scene.edit(run_path(_fresh_run(scene)[1]), change)


def _run_directory_bare(scene: Scene) -> None:
    scene.empty_dirs.add(f".jit/gate-runs/{random_id(scene.tracker.rng)}")


def _runs_swapped(scene: Scene) -> None:
    _, first, second = (run_path(one) for one in _fresh_run(scene, 0, 0))
    scene.files[first], scene.files[second] = scene.files[second], scene.files[first]


def _run_stray(scene: Scene) -> None:
    scene.files[f"gate-runs/{_fresh_run(scene)[1]}/notes.txt"] = b"remember the tar\n"


def _run_of_nobody(scene: Scene) -> None:
    record: Record = json.loads(scene.files[run_path(_fresh_run(scene)[1])])
    run_id, stranger = random_id(scene.tracker.rng), random_id(scene.tracker.rng)
    record |= {"run_id": run_id, "issue_id": stranger}
    scene.files[run_path(run_id)] = pretty(record, scene.era)


def _source_gone(scene: Scene) -> None:
    new, run_id = _fresh_run(scene, gate="lint")
    reused = scene.tracker.gate_run(new, "lint", reuse=run_id)
    stranger = random_id(scene.tracker.rng)
    scene.edit(run_path(reused), lambda run: run["origin"].update(source_run=stranger))


def _run_of_no_gate(scene: Scene) -> None:
    scene.tracker.gate_define("extra", "Extra", command="true")
    new, _ = _fresh_run(scene, gate="extra")
    scene.tracker.delete(new)
    scene.edit_gates(lambda gates: gates.pop("extra"))


def _run_changed(scene: Scene) -> None:
    path = run_path(_fresh_run(scene, 1)[1])
    scene.settle()
    scene.edit(path, lambda run: run.update(exit_code=2))


def _run_lost(scene: Scene) -> None:
    new, run_id = _fresh_run(scene)
    scene.tracker.delete(new)
    scene.settle()
    del scene.files[run_path(run_id)]


def _run_unstaged(scene: Scene) -> None:
    del scene.files[run_path(_fresh_run(scene)[1])]


def _old_verdict(scene: Scene) -> None:
    new, first, _ = _fresh_run(scene, 1, 0)
    began = json.loads(scene.files[run_path(first)])["started_at"]
    kept = {"status": "failed", "updated_by": "auto:executor", "updated_at": began}
    scene.edit_issue(new, gates_status={"tests": kept})
    scene.edit_line(scene.last("gate_passed", new), lambda event: event.update(type="gate_failed"))


def _run_unsaid(scene: Scene) -> None:
    new, *_ = _fresh_run(scene, 1, 0)
    scene.drop_line("gate_failed", new)


# -- configuration ---------------------------------------------------------------------------------


def _config(path: str, old: bytes, new: bytes) -> Callable[[Scene], None]:
    return lambda scene: scene.edit_raw(path, old, new)


def _templates(scene: Scene) -> None:
    scene.files["templates.toml"] = (
        b'[[template]]\nname = "pier"\ndescription = "Plan, then build"\napplies_to = ["epic"]\n\n'
        b'[[template.nodes]]\nrole = "build"\ntype = "task"\ndepends_on = ["nobody"]\n'
    )


# -- what git holds --------------------------------------------------------------------------------


def _tracked(path: str, data: bytes = b"") -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        scene.tracked[path] = data

    return make


def _not_a_file(mode: int) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        path = issue_path(scene.fresh())
        scene.files[path] = b"../README.md" if mode == 0o120000 else b"0123456789abcdef0123456789abcdef01234567"
        scene.modes[f".jit/{path}"] = mode

    return make


def _unmerged(scene: Scene) -> None:
    path = issue_path(scene.fresh())
    base = scene.files[path]
    scene.settle()
    theirs = base.replace(b"Two coats", b"Three coats")
    scene.unmerged[f".jit/{path}"] = (base, base.replace(b"Two coats", b"One coat"), theirs)


# -- the worktree at run time ----------------------------------------------------------------------

_TRANSACTION = "0123456789abcdef0123456789abcdef"


def _journal(scene: Scene, decision: str, *, target: str, old: bytes, new: bytes) -> dict[str, bytes]:
    """A control directory of v1 whose one action replaces `target`; digests stand for identities."""

    def identity(raw: bytes) -> Record:
        return {"object": "0:0", "sha256": hashlib.sha256(raw).hexdigest(), "byte_size": len(raw)}

    digest = hashlib.sha256(b"layout").hexdigest()
    action = {
        "path": {"root": "data", "relative": target},
        "owner": "mutation",
        "expected": identity(old),
        "final_identity": identity(new),
        "action": {
            "kind": "write_file",
            "mode": 0o644,
            "stage": "stages/file-0",
            "backup": "backups/backup-0",
        },
    }
    journal = {
        "version": 3,
        "transaction_id": _TRANSACTION,
        "layout_digest": digest,
        "owner_digest": digest,
        "plan_hash": digest,
        "data_root_was_absent": False,
        "data_stage": None,
        "data_stage_identity": None,
        "decision": decision,
        "actions": [action],
    }
    root = f".jit/tmp/transactions/{_TRANSACTION}"
    return {
        f"{root}/journal.json": pretty(journal, scene.era),
        f"{root}/stages/file-0": new,
        f"{root}/backups/backup-0": old,
    }


def _pending(decision: str) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        target = issue_path(scene.design)
        old = scene.files[target]
        new = old.replace(b"Draw the", b"Redraw the")
        scene.disk |= _journal(scene, decision, target=target, old=old, new=new)
        if decision == "committed":
            scene.files[target] = new

    return make


def _stuck(scene: Scene) -> None:
    target = issue_path(scene.design)
    old = scene.files[target]
    new, other = (old.replace(b"Draw the", word) for word in (b"Redraw the", b"Sketch the"))
    scene.disk |= _journal(scene, "prepared", target=target, old=old, new=new)
    scene.files[target] = other


def _stale_temp(path: str) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        folder, _, name = path.rpartition("/")
        temp = f"{folder}/.{name}.{DEAD_PID}.0.tmp".lstrip("/")
        scene.disk[f".jit/{temp}"] = scene.files[path]

    return make


def _issue_temp(scene: Scene) -> None:
    _stale_temp(issue_path(scene.design))(scene)


def _on_disk(path: str, data: bytes = b"") -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        scene.disk[path] = data

    return make


def _residue(scene: Scene) -> None:
    scene.disk[f".jit/tmp/transactions/{_TRANSACTION}/stages/file-0"] = scene.files["index.json"]


def _archive_copied(scene: Scene) -> None:
    scene.disk["dev/archive/studies/tide.md"] = b"# tide.md\n"
    scene.tracker.document_add(scene.fresh(), "dev/active/tide.md", doc_type="study")


def _lock_meta(scene: Scene) -> None:
    meta = {"pid": DEAD_PID, "agent_id": "system:list", "created_at": scene.now, "last_updated": scene.now}
    scene.control["locks/claims.lock.meta"] = pretty(meta)


# -- claims ----------------------------------------------------------------------------------------


class _Claims:
    """A claims log and its index: one lease lives, one came and was evicted, twice over."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rng = scene.tracker.fork().rng
        self.at = scene.tracker.now
        self.entries: list[Record] = []
        self.live: list[Record] = []
        held = [one for one, issue in scene.tracker.issues().items() if issue["state"] == "in_progress"]
        self.issue = next(one for one in held if scene.tracker.issue(one)["assignee"] == "agent:beta")
        self.other = next(one for one in held if one != self.issue)
        self.acquire(self.issue, "agent:beta", 86_400)
        gone = self.acquire(self.other, "human:cy", 1)
        for _ in range(2):
            evicted = {"evicted_at": self.tick(), "reason": "Lease expired"}
            self.add("auto-evict", lease_id=gone["lease_id"], **evicted)
        self.live.remove(gone)

    def tick(self) -> str:
        self.at += self.rng.randrange(1_000_000_000, 9_000_000_000) // 1000 * 1000 + 7
        return stamp(self.at)

    def add(self, op: str, **rest: object) -> None:
        entry = {"schema_version": 1, "seq": len(self.entries) + 1, "timestamp": self.tick(), "op": op}
        self.entries.append(entry | rest)

    def acquire(self, issue: str, agent: str, ttl: int) -> Record:
        began = self.tick()
        lease: Record = {
            "lease_id": random_id(self.rng),
            "issue_id": issue,
            "agent_id": agent,
            "worktree_id": "wt:0a1b2c3d",
            "branch": "main",
            "ttl_secs": ttl,
            "acquired_at": began,
            "expires_at": stamp(self.at + ttl * 1_000_000_000) if ttl else None,
            "last_beat": began,
            "stale": False,
        }
        self.add("acquire", **lease)
        self.live.append(lease)
        return lease

    def files(self) -> dict[str, bytes]:
        index = {
            "schema_version": 1,
            "generated_at": self.entries[0]["timestamp"],
            "last_seq": 0,
            "stale_threshold_secs": 3600,
            "leases": self.live,
            "sequence_gaps": [],
        }
        log = b"".join(line(entry) + b"\n" for entry in self.entries)
        return {"claims.jsonl": log, "claims.index.json": pretty(index), "locks/claims.lock": b""}


def _claims(change: Callable[[_Claims], object]) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        claims = _Claims(scene)
        change(claims)
        scene.control = claims.files()

    return make


def _claims_cut(scene: Scene) -> None:
    scene.control["claims.jsonl"] = scene.control["claims.jsonl"][:-40]


def _claims_glued(scene: Scene) -> None:
    lines = scene.control["claims.jsonl"].splitlines(keepends=True)
    lines[-2] = lines[-2].rstrip(b"\n")
    scene.control["claims.jsonl"] = b"".join(lines)


def _null_expiry(claims: _Claims) -> None:
    for record in (claims.entries[0], claims.live[0]):
        record["expires_at"] = None


def _claim_gap(claims: _Claims) -> None:
    del claims.entries[2]


def _lease_twice(claims: _Claims) -> None:
    claims.acquire(claims.issue[:8], "agent:gamma", 86_400)


def _unassigned(scene: Scene) -> None:
    scene.tracker.assign(_Claims(scene).issue, None)


def _lease_over(claims: _Claims) -> None:
    claims.acquire(claims.other, "human:cy", 60)


# -- merges ----------------------------------------------------------------------------------------


def _sides(scene: Scene) -> tuple[Tracker, Tracker]:
    """Two trackers on what the base holds, with different ids to come."""
    scene.bases = [dict(scene.files)]
    ours, theirs = scene.tracker.fork(), scene.tracker.fork()
    theirs.rng.seed("theirs")
    theirs.now += 7_000_000_001
    return ours, theirs


def _merge(scene: Scene, ours: Tracker, theirs: Tracker) -> None:
    """The honest merge of two sides; where both changed a file of one record, ours."""
    base = scene.bases[0]
    scene.parents = [dict(ours.files), dict(theirs.files)]
    result = dict(ours.files)
    for path in base.keys() | theirs.files.keys():
        if ours.files.get(path) == base.get(path) != theirs.files.get(path):
            if path in theirs.files:
                result[path] = theirs.files[path]
            else:
                del result[path]
    indexes = [json.loads(one["index.json"]) for one in (base, ours.files, theirs.files)]
    merged = {"schema_version": 2, "all_ids": [], "deleted_ids": []}
    for name in ("all_ids", "deleted_ids"):
        seen = dict.fromkeys(one for index in indexes for one in index[name])
        gone = {one for index in indexes[1:] for one in index["deleted_ids"]}
        merged[name] = [one for one in seen if name == "deleted_ids" or one not in gone]
    result["index.json"] = pretty(merged, scene.era)
    start = len(base["events.jsonl"])
    result["events.jsonl"] = ours.files["events.jsonl"] + theirs.files["events.jsonl"][start:]
    scene.files.clear()
    scene.files.update(result)


def _lost_edit(scene: Scene) -> None:
    mine, yours = scene.fresh(), scene.fresh()
    ours, theirs = _sides(scene)
    ours.update(mine, description="Ours.\n")
    theirs.update(yours, description="Theirs.\n")
    _merge(scene, ours, theirs)
    scene.files[issue_path(yours)] = scene.bases[0][issue_path(yours)]


def _misplaced_edit(scene: Scene) -> None:
    gone, other = scene.fresh(), scene.fresh()
    ours, theirs = _sides(scene)
    ours.delete(gone)
    theirs.update(gone, description="Theirs, for the other one.\n")
    _merge(scene, ours, theirs)
    moved = theirs.issue(gone)
    scene.files.pop(issue_path(gone), None)
    scene.edit_issue(other, description=moved["description"], updated_at=moved["updated_at"])


def _resurrected(scene: Scene) -> None:
    gone, other = scene.fresh(), scene.fresh()
    ours, theirs = _sides(scene)
    ours.delete(gone)
    theirs.update(other, description="Theirs.\n")
    _merge(scene, ours, theirs)
    scene.files[issue_path(gone)] = scene.bases[0][issue_path(gone)]
    index = json.loads(theirs.files["index.json"])
    scene.files["index.json"] = pretty(index, scene.era)


def _side_discarded(scene: Scene) -> None:
    mine, yours = scene.fresh(), scene.fresh()
    ours, theirs = _sides(scene)
    ours.update(mine, description="Ours.\n")
    theirs.update(yours, description="Theirs.\n")
    _merge(scene, ours, theirs)
    scene.files.clear()
    scene.files.update(ours.files)


def _lost_path(scene: Scene) -> None:
    bottom = scene.fresh()
    middle = scene.fresh(on=bottom)
    scene.tracker.dep_remove(middle, bottom)
    top = scene.tracker.create("Top", labels=["epic:harbour"])
    scene.tracker.dep_add(top, bottom)
    scene.tracker.dep_add(top, middle)
    scene.tracker.dep_add(middle, bottom)
    ours, theirs = _sides(scene)
    ours.validate_fix()
    theirs.dep_remove(middle, bottom)
    _merge(scene, ours, theirs)


def _both_claimed(scene: Scene) -> None:
    new = scene.fresh()
    ours, theirs = _sides(scene)
    ours.claim(new, "agent:alpha")
    theirs.claim(new, "agent:beta")
    _merge(scene, ours, theirs)


def _both_dropped(scene: Scene) -> None:
    new = scene.fresh()
    ours, theirs = _sides(scene)
    ours.update(new, description="Ours.\n")
    theirs.update(new, description="Theirs.\n")
    _merge(scene, ours, theirs)
    scene.edit_issue(new, description="Two coats.\n")


def _own_edit(scene: Scene) -> None:
    mine, yours = scene.fresh(), scene.fresh()
    ours, theirs = _sides(scene)
    ours.update(mine, description="Ours.\n")
    theirs.update(yours, description="Theirs.\n")
    _merge(scene, ours, theirs)
    scene.edit_issue(mine, priority="critical")


_DEEP = b'{"deep": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"

DAMAGES: tuple[Damage, ...] = (
    # file
    Damage(
        "text-not-utf8",
        "title-bad-byte",
        _swap(b"Fresh", b"Fr\x80sh"),
        "record",
        "a byte that starts nothing",
    ),
    Damage("text-not-utf8", "issue-bom", _raw(lambda raw: b"\xef\xbb\xbf" + raw), "record"),
    Damage(
        "text-not-utf8",
        "issue-utf16",
        _raw(lambda raw: ("\ufeff" + raw.decode()).encode("utf-16-le")),
        "record",
    ),
    Damage("text-not-utf8", "log-bad-byte", _log_byte, "record"),
    Damage("json-unparsable", "issue-cut", _raw(lambda raw: raw[:-9]), "record", "the last 9 bytes are gone"),
    Damage("json-unparsable", "issue-empty", _raw(lambda _: b""), "record"),
    Damage(
        "json-unparsable",
        "issue-nul-tail",
        _raw(lambda raw: raw + b"\0" * 64),
        "record",
        "after a power loss",
    ),
    Damage("json-unparsable", "issue-nan", _swap(b'"context": {}', b'"context": NaN'), "record"),
    Damage("json-unparsable", "issue-trailing-garbage", _raw(lambda raw: raw + b"}"), "record"),
    Damage("json-unparsable", "issue-control-byte", _swap(b"Fresh", b"Fr\x01sh"), "record"),
    Damage("json-unparsable", "index-cut", _index_bytes(lambda raw: raw[:-9]), "record"),
    Damage("json-unparsable", "run-cut", _run_cut, "record"),
    Damage("json-unparsable", "preset-cut", _preset_cut, "record"),
    Damage("json-unparsable", "registry-cut", _registry_cut, "record", eras=JUNE),
    Damage("json-duplicate-key", "state-twice", _swap(b'"state": ', b'"state": "ready",\n  "state": '), "record"),
    Damage("json-lone-surrogate", "title-half-character", _swap(b"Fresh", b"Fr\\ud800sh"), "record"),
    Damage("conflict-marker", "issue-conflict", _raw(_conflict), "record"),
    Damage("conflict-marker", "index-conflict", _index_bytes(_conflict), "record"),
    Damage("conflict-marker", "log-conflict", _log_conflict, "record"),
    Damage("limit-exceeded", "issue-deep", _swap(b'"context": {}', b'"context": ' + _DEEP), "record"),
    Damage("layout-not-canonical", "issue-final-newline", _raw(lambda raw: raw + b"\n"), "record"),
    Damage(
        "layout-not-canonical",
        "issue-four-spaces",
        _raw(lambda raw: raw.replace(b"\n  ", b"\n    ")),
        "record",
    ),
    Damage("layout-not-canonical", "issue-escapes", _swap(b"Fresh", b"Fr\\u0065sh"), "record"),
    Damage("layout-not-canonical", "issue-order", _raw(_mixed_order), "record", "neither declared nor sorted"),
    Damage("unknown-key", "issue-estimate", _issue(estimate=3), "record"),
    # issue
    Damage("issue-malformed", "issue-priority", _issue(priority="norml"), "record"),
    Damage("issue-malformed", "issue-state-open", _issue(state="open"), "record"),
    Damage("issue-malformed", "issue-labels-missing", _without("labels"), "record"),
    Damage("issue-malformed", "issue-assignee-bare", _issue(assignee="ada"), "record"),
    Damage("issue-malformed", "issue-dependency-number", _issue(dependencies=[7]), "record"),
    Damage("issue-malformed", "issue-time-without-offset", _issue(updated_at="2026-06-21T00:00:00"), "record"),
    Damage("issue-id-mismatch", "issues-swapped", _ids_swapped, "record"),
    Damage("issue-id-invalid", "issue-id-upper", _id_upper, "record", also=("event-created-missing",)),
    Damage("issue-lifecycle-mismatch", "done-at-dropped", _done_at_dropped, "parents", eras=V1),
    Damage("issue-lifecycle-mismatch", "archived-from-alone", _issue(archived_from="ready"), "parents", eras=V1),
    Damage("issue-created-after-updated", "updated-before-created", _times_turned, "record"),
    # index
    Damage("index-malformed", "index-all-ids-object", _index(lambda index, _: index.update(all_ids={})), "record"),
    Damage("index-malformed", "index-all-ids-gone", _index(lambda index, _: index.pop("all_ids")), "record"),
    Damage(
        "index-malformed",
        "index-version-text",
        _index(lambda index, _: index.update(schema_version="2")),
        "record",
    ),
    Damage("index-absent", "index-removed", _index_absent, "relation"),
    Damage(
        "index-misses-issue",
        "new-id-dropped",
        _index(lambda index, new: index["all_ids"].remove(new)),
        "relation",
    ),
    Damage(
        "index-misses-issue",
        "old-id-dropped",
        _index(lambda index, new: index["all_ids"].remove(new), settled=True),
        "relation",
        "a merge dropped an id that the parent lists",
    ),
    Damage(
        "index-lists-missing",
        "issue-unstaged",
        _issue_file_removed,
        "relation",
        also=("event-issue-unknown",),
    ),
    Damage("index-duplicate-id", "id-repeated", _index(lambda index, new: index["all_ids"].append(new)), "record"),
    Damage(
        "index-duplicate-id",
        "tombstone-repeated",
        _index(lambda index, _: index["deleted_ids"].append(index["deleted_ids"][0])),
        "record",
    ),
    Damage(
        "index-deleted-alive",
        "alive-id-deleted",
        _index(lambda index, new: index["deleted_ids"].append(new)),
        "relation",
        also=("event-deleted-missing",),
    ),
    Damage("index-reordered", "ids-swapped", _index(_reordered), "parents"),
    Damage("index-outdated", "index-version-1", _index(lambda index, _: index.update(schema_version=1)), "record"),
    Damage(
        "tombstone-lost",
        "tombstone-removed",
        _index(lambda index, _: index["deleted_ids"].pop()),
        "parents",
        also=("event-issue-unknown",),
    ),
    Damage("issue-vanished", "file-and-id-removed", _vanished, "parents", also=("event-issue-unknown",)),
    # dependency
    Damage("dependency-missing", "edge-to-nobody", _edge_to_nobody, "relation"),
    Damage("dependency-missing", "edge-to-unstaged", _edge_to_unstaged, "relation", "half of a change was staged"),
    Damage("dependency-missing", "edge-to-deleted", _edge_to_deleted, "relation", "June's issue delete leaves it"),
    Damage("dependency-cycle", "two-in-a-circle", _cycle, "relation"),
    Damage("dependency-cycle", "self-edge", _self_edge, "relation"),
    Damage("dependency-duplicate", "edge-twice", _edge_twice, "record"),
    Damage("dependency-redundant", "edge-implied", _redundant, "relation"),
    Damage("issue-isolated", "only-edge-dropped", _issue(dependencies=[]), "relation"),
    # gate
    Damage("gate-unregistered", "gate-removed", _gate_gone, "relation", "June's gate remove leaves it"),
    Damage("gate-not-required", "requirement-dropped", _status_only, "record"),
    Damage("gate-required-duplicate", "gate-twice", _issue(gates_required=["review", "review"]), "record"),
    Damage("registry-malformed", "gate-stage-missing", _gate(lambda gate: gate.pop("stage")), "record"),
    Damage("registry-malformed", "gate-mode-unknown", _gate(lambda gate: gate.update(mode="perhaps")), "record"),
    Damage("registry-malformed", "gate-key-twice", _key_twice, "record", eras=V1),
    Damage("registry-malformed", "registry-toml-cut", _toml_cut, "record", eras=V1),
    Damage("registry-malformed", "preset-without-gates", _preset_empty, "record"),
    Damage("registry-malformed", "profile-stranger", _profile_stranger, "record", "refused members", eras=V1),
    Damage("registry-inconsistent", "auto-without-checker", _gate(lambda gate: gate.pop("checker")), "record"),
    Damage("registry-inconsistent", "auto-flag-off", _gate(lambda gate: gate.update(auto=False)), "record"),
    Damage(
        "registry-inconsistent",
        "map-key-differs",
        _gate(lambda gate: gate.update(key="x")),
        "record",
        eras=JUNE,
    ),
    Damage("registry-absent", "registry-removed", _registry_absent, "relation", also=("run-gate-unregistered",)),
    Damage("registry-shadowed", "both-registries", _registry_shadowed, "relation", "both say the same"),
    Damage("gate-event-unmatched", "gate-added-alone", _gate_event_alone, "relation", "C8"),
    # workflow
    Damage("gated-not-open", "gated-all-passed", _gated_passed, "record", "C12"),
    Damage("done-gate-open", "done-unjudged", _done_unjudged, "record"),
    Damage("done-dependency-open", "dependency-reopened", _reopened_below, "relation"),
    Damage("ready-dependency-open", "ready-too-soon", _ready_too_soon, "relation"),
    Damage("backlog-not-blocked", "backlog-for-nothing", _backlog_for_nothing, "relation"),
    # label, document
    Damage("label-malformed", "label-with-space", _labels("epic:harbour", "type:task", "Type bug"), "record"),
    Damage("label-duplicate", "label-twice", _labels("epic:harbour", "type:task", "epic:harbour"), "record"),
    Damage("label-unregistered", "namespace-unknown", _labels("epic:harbour", "type:task", "nope:x"), "relation"),
    Damage("label-unregistered", "type-unknown", _labels("epic:harbour", "type:chore"), "relation"),
    Damage("label-not-unique", "two-types", _labels("epic:harbour", "type:task", "type:bug"), "relation"),
    Damage("document-missing", "document-misspelt", _document_gone, "relation"),
    Damage("document-missing", "document-not-at-commit", _document_not_pinned, "relation"),
    Damage("document-missing", "document-revision-unknown", _document_revision, "relation"),
    Damage("document-duplicate", "document-twice", _document_twice, "record"),
    # event
    Damage(
        "event-unparsable",
        "log-glued",
        _log(lambda log: [*log[:-2], log[-2].rstrip(b"\n"), log[-1]]),
        "record",
    ),
    Damage(
        "event-unparsable",
        "log-torn-middle",
        _log(lambda log: [*log[:-2], log[-2][:60] + b"\n", log[-1]]),
        "record",
    ),
    Damage(
        "event-unparsable",
        "log-fragment-glued",
        _log(lambda log: [*log[:-2], log[-2][:60], log[-1]]),
        "record",
        "C5: a torn line and the next append",
    ),
    Damage(
        "event-unparsable",
        "log-torn-tail",
        _log(lambda log: [*log[:-1], log[-1][:60]]),
        "record",
        "C4",
        also=("event-log-unterminated",),
    ),
    Damage("event-fragment-certified", "log-certified", _certified, "record", eras=V1),
    Damage("event-malformed", "event-fields-missing", _event(lambda event: event.pop("fields")), "record"),
    Damage(
        "event-malformed",
        "event-time-bad",
        _event(lambda event: event.update(timestamp="yesterday")),
        "record",
    ),
    Damage("event-malformed", "event-from-missing", _state_without_from, "record", also=("event-state-mismatch",)),
    Damage("event-type-unknown", "event-blessed", _unknown_type, "record"),
    Damage("event-log-unterminated", "log-newline-gone", _log(lambda log: [*log[:-1], log[-1][:-1]]), "record"),
    Damage("event-duplicate-id", "event-twice", _log(lambda log: [*log, log[-1]]), "record"),
    Damage("event-lost", "event-removed", _line_removed, "parents"),
    Damage("event-lost", "event-changed", _line_changed, "parents"),
    Damage("event-created-missing", "created-unsaid", _created_missing, "relation", "C3"),
    Damage("event-created-repeated", "created-twice", _created_twice, "relation"),
    Damage("event-deleted-missing", "deleted-unsaid", _deleted_unsaid, "relation", "C15"),
    Damage("event-issue-unknown", "event-of-nobody", _event_of_nobody, "relation"),
    Damage("event-state-mismatch", "state-edited", _issue(state="in_progress"), "relation", "C6"),
    Damage("event-state-chain-broken", "chain-broken", _chain_broken, "relation"),
    Damage("event-completed-missing", "completed-unsaid", _completed_missing, "relation", "C7"),
    Damage("event-gate-mismatch", "verdict-edited", _verdict_edited, "relation"),
    # run
    Damage("run-malformed", "run-status-blessed", _run(lambda run: run.update(status="blessed")), "record"),
    Damage("run-malformed", "run-command-missing", _run(lambda run: run.pop("command")), "record"),
    Damage("run-inconsistent", "run-passed-with-1", _run(lambda run: run.update(exit_code=1)), "record"),
    Damage(
        "run-inconsistent",
        "run-ended-before-start",
        _run(lambda run: run.update(completed_at="2026-06-01T00:00:00.000000001Z")),
        "record",
    ),
    Damage("run-result-missing", "run-directory-bare", _run_directory_bare, "relation", "C9; on disk only"),
    Damage("run-id-mismatch", "runs-swapped", _runs_swapped, "record"),
    Damage("run-stray-file", "run-notes", _run_stray, "relation"),
    Damage("run-issue-unknown", "run-of-nobody", _run_of_nobody, "relation", also=("run-event-imbalance",)),
    Damage("run-source-missing", "run-source-gone", _source_gone, "relation", eras=V1),
    Damage("run-gate-unregistered", "run-of-no-gate", _run_of_no_gate, "relation"),
    Damage("run-changed", "run-exit-code-edited", _run_changed, "parents"),
    Damage("run-lost", "run-removed", _run_lost, "parents", also=("run-event-imbalance",)),
    Damage("run-missing", "run-unstaged", _run_unstaged, "relation", also=("run-event-imbalance",)),
    Damage("run-status-mismatch", "old-verdict-kept", _old_verdict, "relation"),
    Damage("run-event-imbalance", "run-unsaid", _run_unsaid, "relation"),
    # config
    Damage(
        "config-malformed",
        "config-string-open",
        _config("config.toml", b'strictness = "loose"', b'strictness = "loose'),
        "record",
    ),
    Damage("config-malformed", "rules-cut", _config("rules.toml", b"[[rules]]", b"[[rules"), "record"),
    Damage(
        "config-malformed",
        "rules-schema-gone",
        _config("rules.toml", b"schemas/default-label-format.json", b"schemas/default-label-shape.json"),
        "record",
        "since v1 the default rules are read from config.toml",
        eras=JUNE,
    ),
    Damage("config-malformed", "templates-role-gone", _templates, "record"),
    Damage(
        "baked-schema-outdated",
        "type-added",
        _config("config.toml", b"bug = 4", b"bug = 4, chore = 4"),
        "relation",
    ),
    # tracked
    Damage("machine-file-tracked", "worktree-json", _tracked(".jit/worktree.json", b"{}"), "tree"),
    Damage("machine-file-tracked", "server-log", _tracked(".jit/server.log", b"up\n"), "tree"),
    Damage("machine-file-tracked", "lock-meta", _tracked(".jit/claims.lock.meta", b"{}"), "tree"),
    Damage("lock-tracked", "index-lock", _tracked(".jit/.index.lock"), "tree"),
    Damage("lock-tracked", "bootstrap-lock", _tracked(".jit-bootstrap.lock"), "tree"),
    Damage(
        "transaction-tracked",
        "journal-tracked",
        _tracked(f".jit/tmp/transactions/{_TRANSACTION}/journal.json", b"{}"),
        "tree",
    ),
    Damage("transaction-tracked", "bootstrap-tracked", _tracked(".jit-bootstrap/transaction-protocol-v1"), "tree"),
    Damage("temp-tracked", "index-temp", _tracked(".jit/.index.json.4711.0.tmp", b"{}"), "tree"),
    Damage("temp-tracked", "merge-file", _tracked(".jit/.merge_file_a01b2c", b"{}"), "tree"),
    Damage("record-not-file", "issue-link", _not_a_file(0o120000), "tree"),
    Damage("record-not-file", "issue-submodule", _not_a_file(0o160000), "tree"),
    Damage("unmerged-entry", "issue-unmerged", _unmerged, "tree"),
    # runtime
    Damage("temp-stale", "issue-temp", _issue_temp, "disk", "C1"),
    Damage("temp-stale", "index-temp-on-disk", _stale_temp("index.json"), "disk", "C1"),
    Damage("transaction-pending", "transaction-prepared", _pending("prepared"), "disk", "V2"),
    Damage("transaction-pending", "transaction-committed", _pending("committed"), "disk", "V4"),
    Damage("transaction-stuck", "transaction-target-edited", _stuck, "disk", "V9"),
    Damage(
        "transaction-foreign",
        "transaction-stranger",
        _on_disk(".jit/tmp/transactions/notes.txt"),
        "disk",
        "V12",
    ),
    Damage("transaction-residue", "transaction-residue", _residue, "disk", "V1"),
    Damage(
        "archive-unfinished",
        "archive-staged",
        _on_disk(".jit/tmp/archive-x/doc-x", b"# tide\n"),
        "disk",
        "C21",
    ),
    Damage("archive-unfinished", "archive-copied", _archive_copied, "disk", "C21"),
    Damage("lock-meta-stale", "lock-meta-of-the-dead", _lock_meta, "disk", "C19"),
    # claim
    Damage("claim-unparsable", "claims-torn", _claims_cut, "control", "C18"),
    Damage("claim-unparsable", "claims-glued", _claims_glued, "control", "C18"),
    Damage("claim-malformed", "lease-null-expiry", _claims(_null_expiry), "control"),
    Damage("claim-sequence-gap", "claims-line-removed", _claims(_claim_gap), "control"),
    Damage(
        "claims-index-mismatch",
        "lease-not-in-index",
        _claims(lambda claims: claims.live.clear()),
        "control",
        "C17",
    ),
    Damage("lease-duplicate", "lease-by-prefix", _claims(_lease_twice), "control"),
    Damage("lease-without-assignee", "lease-unassigned", _unassigned, "control", "C20"),
    Damage("lease-expired", "lease-over", _claims(_lease_over), "control"),
    # merge
    Damage("merge-lost-edit", "theirs-dropped", _lost_edit, "merge"),
    Damage(
        "merge-misplaced-edit",
        "edit-in-the-other-file",
        _misplaced_edit,
        "merge",
        "rename detection",
        ("merge-own-edit",),
    ),
    Damage("merge-resurrected-issue", "deleted-issue-back", _resurrected, "merge"),
    Damage(
        "merge-side-discarded",
        "merge-ours",
        _side_discarded,
        "merge",
        "without it event-lost tells, too: their lines are gone",
        also=("event-lost",),
    ),
    Damage("merge-lost-path", "path-cut", _lost_path, "merge", "the base holds a redundant edge"),
    Damage("merge-duplicate-work", "both-claimed", _both_claimed, "merge"),
    Damage("merge-both-dropped", "both-edits-dropped", _both_dropped, "merge"),
    Damage("merge-own-edit", "edited-while-merging", _own_edit, "merge"),
)
"""Every damage, in the order of the list of checks."""
