"""``jit-hooks``: what a person types. The hook bodies that git calls do not come through here (``cli``)."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE, Check
from jit_hooks.errors import UsageError
from jit_hooks.report.hook import write
from jit_hooks.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

HELP = """Keep an issue store from being corrupted through git: the hooks, and what belongs to them.

EXIT STATUS

\b
  0    done; or judged, and no error remains
  1    judged, and errors remain
  2    the command line or the settings cannot be followed
  3    not judged, or not done
  130  interrupted
"""

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        write(sys.stdout, f"jit-hooks {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Print the help when no command is given."""
    if context.invoked_subcommand is None:
        write(sys.stdout, context.get_help() + "\n")


@app.command()
def explain(code: Annotated[str, typer.Argument(metavar="CODE", help="A problem code of a report.")]) -> int:
    """Print what a problem code means, with examples, and what mends it."""
    row = BY_CODE.get(code)
    if row is None:
        near = get_close_matches(code, BY_CODE, 1)
        message = f"there is no problem code {code}" + (f"; did you mean {near[0]}?" if near else "")
        raise UsageError(message)
    write(sys.stdout, manual_page(row))
    return 0


def manual_page(row: Check) -> str:
    """One code's manual: its docstring, and the facts of its row of the registry."""
    from inspect import cleandoc

    from jit_hooks.report.commands import REPAIR_SHOWN

    facts = f"{row.code}: {row.severity}, family {row.family}, repair {REPAIR_SHOWN.get(row.repair, row.repair)}"
    return f"{facts}\n\n{cleandoc(row.manual)}\n"


@app.command()
def schema(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A kind of record; without it, the names.")] = None,
) -> int:
    """Print the JSON Schema of one kind of record."""
    from jit_hooks import schemas

    if name is None:
        write(sys.stdout, "\n".join(schemas.names()) + "\n")
        return 0
    try:
        write(sys.stdout, schemas.text(name))
    except schemas.UnknownNameError as error:
        raise UsageError(str(error)) from error
    return 0


Where = Annotated[str, typer.Argument(metavar="REPO", help="A directory in the repository; else the current one.")]


@app.command()
def install(
    repo: Where = "",
    *,
    chain: Annotated[
        bool, typer.Option("--chain", help="Keep a hook that is already there: it runs first, uninstall restores it.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Hooks that refuse a commit repair the worktree, too; nothing is staged.")
    ] = False,
    merge_driver: Annotated[
        bool, typer.Option("--merge-driver", help="Only the merge driver: where a framework runs the hooks.")
    ] = False,
) -> int:
    """Put the hooks where git runs them, and make git merge the store with ours."""
    from jit_hooks.install import hook_files as installing

    if merge_driver:
        if chain or repair:
            raise UsageError("--merge-driver installs no hook, so --chain and --repair say nothing with it")
        _say(installing.install_merge_driver(repo))
        return 0
    _say(installing.install(repo, chain=chain, repair=repair))
    return 0


@app.command()
def uninstall(repo: Where = "") -> int:
    """Take our hooks away, and put back those that were there before."""
    from jit_hooks.install import hook_files as installing

    _say(installing.uninstall(repo))
    return 0


@app.command()
def undo(
    entry: Annotated[
        str | None, typer.Argument(metavar="ENTRY", help="Which; else the newest of this worktree.")
    ] = None,
    *,
    list_: Annotated[bool, typer.Option("--list", help="Print the entries of the journal, the newest first.")] = False,
) -> int:
    """Take a repair back, byte for byte."""
    from jit_hooks.cli import undoing

    lines, code = undoing.listed() if list_ else undoing.undone(entry)
    _say(lines)
    return code


@app.command()
def status(
    repo: Where = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> int:
    """Say which hook git would really run, and try whether each refuses a commit that breaks the store."""
    from jit_hooks.install import status as looking

    found = looking.status(repo)
    if json:
        write(sys.stdout, found.as_json() + "\n")
    else:
        _say(found.lines())
    return found.exit_code


@app.command()
def history(
    repo: Where = "",
    *,
    range_: Annotated[
        str, typer.Option("--range", metavar="A..B", help="A range of commits; else the whole history of HEAD.")
    ] = "HEAD",
    all_: Annotated[bool, typer.Option("--all", help="Warnings and notes, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> int:
    """Say of each problem in which commit it entered, and in which it left."""
    from jit_hooks.cli.history import show

    return show(repo, range_, everything=all_, json=json)


def _say(lines: Iterable[str]) -> None:
    write(sys.stdout, "".join(f"{visible(line)}\n" for line in lines))
