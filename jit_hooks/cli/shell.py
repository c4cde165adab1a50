"""Around every command: each kind of failure becomes one clear line and an exit code."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

import typer

from jit_hooks import __version__
from jit_hooks.errors import JitHooksError, NotJudgedError
from jit_hooks.report.hook import silence, write
from jit_hooks.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORT_AT = "please report it, with the output of the same command under JIT_HOOKS_TRACEBACK=1"
INTERRUPTED = 130


def run(name: str, module: str, arguments: Sequence[str]) -> int:
    """Run the ``app`` of a module of this package; its exit code. The one place that catches everything."""
    try:
        app = import_module(f"jit_hooks.cli.{module}").app
        code = app(list(arguments), prog_name=name, standalone_mode=False)
    except KeyboardInterrupt:
        say(name, "interrupted")
        return INTERRUPTED
    except typer.Abort:
        say(name, "interrupted")
        return INTERRUPTED
    except typer.Exit as stop:
        code = stop.exit_code
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except JitHooksError as error:
        say_failure(name, error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001
        return _unexpected(name, error, arguments)
    if code == INTERRUPTED:  # what newer versions of typer make of Ctrl-C
        say(name, "interrupted")
    return code if type(code) is int else 0


def say(name: str, message: str, remedy: str = "") -> None:
    """One line on stderr, and what to type where there is something to type."""
    text = f"{name}: {visible(message)}\n"
    if remedy:
        text += f"  to fix:  {visible(remedy)}\n"
    write(sys.stderr, text)


def say_failure(name: str, error: JitHooksError) -> None:
    """Say why a command failed; of ``jit-check`` that it gave no verdict, where that is so."""
    unknown = name == "jit-check" and isinstance(error, NotJudgedError)
    say(name, f"not judged: {error}" if unknown else str(error), getattr(error, "remedy", ""))


def _unexpected(name: str, error: Exception, arguments: Sequence[str]) -> int:
    usage = getattr(error, "format_message", None)
    if usage is not None:
        say(name, f"{usage()} (see {name} --help)")
        return 2
    if os.environ.get("JIT_HOOKS_TRACEBACK") or "--verbose" in arguments:
        write(sys.stderr, "".join(traceback.format_exception(error)))
    where = f"jit-hooks {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    kind = type(error).__name__
    say(name, f"not judged: this is a fault of ours ({kind}: {error}; {where}): {REPORT_AT}")
    return 3
