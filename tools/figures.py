"""Print the figures of the code that the project holds itself to: size, complexity, length, words.

Complexity is 1 and one more for each if, conditional expression, loop, with, except, assert, comprehension and its
ifs, match case, and operand of and/or beyond the first; nested functions are counted apart. A body runs from the first
statement after the docstring. Generated code and `testing/` are left out.
"""

from __future__ import annotations

import ast
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "jit_hooks"
GENERATED = ("store/validators.py", "store/faults.py")
AVOIDED = ("Whether", "What", "Where", "Why", "Which")
WORST = 10

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measured:
    """One function.

    Attributes:
        place: its file, line and name.
        complexity: as this module counts it.
        body: lines from the first statement after the docstring to the last.
        lines: lines from `def` to the last.
        opening: the first word of its docstring.
    """

    place: str
    complexity: int
    body: int
    lines: int
    opening: str


@dataclass(frozen=True)
class Figure:
    """One figure, and the most it may be; None where nothing is asked."""

    name: str
    value: float
    most: float | None = None

    def __str__(self) -> str:
        asked = "" if self.most is None else f"  (at most {self.most:,g}){'' if self.holds else '  TOO MUCH'}"
        return f"{self.name:<44}{self.value:>8,g}{asked}"

    @property
    def holds(self) -> bool:
        """True if it is no more than it may be."""
        return self.most is None or self.value <= self.most


def sources() -> list[Path]:
    """The modules that are measured."""
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if (place := path.relative_to(PACKAGE).as_posix()) not in GENERATED and not place.startswith("testing/")
    ]


def functions(path: Path) -> Iterator[Measured]:
    """Every function of a module, the nested ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            documented = ast.get_docstring(node) is not None
            body = node.body[1:] if documented and len(node.body) > 1 else node.body
            yield Measured(
                f"{path.relative_to(PACKAGE.parent)}:{node.lineno} {node.name}",
                1 + sum(_weight(inner) for statement in node.body for inner in _own(statement)),
                0 if documented and len(node.body) == 1 else _end(node) - body[0].lineno + 1,
                _end(node) - node.lineno + 1,
                (ast.get_docstring(node) or " ").split(" ")[0].strip(",.:"),
            )


def _end(node: Function) -> int:
    assert node.end_lineno is not None
    return node.end_lineno


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without the insides of nested functions."""
    if isinstance(node, Function):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own(child)


def _weight(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    branches = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)
    return int(isinstance(node, (*branches, ast.ExceptHandler, ast.Assert, ast.match_case)))


def _ninth(values: list[int]) -> int:
    """The value that nine of ten do not pass."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


def figures() -> list[Figure]:
    """All figures, each with the most it may be."""
    paths = sources()
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path in paths}
    every = [measured for path in paths for measured in functions(path)]
    rooms: dict[str, int] = {}
    for path, size in sizes.items():
        parts = path.relative_to(PACKAGE).parts
        rooms[parts[0] if len(parts) > 1 else "(top)"] = rooms.get(parts[0] if len(parts) > 1 else "(top)", 0) + size
    imports = [
        sum(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(path.read_text(encoding="utf-8")).body)
        for path in paths
    ]
    return [
        *(Figure(f"lines in {room}", size) for room, size in sorted(rooms.items())),
        Figure("lines", sum(sizes.values()), 22_000),
        Figure("complexity, nine of ten", _ninth([each.complexity for each in every]), 8),
        Figure("complexity, the most", max(each.complexity for each in every), 20),
        Figure("lines of a body, nine of ten", _ninth([each.body for each in every]), 18),
        Figure("functions over 60 lines", sum(each.lines > 60 for each in every), 0),
        Figure("modules over 450 lines", sum(size > 450 for size in sizes.values()), 0),
        Figure("docstrings that open with a question word", sum(each.opening in AVOIDED for each in every), 0),
        Figure("imports of a module, the middle one", median(imports)),
    ]


def worst() -> Iterator[str]:
    """The places to look at first."""
    every = [measured for path in sources() for measured in functions(path)]
    yield "most complex"
    for each in sorted(every, key=lambda each: -each.complexity)[:WORST]:
        yield f"  {each.complexity:>4}  {each.place}"
    yield "longest"
    for each in sorted(every, key=lambda each: -each.lines)[:WORST]:
        yield f"  {each.lines:>4}  {each.place}"
    yield "question words"
    rooms: dict[str, int] = {}
    for each in every:
        if each.opening in AVOIDED:
            place = each.place.split(":")[0]
            rooms[place] = rooms.get(place, 0) + 1
    for place, count in sorted(rooms.items(), key=lambda item: -item[1])[:WORST]:
        yield f"  {count:>4}  {place}"
    yield "modules"
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path in sources()}
    for path, size in sorted(sizes.items(), key=lambda item: -item[1])[:WORST]:
        yield f"  {size:>4}  {path.relative_to(PACKAGE.parent)}"


def main() -> int:
    """Print them; 1 when one is passed."""
    every = figures()
    print("\n".join([*map(str, every), "", *worst()]))
    return int(not all(figure.holds for figure in every))


if __name__ == "__main__":
    sys.exit(main())
