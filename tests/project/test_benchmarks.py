"""The benchmarks run from end to end; what they measure is nobody's concern here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def run(results: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, str(ROOT / "benchmarks" / "run.py"), "--results", str(results), *arguments),
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_a_row_is_measured_told_and_written(tmp_path: Path) -> None:
    done = run(tmp_path, "--quick", "--rows", "P1")
    assert done.returncode in (0, 1), done.stderr
    (written,) = tmp_path.glob("*.json")
    (row,) = json.loads(written.read_text("utf-8"))["rows"]
    assert row["name"] == "P1"
    assert row["details"]["ratio"] > 0, done.stdout
    assert done.stdout.splitlines()[2].startswith("P1 ")


def test_an_unknown_row_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = run(tmp_path, "--rows", "P9")
    assert done.returncode == 2
    assert "P9" in done.stderr
    assert "P2b" in done.stderr
    assert not list(tmp_path.iterdir())
