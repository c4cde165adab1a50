"""Measure the program: ``make bench``. No network; `docs/performance.md` says how and why.

One table on stdout, one JSON in ``benchmarks/results/``. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
sys.path.append(str(PROJECT))

from measuring import BenchError  # noqa: E402
from merging import driver, storms  # noqa: E402
from peers import peers  # noqa: E402
from rows import ROWS, Row  # noqa: E402
from workload import RESULTS, Bench  # noqa: E402

import jit_hooks  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

BUNDLE = "just-in-time-jit-history.bundle"
OWN_ROWS = {**ROWS, "M1": driver, "M2": storms}
ALL_ROWS = {**OWN_ROWS, "peers": peers}


def main() -> int:
    """Measure, write, print; the exit code."""
    options = _options()
    unknown = [name for name in options.rows if name not in ALL_ROWS]
    if unknown:
        print(f"there is no row {unknown[0]}: {', '.join(ALL_ROWS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that writers and scratch directories end with it
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="jit-hooks-bench-") as scratch:
        bench = Bench(Path(scratch).resolve(), _corpus(options.corpus), options.quick)
        for name in options.rows:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            try:
                found = list(ALL_ROWS[name](bench))
            except (BenchError, ImportError, OSError, subprocess.SubprocessError) as error:
                print(error, file=sys.stderr)
                found = [Row(name, "not measured", floor=str(error).splitlines()[0], met=False)]
            for row in found:
                print(f"  {row.what}: {row.measured}", file=sys.stderr, flush=True)
            rows += found
        os.chdir(PROJECT)
    path = _write(rows, quick=options.quick, results=options.results)
    print(table(rows))
    print(f"\n{path}" + ("  (--quick: small stores, few runs; the figures mean nothing)" if options.quick else ""))
    return 1 if any(row.met is False for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small stores and few runs: only to see that it works")
    parser.add_argument("--rows", default=list(OWN_ROWS), type=lambda text: text.split(","), help="P1,M1,..; or: peers")
    parser.add_argument("--corpus", type=Path, help="the directory with the history of a real store")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def _corpus(given: Path | None) -> Path | None:
    """The bundle with a real history: as given, as the environment says, or beside the project."""
    named = os.environ.get("JIT_HOOKS_CORPUS")
    directory = given or (Path(named) if named else PROJECT.parent / "shared" / "corpus")
    bundle = directory.resolve() / BUNDLE
    return bundle if bundle.is_file() else None


def _write(rows: list[Row], *, quick: bool, results: Path) -> Path:
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{time.strftime('%Y-%m-%dT%H%M%S')}{'-quick' if quick else ''}.json"
    said = subprocess.run(("git", "--version"), capture_output=True, text=True, check=False).stdout.strip()
    document = {
        "version": jit_hooks.__version__,
        "python": platform.python_version(),
        "git": said,
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "quick": quick,
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def table(rows: Iterable[Row]) -> str:
    """The rows as text."""
    met = {True: "met", False: "NOT MET", None: ""}
    cells = [("row", "what", "target", "measured", "against", "")]
    cells += [(row.name, row.what, row.target, row.measured, row.floor, met[row.met]) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


if __name__ == "__main__":
    sys.exit(main())
