"""Scenes of the damage catalogue, laid out where each source can show them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.request import Request
from jit_hooks.store.snapshot import Entry, Files
from jit_hooks.testing.damage import DAMAGES, Damage, Scene, damaged, healthy_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from jit_hooks.testing.tracker import Era

    Tree = Mapping[str, tuple[str, bytes]]

FURTHEST = ("disk", "control")
"""What only a worktree offers."""

LEFT_FOR = 2 * 86_400
"""Seconds that files on disk only have been lying there when a scene is judged."""

KIND = {0o120000: "link", 0o160000: "submodule"}


def tree_of(files: Mapping[str, bytes], outside: Mapping[str, bytes], scene: Scene | None = None) -> Tree:
    """Path from the top to (git mode, bytes)."""
    tree = {f".jit/{path}": ("100644", data) for path, data in files.items()}
    tree.update({path: ("100644", data) for path, data in outside.items()})
    if scene is not None:
        tree.update({path: ("100644", data) for path, data in scene.tracked.items()})
        for path, mode in scene.modes.items():
            tree[path] = (f"{mode:o}", tree[path][1])
    return tree


def memory_snapshot(scene: Scene) -> Files:
    """The scene as the tree of a commit, in memory."""
    tree = tree_of(scene.files, scene.outside, scene)
    files: dict[str, bytes] = {}
    other: dict[str, Entry] = {}
    for path, (mode, data) in tree.items():
        store_path = path.removeprefix(".jit/") if path.startswith(".jit/") else f"../{path}"
        if int(mode, 8) in KIND:
            other[store_path] = Entry(KIND[int(mode, 8)])
        elif path.startswith((".jit/", ".jit-bootstrap", "jit-stage-", ".merge_file_")):
            files[store_path] = data
    unmerged = [path.removeprefix(".jit/") for path in scene.unmerged]
    pinned = {"HEAD": scene.parent_outside}
    return Files(files, other=other, documents=scene.outside, at_commits=pinned, unmerged=unmerged)


@dataclass
class Laid:
    """One damaged scene in git: its commit and the commits it follows."""

    damage: Damage | None
    scene: Scene
    commit: str
    parents: tuple[str, ...]


class Gallery:
    """A repository that holds every scene of one era as a commit, made by one ``git fast-import``."""

    def __init__(self, top: Path, era: Era, damages: Iterable[Damage]) -> None:
        self.top = top
        self.environment = {**os.environ, "GIT_DIR": str(top / "gallery.git")}
        subprocess.run(["git", "init", "-q", "--bare", "gallery.git"], cwd=top, check=True)
        self._stream: list[bytes] = []
        self._marks = 0
        self._trees: dict[int, Tree] = {}
        self.laid: dict[str, Laid] = {}
        marked: list[tuple[Damage | None, Scene, int, list[int]]]
        marked = [(None, healthy_scene(era), *self._scene(healthy_scene(era)))]
        marked += [(d, scene, *self._scene(scene)) for d in damages for scene in [damaged(d, era)]]
        subprocess.run(
            ["git", "fast-import", "--quiet", "--export-marks=marks"],
            cwd=top,
            input=b"".join(self._stream),
            env=self.environment,
            check=True,
        )
        subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/c1"], env=self.environment, check=True)
        ids = dict(line.split() for line in (top / "marks").read_text().splitlines())
        for damage, scene, mark, parents in marked:
            name = damage.name if damage else "healthy"
            self.laid[name] = Laid(damage, scene, ids[f":{mark}"], tuple(ids[f":{p}"] for p in parents))

    def _scene(self, scene: Scene) -> tuple[int, list[int]]:
        bases = [self._commit(tree_of(files, scene.parent_outside), ()) for files in scene.bases]
        parents = [self._commit(tree_of(files, scene.parent_outside), bases) for files in scene.parents]
        return self._commit(tree_of(scene.files, scene.outside, scene), parents), parents

    def _commit(self, tree: Tree, parents: Iterable[int]) -> int:
        for mark, known in self._trees.items():
            if known == tree and not parents:
                return mark
        self._marks += 1
        parts = [f"commit refs/heads/c{self._marks}\nmark :{self._marks}\n".encode()]
        parts.append(b"committer A <a@example.org> 1780000000 +0000\ndata 1\nx\n")
        base: Tree = {}
        for number, parent in enumerate(parents):
            parts.append(f"{'merge' if number else 'from'} :{parent}\n".encode())
            base = base or self._trees[parent]
        parts.extend(f"D {path}\n".encode() for path in base if path not in tree)
        for path, (mode, data) in tree.items():
            if base.get(path) == (mode, data):
                continue
            if mode == "160000":
                parts.append(b"M 160000 %s %s\n" % (data, path.encode()))
            else:
                parts.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), path.encode(), len(data), data))
        self._stream.append(b"".join(parts) + b"\n")
        self._trees[self._marks] = tree
        return self._marks

    def request(self, name: str, source: str, work: Path, environment: dict[str, str]) -> Request:
        """A request for one scene from one source; ``environment`` gets the variables git needs for it."""
        laid = self.laid[name]
        environment.update(GIT_DIR=self.environment["GIT_DIR"], GIT_WORK_TREE=str(work))
        environment["GIT_INDEX_FILE"] = str(work) + ".index"
        source_name = source
        if source == "commit":
            source_name = laid.commit
        else:
            env = {**os.environ, **environment}
            subprocess.run(["git", "read-tree", laid.commit], cwd=work, env=env, check=True)
            _add_unmerged(laid.scene, work, env)
        if source == "worktree":
            lay_tree(laid.scene, work)
            lay_disk(laid.scene, work)
            lay_control(laid.scene, self.top / "gallery.git" / "jit")
        os.environ.update(environment)
        repository = Repository(Git(str(work)))
        return Request(source_name, str(work / ".jit"), repository, laid.parents, now=laid.scene.now)


def _add_unmerged(scene: Scene, work: Path, env: dict[str, str]) -> None:
    lines = []
    for path, sides in scene.unmerged.items():
        lines.append(f"0 {'0' * 40}\t{path}\n")
        for stage, data in enumerate(sides, 1):
            if data is not None:
                made = subprocess.run(
                    ["git", "hash-object", "-w", "--stdin"],
                    input=data,
                    env=env,
                    cwd=work,
                    capture_output=True,
                    check=True,
                )
                lines.append(f"100644 {made.stdout.decode().strip()} {stage}\t{path}\n")
    if lines:
        command = ["git", "update-index", "--index-info"]
        subprocess.run(command, input="".join(lines).encode(), env=env, cwd=work, check=True)


def lay_tree(scene: Scene, work: Path, wanted: Callable[[str, bytes], bool] = lambda path, data: True) -> None:
    """Write the store and the documents below ``work``; of the store what is wanted, by store path."""
    for path, (mode, data) in tree_of(scene.files, scene.outside, scene).items():
        if path.startswith(".jit/") and not wanted(path.removeprefix(".jit/"), data):
            continue
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == "120000":
            target.symlink_to(data.decode())
        elif mode == "160000":
            target.mkdir()
        else:
            target.write_bytes(data)


def lay_disk(scene: Scene, work: Path) -> None:
    """Write what lies on the disk only, below ``work``, as if it had been there for a while."""
    for path, data in scene.disk.items():
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        left = datetime.fromisoformat(scene.now).timestamp() - LEFT_FOR
        os.utime(target, (left, left))
    for path in scene.empty_dirs:
        (work / path).mkdir(parents=True, exist_ok=True)


def lay_control(scene: Scene, control: Path) -> None:
    """Write the control plane, in place of what is there."""
    shutil.rmtree(control, ignore_errors=True)
    for path, data in scene.control.items():
        target = control / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def shown_by(damage: Damage, source: str) -> bool:
    """Whether a source can show a damage at all."""
    if damage.needs in FURTHEST or "on disk only" in damage.note:
        return source == "worktree"
    if damage.code == "unmerged-entry":
        return source in ("git-index", "worktree")
    return True


def damages_of(era: Era, codes: Iterable[str]) -> list[Damage]:
    """The damages of one era whose codes are judged."""
    wanted = set(codes)
    return [damage for damage in DAMAGES if era in damage.eras and damage.code in wanted]
