"""Generated pages are fresh."""

from __future__ import annotations

import re
import subprocess
import sys

from project import ROOT


def test_the_manual_of_the_checks_is_fresh() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "generate_docs.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_readme_says_is_shown_in_tests_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named
    assert [place for place in named if not list(ROOT.glob(place.rstrip("*") + "*"))] == []
