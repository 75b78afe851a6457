"""The README's measured tables are those of the result files, and its commands exist."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.readme import PAGES, fill
from lutgen.cli import main

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_tables_are_the_results(page):
    text = page.read_text()
    assert fill(text) == text, "run: python -m bench.readme"


def test_commands_exist():
    commands = set(re.findall(r"^lutgen (\w+)", README.read_text(), re.M))
    assert commands >= {"train", "eval", "build", "sim", "encode", "decode"}
    for command in sorted(commands):
        assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0
