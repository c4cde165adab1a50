"""Write `tests/judging/golden/`: what the program says of every damage, for `test_golden.py` to compare with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SEALED = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C.UTF-8"}


def main() -> int:
    """Write each file anew."""
    sys.path[:0] = [str(ROOT / "tests" / "support")]
    os.environ.update(SEALED)
    from golden_cases import GOLDEN, NAMES, as_text, entries

    GOLDEN.mkdir(exist_ok=True)
    for name in NAMES:
        (GOLDEN / f"{name}.txt").write_text(as_text(entries(name)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
