"""Imports point one way."""

import ast
from pathlib import Path

import pytest

import lutgen

ROOT = Path(lutgen.__file__).parent
#: What a part of the package must not import, wherever the import stands.
FORBIDDEN = {
    "codec": ("lutgen.gateware", "lutgen.sim", "lutgen.training", "amaranth", "torch"),
    "gateware": ("lutgen.sim", "lutgen.training", "torch"),
    "synth": ("lutgen.sim", "lutgen.training", "torch"),
    "handoff": ("lutgen.gateware", "lutgen.sim", "lutgen.training", "amaranth", "torch"),
    "report": (
        "lutgen.build", "lutgen.gateware", "lutgen.sim", "lutgen.training", "amaranth", "torch",
    ),
    "targets": ("lutgen.gateware", "lutgen.sim", "lutgen.training", "torch"),
    "sim": ("torch",),
}  # fmt: skip
#: The command line alone loads these, when a command needs them.
LAZY = ("lutgen.sim", "lutgen.training", "torch")


def imports(path: Path, *, top_level: bool):
    """Absolute names of the modules that a file imports."""
    package = [*path.relative_to(ROOT.parent).with_suffix("").parts][:-1]
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, packages) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


@pytest.mark.parametrize("part", FORBIDDEN)
def test_parts_do_not_look_up(part):
    for path in (ROOT / part).rglob("*.py"):
        wrong = [n for n in imports(path, top_level=False) if within(n, FORBIDDEN[part])]
        assert not wrong, f"{path} must not import {wrong}"


def test_training_and_simulation_are_optional():
    for path in ROOT.glob("*.py"):
        wrong = [n for n in imports(path, top_level=True) if within(n, LAZY)]
        assert not wrong, f"{path} must import {wrong} where they are used"
