"""Guards of a scratch repository: hooks of our own, or those of a framework, started from this checkout."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from git_scratch import run

import jit_hooks
from jit_hooks.git.hooks import HOOK_IDS
from jit_hooks.install.hook_files import install
from jit_hooks.install.hook_place import find_hook_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from git_scratch import Scratch


def native(scratch: Scratch) -> None:
    # The store is found from where the hooks are installed.
    install(str(scratch.data.parent))
    # What is tried here are the hooks: with the merge driver the branches would merge by themselves.
    Path(find_hook_place(str(scratch.data.parent)).common, "info", "attributes").unlink(missing_ok=True)


def framework(name: str) -> Callable[[Scratch], None]:
    """Guard through a framework: hooks as in the manifest, but started from this checkout, so nothing is built."""

    def set_up(scratch: Scratch) -> None:
        start = scratch.top.parent / "start-jit-hooks"
        package = str(Path(jit_hooks.__file__).parents[1])
        body = f"import sys; sys.path.insert(0, {package!r}); from jit_hooks.cli import hooks; hooks()"
        start.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(body)} "$@"\n', encoding="utf-8"
        )
        start.chmod(0o755)
        entries = [
            {
                "id": name_of_hook,
                "name": name_of_hook,
                "entry": f"{shlex.quote(str(start))} {hook}",
                "language": "system",
                "stages": [hook],
                "always_run": True,
                "pass_filenames": False,
                "require_serial": True,
                "verbose": True,
            }
            for hook, name_of_hook in HOOK_IDS.items()
        ]
        config = {"repos": [{"repo": "local", "hooks": entries}]}
        (scratch.top / ".pre-commit-config.yaml").write_text(json.dumps(config), encoding="utf-8")
        if scratch.try_git("rev-parse", "--verify", "--quiet", "HEAD").returncode == 0:
            scratch.record("configure")
        types = [word for hook in HOOK_IDS for word in ("--hook-type", hook)]
        done = run(scratch.top, name, "install", *types)
        assert done.returncode == 0, done.stdout

    return set_up
