"""The commands of the runbook as processes: ours, with a clock that stands still and a machine that can fail.

``runbook_machine.py NAME ARGUMENTS``: ``jit-check``, ``jit-hooks``, or ``jit``, which knows ``recover`` only. The
variable ``RUNBOOK_NOW`` is the time, ``RUNBOOK_FAULT`` what goes wrong: ``disk-full``, ``killed``.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from jit_hooks.judging.request import Request


def stop_the_clock(now: str) -> None:
    """Every time that the program asks for is this one, and no lock is waited for."""
    from jit_hooks.cli import place

    request_for = place.request_for

    def patient_no_more(*arguments: Any, **named: Any) -> Request | None:
        request = request_for(*arguments, **named)
        return None if request is None else replace(request, wait=0.0)

    vars(place)["now"] = lambda: now
    place.request_for = patient_no_more


def break_the_machine(fault: str) -> None:
    """From here on no file can be written, or the first record that takes its name is the last."""
    from jit_hooks.disk.files import Files

    def full(self: Files, handle: object, data: bytes) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), getattr(handle, "path", None))

    rename = Files.rename

    def killed(self: Files, source: str, target: str) -> None:
        rename(self, source, target)
        if target.startswith("store:"):
            os.kill(os.getpid(), signal.SIGKILL)

    if fault == "disk-full":
        Files.write = full  # type: ignore[method-assign]
    elif fault == "killed":
        Files.rename = killed  # type: ignore[method-assign]


def recover(store: Path) -> None:
    """What the tracker does with journals whose writer is dead: back when prepared, forward when committed."""
    transactions = store / "tmp" / "transactions"
    for journal in sorted(transactions.glob("*/journal.json")):
        document = json.loads(journal.read_text(encoding="utf-8"))
        for action in document["actions"]:
            source = "backup" if document["decision"] == "prepared" else "stage"
            data = (journal.parent / action["action"][source]).read_bytes()
            (store / action["path"]["relative"]).write_bytes(data)
        shutil.rmtree(journal.parent)
    sys.stdout.write("recovered\n")


def main(name: str, arguments: list[str]) -> None:
    """Be one of the commands."""
    if name == "jit":
        assert arguments == ["recover"]
        recover(Path(".jit"))
        return
    stop_the_clock(os.environ["RUNBOOK_NOW"])
    break_the_machine(os.environ.get("RUNBOOK_FAULT", ""))
    from jit_hooks import cli

    sys.argv = [name, *arguments]
    cli.check() if name == "jit-check" else cli.hooks()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
