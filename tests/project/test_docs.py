"""Generated pages are fresh."""

from __future__ import annotations

import subprocess
import sys

from project import ROOT


def test_the_manual_of_the_checks_is_fresh() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "generate_docs.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
