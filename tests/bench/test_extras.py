"""Programs that measure, where torch is missing: one line, and status 2."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def bare(tmp_path):
    """Run a module where torch cannot be imported."""
    (tmp_path / "torch.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    )
    root = Path(__file__).parents[2]

    def run(module: str, *arguments):
        env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)], env=env, cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("name", ["gap", "loclic", "slim", "tans"])
def test_program_needs_torch_to_begin(bare, name):
    found = bare(f"bench.{name}", "--help")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: the package torch is missing, which the extra train ")
    assert found.stderr.count("\n") == 1


def test_program_needs_torch_to_measure(bare, tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "pictures" / "a.png")
    assert bare("bench.loclic_baselines", "--help").returncode == 0
    found = bare("bench.loclic_baselines", tmp_path / "pictures", "--out", tmp_path)
    assert found.returncode == 2
    *_, line = found.stderr.splitlines()
    assert line.startswith("error: the package ") and " which the extra train brings" in line
    assert "Traceback" not in found.stderr


def test_other_errors_are_told_in_full(bare, tmp_path):
    (tmp_path / "other.py").write_text(
        "import sys\nargv, sys.argv[0] = sys.argv[0], '-m'\nimport bench\nsys.argv[0] = argv\n"
        "import nowhere\n"
    )
    found = bare("other")
    assert found.returncode == 1 and "Traceback" in found.stderr
    assert "No module named 'nowhere'" in found.stderr
