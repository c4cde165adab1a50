"""What `make demo` runs, as it runs it: the first thing a new user sees."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEMO = ROOT / "tools" / "demo.py"


def test_the_demo_refuses_four_commits_and_mends_each(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("this commit would break the issue store: 1 error") == 4
    assert done.stdout.endswith("each was mended by the command it printed, and the store is healthy.\n")
    assert "Traceback" not in done.stdout
    assert not list(tmp_path.iterdir())
