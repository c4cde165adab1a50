"""The rooms stand in one order, and imports only go down it; no modules import each other in a circle."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "jit_hooks"

ORDER: tuple[tuple[str, ...], ...] = (
    ("storage", "install", "hooks", "cli"),
    ("report",),
    ("judging",),
    ("git", "disk", "place", "journal"),
    ("schemas", "settings"),
    ("repairs",),
    ("checks",),
    ("merge",),
    ("store",),
    ("errors", "problem"),
)
"""The top of the house first; a room may use what is below its floor, and on its floor what stands to its left."""

BESIDE = ("testing", "__init__")
"""For tests, ours and others': outside the house, and used by no room."""

ENGINES = {
    "git": ("git",),
    "jsonschema": ("schemas",),
    "typer": ("cli",),
    "filelock": ("disk",),
    "rich": ("cli",),
}
"""Third-party packages and the rooms that may import each."""

CORE = ("errors", "problem", "store", "merge", "checks", "repairs")
READS_NOTHING = ("io", "os", "pathlib", "subprocess", "shutil", "socket", "tempfile", "time", "random")
"""Modules of the standard library that the core has no use for: it reads no file, no clock, no chance."""

Imports = dict[str, list[str]]


def module_name(path: Path, package: Path = PACKAGE) -> str:
    """The name of a module below the package, with dots."""
    return ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__") or "__init__"


def imported(path: Path) -> list[str]:
    """Every module that a file imports anywhere, for type checkers too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def read_imports(package: Path = PACKAGE) -> Imports:
    """Each module of the package, and the modules of the package that it imports."""
    paths = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    made: Imports = {}
    for name, path in paths.items():
        ours = [each.removeprefix("jit_hooks.") for each in imported(path) if each.startswith("jit_hooks.")]
        targets = [each if each in paths else each.rpartition(".")[0] for each in ours]
        made[name] = [target for target in dict.fromkeys(targets) if target and target != name]
    return made


def may_use(user: str, used: str) -> bool:
    """True if the order lets one room use another."""
    floor = {room: (number, place) for number, rooms in enumerate(ORDER) for place, room in enumerate(rooms)}
    (user_floor, user_place), (used_floor, used_place) = floor[user], floor[used]
    return used_floor > user_floor or (used_floor == user_floor and used_place <= user_place)


def arrows_up(imports: Imports) -> list[str]:
    """Each import that does not go down."""
    return sorted(
        f"{module} -> {target}"
        for module, targets in imports.items()
        for target in targets
        if (room := module.partition(".")[0]) not in BESIDE
        and (used := target.partition(".")[0]) != "__init__"
        and (used in BESIDE or not may_use(room, used))
    )


def circles(imports: Imports) -> list[str]:
    """Each set of modules that import each other, directly or through others."""
    reached = {module: {module} for module in imports}
    growing = True
    while growing:
        growing = False
        for module, targets in imports.items():
            more = set().union(*(reached.get(target, set()) for target in targets)) - reached[module]
            if more:
                reached[module] |= more
                growing = True
    rings = {frozenset(other for other in reached[module] if module in reached[other]) for module in imports}
    return sorted(" ".join(sorted(ring)) for ring in rings if len(ring) > 1)


def test_every_module_stands_in_a_room() -> None:
    known = {room for rooms in ORDER for room in rooms} | set(BESIDE)
    assert {name.partition(".")[0] for name in read_imports()} <= known


def test_imports_only_go_down() -> None:
    assert arrows_up(read_imports()) == []


def test_no_modules_import_each_other() -> None:
    assert circles(read_imports()) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        pytest.param("store/planted.py", "from jit_hooks.checks import CHECKS", id="up"),
        pytest.param("git/planted.py", "from jit_hooks.journal.plan import Change", id="to the right"),
        pytest.param("report/planted.py", "    from jit_hooks.cli.place import Place", id="for type checkers"),
        pytest.param("merge/planted.py", "from jit_hooks.testing.damage import DAMAGES", id="to what is for tests"),
    ],
)
def test_an_arrow_that_goes_up_is_seen(tmp_path: Path, module: str, line: str) -> None:
    imports = read_imports()
    planted = tmp_path / module
    planted.parent.mkdir()
    planted.write_text(f"TYPE_CHECKING = False\nif TYPE_CHECKING:\n{line}\n" if line[0] == " " else f"{line}\n")
    (only,) = (name for name in read_imports(tmp_path))
    imports[only] = [each.removeprefix("jit_hooks.").rpartition(".")[0] for each in imported(planted)]
    assert [arrow for arrow in arrows_up(imports) if arrow.startswith(only)]


def test_a_circle_is_seen() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) == ["a b c"]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: module_name(path))
def test_an_engine_is_imported_in_its_one_room(path: Path) -> None:
    for module in imported(path):
        engine = module.partition(".")[0]
        if engine in ENGINES:
            assert module_name(path).partition(".")[0] in (*ENGINES[engine], "testing"), f"{path} imports {module}"


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PACKAGE.rglob("*.py")) if module_name(path).partition(".")[0] in CORE],
    ids=lambda path: module_name(path),
)
def test_core_reads_no_file_and_starts_no_program(path: Path) -> None:
    for module in imported(path):
        assert module.partition(".")[0] not in READS_NOTHING, f"{path} imports {module}"
