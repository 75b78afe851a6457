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


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_numbers_of_levels_say_how_they_are_counted(page):
    """A carry chain counts as one: nobody shall take LUT levels for Vivado's logic levels."""
    text = page.read_text()
    for number in re.finditer(r"\d+ (LUT|logic) levels|at most \d+ levels", text):
        assert "#levels-between-registers" in text[number.end() : number.end() + 120], number
    for head in re.findall(r"^\|.*levels.*\|$(?=\n\|---)", text, re.M):
        assert "[levels](#levels-between-registers)" in head
    if page.name == "results.md":
        (how,) = re.findall(r"^## Levels between registers\n\n(.*?)\n## ", text, re.M | re.S)
        assert all(word in how for word in ("700 ps", "carry chain", "MUXF", "Vivado"))
