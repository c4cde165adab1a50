"""Write `docs/checks.md`, the manual of every check from its docstring, and the count in the README.

With `--check` only compare. A row of the registry without its function, its manual or its damage is named.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

from jit_hooks.checks import CHECKS, Check
from jit_hooks.report.commands import REPAIR_SHOWN
from jit_hooks.testing.damage import DAMAGES

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "checks.md"
README = ROOT / "README.md"
SECTIONS = ("FAIL", "PASS", "REPAIR", "TO FIX")

HEAD = """<!-- Made by `make docs` from the docstrings of `jit_hooks/checks/`; edit those. -->

# Checks

Every problem has a code. `jit-hooks explain CODE` prints its section of this page.

*Severity* follows harm: an **error** blocks (something is lost, hidden, or breaks another clone), a **warning** says
that the store loads and is inconsistent, a **note** is about layout and history's habits. *In hooks*: commit hooks look
for it, too; `jit-check` looks for all of them. *Repair*: `lossless` (everything readable stays), `unsafe` (it
chooses between readings), `stage` (a git command), `human` (a person decides), `none` (nothing to mend).

"""


def page() -> str:
    """The whole page."""
    rows = ["| code | severity | in hooks | repair |", "|---|---|---|---|"]
    rows += [
        f"| [`{row.code}`](#{row.code}) | {row.severity} | {'yes' if row.hook else 'no'} | {_repair(row)} |"
        for row in CHECKS
    ]
    parts = [HEAD, "\n".join(rows), "\n"]
    for family, members in groupby(CHECKS, key=lambda row: row.family):
        parts.append(f"\n## Family `{family}`\n")
        parts.extend(_section(row) for row in members)
    return "".join(parts)


def _section(row: Check) -> str:
    first, _, rest = cleandoc(row.manual).partition("\n")
    facts = f"*{row.severity}; {'in hooks' if row.hook else 'not in hooks'}; repair: {_repair(row)}*"
    body = rest.strip("\n")
    for word in SECTIONS:
        body = body.replace(f"\n{word}:", f"\n**{word}**:")
    body = body.replace("::\n", ":\n")  # Markdown takes the indented command as it is
    return f"\n### {row.code}\n\n{first}\n\n{facts}\n\n{body}\n"


def _repair(row: Check) -> str:
    return REPAIR_SHOWN.get(row.repair, row.repair)


def readme() -> str:
    """The README with the count of the codes."""
    return re.sub(
        r"^\d+ kinds of problem",
        f"{len(CHECKS)} kinds of problem",
        README.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )


def forgotten() -> list[str]:
    """The steps that a row of the registry still lacks, one line each."""
    damaged = {damage.code for damage in DAMAGES}
    lacking: list[str] = []
    for row in CHECKS:
        place, name = f"jit_hooks/checks/{row.family}.py", row.code.replace("-", "_")
        if find_spec(f"jit_hooks.checks.{row.family}") is None:
            lacking.append(f"{row.code}: there is no module {place}")
        elif not hasattr(import_module(f"jit_hooks.checks.{row.family}"), name):
            lacking.append(f"{row.code}: {place} has no function {name}")
        else:
            missing = [word for word in SECTIONS if f"\n    {word}: " not in row.manual]
            lacking += [f"{row.code}: the docstring of {name} in {place} has no section {word}" for word in missing]
        if row.code not in damaged:
            lacking.append(f"{row.code}: jit_hooks/testing/damage.py has no damage of this code")
    return lacking


def main() -> int:
    """Write the pages, or say if they are fresh; 1 when they are not, or a step is forgotten."""
    lacking = forgotten()
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 1
    made = {TARGET: page(), README: readme()}
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
        print(f"out of date: {', '.join(stale)}; run `make docs`" if stale else "fresh")
        return int(bool(stale))
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
