"""The report for people: what is wrong, where, and the one command to type next."""

from __future__ import annotations

import textwrap
from collections import Counter

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE
from jit_hooks.git.hooks import HOOKS
from jit_hooks.report.commands import Remedy, excuse_of, next_command, pathspec, quote, remedy_for, shown_path
from jit_hooks.report.locate import Places
from jit_hooks.report.visible import visible
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

WIDTH = 100
SHOWN_CHANGES = 20
"""How many changes of a repair are listed."""

SHOWN_ALIKE = 5
"""Problems of one code that are printed before the rest folds."""

_COLOR = {"error": "1;31", "warning": "1;33", "note": "36", "fix": "1;32"}
_LONGEST_MESSAGE = 600
_INDENT = "  "


def render(
    report: Report,
    *,
    command: str = "jit-check",
    hook: str = "",
    all: bool = False,  # noqa: A002
    quiet: bool = False,
    verbose: bool = False,
    color: bool = False,
    width: int = WIDTH,
    prefix: str = "",
    partial: bool = False,
) -> str:
    """The report as text that ends in a newline; empty when there is nothing to say.

    Args:
        report: what judging gave.
        command: the command that looks at the same source again, for "see everything".
        hook: the hook that speaks; empty for a command a person typed.
        all: print every problem, notes and warnings too, and fold nothing.
        quiet: print errors only; nothing when there are none.
        verbose: print notes, every skipped check and the figures.
        color: True if escape codes may be used.
        width: columns to wrap sentences at; commands are never wrapped.
        prefix: where the reader typed, below the top of the worktree (``d/e/``).
        partial: True if git was given paths (``git commit -- path``), so that staging alone is not enough.
    """
    return _Text(
        report,
        command=command,
        hook=hook,
        everything=all,
        quiet=quiet,
        verbose=verbose,
        color=color,
        width=width,
        prefix=prefix,
        partial=partial,
    ).render()


class _Text:
    def __init__(
        self,
        report: Report,
        *,
        command: str,
        hook: str,
        everything: bool,
        quiet: bool,
        verbose: bool,
        color: bool,
        width: int,
        prefix: str,
        partial: bool,
    ) -> None:
        self.report = report
        self.command = command
        self.hook = hook
        self.everything = everything
        self.quiet = quiet
        self.verbose = verbose
        self.color = color
        self.width = width
        self.prefix = prefix
        self.partial = partial
        self.places = Places(report)
        self._titles: dict[tuple[str | None, str], str] = {}

    def render(self) -> str:
        if self.quiet and not self.report.errors and self.report.verdict != "not-judged":
            return ""
        shown = [problem for problem in self.report.problems if self._is_shown(problem)]
        blocks = [self._header(), "\n".join(mended_lines(self.report, everything=self.everything))]
        blocks.extend(self._groups(shown))
        blocks.append(self._amending(shown))
        if not self.quiet:
            blocks.append("\n".join(self._asides(shown)))
        blocks.append("\n".join(self._last_lines(shown)))
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _is_shown(self, problem: Graded) -> bool:
        if problem.severity == "error" or self.everything:
            return True
        if self.quiet:
            return False
        return self.verbose or (problem.severity == "warning" and not self.hook)

    # The first line

    def _header(self) -> str:
        report = self.report
        speaker = "jit-hooks" if self.hook else "jit-check"
        if report.verdict == "not-judged":
            return f"{speaker}: not judged: {visible(report.reason)}"
        counts = _counts(report.problems, "error", *(() if self.hook else ("warning",)))
        where = _source_words(report.source)
        if report.errors:
            said = (HOOKS[self.hook].breaks if self.hook else "") or (
                HOOKS["pre-commit"].breaks if report.source == "git-index" else f"the issue store {where} is broken"
            )
            return f"{speaker}: {said}: {counts}"
        known = any(problem.severity == "error" for problem in report.carried)
        said = "has no error that its parent does not have" if known else "is healthy"
        figures = _counts(report.problems, "warning")
        records = report.stats.get("records")
        judged = f"{_number(int(records), 'record')} judged" if records else ""
        if report.source.startswith("range") and "commits" in report.stats:
            judged = f"{_number(int(report.stats['commits']), 'commit')} judged"
        told = ", ".join(piece for piece in (figures, judged) if piece)
        return f"{speaker}: the issue store {where} {said}" + (f" ({told})" if told else "")

    # The problems

    def _groups(self, shown: list[Graded]) -> Iterator[str]:
        groups: dict[tuple[str, str], list[Graded]] = {}
        for problem in shown:
            groups.setdefault((problem.severity, problem.code), []).append(problem)
        asked = {remedy_for(problem, self.report, self.prefix) for problem in shown if problem.severity == "error"}
        only_one = len(asked) <= 1
        at_the_end = self._once_at_the_end(shown)
        for (severity, _), group in groups.items():
            limit = len(group) if self.everything or len(group) == SHOWN_ALIKE + 1 else SHOWN_ALIKE
            printed = self.places.located(group[:limit])
            remedies = {remedy_for(problem, self.report, self.prefix) for problem in group}
            same = remedies.pop() if len(remedies) == 1 else None
            parts = [self._problem(problem, with_remedy=same is None, unless=at_the_end) for problem in printed]
            if len(group) > limit:
                parts.append(f"{_INDENT}... and {len(group) - limit:,} more {group[0].code}")
            if same and severity == "error" and not (at_the_end and same.command == at_the_end):
                parts.append(self._remedy(same, blank=only_one))
            yield "\n".join(part for part in parts if part)

    def _once_at_the_end(self, shown: list[Graded]) -> str:
        """The one ``git add`` that several codes ask for: it may be long, and is printed as what comes next."""
        errors = [problem for problem in shown if problem.severity == "error"]
        if len({problem.code for problem in errors if problem.repair == "stage"}) < 2:
            return ""
        staged = {remedy_for(problem, self.report, self.prefix) for problem in errors if problem.repair == "stage"}
        command = self._next()
        return command if staged == {Remedy("", command)} else ""

    def _next(self) -> str:
        return next_command(self.report, self.report.problems, self.prefix, f"{self.command} --all")

    def _problem(self, problem: Graded, *, with_remedy: bool, unless: str) -> str:
        label = f"{problem.severity}[{problem.code}]"
        place = visible(shown_path(problem.path, self.report.prefix))
        if problem.line:
            place += f":{problem.line}"
            if problem.column > 1:
                place += f":{problem.column}"
        if problem.commit:
            place += f"  in commit {problem.commit[:12]}"
        lines = [f"{self._painted(label, problem.severity)}  {place}{self._title(problem)}"]
        sentence, command = self._right_bytes(problem)
        lines.extend(self._wrapped(f"{self._sentence(problem)} {sentence}".rstrip(), _INDENT))
        if command:
            lines.append(f"{_INDENT}{_INDENT}{command}")
        why = self.report.repairs.left.get(problem.identity) if self.report.repairs is not None else None
        if why:
            lines.extend(self._wrapped(f"Not repaired: {visible(why)}.", _INDENT))
        remedy = remedy_for(problem, self.report, self.prefix)
        if with_remedy and problem.severity == "error" and remedy != Remedy("", unless):
            lines.append(self._remedy(remedy, blank=False))
        return "\n".join(line for line in lines if line)

    def _sentence(self, problem: Graded) -> str:
        message = visible(problem.message, _LONGEST_MESSAGE)
        return message if message.endswith((".", "?", "!")) else f"{message}."

    def _right_bytes(self, problem: Graded) -> tuple[str, str]:
        """The place of the bytes that the git index should have, and the command that shows them."""
        if self.report.source != "git-index" or problem.severity != "error":
            return "", ""
        if problem.repair == "stage" and self.report.stage:
            whole = "the right file" if len(self.report.stage) == 1 else "what makes it whole"
            return f"Your worktree has {whole}; it is not staged.", ""
        copy = self.report.copies.get(problem.identity)
        if copy is None:
            return "", ""
        if not copy.place:
            return "Neither the worktree nor HEAD has a sound copy.", ""
        if copy.place == "worktree":
            return "Your worktree has a sound copy; it is not staged.", ""
        name = copy.place if copy.place == "HEAD" else f"commit {copy.place[:12]}"
        path = shown_path(copy.path, self.report.prefix)
        if copy.gone and copy.place == "HEAD":
            return "HEAD has it:", f"git restore --staged {pathspec(path, self.prefix)}"
        return f"{name} has a copy without this fault:", f"git show {quote(f'{copy.place}:{path}')}"

    def _title(self, problem: Graded) -> str:
        """The title of the issue whose file this is, unless the message says it."""
        if layout.kind_of(problem.path) != "issue" or layout.issue_id_of(problem.path)[:8] in problem.message:
            return ""
        key = (problem.commit, problem.path)
        if key not in self._titles:
            self._titles[key] = _title_in(self.places.bytes_of(problem))
        title = self._titles[key]
        return f'  "{visible(title, 60)}"' if title else ""

    def _remedy(self, remedy: Remedy, *, blank: bool) -> str:
        if not remedy:
            return ""
        label = self._painted("to fix:", "fix")
        lead = "\n" if blank else ""
        if not remedy.say:
            return f"{lead}{_INDENT}{label}  {remedy.command}{self._repeat(remedy)}"
        words = textwrap.wrap(f"to fix:  {remedy.say}" + (":" if remedy.command else ""), self.width - 4)
        text = ("\n" + _INDENT + "         ").join(words).replace("to fix:", label, 1)
        return f"{lead}{_INDENT}{text}" + (f"\n{_INDENT}         {remedy.command}" if remedy.command else "")

    def _repeat(self, remedy: Remedy) -> str:
        if self.partial and remedy.command.startswith("git add"):
            return f"\n{_INDENT}         then repeat your command with these paths too"
        return ""

    def _amending(self, shown: list[Graded]) -> str:
        report = self.report
        rests = any(problem.severity == "error" and BY_CODE[problem.code].needs == "parents" for problem in shown)
        may_amend = report.source == "git-index" and not report.amending and self.hook in ("", "pre-commit")
        if not (may_amend and rests):
            return ""
        text = (
            "If you are amending: git does not tell a hook so. Taking back what HEAD itself had brought is no "
            "loss; compare with HEAD's parent (git diff --cached HEAD^)."
        )
        return "\n".join(self._wrapped(text, ""))

    # What does not block

    def _asides(self, shown: list[Graded]) -> Iterator[str]:
        report = self.report
        printed = set(shown)
        hidden = [problem for problem in report.problems if problem not in printed]
        folded = [_counts(hidden, "warning", "note")]
        if report.carried:
            errors = _counts(report.carried, "error")
            grave = f" ({errors})" if errors else ""
            folded.append(f"{_number(len(report.carried), 'problem')} the parent already has{grave}")
        said = ", ".join(piece for piece in folded if piece)
        if said:
            yield f"not blocking: {said} ({self.command} --all)"
        yield from self._skipped()
        excuse = excuse_of(report, self.prefix)
        if excuse:
            yield from self._wrapped(f"note: {excuse.say}:", "")
            yield f"{_INDENT}{_INDENT}{excuse.command}"
        for notice in report.notices:
            yield from self._wrapped(f"note: {visible(notice)}", "")
        if self.verbose and report.stats:
            yield "figures: " + ", ".join(f"{name} {value}" for name, value in report.stats.items())

    def _skipped(self) -> Iterator[str]:
        reasons: dict[str, list[str]] = {}
        for code, reason in self.report.skipped.items():
            reasons.setdefault(reason, []).append(code)
        for reason, codes in reasons.items():
            if len(codes) > 3 and not (self.verbose or self.everything):
                named = f"{len(codes)} checks"
            else:
                named = ", ".join(codes)
            yield from self._wrapped(f"not checked, because {visible(reason)}: {named}", "")

    def _last_lines(self, shown: list[Graded]) -> Iterator[str]:
        report = self.report
        if report.verdict == "not-judged" and report.remedy:
            yield f"next:  {visible(report.remedy)}"
        remedies = {remedy_for(problem, report, self.prefix) for problem in shown if problem.severity == "error"}
        told = len(remedies) == 1 and not next(iter(remedies)).say and not self._once_at_the_end(shown)
        if report.errors and not told:
            command = self._next()
            if command:
                yield f"{self._painted('next:', 'fix')}  {command}{self._repeat(Remedy('', command))}"
        if self.hook:
            way = HOOKS[self.hook].way_round
            escape = f" Way round in an emergency: {way}" if way and report.exit_code else ""
            yield f"jit-hooks {__version__}, {self.hook}.{escape}"

    # Forms

    def _painted(self, text: str, kind: str) -> str:
        return f"\x1b[{_COLOR[kind]}m{text}\x1b[0m" if self.color else text

    def _wrapped(self, text: str, indent: str) -> list[str]:
        return textwrap.wrap(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def mended_lines(report: Report, *, everything: bool = False) -> Iterator[str]:
    """The deeds of ``--fix``, done or planned: codes, files, and how to take it back; nothing when it was not asked."""
    mended = report.repairs
    if mended is None:
        return
    if not mended.plan:
        yield "there is nothing that --fix can mend"
        return
    fixes = ", ".join(f"{count:,} {code}" for code, count in mended.fixes.items())
    yield f"{'--fix would mend' if mended.dry else 'mended'}: {fixes or 'no reported problem'}"
    limit = len(mended.plan) if everything or mended.dry else SHOWN_CHANGES
    for change in mended.plan[:limit]:
        path = str(change["path"]).removeprefix("store:")
        verb = "writes" if change["before"] and change["after"] else "makes" if change["after"] else "removes"
        said = mended.sources.get(path, "")
        yield f"{_INDENT}{verb:<7}  {visible(shown_path(path, report.prefix))}" + (
            f"  ({visible(said)})" if said else ""
        )
    if len(mended.plan) > limit:
        yield f"{_INDENT}... and {len(mended.plan) - limit:,} more"
    if mended.entry:
        yield f"to undo:  jit-hooks undo {mended.entry}"


def _counts(problems: Iterable[Graded], *severities: str) -> str:
    found = Counter(problem.severity for problem in problems)
    return ", ".join(_number(found[severity], severity) for severity in severities if found[severity])


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _source_words(source: str) -> str:
    if source == "worktree":
        return "in the worktree"
    if source == "git-index":
        return "in the git index"
    if source.startswith("range "):
        return f"in the {visible(source)}"
    return f"of commit {source[:12]}"


def _title_in(data: bytes | None) -> str:
    import json

    try:
        document = json.loads((data or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    title = document.get("title") if type(document) is dict else None
    return title if type(title) is str else ""
