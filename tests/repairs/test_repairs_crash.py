"""June's tracker killed between any two of its writes, or inside an append: what repairs make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mended_stores import repaired

from jit_hooks.repairs import BY_CODE
from jit_hooks.store.snapshot import Entry
from jit_hooks.testing.damage import healthy_scene
from jit_hooks.testing.tracker import apply_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jit_hooks.testing.damage import Scene
    from jit_hooks.testing.tracker import Write

LOG = "events.jsonl"
Store = dict[str, object]


def create(scene: Scene) -> list[Write]:
    return scene.tracker.steps("create", "Caulk the hull", labels=["epic:harbour", "type:task"])


def claim(scene: Scene) -> list[Write]:
    return scene.tracker.steps("claim", scene.fresh(), "agent:beta")


def update(scene: Scene) -> list[Write]:
    return scene.tracker.steps("update", scene.fresh(), description="More coats.\n")


def done(scene: Scene) -> list[Write]:
    return scene.tracker.steps("done", scene.fresh(claimed=True))


def gate_pass(scene: Scene) -> list[Write]:
    return scene.tracker.steps("gate_pass", scene.fresh(gates=("review",)), "review")


def gate_run(scene: Scene) -> list[Write]:
    return scene.tracker.steps("gate_run", scene.fresh(gates=("tests",)), "tests", exit_code=1)


def delete(scene: Scene) -> list[Write]:
    return scene.tracker.steps("delete", scene.fresh())


def dep_add(scene: Scene) -> list[Write]:
    first, second = scene.fresh(), scene.fresh()
    return scene.tracker.steps("dep_add", first, second)


def dep_remove(scene: Scene) -> list[Write]:
    return scene.tracker.steps("dep_remove", scene.fresh(), scene.design)


def gate_add(scene: Scene) -> list[Write]:
    return scene.tracker.steps("gate_add", scene.fresh(), "review", "tests")


def gate_remove(scene: Scene) -> list[Write]:
    return scene.tracker.steps("gate_remove", scene.fresh(gates=("review",)), "review")


def release(scene: Scene) -> list[Write]:
    return scene.tracker.steps("release", scene.fresh(claimed=True))


def reject(scene: Scene) -> list[Write]:
    return scene.tracker.steps("reject", scene.fresh())


def crashes(command: Callable[[Scene], list[Write]]) -> Iterator[tuple[str, Store, Store]]:
    """Every state that a crash inside a command leaves: its name, the store before the command, the store."""
    scene = healthy_scene("june")
    writes = command(scene)
    before = dict(scene.files)
    files, made = dict(before), dict[str, Entry]()
    for count, write in enumerate(writes):
        if write.kind == "append":
            data = write.data or b""
            for part in sorted({len(data) // 4, len(data) // 2, len(data) - 1} - {0}):
                torn = files[LOG] + data[:part]
                yield f"{count} writes and {part} bytes", {**before}, {**files, **made, LOG: torn}
        apply_write(files, write)
        if write.kind == "mkdir":
            made[f"{write.path}/"] = Entry("directory")
        yield f"{count + 1} writes", {**before}, {**files, **made}


COMMANDS = (
    create, claim, release, update, done, reject, delete, dep_add, dep_remove,
    gate_add, gate_remove, gate_pass, gate_run,
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_that_can_be_mended_is_left_by_a_crash(command: Callable[[Scene], list[Write]]) -> None:
    states = list(crashes(command))
    assert len(states) > 3
    for name, before, store in states:
        mended = repaired(store, parents=[before])
        assert not mended.codes & BY_CODE.keys(), f"after {name}: {mended.left}"
        assert "event-malformed" not in mended.codes
        ids = [json.loads(line)["id"] for line in mended.log]
        assert len(ids) == len(set(ids))
        old = before[LOG]
        assert isinstance(old, bytes)
        assert mended.files[LOG].startswith(old), "the history before the crash stands as it was"
