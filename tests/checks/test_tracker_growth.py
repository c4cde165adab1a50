"""Tomorrow's tracker writes what this program does not know: nothing is blocked without a printed way through."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from git_scratch import commit_all, git

from jit_hooks.cli.shell import run
from jit_hooks.testing.stores import healthy_tracker
from jit_hooks.testing.tracker import documents_of, gates_toml, line, pretty, random_id, stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jit_hooks.testing.tracker import Era, Tracker

    Growth = Callable[[Tracker], object]

ERAS = ("june", "v1")
WAY = re.compile(r"accept it under `([a-z-]+)` in \[accept\] of \.jit/hooks\.toml")
VERSION_WAY = re.compile(r"accept it: `(schema-version = [0-9]+)` under \[accept\] in \.jit/hooks\.toml")
NEW = "tomorrow"


def first(tracker: Tracker, start: str, having: str = "") -> str:
    """The first record below a directory that has something in a member."""
    return next(
        path
        for path in sorted(tracker.files)
        if path.startswith(start) and (not having or json.loads(tracker.files[path])[having])
    )


def set_in(start: str, *keys: str | int, value: Any = NEW, having: str = "") -> Growth:
    def grow(tracker: Tracker) -> None:
        path = first(tracker, start, having)
        record = target = json.loads(tracker.files[path])
        for key in keys[:-1]:
            target = target[key if key != "*" else next(iter(target))]
        target[keys[-1]] = value
        tracker.files[path] = pretty(record, tracker.era)

    return grow


def set_gate(*keys: str, value: Any = NEW) -> Growth:
    def grow(tracker: Tracker) -> None:
        gates = tracker.gates()
        target = gates["tests"]
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value
        path = "gates.json" if tracker.era == "june" else "gates.toml"
        tracker.files[path] = pretty({"gates": gates}) if tracker.era == "june" else gates_toml(gates.values())

    return grow


def event(kind: str, **rest: Any) -> Growth:
    def grow(tracker: Tracker) -> None:
        head = {"type": kind, "id": random_id(tracker.rng), "issue_id": tracker.ids()[0]}
        tracker.files["events.jsonl"] += line(head | {"timestamp": stamp(tracker.now + 1)} | rest, tracker.era) + b"\n"

    return grow


MEMBERS: dict[str, Growth] = {
    "issue": set_in("issues/", NEW),
    "issue index": set_in("index.json", NEW),
    "run": set_in("gate-runs/", NEW),
    "preset": set_in("config/gate-presets/", NEW),
    "gate": set_gate(NEW),
    "event": event("issue_updated", updated_by="x", fields=["title"], tomorrow=1),
    "event type": event("issue_blessed", by="x"),
    "schema version of a run": set_in("gate-runs/", "schema_version", value=2),
    "version of a gate": set_gate("version", value=2),
}
"""What is a warning at the most."""

VALUES: dict[str, Growth] = {
    "state": set_in("issues/", "state"),
    "archived from": set_in("issues/", "archived_from"),
    "priority": set_in("issues/", "priority"),
    "content format": set_in("issues/", "content_format"),
    "gate status": set_in("issues/", "gates_status", "*", "status", having="gates_status"),
    "asset type": set_in(
        "issues/",
        "documents",
        0,
        "assets",
        value=[{"asset_type": NEW, "original_path": "a", "content_hash": None, "is_shared": False}],
        having="documents",
    ),
    "run status": set_in("gate-runs/", "status"),
    "run stage": set_in("gate-runs/", "stage"),
    "run origin": set_in("gate-runs/", "origin", value={"derivation": NEW}),
    "gate stage": set_gate("stage"),
    "gate mode": set_gate("mode"),
    "checker type": set_gate("checker", "type"),
    "preset stage": set_in("config/gate-presets/", "gates", 0, "stage"),
    "state of an event": event("issue_state_changed", **{"from": "ready", "to": NEW}),
    "priority of an event": event("issue_created", title="x", priority=NEW),
    "stance of an event": event(
        "linked_checkout_write_overridden",
        checkout="/srv/x",
        declared_stance=NEW,
        invocation_override="allow",
    ),
}
"""What is an error until somebody accepts it."""


def lay_out(top: Path, tracker: Tracker) -> None:
    documents = documents_of(healthy_tracker(0, tracker.era).files)
    files = {f".jit/{path}": data for path, data in tracker.files.items()}
    for path, data in {**files, **documents}.items():
        target = top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def check(top: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run("jit-check", "check_app", [str(top), "--all", "--verbose"])
    said = capsys.readouterr()
    return code, re.sub(r"\s+", " ", said.out + said.err)


def permission(said: str) -> str:
    """The settings file a report asks for."""
    names = dict.fromkeys(WAY.findall(said))
    rows = [f'{name} = ["{NEW}"]' for name in names] + VERSION_WAY.findall(said)
    return "\n".join(["[accept]", *rows, ""]) if rows else ""


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", MEMBERS)
def test_a_new_member_or_event_type_blocks_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], era: Era, name: str
) -> None:
    tracker = healthy_tracker(0, era)
    MEMBERS[name](tracker)
    lay_out(tmp_path, tracker)
    code, said = check(tmp_path, capsys)
    assert code == 0, said


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", VALUES)
def test_a_new_value_is_let_through_as_the_report_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], era: Era, name: str
) -> None:
    tracker = healthy_tracker(0, era)
    VALUES[name](tracker)
    lay_out(tmp_path, tracker)
    code, said = check(tmp_path, capsys)
    assert code == 1, said
    assert NEW in said
    settings = permission(said)
    assert settings, said
    (tmp_path / ".jit" / "hooks.toml").write_text(settings)
    code, said = check(tmp_path, capsys)
    assert code == 0, said


@pytest.mark.parametrize("era", ERAS)
def test_a_newer_store_is_not_judged_until_it_is_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], era: Era
) -> None:
    tracker = healthy_tracker(0, era)
    set_in("index.json", "schema_version", value=3)(tracker)
    lay_out(tmp_path, tracker)
    code, said = check(tmp_path, capsys)
    assert code == 3, said
    (tmp_path / ".jit" / "hooks.toml").write_text(permission(said))
    code, said = check(tmp_path, capsys)
    assert code == 0, said


def test_a_table_and_a_list_of_permissions_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TOML cannot hold both; whoever follows the report into a file with instances reads how to go on."""
    tracker = healthy_tracker(0, "v1")
    VALUES["state"](tracker)
    lay_out(tmp_path, tracker)
    settings = tmp_path / ".jit" / "hooks.toml"
    instance = '[[accept]]\ncode = "event-lost"\nrecord = "x"\nreason = "y"\n'
    settings.write_text(f'{instance}[accept]\nstates = ["{NEW}"]\n')
    code, said = check(tmp_path, capsys)
    assert code == 2
    assert "write [[accept]] for both" in said
    settings.write_text(f'{instance}[[accept]]\nstates = ["{NEW}"]\n')
    code, said = check(tmp_path, capsys)
    assert code == 0, said


HOOK = "import sys; from jit_hooks.cli import hooks; sys.argv = ['jit-hooks', 'pre-commit']; hooks()"


def pre_commit(top: Path) -> tuple[int, str]:
    made = subprocess.run([sys.executable, "-c", HOOK], cwd=top, capture_output=True, text=True, check=False)
    return made.returncode, re.sub(r"\s+", " ", made.stdout + made.stderr)


@pytest.mark.parametrize("growth", [VALUES["state"], set_in("index.json", "schema_version", value=3)])
def test_the_commit_hook_lets_growth_through_once_it_is_staged(tmp_path: Path, growth: Growth) -> None:
    tracker = healthy_tracker(0, "v1")
    lay_out(tmp_path, tracker)
    commit_all(tmp_path)
    growth(tracker)
    lay_out(tmp_path, tracker)
    git(tmp_path, "add", "-A")
    code, said = pre_commit(tmp_path)
    assert code in (1, 3), said
    (tmp_path / ".jit" / "hooks.toml").write_text(permission(said))
    assert pre_commit(tmp_path)[0] == code  # not staged: excuses nothing
    git(tmp_path, "add", "-A")
    code, said = pre_commit(tmp_path)
    assert code == 0, said
