"""Every command of the runbook and the tutorial, as it is typed: its exit code, and all that the page shows of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from project import ROOT
from runbook import Block, agrees, blocks_of, commands_in_text, play, stories

if TYPE_CHECKING:
    from pathlib import Path

PAGES = (ROOT / "docs" / "how-to" / "error-recovery.md", ROOT / "docs" / "tutorial.md")
TEXT = PAGES[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "story"),
    [
        pytest.param(page.name, story, id=f"{page.stem}-{story[0].line}")
        for page in PAGES
        for story in stories(page.read_text(encoding="utf-8"))
    ],
)
def test_the_page_shows_what_happens(page: str, story: list[Block], tmp_path: Path) -> None:
    if "pre-commit" in story[0].words and shutil.which("pre-commit") is None:
        pytest.skip("pre-commit is not installed")
    for block, step, status, printed in play(story, tmp_path):
        where = f"{page}:{block.line}: $ {step.command}"
        assert status == step.status, f"{where} ended with {status}:\n{printed}"
        assert agrees(step.says, printed), f"{where} printed:\n{printed}"


def test_no_command_on_the_page_is_untested() -> None:
    typed = {step.command for block in blocks_of(TEXT) for step in block.steps}
    named = commands_in_text(TEXT) - FORBIDDEN
    templates = {command.partition(" CODE")[0] for command in named}
    assert {command for command in templates if not any(each.startswith(command) for each in typed)} == set()
    assert TEXT.count("```console") * 2 == TEXT.count("```")
    assert "\n    $ " not in TEXT


FORBIDDEN = {"git stash", "git checkout", "git reset", "git rm"}
"""What the page names for people to leave alone, or for what they have done."""


def test_what_is_shown_is_compared_whole() -> None:
    assert agrees("one\n...\nthree", "one\ntwo\nthree\n")
    assert agrees("...", "anything")
    assert not agrees("one", "one\ntwo")
    assert not agrees("one...three", "one")
