"""How a hook speaks: its report on stdout, a failure to judge on stderr."""

from __future__ import annotations

import os
import sys

from jit_hooks import __version__
from jit_hooks.errors import NotJudgedError
from jit_hooks.git.hooks import HOOKS
from jit_hooks.report.commands import quote, shown_path
from jit_hooks.report.text import render
from jit_hooks.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from jit_hooks.errors import JitHooksError
    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

_FOLDED = 160


def print_report(hook: str, report: Report) -> None:
    """Print what a hook found; nothing when no error and no notice is worth a line."""
    if not report.errors:
        _print_notices(hook, report)
        return
    text = render(
        report,
        command=_look(report),
        hook=hook,
        prefix=typed_prefix(),
        partial=is_partial_commit(),
        color=wants_color(sys.stdout),
    )
    write(sys.stdout, text)


def print_folded(hook: str, report: Report) -> None:
    """Print what a hook found that only tells: one line a code, the errors and what stands beside them."""
    shown = [problem for problem in (*report.problems, *report.carried) if problem.severity in ("error", "warning")]
    errors = sum(problem.severity == "error" for problem in shown)
    if not errors:
        _print_notices(hook, report)
        return
    groups: dict[tuple[str, str], list[Graded]] = {}
    for problem in shown:
        groups.setdefault((problem.severity, problem.code), []).append(problem)
    after = "checkout" if hook == "post-checkout" else "rewrite"
    lines = [f"jit-hooks: after this {after} the issue store has {errors:,} error{'' if errors == 1 else 's'}"]
    for (severity, code), group in sorted(groups.items()):
        path = visible(shown_path(group[0].path, report.prefix))
        more = f" (and {len(group) - 1:,} more)" if len(group) > 1 else ""
        lines.append(f"  {severity}[{code}]  {path} {visible(group[0].message, _FOLDED)}{more}")
    lines += [f"note: {visible(notice)}" for notice in report.notices]
    lines += [f"next:  {_look(report)} --all", f"jit-hooks {__version__}, {hook}. Nothing was changed."]
    write(sys.stdout, "".join(f"{line}\n" for line in lines))


def _print_notices(hook: str, report: Report) -> None:
    write(sys.stdout, "".join(f"jit-hooks: {hook}: {visible(notice)}\n" for notice in report.notices))


def _look(report: Report) -> str:
    """The command that looks at the same source again."""
    if report.source == "git-index":
        return "jit-check --staged" + _store_again(report.prefix)
    if report.source.startswith("range "):
        return f"jit-check --{visible(report.source)}"
    return "jit-check" + _store_again(report.prefix)


def _store_again(store: str) -> str:
    """The words that make a command look at the same store: where that lies, unless it is found anyway."""
    above, _, name = store.rstrip("/").rpartition("/")
    if not above or name != ".jit" or typed_prefix().startswith(f"{above}/"):
        return ""
    return f" {quote(os.path.relpath(above, typed_prefix() or '.'))}"


def print_failure(hook: str, error: JitHooksError) -> None:
    """Print in one line why a hook could not judge, what to type, and the way round."""
    failed = "not judged: " if isinstance(error, NotJudgedError) else ""
    line = f"jit-hooks: {hook}: {failed}{visible(str(error))}"
    remedy = getattr(error, "remedy", "")
    if remedy:
        line += f"\n  to fix:  {visible(remedy)}"
    way = HOOKS[hook].way_round
    last = f"jit-hooks {__version__}, {hook}." + (f" Way round in an emergency: {way}" if way else "")
    write(sys.stderr, f"{line}\n{last}\n")


def typed_prefix() -> str:
    """The directory below the top in which the git command was typed; git says it in ``GIT_PREFIX``."""
    return os.environ.get("GIT_PREFIX", "")


def is_partial_commit() -> bool:
    """True if git was given paths: it then commits from a git index of its own, ``next-index-<pid>.lock``."""
    return os.path.basename(os.environ.get("GIT_INDEX_FILE", "")).startswith("next-index-")


def wants_color(stream: TextIO | None, choice: str = "auto") -> bool:
    """True if colors are to be used: as chosen, else on a terminal unless ``NO_COLOR`` is set."""
    if choice != "auto":
        return choice == "always"
    if stream is None:
        return False
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def write(stream: TextIO | None, text: str) -> None:
    """Write text whatever the stream's encoding can say; a closed stream (None from the start) is nobody's fault.

    Raises:
        NotJudgedError: stdout takes no more, as on a full disk: half a report must not pass for a whole one.
    """
    if stream is None:
        return
    encoding = stream.encoding or "ascii"
    data = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        silence(stream)
    except OSError as error:
        silence(stream)
        if stream is sys.stdout:
            message = f"cannot write the report: {error.strerror}"
            raise NotJudgedError(message) from error


def silence(stream: TextIO | None) -> None:
    """Point a closed stream at nothing, so that Python's own flush at exit stays quiet."""
    if stream is None:
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
