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
    """What to do: a sentence, a command, or both.

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
    """What to stage so that settings which lie in the worktree count; nothing where they would excuse no error."""
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


_HAND = "mend the file by hand; `jit-hooks explain {code}` says how"
_PARENT = "bring it back from the parent, or say in [[accept]] of .jit/hooks.toml why it may go"

REMEDIES: dict[str, tuple[str, str]] = {
    "text-not-utf8": ("save the file as UTF-8 without a byte order mark", ""),
    "json-unparsable": ("restore the whole document", ""),
    "json-duplicate-key": ("keep one of the two members; which one, a person decides", ""),
    "json-lone-surrogate": ("write the whole character in place of the half escape", ""),
    "conflict-marker": ("edit between the markers, then", "git add {path}"),
    "limit-exceeded": ("no tracker writes such a record: replace it by hand", ""),
    "layout-not-canonical": ("nothing to do: the tracker writes its own layout at its next save", ""),
    "unknown-key": ("nothing to do, unless the member matters: the tracker drops it at its next save", ""),
    "issue-malformed": ("give the members the values the tracker needs; `jit-hooks schema issue` prints them", ""),
    "issue-id-mismatch": ("name the file after its id, or put the right id into it", ""),
    "issue-id-invalid": ("no tracker makes such an id: create the issue anew with `jit issue create`", ""),
    "issue-lifecycle-mismatch": ("put the lost value back; an older tracker dropped it", ""),
    "issue-created-after-updated": ("correct the time that is wrong", ""),
    "index-malformed": ("restore the issue index; `jit-hooks schema index` prints its shape", ""),
    "index-absent": ("restore the issue index from a commit that has it", ""),
    "index-misses-issue": ("append the id to `all_ids` of the issue index", ""),
    "index-lists-missing": (
        "stage or restore the issue file; if the issue was deleted, move its id to `deleted_ids`",
        "",
    ),
    "index-duplicate-id": ("take out the repetition; the first one stays", ""),
    "index-deleted-alive": (
        "decide whether the issue lives. To keep it, take its id out of `deleted_ids`. To delete it",
        _DELETE := "JIT_ALLOW_DELETION=1 jit issue delete {id}",
    ),
    "index-reordered": ("put the ids back into the parent's order", ""),
    "index-outdated": ("nothing to do: both trackers read version 1", ""),
    "tombstone-lost": ("put the id back into `deleted_ids`", ""),
    "issue-vanished": (
        "bring the file and its id back from the parent. If the issue shall go, delete it with the tracker",
        _DELETE,
    ),
    "dependency-missing": (
        "stage the issue it names, or drop the dependency (in a linked worktree set JIT_WORKTREE_WRITE_POLICY=allow)",
        "jit dep rm {id} {subject}",
    ),
    "dependency-cycle": ("decide which edge goes, and drop it with `jit dep rm FROM TO`", ""),
    "dependency-duplicate": ("keep one of the two equal edges", ""),
    "dependency-redundant": ("nothing breaks; drop the direct edge if it says nothing of its own", ""),
    "issue-isolated": ("nothing breaks; connect it with `jit dep add` if it belongs to something", ""),
    "gate-unregistered": ("define the gate (`jit gate define`), or take it off the issue", ""),
    "gate-not-required": ("nothing breaks; take the verdict out, or require the gate again", ""),
    "gate-required-duplicate": ("keep one of the two", ""),
    "registry-malformed": ("correct the registry; `jit-hooks schema gates` prints its shape", ""),
    "registry-inconsistent": ("correct the definition of the gate", ""),
    "registry-absent": ("restore the gate registry from a commit that has it", ""),
    "registry-shadowed": ("keep one registry: since v1 only gates.toml is read", ""),
    "gate-event-unmatched": ("nothing to mend: history differs from the issue", ""),
    "gated-not-open": ("nothing breaks; move the issue on with `jit issue update`", ""),
    "done-gate-open": ("judge the gate (`jit gate check`, `jit gate pass`), or reopen the issue", ""),
    "done-dependency-open": ("finish the dependency, or drop the edge", ""),
    "ready-dependency-open": ("nothing breaks; the tracker corrects the state when it next looks", ""),
    "backlog-not-blocked": ("nothing breaks; the tracker corrects the state when it next looks", ""),
    "label-malformed": ("correct the label, or the format in .jit/config.toml", ""),
    "label-duplicate": ("keep one of the two", ""),
    "label-unregistered": ("register the namespace in .jit/config.toml, or correct the label", ""),
    "label-not-unique": ("keep one label of the namespace", ""),
    "document-missing": ("stage the document, correct its path, or take the reference out (`jit doc remove`)", ""),
    "document-duplicate": ("keep one of the two", ""),
    "event-unparsable": ("restore the line from a copy of the log that has it whole", ""),
    "event-fragment-certified": ("nothing to do: the tracker knows of it", ""),
    "event-malformed": ("correct the event; `jit-hooks schema event` prints its shape", ""),
    "event-type-unknown": (
        "if a newer tracker writes it: add it to `event-types` under [accept] in .jit/hooks.toml",
        "",
    ),
    "event-log-unterminated": ("end the last line with a newline", ""),
    "event-duplicate-id": ("keep one of the two lines when they are equal", ""),
    "event-lost": (_PARENT, ""),
    "event-created-missing": ("bring back the `issue_created` line, or stage the log", ""),
    "event-created-repeated": ("a person decides which of the two is true", ""),
    "event-deleted-missing": ("nothing to mend", ""),
    "event-issue-unknown": ("nothing breaks; the issue it names is in neither list", ""),
    "event-state-mismatch": ("bring back the missing event, or stage the log", ""),
    "event-state-chain-broken": ("nothing to mend: history has a gap", ""),
    "event-completed-missing": ("nothing breaks; the completion was never logged", ""),
    "event-gate-mismatch": ("nothing breaks; judge the gate again to make both agree", ""),
    "run-malformed": ("restore the run; `jit-hooks schema gate-run` prints its shape", ""),
    "run-inconsistent": ("correct the member that is wrong", ""),
    "run-result-missing": ("restore result.json, or remove the empty directory by hand", ""),
    "run-id-mismatch": ("name the directory after the run's id", ""),
    "run-stray-file": ("take the file out of the run's directory", ""),
    "run-issue-unknown": ("nothing breaks; its issue is gone", ""),
    "run-source-missing": ("nothing breaks; the run it was taken from is gone", ""),
    "run-gate-unregistered": ("nothing breaks; its gate is gone", ""),
    "run-changed": ("a run is never changed: bring the parent's back", ""),
    "run-lost": (_PARENT, ""),
    "run-missing": ("stage the run's result.json", ""),
    "run-status-mismatch": ("run the gate again: `jit gate check`", ""),
    "run-event-imbalance": ("nothing to mend", ""),
    "config-malformed": ("correct the file", ""),
    "baked-schema-outdated": ("run `jit init` again, or change the schema with the configuration", ""),
    "merge-lost-edit": (
        "bring the change back from the parent that made it, or say in [[accept]] of .jit/hooks.toml why it may go",
        "",
    ),
    "merge-misplaced-edit": (
        "give this issue back what its own parent had; whether the issue that was edited lives, a person decides",
        "",
    ),
    "merge-resurrected-issue": (
        "decide whether the issue lives; to delete it again",
        "JIT_ALLOW_DELETION=1 jit issue delete {subject}",
    ),
    "merge-side-discarded": (
        "merge again; if the work shall go, say in [[accept]] of .jit/hooks.toml why",
        "",
    ),
    "merge-lost-path": ("put the dependency back", "jit dep add {id} {subject}"),
    "merge-duplicate-work": ("nothing to mend; whoever did the work should know of each other", ""),
    "merge-both-dropped": ("choose one of the two values, or leave it as it was", ""),
    "merge-own-edit": ("nothing to mend; a commit of its own would say who changed it, and why", ""),
    "machine-file-tracked": (
        "it belongs to one machine; take it out of git, it stays on disk",
        _UNTRACK := "git rm --cached {path}",
    ),
    "lock-tracked": ("it belongs to one machine; take it out of git, it stays on disk", _UNTRACK),
    "transaction-tracked": ("take it out of git; it stays on disk, where the tracker may need it", _UNTRACK),
    "temp-tracked": ("take it out of git; it stays on disk", _UNTRACK),
    "record-not-file": ("replace it by the regular file it stands for", ""),
    "unmerged-entry": (_RESOLVE := "resolve the conflict, then", "git add {path}"),
    "temp-stale": ("nothing breaks; keep it as long as the file it was to replace does not load", ""),
    "transaction-pending": ("let the tracker finish or roll back", "jit recover"),
    "transaction-stuck": ("clear it away; what it holds is kept", "jit-check --fix --unsafe-fixes"),
    "transaction-foreign": ("look at it, and move it out of there", ""),
    "transaction-residue": ("nothing to mend: the tracker clears it up", ""),
    "archive-unfinished": ("archive the document again, or remove the copy that no issue names", ""),
    "lock-meta-stale": ("nothing breaks; the next holder of the lock writes it anew", ""),
    "claim-unparsable": ("put each operation on a line of its own; keep the fragment elsewhere", ""),
    "claim-malformed": ("correct the member; `jit-hooks schema claim` prints the shape", ""),
    "claim-sequence-gap": ("nothing to mend: what is gone is not known", ""),
    "claims-index-mismatch": ("the log is right: the claims index has to be built from it", ""),
    "lease-duplicate": ("end the one that nobody works on: `jit claim release`", ""),
    "lease-without-assignee": ("assign the issue, or end its lease: `jit claim release`", ""),
    "lease-expired": ("nothing breaks; the next claim of the issue evicts it", ""),
}
"""Code to words and command. In commands ``{path}``, ``{id}`` and ``{subject}`` are quoted words."""


def remedy_for(problem: Graded, report: Report, prefix: str = "") -> Remedy:
    """What mends one problem of a report, for someone in ``prefix`` below the top of the worktree."""
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
    say, command = REMEDIES.get(problem.code, (_HAND.format(code=problem.code), ""))
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
        return f"{_RESOLVE}: {git_add([shown_path(path, report.prefix) for path in unmerged], prefix)}"
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
