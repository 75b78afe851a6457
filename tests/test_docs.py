"""The pages for developers name files, modules, commands and headings that exist."""

import re
import shlex
from pathlib import Path

import click
import pytest

from lutgen.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
#: The README's paths are those of a user's own files; its links are checked.
LINKED = [*PAGES, ROOT / "README.md"]

_FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
_SPAN = re.compile(r"`([^`]+)`")
_PATH = re.compile(r"\.?\w[\w.*-]*(/[\w.*-]+)*/?")
#: Names without a folder that are files all the same.
_FILE = re.compile(r"[\w.-]+\.(py|toml|md|v|rdl)|LICENSE")
#: What stands for the name of a file to come, and files that a build writes.
_PLACEHOLDER = "NAME"
_WRITTEN = ("NAME_",)


def spans(text: str) -> list[str]:
    """What stands in backticks, line breaks as spaces, code blocks left out."""
    return [" ".join(s.split()) for s in _SPAN.findall(_FENCED.sub("", text))]


def lines_of_code(text: str) -> list[str]:
    """Spans, and the lines of code blocks cut into commands."""
    blocks = "\n".join(_FENCED.findall(text)).replace("\\\n", " ")
    commands = re.split(r"\n|&&|[|;]|  or  |->|\bT=", blocks)
    return spans(text) + [c.partition(" #")[0].strip().strip('"') for c in commands]


def lost_paths(text: str) -> list[str]:
    """Paths that no file or folder of the checkout has."""
    return [
        s for s in spans(text)
        if _PATH.fullmatch(s) and ("/" in s or _FILE.fullmatch(s)) and not s.startswith(_WRITTEN)
        and not any(ROOT.glob(s.replace(_PLACEHOLDER, "*").rstrip("/")))
    ]  # fmt: skip


def exists(name: str) -> bool:
    """Whether a dotted name is a module or package, or is named in one."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, word = path.parent, re.compile(rf"\b{path.name}\b")
    files = [module.with_suffix(".py"), module / "__init__.py"]
    return any(file.is_file() and word.search(file.read_text()) for file in files)


def lost_modules(text: str) -> list[str]:
    """Modules, of ``python -m`` or by name, and names in them, that do not exist."""
    run = re.findall(r"python -m ((?:bench|lutgen|tests)[\w.]*)", "\n".join(lines_of_code(text)))
    named = [s for s in spans(text) if re.fullmatch(r"lutgen(\.[A-Za-z_]\w*)+", s)]
    return [name for name in run + named if name != "bench.X" and not exists(name)]


def commands(text: str) -> list[list[str]]:
    """Words of each command that begins with ``lutgen``."""
    return [shlex.split(c)[1:] for c in lines_of_code(text) if re.match(r"lutgen [a-z]", c)]


def wrong_commands(text: str) -> list[str]:
    """Commands, and options of them, that ``lutgen`` does not have."""
    wrong = []
    for words in commands(text):
        command, rest = main, list(words)
        while isinstance(command, click.Group) and rest:
            command = command.commands.get(rest.pop(0))
        known = {"--help"} | {o for p in getattr(command, "params", []) for o in p.opts}
        options = {w.partition("=")[0] for w in rest if re.match(r"--?[a-z]", w)}
        if command is None or options - known:
            wrong.append(" ".join(words))
    return wrong


def anchors(page: Path) -> set[str]:
    """Headings of a page as links name them."""
    heads = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path) -> list[str]:
    """Links within the checkout that lead to no file or heading."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", page.read_text())):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if "://" not in link and not (
            target.exists() and (not anchor or anchor in anchors(target))
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_exist(page):
    text = page.read_text()
    assert len(spans(text)) > 10
    assert not lost_paths(text)
    assert not lost_modules(text)
    assert not wrong_commands(text)


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert not broken_links(page)


def test_what_does_not_exist_is_found():
    text = (
        "`lutgen/model/head.py`, `lutgen/model/tail.py`, `nothing.py` and `bench/results/*.json`; "
        "`lutgen.sim.check`, `lutgen.codec.codec.Codec`, `lutgen.codec.codec.Kodec`, "
        "`python -m bench.no`; "
        "`lutgen build --target x`, `lutgen build --colour`, `lutgen loclic\ntrain --steps 1`, "
        "`lutgen loclic paint`\n```sh\nlutgen targets --json && lutgen fly\n```\n"
    )
    assert lost_paths(text) == ["lutgen/model/tail.py", "nothing.py"]
    assert lost_modules(text) == ["bench.no", "lutgen.codec.codec.Kodec"]
    assert wrong_commands(text) == ["build --colour", "loclic paint", "fly"]


def test_floors_are_those_that_are_checked():
    """The tables of floors in development.md, from the top down."""
    from tests.test_architecture import FLOORS, ROOMS

    text = (ROOT / "docs" / "development.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", text, re.M)
    found = [(int(number), tuple(_SPAN.findall(names))) for number, names in rows]
    assert found == [*enumerate(FLOORS, 1)][::-1] + [*enumerate(ROOMS, 1)][::-1]
