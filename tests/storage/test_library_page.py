"""The examples of the library's page, as they stand there."""

from __future__ import annotations

import doctest
import re
import sys
from typing import TYPE_CHECKING

from git_scratch import run
from project import ROOT

from jit_hooks import storage
from jit_hooks.testing.stores import lay_healthy_store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE = ROOT / "docs" / "reference" / "library.md"
TEXT = PAGE.read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_what_is_typed_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_healthy_store(tmp_path / ".jit")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest("\n".join(examples("pycon")), {}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert (result.failed, result.attempted > 15) == (0, True), "".join(said)


def test_the_example_of_a_test_passes_for_both_trackers(tmp_path: Path) -> None:
    (example,) = examples("python")
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    # A directory of its own: in the shared one it would first clear away what runs before it left.
    own = ("-p", "no:cacheprovider", "--basetemp", str(tmp_path / "own"))
    done = run(tmp_path, sys.executable, "-m", "pytest", "-q", *own, "test_example.py")
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout


def test_the_page_names_all_that_the_library_has() -> None:
    named = set(re.findall(r"`(\w+)[(`]", TEXT))
    assert set(storage.__all__) - named - {"IntegrityProblem"} == set()
