"""Commands that work when pasted, and for each code what mends it.

No command here destroys anything, and none is followed by this program: they are words.
"""

from __future__ import annotations

import shlex

from jit_hooks.checks import BY_CODE
from jit_hooks.repairs import BY_CODE as REPAIRS
from jit_hooks.report.visible import visible
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

_ONE_LINE = 20
"""More paths than this stand one a line, so that a terminal takes the pasted command whole."""

_GLOB = frozenset("*?[\\")

REPAIR_SHOWN = {"restore": "unsafe"}
"""Classes of the registry that a report names otherwise: a restore is unsafe until it is known better."""


class Remedy:
    """Advice: a sentence, a command, or both.

    Attributes:
        say: what to decide or do, in words; store text in it is visible.
        command: what to paste, complete and quoted; empty when there is none.
    """

    __slots__ = ("command", "say")

    def __init__(self, say: str = "", command: str = "") -> None:
        self.say = say
        self.command = command

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remedy) and (self.say, self.command) == (other.say, other.command)

    def __hash__(self) -> int:
        return hash((self.say, self.command))

    def __bool__(self) -> bool:
        return bool(self.say or self.command)

    def __str__(self) -> str:
        return f"{self.say}: {self.command}" if self.say and self.command else self.say or self.command


def quote(text: str) -> str:
    r"""One word for a POSIX shell; what does not print is written as ``$'\NNN'`` (bash, zsh, ksh)."""
    if text.isprintable():
        return shlex.quote(text)
    pieces = []
    for byte in b"".join(_bytes_of(character) for character in text):
        character = chr(byte)
        if byte >= 0x7F or byte < 0x20:
            pieces.append(f"\\{byte:03o}")
        else:  # in octal: dash does not know this quoting, and a quote in it would end there
            pieces.append(f"\\{byte:03o}" if character in "'\\" else character)
    return f"$'{''.join(pieces)}'"


def _bytes_of(character: str) -> bytes:
    escaped_byte = 0xDC80 <= ord(character) <= 0xDCFF
    return character.encode("utf-8", "surrogateescape" if escaped_byte else "surrogatepass")


def git_add(paths: Iterable[str], prefix: str = "") -> str:
    """The one ``git add`` of these paths from the top, as typed in ``prefix``; deletions are added, too."""
    words = [_pathspec(path, prefix) for path in paths]
    guard = ["--"] if any(word.startswith("-") for word in words) else []
    quoted = [quote(word) for word in words]
    if len(quoted) > _ONE_LINE:
        return " \\\n    ".join([" ".join(["git", "add", *guard]), *quoted])
    return " ".join(["git", "add", *guard, *quoted])


def excuse_of(report: Report, prefix: str = "") -> Remedy:
    """The command that stages settings which lie in the worktree; nothing where they would excuse no error."""
    if not report.excused:
        return Remedy()
    path = shown_path(layout.SETTINGS, report.prefix)
    which = "one of these errors" if report.excused == 1 else f"{report.excused:,} of these errors"
    said = f"the {layout.SETTINGS} in your worktree would excuse {which}, but it is not staged"
    return Remedy(said, git_add([path], prefix))


def pathspec(path: str, prefix: str = "") -> str:
    """A path from the top as one quoted word that git takes as nothing but itself, typed in ``prefix``."""
    word = _pathspec(path, prefix)
    return f"-- {quote(word)}" if word.startswith("-") else quote(word)


def _pathspec(path: str, prefix: str) -> str:
    """A path from the top that git takes as nothing but itself, wherever in the worktree it is typed.

    A ``prefix`` need not be where the user is (``git -C DIR commit``), so there no path relative to it would do.
    """
    if not _GLOB.isdisjoint(path):
        return f":({'top,' * bool(prefix)}literal){path}"
    if prefix:
        return f":/{path}"
    return f"./{path}" if path.startswith(":") else path


def safe_command(text: str) -> str:
    """A command of plain words in which store text may stand: every word quoted by itself."""
    return " ".join(quote(word) for word in text.split(" ") if word)


def remedy_for(problem: Graded, report: Report, prefix: str = "") -> Remedy:
    """The remedy of one problem of a report, for someone in ``prefix`` below the top of the worktree."""
    if problem.repair == "stage" and report.source == "git-index" and report.stage:
        return Remedy("", git_add(report.stage, prefix))
    mended = report.repairs
    if mended is not None and mended.dry and problem.identity not in mended.stays:
        return Remedy("", report.fix)
    if report.source == "worktree" and mended is None and problem.code in REPAIRS and not REPAIRS[problem.code].unsafe:
        return Remedy("", report.fix)
    if problem.remedy:
        if "{" in problem.remedy:
            return Remedy("", _filled(problem.remedy, problem, report, prefix))
        if problem.remedy.startswith(("jit ", "git ", "JIT_")):
            return Remedy("", safe_command(problem.remedy))
        return Remedy(visible(problem.remedy))
    say, command = BY_CODE[problem.code].to_fix
    if command and report.source not in ("worktree", "git-index"):
        return Remedy(say.rstrip(":"))
    return Remedy(say, _filled(command, problem, report, prefix))


def _filled(command: str, problem: Graded, report: Report, prefix: str) -> str:
    issue_id = layout.issue_id_of(problem.path) if layout.kind_of(problem.path) == "issue" else problem.subject
    words = {
        "path": _pathspec(shown_path(problem.path, report.prefix), prefix),
        "id": issue_id,
        "subject": problem.subject,
    }
    if any(f"{{{name}}}" in command and (not word or word.startswith("-")) for name, word in words.items()):
        return ""
    return command.format(**{name: quote(word) for name, word in words.items()})


def _for_all_paths(first: Graded, report: Report, problems: Sequence[Graded], prefix: str) -> str:
    """The command of one problem, for all that ask for the same of their paths; empty where it takes no path."""
    if "{path}" not in first.remedy:
        return ""
    alike = [problem.path for problem in problems if problem.remedy == first.remedy and problem.severity == "error"]
    words = [_pathspec(shown_path(path, report.prefix), prefix) for path in dict.fromkeys(alike)]
    if any(word.startswith("-") for word in words):
        return ""
    return first.remedy.replace("{path}", " ".join(quote(word) for word in words))


def shown_path(path: str, prefix: str) -> str:
    """A store path as reports print it: from the top of the worktree; of the control plane, by where that is."""
    if path == ".":
        return prefix.rstrip("/")
    if path.startswith(layout.CONTROL):
        return f"<git common dir>/jit/{path[len(layout.CONTROL) :]}"
    if path.startswith(layout.TOP):
        return path[len(layout.TOP) :]
    if path.startswith("../"):
        return prefix.rstrip("/").rpartition("/")[0] + "/" * ("/" in prefix.rstrip("/")) + path[3:]
    return prefix + path


def repair_shown(problem: Graded) -> str:
    """The class of repair as reports print it."""
    kind = problem.repair or BY_CODE[problem.code].repair
    return REPAIR_SHOWN.get(kind, kind)


def next_command(report: Report, problems: Sequence[Graded], prefix: str, look: str) -> str:
    """The one command to type next; empty when nothing is wrong.

    Args:
        report: the report.
        problems: its problems that block or warn, the worst first.
        prefix: where the command will be typed, below the top.
        look: the command that shows the same report in full.
    """
    unmerged = [problem.path for problem in problems if problem.code == "unmerged-entry" and problem.repair != "stage"]
    if unmerged and report.source in ("git-index", "worktree"):
        resolve, _ = BY_CODE["unmerged-entry"].to_fix
        return f"{resolve}: {git_add([shown_path(path, report.prefix) for path in unmerged], prefix)}"
    if any(problem.repair == "stage" for problem in problems) and report.stage and report.source == "git-index":
        return git_add(report.stage, prefix)
    for problem in problems:
        if problem.severity == "error":
            command = remedy_for(problem, report, prefix).command
            if command and not remedy_for(problem, report, prefix).say:
                return _for_all_paths(problem, report, problems, prefix) or command
    if problems and problems[0].severity == "error":
        return f"jit-hooks explain {problems[0].code}"
    return look if problems else ""
