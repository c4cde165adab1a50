"""Stores that change at random: honest commands of the tracker, damages of the catalogue, and blind edits of bytes."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from jit_hooks.testing.damage import DAMAGES, Scene
from jit_hooks.testing.stores import healthy_tracker, mixed_tracker
from jit_hooks.testing.tracker import RefusedError, Tracker, line, pretty, random_id

if TYPE_CHECKING:
    from collections.abc import Callable

    Files = dict[str, bytes]

FURTHEST = ("disk", "control", "merge")
"""What a damage may need that a commit cannot hold."""

PLAIN_DAMAGES = [damage for damage in DAMAGES if damage.needs not in FURTHEST]

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, "", "x", "done", "ready", "backlog", "in_progress", "gated", "archived", "passed",
    "tests", "review", "nobody", [], ["x"], ["x", "x"], {}, {"status": "passed"}, "2026-06-21T00:00:00Z", "\x07",
)  # fmt: skip


class Editor:
    """Takes one store from step to step; every step is named in ``said``."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"focus-{seed}")
        self.said: list[str] = []
        self.files: Files = {}
        self.outside: Files = {}
        self.tracker: Tracker
        self.anew()

    def anew(self) -> None:
        """Begin with a healthy store."""
        kind = self.rng.choice(("june", "june", "v1", "v1", "mixed"))
        self.tracker = mixed_tracker(0) if kind == "mixed" else healthy_tracker(0, "june" if kind == "june" else "v1")
        self.said = [kind]
        for _ in range(self.rng.randrange(3)):
            self.tracker.random_edit(self.rng)
        self._look()

    def step(self) -> None:
        """One change, sometimes two or three at once."""
        if self.said[-1] != "honest" and len(self.said) > 1 and self.rng.random() < 0.25:
            self.anew()  # after damage the tracker no longer works: what follows are edits of bytes only
        honest = all(word in ("june", "v1", "mixed", "honest") for word in self.said)
        roll = self.rng.random()
        if honest and roll < 0.45:
            self.tracker.random_edit(self.rng)
            self.said.append("honest")
            self._look()
        elif honest and roll < 0.65:
            self._damage()
        else:
            for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
                self._blind()

    def _look(self) -> None:
        self.files, self.outside = dict(self.tracker.files), dict(self.tracker.outside)

    def _damage(self) -> None:
        while True:
            damage = self.rng.choice(PLAIN_DAMAGES)
            twin = self.tracker.fork()
            scene = Scene(twin, [dict(twin.files)], parent_outside=dict(twin.outside))
            try:
                damage.make(scene)
            except (RefusedError, LookupError, StopIteration):
                continue
            if self.tracker.era in damage.eras and not scene.modes and not scene.tracked and not scene.unmerged:
                break
        self.files, self.outside = dict(scene.files), dict(scene.outside)
        self.said.append(damage.name)

    # -- blind edits

    def _blind(self) -> None:
        edits: list[Callable[[], object]] = [
            self._member, self._member, self._member, self._bytes, self._remove, self._copy, self._index, self._index,
            self._lines, self._lines, self._gate, self._restore, self._add_issue,
        ]  # fmt: skip
        edit = self.rng.choice(edits)
        try:
            said = edit()
        except (ValueError, LookupError, TypeError, AttributeError):
            return
        self.said.append(f"{edit.__name__[1:]} {said}")

    def _path(self, start: str = "") -> str:
        kinds = [path for path in sorted(self.files) if path.startswith(start)]
        issues = [path for path in kinds if path.startswith("issues/")]
        return self.rng.choice(issues if issues and self.rng.random() < 0.5 else kinds)

    def _some_id(self) -> str:
        ids = [path[7:-5] for path in sorted(self.files) if path.startswith("issues/")]
        return self.rng.choice([*ids, *ids, random_id(self.rng)])

    def _write(self, path: str, document: Any) -> None:
        self.files[path] = pretty(document, "v1" if list(document) == sorted(document) else "june")

    def _member(self) -> str:
        path = self._path("gate-runs/" if self.rng.random() < 0.2 else "issues/")
        document = json.loads(self.files[path])
        name = self.rng.choice(sorted(document))
        roll = self.rng.random()
        if roll < 0.15:
            del document[name]
        elif name == "dependencies" or (roll < 0.5 and "dependencies" in document):
            name = "dependencies"
            ids = document[name] = list(document[name])
            if ids and self.rng.random() < 0.4:
                ids.remove(self.rng.choice(ids))
            else:
                ids.append(self._some_id())
        elif name in ("gates_required", "labels") and self.rng.random() < 0.7:
            more = ("tests", "lint", "review", "nothing", "type:task", "team:north", "Bad", "epic:x", "odd:y")
            document[name] = [*document[name], self.rng.choice(more)]
        else:
            document[name] = self.rng.choice(VALUES)
        self._write(path, document)
        return f"{path} {name}"

    def _bytes(self) -> str:
        path = self._path()
        data = self.files[path]
        at = self.rng.randrange(len(data) + 1)
        self.files[path] = self.rng.choice((
            data[:at],
            data[:at] + bytes([self.rng.randrange(256)]) + data[at + 1 :],
            data + b"\n",
            b"",
            b"<<<<<<< HEAD\n" + data,
            data[:at] + b'"' + data[at:],
        ))  # fmt: skip
        return f"{path} at {at}"

    def _remove(self) -> str:
        path = self._path()
        del self.files[path]
        return path

    def _copy(self) -> str:
        """One file's bytes under another name of its kind, or a new one."""
        path = self._path("issues/" if self.rng.random() < 0.5 else "gate-runs/")
        other = self._path(path.split("/")[0] + "/")
        if self.rng.random() < 0.5:
            other = path.replace(path.split("/")[1].removesuffix(".json"), random_id(self.rng))
        self.files[other] = self.files[path]
        return f"{path} to {other}"

    def _index(self) -> str:
        index = json.loads(self.files["index.json"])
        name = self.rng.choice(("all_ids", "deleted_ids"))
        ids: list[str] = index[name]
        roll = self.rng.randrange(6)
        if roll < 2 and ids:
            gone = ids.pop(self.rng.randrange(len(ids)))
            if roll:
                index["deleted_ids" if name == "all_ids" else "all_ids"].append(gone)
        elif roll == 2:
            ids.append(self._some_id())
        elif roll == 3:
            self.rng.shuffle(ids)
        elif roll == 4:
            index[self.rng.choice(sorted(index))] = self.rng.choice(VALUES)
        else:
            index["all_ids"] = [path[7:-5] for path in sorted(self.files) if path.startswith("issues/")]
        self._write("index.json", index)
        return f"{name} {roll}"

    def _lines(self) -> str:
        lines = self.files["events.jsonl"].splitlines(keepends=True)
        at = self.rng.randrange(len(lines))
        roll = self.rng.randrange(8)
        if roll == 0:
            del lines[at]
        elif roll == 1:
            lines.insert(self.rng.randrange(len(lines)), lines[at])
        elif roll == 2:
            lines.append(lines[at])
        elif roll == 3:
            lines[at] = lines[at][: self.rng.randrange(len(lines[at]))] + b"\n"
        elif roll == 4:
            lines[-1] = lines[-1].removesuffix(b"\n")
        elif roll == 5:
            lines.append(b"\n" * self.rng.randrange(3) + b"{")
        else:
            event = json.loads(lines[at])
            if roll == 6:
                event["id"] = random_id(self.rng)
                at = len(lines)
                lines.append(b"")
            name = self.rng.choice(sorted(event))
            event[name] = self._some_id() if name == "issue_id" else self.rng.choice(VALUES)
            lines[at] = line(event) + b"\n"
        self.files["events.jsonl"] = b"".join(lines)
        return f"{roll} at {at}"

    def _gate(self) -> str:
        path = "gates.toml" if "gates.toml" in self.files else "gates.json"
        data = self.files[path]
        for key in self.rng.sample(("tests", "lint", "review", "plan"), 1):
            self.files[path] = data.replace(b'"%s"' % key.encode(), b'"%s-2"' % key.encode())
        return path

    def _restore(self) -> str:
        """A file as the tracker last left it."""
        path = self.rng.choice(sorted(self.tracker.files))
        self.files[path] = self.tracker.files[path]
        return path

    def _add_issue(self) -> str:
        path = self._path("issues/")
        document = json.loads(self.files[path])
        document["id"] = random_id(self.rng)
        document["dependencies"] = [self._some_id() for _ in range(self.rng.randrange(3))]
        self._write(f"issues/{document['id']}.json", document)
        return str(document["id"])
