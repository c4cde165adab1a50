"""The wheel carries what it needs: an installed package loads its schemas as a checkout does."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from project import ROOT

from jit_hooks import schemas

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the sdist of this tree."""
    out = tmp_path_factory.mktemp("dist")
    for kind in ("wheel", "sdist"):
        code = f"import sys, hatchling.build as b; print(b.build_{kind}(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(out)], cwd=ROOT, check=True, capture_output=True)
    return out


def test_an_installed_wheel_prints_the_same_schemas(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from jit_hooks import schemas; print(schemas.__file__); "
    code += "sys.stdout.write(''.join(map(schemas.text, schemas.names())))"
    command = [sys.executable, "-I", "-c", code, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    where, _, texts = said.partition("\n")
    assert where == str(tmp_path / "jit_hooks" / "schemas.py")
    assert texts == "".join(map(schemas.text, schemas.names()))


def test_the_wheel_has_no_examples_and_the_sdist_can_test_itself(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert not [name for name in names if "/examples/" in name or name.startswith("tests/")]
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        carried = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        "tests/project/test_package.py",
        "schemas/issue.schema.json",
        "Makefile",
        ".pre-commit-hooks.yaml",
    } <= carried
