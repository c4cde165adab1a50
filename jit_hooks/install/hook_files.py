"""Put the hook scripts where git runs them, and take them away again.

Nothing is ever written over a hook that is not ours: it is refused, or stands aside under another name, runs first
and comes back byte for byte. Every write is a new file renamed into place, so whatever happens there is a whole
hook, the old one or the new one.
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager

import jit_hooks
from jit_hooks.disk.replacing import atomic_write
from jit_hooks.errors import InstallError, StorageError, UsageError
from jit_hooks.git.hooks import HOOKS
from jit_hooks.install.gate import (
    CHAINED_SUFFIX,
    script,
)
from jit_hooks.install.hook_place import LEGACY_SUFFIX, Found, HookPlace, find_hook, find_hook_place
from jit_hooks.install.merge_driver import install_driver, stores_of, uninstall_driver
from jit_hooks.journal.exclude import exclude, exclude_path, unexclude
from jit_hooks.place import is_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


_REWRITING = ("husky", "lefthook")
"""Those that write their scripts anew whenever they like: what is put in their place goes without a word."""


def install_merge_driver(where: str = "") -> list[str]:
    """Set up the merge driver alone: for a repository whose hooks something else runs; what was done, in lines.

    Raises:
        InstallError: it cannot be written.
    """
    place = find_hook_place(where)
    with _refusing("write", place.common):
        return [f"merge driver: {install_driver(place, package_parent())}"]


def install(where: str = "", *, chain: bool = False, repair: bool = False) -> list[str]:
    """Install the hooks, all of them or none, and the merge driver.

    Args:
        where: a directory in the repository; empty for the current one.
        chain: whether a hook that is not ours is moved aside and run first.
        repair: whether the hooks that refuse a commit repair the worktree, too.

    Returns:
        Lines that say what was done.

    Raises:
        InstallError: something stands in the way; nothing was written.
    """
    place = find_hook_place(where)
    if place.is_shared:
        raise _shared(place)
    there = {hook: find_hook(os.path.join(place.directory, hook)) for hook in place.hook_ids}
    _refuse_foreign(place, there, chain=chain)
    known = f"the store{'s are' if place.further else ' is'} {', '.join(place.stores)}"
    absent = f"there is no store yet: what they will guard is {place.store}"
    lines = [f"hooks are in {place.shown(place.directory)}, {known if place.has_store else absent}"]
    with _refusing("write", place.directory):
        os.makedirs(place.directory, exist_ok=True)
        for hook, found in there.items():
            lines.append(f"{hook}: {_install_one(place, hook, found, repairs=repair)}")
        lines.append(f"merge driver: {install_driver(place, package_parent())}")
        lines.extend(_exclude(place))
    if _is_fleeting(os.path.abspath(sys.executable)):
        lines.append(
            f"{sys.executable} lies in a cache: when it is swept away the hooks refuse every commit of the store;"
            " install jit-hooks for good (pip, pipx, uv tool), then install the hooks again"
        )
    if place.hooks_path and not os.path.isabs(os.path.expanduser(place.hooks_path)):
        lines.append(
            f"core.hooksPath is {place.hooks_path}, which every worktree has for itself:"
            " a worktree that lacks the directory runs no hook at all"
        )
    return lines


def _exclude(place: HookPlace) -> list[str]:
    """Keep out of commits what trackers and repairs leave beside the stores; a line where that is news."""
    if place.is_bare:
        return []
    shown = place.shown(exclude_path(place.common))
    try:
        written = [exclude(place.common, store) for store in stores_of(place)]
    except StorageError as error:
        return [f"{shown}: not changed: {error}"]
    return [f"{shown}: lists what trackers and repairs leave beside the store"] if any(written) else []


def uninstall(where: str = "") -> list[str]:
    """Take our hooks and the merge driver away, and bring back the hooks that stood aside for ours.

    Returns:
        Lines that say what was done.
    """
    place = find_hook_place(where)
    lines: list[str] = []
    with _refusing("change", place.directory):
        for directory in dict.fromkeys((place.directory, place.usual)):
            lines.extend(_uninstall_one(place, directory, name) for name in list(_names_of_ours(directory)))
        lines.extend(uninstall_driver(place))
        if unexclude(place.common):
            lines.append(f"{place.shown(exclude_path(place.common))}: our lines are taken away")
    return lines or ["nothing to take away: none of our hooks is installed"]


def script_for(place: HookPlace, hook: str, *, chained: bool, repairs: bool) -> str:
    """The script that belongs into a place when this Python, with this package, is to judge."""
    if not sys.executable:
        raise UsageError("this Python does not know where it lies, so no hook can start it")
    # A virtual environment's own python: the one it links to has other packages.
    interpreter = os.path.abspath(sys.executable)
    version, further = jit_hooks.__version__, place.further
    return script(
        hook, interpreter, package_parent(), place.store, version, chained=chained, repairs=repairs, further=further
    )


def package_parent() -> str:
    """The directory that holds this package, absolute."""
    return os.path.dirname(os.path.dirname(os.path.abspath(jit_hooks.__file__)))


def _install_one(place: HookPlace, hook: str, found: Found, *, repairs: bool) -> str:
    path = os.path.join(place.directory, hook)
    aside = path + CHAINED_SUFFIX
    if found.kind == "foreign" and not os.path.lexists(aside):
        # Two names for a moment, so that no instant is without a hook; the new one then takes the first name.
        _link(path, aside)
    chained = os.path.lexists(aside)
    text = script_for(place, hook, chained=chained, repairs=repairs and HOOKS[hook].may_repair)
    is_executable = found.kind == "ours" and os.access(path, os.X_OK)
    if found.text == text and is_executable:
        return "already installed"
    atomic_write(path, os.fsencode(text), mode=0o755, over_link=True)
    then = f"; the hook that was there runs first, as {hook}{CHAINED_SUFFIX}" if chained else ""
    if found.signature is not None and found.signature.version != jit_hooks.__version__:
        return f"installed in place of version {found.signature.version}{then}"
    return f"installed{then}"


def _uninstall_one(place: HookPlace, directory: str, name: str) -> str:
    path = os.path.join(directory, name)
    aside = os.path.join(directory, name.removesuffix(LEGACY_SUFFIX) + CHAINED_SUFFIX)
    if os.path.lexists(aside):
        os.replace(aside, path)
        _sync(directory)
        return f"{place.shown(path)}: the hook that was there before is back"
    os.unlink(path)
    _sync(directory)
    return f"{place.shown(path)}: taken away"


def _names_of_ours(directory: str) -> Iterator[str]:
    """Names in a hook directory that are ours to take away or to bring back."""
    for hook in HOOKS:
        found = find_hook(os.path.join(directory, hook))
        aside = os.path.lexists(os.path.join(directory, hook + CHAINED_SUFFIX))
        if found.kind == "ours" or (found.kind == "absent" and aside):
            yield hook
        elif find_hook(os.path.join(directory, hook + LEGACY_SUFFIX)).kind == "ours":
            yield hook + LEGACY_SUFFIX


def _refuse_foreign(place: HookPlace, there: dict[str, Found], *, chain: bool) -> None:
    """Refuse when a hook stands in the way, all of them in one message."""
    foreign = {hook: found for hook, found in there.items() if found.kind == "foreign"}
    frameworks = sorted({found.framework for found in foreign.values() if found.framework})
    for framework in frameworks:
        if framework in _REWRITING:
            message = f"{framework} runs the hooks here and writes them anew, so that nothing of ours lasts in"
            message += f" {place.shown(place.directory)}: its own files have to call `jit-hooks HOOK`"
            message += " (docs/how-to/hook-managers.md)"
            raise InstallError(message, way_in(place, framework))
    for hook in foreign:
        path = os.path.join(place.directory, hook)
        if os.path.isdir(path) and not os.path.islink(path):
            raise InstallError(f"{place.shown(path)} is a directory")
        aside = path + CHAINED_SUFFIX
        if chain and os.path.lexists(aside) and not os.path.samestat(os.lstat(aside), os.lstat(path)):
            raise InstallError(
                f"{place.shown(path)} is not ours, and {hook}{CHAINED_SUFFIX} is taken by another one:"
                " merge the two by hand, then install again"
            )
    if not foreign or chain:
        return
    names = ", ".join(place.shown(os.path.join(place.directory, hook)) for hook in foreign)
    message = f"another hook stands here: {names}"
    if frameworks:
        ids = ", ".join(place.hook_ids[hook] for hook in foreign)
        of = " and ".join(frameworks)
        message += f" (of {of}; instead of chaining, you can list {ids} in its configuration,"
        message += " and run jit-hooks install --merge-driver)"
    raise InstallError(message, way_in(place, ""))


def way_in(place: HookPlace, framework: str) -> str:
    """The command that puts ours beside the hooks of a framework, or of nobody in particular."""
    if framework not in _REWRITING:
        return f"jit-hooks install --chain{place.given}"
    driver = f"jit-hooks install --merge-driver{place.given}"
    if framework == "lefthook":
        return f"lefthook install, once they stand in lefthook.yml; then {driver}"
    files = shlex.quote(os.path.dirname(place.shown(place.directory)))
    each = f"""echo "jit-hooks $hook "'"$@"' >>{files}/$hook"""
    return f"for hook in {' '.join(place.hook_ids)}; do {each}; done; {driver}"


def _shared(place: HookPlace) -> InstallError:
    if place.hooks_path:
        why = f"core.hooksPath ({place.scope} configuration) is {place.hooks_path}"
    else:
        why = f"{place.shown(place.directory)} leads to {os.path.realpath(place.directory)}"
    own = place.usual if place.hooks_path else os.path.join(place.common, "own-hooks")
    return InstallError(
        f"{why}, a directory that other repositories may share; it is not written to."
        " To give this repository a hook directory of its own, in place of that one:",
        f"git -C {shlex.quote(place.top)} config --local core.hooksPath {shlex.quote(own)}"
        f" && jit-hooks install{place.given}",
    )


def _is_fleeting(interpreter: str) -> bool:
    """True if a Python lies in a cache, as under ``uvx`` and ``pipx run``: it may be swept away any day."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return is_below(interpreter, cache) or "/.cache/" in interpreter


@contextmanager
def _refusing(what: str, where: str) -> Iterator[None]:
    """Say as an ``InstallError`` what the system does not let be done."""
    try:
        yield
    except StorageError as error:
        raise InstallError(str(error)) from error
    except OSError as error:
        raise InstallError(f"cannot {what} {error.filename or where}: {error.strerror}") from error


def _link(path: str, aside: str) -> None:
    try:
        os.link(path, aside, follow_symlinks=False)
    except FileExistsError:
        raise InstallError(f"{aside} has appeared meanwhile: another install is at work", "jit-hooks install") from None
    except (NotImplementedError, OSError):
        # Some file systems know no second name, and some systems none for a link.
        os.rename(path, aside)


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
