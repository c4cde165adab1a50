"""Write `docs/checks.md`: the manual of every check, from its docstring. `--check` only compares."""

from __future__ import annotations

import sys
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

from jit_hooks.checks import CHECKS, Check
from jit_hooks.report.commands import REMEDIES, REPAIR_SHOWN

TARGET = Path(__file__).parent.parent / "docs" / "checks.md"

HEAD = """<!-- Made by `make docs` from the docstrings of `jit_hooks/checks/`; edit those. -->

# Checks

Every problem has a code. `jit-hooks explain CODE` prints its section of this page.

*Severity* follows harm: an **error** blocks (something is lost, hidden, or breaks another clone), a **warning** says
that the store loads and is inconsistent, a **note** is about layout and history's habits. *In hooks*: whether commit
hooks look for it; `jit-check` looks for all of them. *Repair*: `lossless` (everything readable stays), `unsafe` (it
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
    for family, found in groupby(CHECKS, key=lambda row: row.family):
        parts.append(f"\n## Family `{family}`\n")
        parts.extend(_section(row) for row in found)
    return "".join(parts)


def _section(row: Check) -> str:
    first, _, rest = cleandoc(row.manual).partition("\n")
    facts = f"*{row.severity}; {'in hooks' if row.hook else 'not in hooks'}; repair: {_repair(row)}*"
    body = rest.strip("\n")
    for word in ("FAIL", "PASS", "REPAIR"):
        body = body.replace(f"\n{word}:", f"\n**{word}**:")
    say, command = REMEDIES[row.code]
    remedy = f"{say}: `{command}`" if say and command else say or f"`{command}`"
    return f"\n### {row.code}\n\n{first}\n\n{facts}\n\n{body}\n\n**TO FIX**: {remedy}\n"


def _repair(row: Check) -> str:
    return REPAIR_SHOWN.get(row.repair, row.repair)


def main() -> int:
    """Write the page, or say whether it is fresh."""
    text = page()
    if "--check" in sys.argv[1:]:
        fresh = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'fresh' if fresh else 'out of date: run `make docs`'}")
        return 0 if fresh else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
