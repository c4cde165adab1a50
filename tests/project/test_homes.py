"""What only one room is to know is written down in one place."""

from __future__ import annotations

import pytest
from project import ROOT

PACKAGE = ROOT / "jit_hooks"

HOMES = {
    "transaction-protocol-v1": ("store/transactions.py",),
    "tmp/transactions": ("store/layout.py",),
    '"MERGE_HEAD"': ("git/state.py",),
    '"CHERRY_PICK_HEAD"': ("git/state.py",),
    '"BISECT_LOG"': ("git/state.py",),
    '"--git-common-dir"': ("git/repository.py",),
    "os.kill(process, 0)": ("disk/processes.py",),
    "# jit-hooks begin": ("journal/exclude.py",),
    "mkstemp": (),
}
"""A text, and the modules of the package that hold it in their code."""


@pytest.mark.parametrize("text", HOMES)
def test_a_fact_has_one_home(text: str) -> None:
    holders = []
    for path in sorted(PACKAGE.rglob("*.py")):
        code = path.read_text(encoding="utf-8").split('"""')[::2]
        if any(text in part for part in code) and "testing" not in path.parts:
            holders.append(str(path.relative_to(PACKAGE)))
    assert tuple(holders) == HOMES[text]
