"""``jit-check``: judge a store."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.cli.place import Place, find_place, request_for
from jit_hooks.cli.shell import say_failure
from jit_hooks.errors import JitHooksError, NotJudgedError, UsageError
from jit_hooks.judging.judge import judge
from jit_hooks.judging.report import Report
from jit_hooks.problem import SEVERITIES
from jit_hooks.report import as_github, as_gitlab, as_json, as_sarif, only, text
from jit_hooks.report.hook import is_partial_commit, typed_prefix, wants_color, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.checks import Check

FORMATS = ("text", "json", "github", "gitlab", "sarif")
COLORS = ("auto", "always", "never")
_NOTHING = "nothing to judge: there is no issue store here"
_FOR_CI = {"github": as_github.render, "gitlab": as_gitlab.render, "sarif": as_sarif.render}

HELP = """Judge an issue store: is it sound, and if not, what mends it.

Without a source the worktree is judged: the files as they lie on disk. Nothing is written, and no program named
in a store is ever run.

EXIT STATUS

\b
  0    judged, and no error remains (warnings alone are healthy); or there is no store to judge
  1    judged, and errors remain
  2    the command line or the settings cannot be followed
  3    not judged: the store or the repository could not be looked at
  130  interrupted
"""

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


def _show_version(wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        write(sys.stdout, f"jit-check {__version__}\n")
        raise typer.Exit


Repo = Annotated[
    str | None, typer.Argument(metavar="REPO", help="A directory in the repository; else the current one.")
]
Staged = Annotated[bool, typer.Option("--staged", help="Judge the git index: what a commit would hold.")]
Commit = Annotated[str | None, typer.Option("--commit", metavar="REV", help="Judge one commit.")]
Range = Annotated[
    str | None,
    typer.Option("--range", metavar="A..B", help="Judge each commit of a range; a bare REV: its whole history."),
]
EveryCommit = Annotated[
    bool, typer.Option("--every-commit", help="With --range: what a later commit has healed counts, too.")
]
OnlyId = Annotated[
    str | None, typer.Option("--only", metavar="ID", help="One issue and what it touches: an id or its beginning.")
]
Fix = Annotated[
    bool, typer.Option("--fix", help="Apply the repairs that lose nothing; of the worktree only, to be undone.")
]
UnsafeFixes = Annotated[
    bool, typer.Option("--unsafe-fixes", help="With --fix: also those that choose between readings.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --fix: print the plan and what it would mend; write nothing.")
]
Select = Annotated[list[str] | None, typer.Option("--select", metavar="CODE,..", help="Only these codes or families.")]
Ignore = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="CODE,..", help="All but these codes or families.")
]
OutputFormat = Annotated[
    str | None, typer.Option("--output-format", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")
]
Json = Annotated[bool, typer.Option("--json", help="Short for --output-format json.")]
OutputFile = Annotated[str | None, typer.Option("--output-file", metavar="FILE", help="Write the report to a file.")]
All = Annotated[
    bool,
    typer.Option("--all", help="Show everything; what the parent already has counts, and --fix mends it, too."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print notes and figures, too.")]
Color = Annotated[str, typer.Option("--color", metavar="WHEN", help="auto, always or never.")]
Version = Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")]


@app.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def main(
    *,
    repo: Repo = None,
    staged: Staged = False,
    commit: Commit = None,
    range_: Range = None,
    every_commit: EveryCommit = False,
    only_id: OnlyId = None,
    fix: Fix = False,
    unsafe_fixes: UnsafeFixes = False,
    dry_run: DryRun = False,
    select: Select = None,
    ignore: Ignore = None,
    output_format: OutputFormat = None,
    json: Json = False,
    output_file: OutputFile = None,
    all_: All = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    color: Color = "auto",
    _: Version = False,
) -> int:
    """Parse, judge, print; the exit code."""
    form = _form(output_format, json=json)
    _one_of("--color", color, COLORS)
    needs = (
        ("--every-commit", every_commit, "--range", range_ is not None),
        ("--unsafe-fixes", unsafe_fixes, "--fix", fix),
        ("--dry-run", dry_run, "--fix", fix),
    )
    _refuse_contradictions(_sources_named(staged=staged, commit=commit, range_=range_), needs, fix=fix)
    checks = choose_checks(select or (), ignore or ())
    command = _command_again(repo, staged=staged, commit=commit, range_=range_)
    place: Place | None = None
    try:
        place = find_place(repo)
        if fix:
            report = _repair(place, checks, unsafe=unsafe_fixes, everything=all_, dry_run=dry_run)
        else:
            report = _judge(place, checks, staged=staged, commit=commit, range_=range_, every_commit=every_commit)
        if report is None and form == "text" and not quiet:
            write(sys.stdout, f"jit-check: {_NOTHING}\n")
            return 0
        report = report or Report("worktree", notices=[_NOTHING])
        report.fix = f"{command} --fix" + " --unsafe-fixes" * unsafe_fixes
        _narrow(report, only_id, everything=all_)
        wanted = Wanted(all_, quiet, verbose, _use_color(color, output_file))
        shown = _rendered(report, form, wanted, command=command, prefix=_typed_from(place))
    except NotJudgedError as error:
        if form == "text":
            raise
        say_failure("jit-check", error)
        report = Report("", reason=str(error), remedy=error.remedy, code=getattr(error, "code", ""))
        shown = _FOR_CI.get(form, as_json.render)(report)
    finally:
        if place is not None:
            place.close()
    _print(shown, output_file)
    return report.exit_code


class Wanted(NamedTuple):
    """How much of a report to show; the options of the same names."""

    all: bool
    quiet: bool
    verbose: bool
    color: bool


def _rendered(report: Report, form: str, wanted: Wanted, *, command: str, prefix: str) -> str:
    if form == "json":
        return as_json.render(report, prefix=prefix)
    if form in _FOR_CI:
        return _FOR_CI[form](report, all=wanted.all, quiet=wanted.quiet, verbose=wanted.verbose)
    return text.render(report, **wanted._asdict(), command=command, prefix=prefix, partial=is_partial_commit())


def _use_color(choice: str, output_file: str | None) -> bool:
    return wants_color(sys.stdout, choice if output_file is None or choice == "always" else "never")


def _sources_named(*, staged: bool, commit: str | None, range_: str | None) -> list[str]:
    named = (("--staged", staged or None), ("--commit", commit), ("--range", range_))
    return [option for option, value in named if value is not None]


def _refuse_contradictions(sources: list[str], needs: Iterable[tuple[str, bool, str, bool]], *, fix: bool) -> None:
    """Refuse two sources, an option without the one it goes with, and a repair of what is no worktree."""
    message = ""
    if len(sources) > 1:
        message = f"{' and '.join(sources)} are two sources: give one"
    elif fix and sources:
        message = f"--fix repairs the worktree, not what {sources[0]} names"
    for option, wanted, companion, there in needs:
        if wanted and not there:
            message = message or f"{option} goes with {companion}"
    if message:
        raise UsageError(message)


def _form(output_format: str | None, *, json: bool) -> str:
    if json and output_format not in (None, "json"):
        message = f"--json and --output-format {output_format} are two formats: give one"
        raise UsageError(message)
    form = "json" if json else output_format or "text"
    _one_of("--output-format", form, FORMATS)
    return form


def _one_of(option: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        message = f"{option}: {value} is not one of {', '.join(known)}{_nearest(value, known)}"
        raise UsageError(message)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def choose_checks(select: Iterable[str], ignore: Iterable[str]) -> tuple[Check, ...]:
    """The rows of the registry that codes and families choose; all without a choice.

    Raises:
        UsageError: a name is unknown, or nothing is left.
    """
    wanted, unwanted = _names("--select", select), _names("--ignore", ignore)
    chosen = tuple(
        row
        for row in CHECKS
        if (not wanted or {row.code, row.family} & wanted) and not {row.code, row.family} & unwanted
    )
    if not chosen:
        message = "--select and --ignore leave no check to make"
        raise UsageError(message)
    return chosen


def _names(option: str, given: Iterable[str]) -> set[str]:
    families = {row.family for row in CHECKS}
    names = {name.strip() for piece in given for name in piece.split(",") if name.strip()}
    for name in sorted(names):
        if name not in families and name not in BY_CODE:
            message = f"{option}: there is no problem code or family {name}{_nearest(name, [*BY_CODE, *families])}"
            raise UsageError(message)
    return names


def _judge(
    place: Place,
    checks: tuple[Check, ...],
    *,
    staged: bool,
    commit: str | None,
    range_: str | None,
    every_commit: bool,
) -> Report | None:
    """The report on the source asked for; None when there is nothing to judge."""
    if range_ is not None:
        from jit_hooks.judging.commits import judge_range

        if place.repository is None:
            message = "this is not a git repository: only the worktree can be judged"
            raise UsageError(message)
        return judge_range(place.repository, range_, checks=checks, every_commit=every_commit)
    source = "git-index" if staged else commit if commit is not None else "HEAD" if place.bare else "worktree"
    if place.bare and place.repository is not None and commit is None and not staged and place.head is None:
        return None
    request = request_for(place, source, checks)
    if request is None:
        return None
    report = judge(request)
    if not request.parents and request.repository is not None and request.repository.commits.is_shallow():
        report.notices.append("a shallow clone: the parents are not here, so nothing was compared with them")
    return report


def _repair(place: Place, checks: tuple[Check, ...], *, unsafe: bool, everything: bool, dry_run: bool) -> Report | None:
    """The report after the repairs; None when there is no store."""
    from jit_hooks.judging.mending import Choice, mend

    request = request_for(place, "worktree", checks)
    if request is None:
        return None
    command = "jit-check --fix" + " --unsafe-fixes" * unsafe + " --all" * everything
    choice = Choice(unsafe=unsafe, everything=everything)
    return mend(request, choice, dry_run=dry_run, time=request.now, command=command)


def _narrow(report: Report, only_id: str | None, *, everything: bool) -> None:
    """Leave the problems of one issue, where one was named; count those of the parent, where all were asked for."""
    if only_id is not None:
        only.keep(report, only_id)
    if everything:
        count_carried(report)


def count_carried(report: Report) -> None:
    """Make the problems that the parent already has count like those that are new."""
    report.problems.extend(report.carried)
    report.problems.sort(key=lambda problem: SEVERITIES.index(problem.severity))
    report.carried = []


def _typed_from(place: Place) -> str:
    """The directory below the top in which the reader types: git says it to a hook, which itself starts at the top."""
    return typed_prefix() or place.prefix


def _command_again(repo: str | None, *, staged: bool, commit: str | None, range_: str | None) -> str:
    from jit_hooks.report.commands import quote

    words = ["jit-check"]
    if staged:
        words.append("--staged")
    if commit is not None:
        words += ["--commit", commit]
    if range_ is not None:
        words += ["--range", range_]
    if repo is not None:
        words.append(repo)
    return " ".join(quote(word) for word in words)


def _print(shown: str, output_file: str | None) -> None:
    if output_file is None:
        write(sys.stdout, shown)
        return
    try:
        with open(output_file, "w", encoding="utf-8", errors="backslashreplace") as target:
            target.write(shown)
    except OSError as error:
        message = f"cannot write {output_file}: {error.strerror}"
        raise CannotWriteError(message) from error


class CannotWriteError(JitHooksError):
    """The file for the report cannot be written, so nobody learns the verdict."""
