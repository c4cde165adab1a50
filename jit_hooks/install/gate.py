"""The text of the hook scripts that git runs.

Most commits do not touch the store, so the script finds that out itself: one ``git diff-index``, and Python only
if it says anything but "no difference", or if a merge is being concluded. It is plain POSIX ``sh``, for it runs
under whatever ``/bin/sh`` is: dash, bash, busybox.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from jit_hooks.git.command import EVERY_LINK, Git
from jit_hooks.git.hooks import HOOKS, Hook
from jit_hooks.git.repository import Repository
from jit_hooks.git.state import UNDER_WAY

CHAINED_SUFFIX = ".jit-chained"
"""The end of a foreign hook's name while ours stands in its place."""

_SIGNED = re.compile(
    r"^# jit-hooks (?P<version>\S+) (?P<hook>[a-z-]+) - installed by `jit-hooks install`", re.MULTILINE
)

START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from jit_hooks.hooks.entry import main; sys.exit(main(sys.argv[1:]))"
)
"""How Python begins. ``-m`` would put the repository first on ``sys.path``, and a ``json.py`` lying there would run;
the package's directory comes last, so that nothing installed beside it hides the standard library."""


@dataclass(frozen=True)
class Signature:
    """The facts that a script of ours states of itself.

    Attributes:
        hook: git's name of the hook.
        version: of the program that wrote it.
        interpreter: the Python it starts, absolute.
        package: the directory that holds the package.
        store: the path that it takes the store to have, from the top of the worktree, with a final ``/``.
        repairs: True if it repairs the worktree after a refusal.
        further: the paths of further stores of the repository.
    """

    hook: str
    version: str
    interpreter: str
    package: str
    store: str
    further: tuple[str, ...] = ()
    repairs: bool = False

    @property
    def stores(self) -> tuple[str, ...]:
        """Every store that it guards."""
        return (self.store, *self.further)


def script(
    hook: str,
    interpreter: str,
    package_parent: str,
    store_prefix: str,
    version: str,
    *,
    chained: bool = False,
    repairs: bool = False,
    further: tuple[str, ...] = (),
) -> str:
    """The hook script.

    Args:
        hook: git's name of the hook.
        interpreter: the Python to start, absolute; a virtual environment's own, not the one it stands on.
        package_parent: the directory that holds ``jit_hooks``, absolute.
        store_prefix: where the store lies from the top of the worktree, with a final ``/``.
        version: of this program.
        chained: True if a foreign hook stands aside as ``<hook>.jit-chained`` and runs first.
        repairs: True if a refusal is followed by a repair of the worktree.
        further: where further stores of the repository lie.
    """
    row = HOOKS[hook]
    names = ["store", *(f"store_{number}" for number in range(2, len(further) + 2))]
    stores = (store_prefix, *further)
    parts = [
        "#!/bin/sh",
        f"# jit-hooks {version} {hook} - installed by `jit-hooks install`; `jit-hooks uninstall` takes it away.",
        f"interpreter={shlex.quote(interpreter)}",
        f"package={shlex.quote(package_parent)}",
        " ".join(f"{name}={shlex.quote(store)}" for name, store in zip(names, stores, strict=True)),
        f"repair={'--repair' if repairs else ''}",
        "",
    ]
    keeps_input = chained and row.reads_stdin
    if chained:
        parts += _chained(hook, keeps_input=keeps_input)
    # Whoever pushes must not skip what guards the server, whatever of his environment comes along.
    parts += [*(() if row.on_server else _skipping(row)), *_starting(row, names)]
    if hook == "pre-commit":
        parts += _asking(stores)
    parts += _ending(keeps_input=keeps_input)
    return "\n".join(parts) + "\n"


def _chained(hook: str, *, keeps_input: bool) -> list[str]:
    """Run the hook that stood here before, as git would have; its refusal stands."""
    lines = [
        "# The hook that was here before runs first; what it refuses is refused.",
        "case $0 in */*) here=${0%/*} ;; *) here=. ;; esac",
        f"before=$here/{hook}{CHAINED_SUFFIX}",
    ]
    if keeps_input:
        lines += ["input=$(cat)", 'said() { [ -z "$input" ] || printf \'%s\\n\' "$input"; }']
    run = 'said | "$before" "$@" || exit' if keeps_input else '"$before" "$@" || exit'
    return [*lines, 'if [ -f "$before" ] && [ -x "$before" ]; then', f"  {run}", "fi", ""]


def _skipping(hook: Hook) -> list[str]:
    """Heed ``SKIP`` as the frameworks do: ids with commas between them, blanks ignored."""
    return [
        "# SKIP=<hook id>[,<hook id>] skips, as it does under pre-commit and prek.",
        'if [ -n "${SKIP-}" ]; then',
        "  set -f",
        "  IFS=', '",
        "  for id in $SKIP; do",
        f'    if [ "$id" = {hook.id} ]; then',
        f'      echo "jit-hooks: {hook.name} skipped, because SKIP names {hook.id}" >&2',
        "      exit 0",
        "    fi",
        "  done",
        "  unset IFS",
        "  set +f",
        "fi",
        "",
    ]


def _starting(hook: Hook, stores: list[str]) -> list[str]:
    """The function that becomes Python; it is told of each store by the name of a variable."""
    told = " ".join(f'--store "${name}"' for name in stores)
    way_round = f"; way round in an emergency: {hook.way_round}" if hook.way_round else ""
    return [
        "judge() {",
        '  if [ ! -x "$interpreter" ] || [ ! -f "$package/jit_hooks/hooks/entry.py" ]; then',
        f"    gone='{hook.name} cannot judge, for this is gone:'",
        f"    mend='to fix: jit-hooks install{way_round}'",
        """    printf 'jit-hooks: %s %s; %s\\n' "$gone" "$interpreter with $package/jit_hooks" "$mend" >&2""",
        f"    exit {0 if hook.only_tells else 3}",
        "  fi",
        '  exec "$interpreter" -I -S -c \\',
        f"    '{START}' \\",
        f'    "$package" {hook.name} {told} $repair "$@"',
        "}",
        "",
    ]


def _asking(stores: tuple[str, ...]) -> list[str]:
    """Ask git once whether the commit touches the store; end here when it does not.

    git sets no ``GIT_DIR`` in the main worktree and an absolute one in a linked worktree or a submodule. A merge
    that is being concluded is always judged, and so is a commit that is picked, reverted or rebased: where a merge
    driver is missing, git keeps our side and nothing is staged, so only what git keeps meanwhile tells of the loss.
    On an unborn branch ``diff-index`` fails, and Python is asked.
    The names in the answer are read by Python unless git had to quote one, or it is about several stores.
    """
    asked = dict.fromkeys(pathspec for store in stores for pathspec in Repository(Git(), store).pathspecs())
    pathspecs = " ".join(shlex.quote(pathspec) for pathspec in asked)
    passing_on = [
        "  case $staged in",
        """    *'\t"'*) ;;""",
        '    *) judge --diff-on-stdin "$@" <<END',
        "$staged",
        "END",
        "    ;;",
        "  esac",
    ]
    return [
        "# Nothing staged in the store, no merge or pick being concluded: nothing to judge. Any other answer goes on.",
        'if [ -n "${GIT_DIR-}" ]; then',
        "  place=$GIT_DIR",
        "elif [ -d .git ]; then",
        "  place=.git",
        "else",
        "  place=$(git rev-parse --git-dir) || place=.",
        "fi",
        "concluded=",
        f"for name in {' '.join(UNDER_WAY)}; do",
        '  if [ -e "$place/$name" ]; then concluded=yes; fi',
        "done",
        "unset GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS",
        'if [ -z "$concluded" ] && [ -e "$place/HEAD" ] &&',
        f"  staged=$(git diff-index --cached --raw --no-abbrev --no-renames {EVERY_LINK} HEAD -- \\",
        f"    {pathspecs} 2>/dev/null); then",
        '  [ -n "$staged" ] || exit 0',
        *(passing_on if len(stores) == 1 else ()),
        "fi",
    ]


def _ending(*, keeps_input: bool) -> list[str]:
    if not keeps_input:
        return ['judge "$@"']
    return ['if [ -z "$input" ]; then', '  judge "$@" </dev/null', "fi", 'judge "$@" <<END', "$input", "END"]


def read_signature(text: str) -> Signature | None:
    """The facts that a hook script states of itself; None when it is not ours."""
    signed = _SIGNED.search(text[:4096])
    if signed is None:
        return None
    first, *others = _values_of("store", text)
    return Signature(
        signed["hook"],
        signed["version"],
        _values_of("interpreter", text)[0],
        _values_of("package", text)[0],
        first,
        tuple(other.partition("=")[2] for other in others),
        _values_of("repair", text)[0] == "--repair",
    )


def _values_of(name: str, text: str) -> list[str]:
    """The words of the line that sets a variable, its value first; empty where it cannot be read."""
    found = re.search(rf"^{name}=(.*?)\n(?=[a-z]+=|\n)", text, re.MULTILINE | re.DOTALL)
    try:
        return (shlex.split(found[1]) if found else []) or [""]
    except ValueError:
        return [""]
