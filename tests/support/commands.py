"""The two commands as real processes, and the bytes of a directory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from git_scratch import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def check(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(where, sys.executable, "-c", "from jit_hooks.cli import check; check()", *arguments)


def hooks(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(where, sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", *arguments)


def bytes_below(top: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }
