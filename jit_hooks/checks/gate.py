"""Family ``gate``: the gate registry, and what issues ask of it."""

from __future__ import annotations

from jit_hooks.checks.wording import fault_words, first_places, grouped, pointer_to, repeated, titled
from jit_hooks.problem import Problem, parts_of
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.log import Event
    from jit_hooks.store.records import Issue, Record
    from jit_hooks.store.store import Store
    from jit_hooks.store.validators import Fault


def gate_unregistered(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue requires a gate, or carries a verdict for one, that the gate registry does not define.

    The gate can never pass, so the issue can never be done, and ``jit validate`` refuses the store. ``jit
    gate remove`` takes a gate away without asking who requires it. Where the two registries of both trackers
    lie side by side a key of either counts; ``registry-shadowed`` speaks of the rest.

    FAIL: ``"gates_required": ["tests"]`` and no gate ``tests`` in ``gates.json`` or ``gates.toml``.

    PASS: each key defined. A store without a registry is ``registry-absent``, said once.

    REPAIR: none; a person defines the gate again (``jit gate define``) or takes it off (``jit gate remove``).

    TO FIX: define the gate (``jit gate define``), or take it off the issue.
    """
    known = store.gate_keys
    if known is None:
        return
    judged = dict.fromkeys(focus.issue_ids(store))
    for issue_id in judged:
        issue = store.issue(issue_id)
        if issue is not None and not (known.issuperset(issue.gates_required) and known.issuperset(issue.gates_status)):
            yield from _unregistered(store, issue, known)
    if focus.everything or not focus.touches_registry():
        return
    before = focus.parents[0].gate_keys if focus.parents else None
    if before is not None and before <= known:
        return
    for issue in store.issues():
        if issue.id not in judged:
            yield from _unregistered(store, issue, known)


def _unregistered(store: Store, issue: Issue, known: frozenset[str]) -> Iterator[Problem]:
    places = first_places(issue.gates_required)
    for key in dict.fromkeys((*places, *issue.gates_status)):
        if key in known:
            continue
        if key in places:
            verb, pointer = "requires", f"/gates_required/{places[key]}"
        else:
            verb, pointer = "carries a verdict for", pointer_to("gates_status", key)
        yield Problem(
            "gate-unregistered",
            issue.path,
            f"issue {titled(store, issue.id)} {verb} the gate `{key}`, which {store.registry_path} does not define",
            subject=key,
            pointer=pointer,
            related=(store.registry_path,),
        )


def gate_not_required(record: Record) -> Iterator[Problem]:
    """An issue carries a verdict for a gate it does not require.

    The tracker takes a gate off together with its verdict; a hand or a merge left one of the two.

    FAIL: ``"gates_required": []`` beside ``"gates_status": {"tests": {...}}``

    PASS: a verdict for each required gate, or none yet.

    REPAIR: none; dropping a verdict would lose it.

    TO FIX: nothing breaks; take the verdict out, or require the gate again.
    """
    if not record.loads:
        return
    required, statuses = record.members["gates_required"], record.members["gates_status"]
    assert type(required) is list
    assert type(statuses) is dict
    for key in statuses:
        if key not in required:
            yield Problem(
                "gate-not-required",
                record.path,
                f"carries a verdict for the gate `{key}`, which it does not require",
                subject=key,
                pointer=pointer_to("gates_status", key),
            )


def gate_required_duplicate(record: Record) -> Iterator[Problem]:
    """An issue requires one gate twice.

    Harmless to the tracker; a merge of two branches that both added it leaves it.

    FAIL: ``"gates_required": ["tests", "tests"]``

    PASS: each gate once.

    REPAIR: the first stays.

    TO FIX: keep one of the two.
    """
    if not record.loads:
        return
    required = record.members["gates_required"]
    assert type(required) is list
    for key, position in repeated(required).items():
        yield Problem(
            "gate-required-duplicate",
            record.path,
            f"requires the gate `{key}` twice",
            subject=key,
            pointer=f"/gates_required/{position}",
        )


def registry_malformed(record: Record) -> Iterator[Problem]:
    """A gate registry, a preset or a profile record has a shape the tracker cannot read.

    Then no gate works in any clone: the tracker reads the whole registry or nothing of it, and one bad preset
    stops every command that uses a preset. Not TOML, a member missing, a wrong type or value, two gates of
    one key. One problem for each gate at fault.

    FAIL: a gate without ``stage``; two tables ``[[gates]]`` with ``key = "tests"``; an automated gate of a
    preset without a checker.

    PASS: a registry as either tracker writes it.

    REPAIR: restored from the newest copy that loads.

    TO FIX: correct the registry; ``jit-hooks schema gates`` prints its shape.
    """
    if record.fault is not None:
        if record.fault.code == "toml-unparsable":
            yield Problem("registry-malformed", record.path, record.fault.message, offset=record.fault.offset)
        return
    gates = record.members.get("gates")
    rows = gates if type(gates) is list else []

    def subject_of(pointer: str) -> str:
        parts = parts_of(pointer)
        if parts[:1] != ["gates"] or len(parts) < 2:
            return parts[0] if parts else ""
        return _key_of(rows, parts[1]) if type(gates) is list else parts[1]

    faults = [*record.faults, *_row_faults(record, rows)]
    for subject, found in grouped(faults, subject_of).items():
        yield Problem("registry-malformed", record.path, fault_words(found), subject=subject, pointer=found[0][0])


def _key_of(rows: list[object], position: str) -> str:
    row = rows[int(position)] if position.isdigit() and int(position) < len(rows) else None
    key = row.get("key") if type(row) is dict else None
    return key if type(key) is str else position


def _row_faults(record: Record, rows: list[object]) -> Iterator[Fault]:
    """The faults of gates in a list that no schema knows: a key twice; in a preset, automation without a checker."""
    seen: set[str] = set()
    for position, row in enumerate(rows):
        if type(row) is not dict:
            continue
        key = row.get("key")
        if type(key) is str:
            if key in seen:
                yield (
                    pointer_to("gates", position, "key"),
                    "unique",
                    f"defines the gate `{key}` a second time",
                )
            seen.add(key)
        if record.kind == "preset" and row.get("mode") == "auto" and row.get("checker") is None:
            yield pointer_to("gates", position), "required", "is automated, but has no checker"


def registry_inconsistent(record: Record) -> Iterator[Problem]:
    """A gate of the registry contradicts itself.

    Its name in the map differs from its ``key``, it is automated but has nothing to run, or the old flag
    ``auto`` disagrees with ``mode``. The tracker loads it and then fails when the gate is run.

    FAIL: ``"mode": "auto"`` without ``checker``; ``"auto": true`` beside ``"mode": "manual"``

    PASS: an automated gate with a checker, a manual one without.

    REPAIR: none; a person decides which side is meant.

    TO FIX: correct the definition of the gate.
    """
    if not record.loads:
        return
    for name, pointer, gate in _gates(record):
        wrong = []
        if gate.get("key") != name:
            wrong.append(f'has the key "{gate.get("key")}"')
        if gate.get("mode") == "auto" and gate.get("checker") is None:
            wrong.append("is automated, but has no checker")
        if "auto" in gate and gate["auto"] is not (gate.get("mode") == "auto"):
            wrong.append(f'has `auto` {str(gate["auto"]).lower()} beside `mode` "{gate.get("mode")}"')
        if wrong:
            yield Problem(
                "registry-inconsistent",
                record.path,
                f"the gate `{name}` {' and '.join(wrong)}",
                subject=name,
                pointer=pointer,
            )


def _gates(record: Record) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Each gate of a registry that loads: the name it goes by, its pointer, its definition."""
    gates = record.members.get("gates")
    if type(gates) is dict:
        for name, gate in gates.items():
            yield name, pointer_to("gates", name), gate
    elif type(gates) is list:
        for position, gate in enumerate(gates):
            yield gate["key"], pointer_to("gates", position), gate


def registry_absent(store: Store, focus: Focus) -> Iterator[Problem]:
    """Issues require gates, and there is no gate registry.

    June's tracker then fails in every command that reads gates; since v1 every required gate is unknown. Said
    once, of the file that should be there, not for each gate.

    FAIL: ``gates.json`` deleted, or never staged, while an issue requires a gate.

    PASS: a registry of either tracker; a store whose issues require nothing.

    REPAIR: restored from the newest copy.

    TO FIX: restore the gate registry from a commit that has it.
    """
    if any(store.snapshot.entry(path) is not None for path in (layout.GATES_TOML, layout.GATES_JSON)):
        return
    if focus.touches_registry():
        found: Iterable[Issue | None] = store.issues()
    else:
        found = map(store.issue, focus.issue_ids(store))
    needy = next((issue for issue in found if issue is not None and issue.gates_required), None)
    if needy is None:
        return
    path = next((parent.registry_path for parent in focus.parents if parent.registry_path), "")
    if not path:
        from jit_hooks.store.labels import is_v1

        path = layout.GATES_TOML if is_v1(store) else layout.GATES_JSON
    yield Problem(
        "registry-absent",
        path,
        f"does not exist, though issues require gates: {titled(store, needy.id)} requires `{needy.gates_required[0]}`",
        record=layout.GATES_JSON,
        related=(needy.path,),
    )


def registry_shadowed(store: Store, focus: Focus) -> Iterator[Problem]:
    """There are two gate registries, ``gates.json`` and ``gates.toml``.

    June's tracker reads the first and never the second, v1's the other way round: the two disagree about what
    a gate is, and each change reaches only one of them.

    FAIL: an empty ``gates.toml`` beside a ``gates.json``.

    PASS: one of the two.

    REPAIR: none; a person moves what is missing into ``gates.toml`` and removes ``gates.json`` once nobody
    runs the June tracker.

    TO FIX: keep one registry: since v1 only gates.toml is read.
    """
    if not focus.touches_registry():
        return
    if not (store.is_file(layout.GATES_JSON) and store.is_file(layout.GATES_TOML)):
        return
    old, new = store.registry_at(layout.GATES_JSON), store.registry_at(layout.GATES_TOML)
    missing = [key for key in old.gates if key not in new.gates] if old and new else []
    yield Problem(
        "registry-shadowed",
        layout.GATES_JSON,
        "is not read since v1, for gates.toml lies beside it"
        + (f"; only here: {', '.join(f'`{key}`' for key in sorted(missing))}" if missing else ""),
        related=(layout.GATES_TOML,),
    )


def gate_event_unmatched(store: Store, focus: Focus) -> Iterator[Problem]:
    """The last event of a gate says that an issue got or lost it, and the issue says otherwise.

    June's tracker writes the event before the issue; killed between the two it leaves this. A bulk edit that
    took the gate off counts as taking it off.

    FAIL: ``gate_added`` of ``tests``, no later ``gate_removed``, and ``tests`` is not required.

    PASS: a gate required without an event: gates given at creation have none.

    REPAIR: none; a person adds the gate again, or takes it off again.

    TO FIX: nothing to mend: history differs from the issue.
    """
    for issue_id in focus.eventful_issue_ids(store):
        issue = store.issue(issue_id)
        if issue is None:
            continue
        for key, event in _last_requirement_events(store, issue_id).items():
            added = event.type == "gate_added"
            if added == (key in issue.gates_required):
                continue
            if added and _was_removed_in_bulk(store, issue_id, key):
                continue
            yield Problem(
                "gate-event-unmatched",
                issue.path,
                f"issue {titled(store, issue_id)} "
                + (
                    f"does not require the gate `{key}`, though its last event says that it was added"
                    if added
                    else f"requires the gate `{key}`, though its last event says that it was removed"
                ),
                subject=key,
                pointer="/gates_required",
                related=(layout.LOG,),
            )


def _last_requirement_events(store: Store, issue_id: str) -> dict[str, Event]:
    """By gate key the last event, by time and then by place, that added or removed it."""
    last: dict[str, Event] = {}
    for event in store.log.events_of(issue_id):
        if event.type in ("gate_added", "gate_removed") and type(event.gate) is str:
            before = last.get(event.gate)
            if before is None or event.instant >= before.instant:
                last[event.gate] = event
    return last


def _was_removed_in_bulk(store: Store, issue_id: str, key: str) -> bool:
    """True if a bulk edit, which writes no ``gate_removed``, took the gate off the issue."""
    from jit_hooks.store.reader import read_json

    needle = b'"gate:-%s"' % key.encode("utf-8", "replace")
    if needle not in store.log.data:
        return False
    for line in store.log.data.split(b"\n"):
        if needle in line:
            document, _ = read_json(line)
            if type(document) is dict and document.get("issue_id") == issue_id:
                return True
    return False
