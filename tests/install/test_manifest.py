"""What `.pre-commit-hooks.yaml` offers, and how this repository uses it: only what works is offered."""

from __future__ import annotations

import inspect
import shutil
import subprocess
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from project import ROOT

from jit_hooks.cli import HOOK_BODIES
from jit_hooks.git.hooks import HOOK_IDS, HOOKS

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.git.hooks import Hook

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
CONFIG = ROOT / ".pre-commit-config.yaml"

COMMON: dict[str, object] = {
    # Filters drop deletions: a commit that only deletes issues would pass unseen.
    "always_run": True,
    "pass_filenames": False,
    "require_serial": True,
    # The output of a hook that passes is hidden otherwise, and with it every warning.
    "verbose": True,
}


def load(path: Path) -> Any:
    """A YAML file; the parser comes with pre-commit."""
    return import_module("yaml").safe_load(path.read_text(encoding="utf-8"))


REPAIR = "jit-repair"
"""The id of pre-commit with a repair after a refusal: to be used in place of `jit-check`."""


def test_every_hook_is_offered_once_under_its_id() -> None:
    offered = [hook for hook in load(MANIFEST) if hook["id"] != REPAIR]
    assert {hook["stages"][0]: hook["id"] for hook in offered} == HOOK_IDS
    assert len(offered) == len(HOOK_IDS) == len(load(MANIFEST)) - 1


@pytest.mark.parametrize("hook", load(MANIFEST), ids=lambda hook: hook["id"])
def test_a_hook_of_the_manifest(hook: dict[str, Any]) -> None:
    assert COMMON.items() <= hook.items()
    assert hook["language"] == "python"
    assert hook["minimum_pre_commit_version"] == "3.2.0"
    repairs = " --repair" if hook["id"] == REPAIR else ""
    assert f"jit-hooks {hook['stages'][0]}{repairs}" == hook["entry"]
    assert hook["name"] == hook["id"]
    assert hook["description"].endswith(".")
    assert not {"files", "exclude", "types", "types_or", "args"} & hook.keys()


@pytest.mark.parametrize("hook", HOOKS.values(), ids=lambda hook: hook.name)
def test_every_row_has_its_body(hook: Hook) -> None:
    body = getattr(import_module(f"jit_hooks.hooks.{hook.module}"), hook.name.replace("-", "_"))
    assert list(inspect.signature(body).parameters)[1:] == ["repository"]


def test_every_body_starts_without_typer() -> None:
    assert {*HOOKS, "merge"} == HOOK_BODIES


def test_this_repository_runs_every_hook_on_itself() -> None:
    config = load(CONFIG)
    assert config["default_install_hook_types"] == list(HOOK_IDS)
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    own = {hook["id"]: hook for hook in config["repos"][0]["hooks"]}
    for offered in (hook for hook in load(MANIFEST) if hook["id"] != REPAIR):
        used = own[offered["id"]]
        assert used["entry"] == f".venv/bin/{offered['entry']}"
        assert used["stages"] == offered["stages"]
        assert COMMON.items() <= used.items()


@pytest.mark.parametrize("framework", ["pre-commit", "prek"])
@pytest.mark.parametrize(("command", "path"), [("validate-manifest", MANIFEST), ("validate-config", CONFIG)])
def test_both_frameworks_take_it(framework: str, command: str, path: Path, tmp_path: Path) -> None:
    if shutil.which(framework) is None:
        pytest.skip(f"{framework} is not installed")
    done = subprocess.run([framework, command, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warn" not in (done.stdout + done.stderr).lower()
