"""The layers hold: core imports nothing of edge, edge nothing of line, line nothing of shell."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "jit_hooks"

LAYERS = {
    "core": ("store", "checks", "merge", "repairs", "errors", "problem"),
    "edge": ("git", "disk", "place", "settings", "schemas", "journal"),
    "line": ("judging", "storage"),
    "shell": ("cli", "hooks", "report"),
}
"""From the inside out; a layer may import itself and what stands before it."""

BESIDE = ("testing", "__init__", "__version__")
"""For tests, ours and others': outside the layers, and imported by none."""

ENGINES = {
    "git": ("git",),
    "jsonschema": ("schemas",),
    "typer": ("cli",),
    "filelock": ("disk",),
    "rich": ("cli",),
}
"""Third-party packages and the one place that may import each."""

READS_NOTHING = ("io", "os", "pathlib", "subprocess", "shutil", "socket", "tempfile", "time", "random")
"""Modules of the standard library that core has no use for: it reads no file, no clock, no chance."""


def layer_of(name: str) -> str:
    """The layer of a module's first name below the package."""
    return next((layer for layer, names in LAYERS.items() if name in names), "")


def modules() -> list[Path]:
    """Every module of the package that belongs to a layer."""
    found = [path for path in sorted(PACKAGE.rglob("*.py")) if top_name(path) not in BESIDE]
    assert len(found) > 20
    return found


def top_name(path: Path) -> str:
    """The first name below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """Every module a file imports at run time, wherever in the file."""
    found: list[str] = []
    for node in ast.walk(without_typing(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            if node.module == "jit_hooks":
                found.extend(f"jit_hooks.{alias.name}" for alias in node.names)
    return found


def without_typing(tree: ast.Module) -> ast.Module:
    """The tree without what only type checkers run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    return tree


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_its_own_layer_and_those_inside(path: Path) -> None:
    order = list(LAYERS)
    own = layer_of(top_name(path))
    assert own, f"{path} belongs to no layer"
    for module in imports(path):
        parts = module.split(".")
        if parts[0] != "jit_hooks" or len(parts) < 2:
            continue
        other = layer_of(parts[1])
        assert parts[1] in BESIDE or order.index(other) <= order.index(own), f"{path} imports {module}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_engine_is_imported_in_its_one_place(path: Path) -> None:
    for module in imports(path):
        engine = module.split(".")[0]
        if engine in ENGINES:
            assert top_name(path) in ENGINES[engine], f"{path} imports {module}"


@pytest.mark.parametrize(
    "path",
    [path for path in modules() if layer_of(top_name(path)) == "core"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_core_reads_no_file_and_starts_no_program(path: Path) -> None:
    for module in imports(path):
        assert module.split(".")[0] not in READS_NOTHING, f"{path} imports {module}"
