"""Where the project lies, and the collection of real stores, which is beside it or named by ``JIT_HOOKS_CORPUS``."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
CORPUS = Path(os.environ.get("JIT_HOOKS_CORPUS") or ROOT.parent / "shared" / "corpus")
