"""Imports point down, and what is installed is all that there is."""

import ast
import re
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Where each wing of the package stands; those that do not are in `lutgen`.
WINGS = {"constraints": ROOT / "constraints", "sim": ROOT / "sim", "training": ROOT / "training"}
#: Floors of the house from the ground up: a wing imports itself and what is below it.
FLOORS = (
    ("errors",),
    ("constraints", "extras", "files", "names", "registers"),
    ("commands", "model", "targets"),
    ("c", "codec", "formats", "handoff", "synth"),
    ("api", "compare", "gateware", "report", "training"),
    ("build",),
    ("sim",),
    ("cli",),
    ("__main__",),
)
#: Floors of the gateware.
ROOMS = (
    ("fabric",),
    ("streams",),
    ("heads", "lanes"),
    ("coders", "files", "network"),
    ("levels", "prediction", "strips"),
    ("core",),
    ("bands", "engine", "predictive"),
    ("slabs",),
    ("ip",),
)
#: Floors by name, counted from the ground.
WING_FLOOR = {name: k for k, floor in enumerate(FLOORS) for name in floor}
ROOM_FLOOR = {name: k for k, floor in enumerate(ROOMS) for name in floor}
#: Packages that a wing must do without.
WITHOUT = {
    "api": ("amaranth", "torch"),
    "c": ("amaranth", "numba", "torch"),
    "codec": ("amaranth", "torch"),
    "compare": ("amaranth", "torch"),
    "gateware": ("torch",),
    "handoff": ("amaranth", "torch"),
    "model": ("amaranth", "torch"),
    "report": ("amaranth", "torch"),
    "sim": ("torch",),
    "targets": ("amaranth", "torch"),
    "training": ("amaranth",),
}
#: Extras: loaded when a command or a function needs them.
LAZY = ("lutgen.sim", "lutgen.training", "torch")


def wing_files(wing: str) -> list[Path]:
    """Python files of a wing; never none, so that no check passes for want of files."""
    folder = WINGS.get(wing, ROOT / "lutgen" / wing)
    found = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    assert found and all(path.is_file() for path in found), f"{wing} must have Python files"
    return found


def module(path: Path) -> list[str]:
    """The parts of the name that a file is imported by."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts if parts[0] == "lutgen" else ["lutgen", *parts]


@cache  # to parse them takes longer than all that is done with them
def imports(path: Path, *, top_level: bool = False) -> tuple[str, ...]:
    """Absolute names of the modules, and of what is in them, that a file imports."""
    package, names = module(path)[:-1], []
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            names += [f"{name}.{alias.name}" for alias in node.names]
    return tuple(names)


def within(name: str, packages) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


def upward(path: Path, here: str, floor: dict[str, int], prefix: str) -> list[str]:
    """What a file of ``here`` imports from its own floor or from those above."""
    wrong = []
    for name in imports(path):
        place = name.removeprefix(prefix).split(".")[0] if name.startswith(prefix) else here
        if place != here and floor.get(place, -1) >= floor[here]:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("wing", WING_FLOOR)
def test_wings_do_not_look_up(wing):
    for path in wing_files(wing):
        wrong = upward(path, wing, WING_FLOOR, "lutgen.")
        assert not wrong, f"{path} must not import {wrong}"


@pytest.mark.parametrize("room", ROOM_FLOOR)
def test_rooms_of_the_gateware_do_not_look_up(room):
    for path in wing_files(f"gateware/{room}"):
        wrong = upward(path, room, ROOM_FLOOR, "lutgen.gateware.")
        assert not wrong, f"{path} must not import {wrong}"


def test_every_wing_and_room_has_its_floor():
    def inside(folder):
        return {
            path.stem for path in folder.iterdir()
            if path.suffix == ".py" and path.stem != "__init__" or any(path.glob("*.py"))
        }  # fmt: skip

    assert inside(ROOT / "lutgen") == WING_FLOOR.keys()
    assert inside(ROOT / "lutgen" / "gateware") == ROOM_FLOOR.keys()


def test_private_names_stay_in_their_files():
    """Ruff's PLC2701 lets pass what is imported by a relative name."""
    for wing in WING_FLOOR:
        for path in wing_files(wing):
            wrong = [n for n in imports(path) if re.fullmatch(r"_[^_].*", n.rpartition(".")[2])]
            assert not wrong, f"{path} must not import {wrong}: give them a public name"


#: Errors that users do not cause; `lutgen.errors` has those for them.
BUGS = {
    "AttributeError", "Exception", "IndexError", "KeyError", "LookupError", "RuntimeError",
    "TypeError", "ValueError",
}  # fmt: skip
#: Blocks whose users are other blocks; the configuration of a core is checked before.
BLOCKS = {*ROOM_FLOOR} - {"bands", "core", "ip"}
#: A file for boards that have nothing of lutgen, and the process of a simulator.
ALONE = ("handoff/drivers/lutgen_driver.py", "sim/tool/runner.py")


def raised(path: Path) -> list[str]:
    """Names of the exceptions that a file raises, with their lines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and node.exc is not None:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(called, ast.Name) and called.id in BUGS:
                found.append(f"line {node.lineno}: {called.id}")
    return found


def test_errors_for_users_have_their_class():
    """What a command prints as a line about what was given is a `LutgenError`."""
    for wing in WING_FLOOR:
        for path in wing_files(wing):
            inside = path.relative_to(ROOT).parts
            if inside[:2] == ("lutgen", "gateware") and inside[2] in BLOCKS:
                continue
            if not str(path).endswith(ALONE):
                assert not raised(path), f"{path} must raise an error of lutgen.errors"


def test_no_error_is_told_by_its_words():
    """No condition looks at the text of an error that was caught."""
    for wing in WING_FLOOR:
        for path in wing_files(wing):
            assert not told_by_words(path.read_text()), path
    bad = "try:\n    f()\nexcept OSError as e:\n    if 'disk' in str(e):\n        g()\n"
    assert told_by_words(bad) == [4]


def told_by_words(text: str) -> list[int]:
    """Lines of conditions on ``str`` of a caught error."""
    lines = []
    for handler in (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ExceptHandler)):
        for node in ast.walk(handler):
            if isinstance(node, ast.If | ast.IfExp | ast.While):
                lines += [
                    call.lineno for call in ast.walk(node.test)
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
                    and call.func.id in ("str", "repr") and isinstance(call.args[0], ast.Name)
                    and call.args[0].id == handler.name
                ]  # fmt: skip
    return lines


@pytest.mark.parametrize("wing", WITHOUT)
def test_wings_do_without(wing):
    for path in wing_files(wing):
        wrong = [name for name in imports(path) if within(name, WITHOUT[wing])]
        assert not wrong, f"{path} must not import {wrong}"


def test_training_and_simulation_are_optional():
    for wing in WING_FLOOR.keys() - {"sim", "training"}:
        for path in wing_files(wing):
            wrong = [name for name in imports(path, top_level=True) if within(name, LAZY)]
            assert not wrong, f"{path} must import {wrong} where they are used"


def test_no_circles():
    """Files, too, import one another one way, wherever the import stands."""
    files = {
        ".".join(module(path)).removesuffix(".__init__"): path
        for wing in WING_FLOOR for path in wing_files(wing)
    }  # fmt: skip
    arrows = {}
    for name, path in files.items():
        found = set()
        for imported in imports(path):
            while imported not in files and "." in imported:
                imported = imported.rpartition(".")[0]
            if imported in files and imported != name:
                found.add(imported)
        arrows[name] = found
    # What imports nothing that is left, or is imported by nothing that is left, is in no circle.
    while done := [
        name for name, found in arrows.items()
        if not found & arrows.keys() or not any(name in others for others in arrows.values())
    ]:  # fmt: skip
        for name in done:
            del arrows[name]
    assert not arrows, f"these import one another in circles: {sorted(arrows)}"


@pytest.fixture
def setuptools() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


#: Longer than the others: parsers and the writer of files, of which each state is a few lines.
LONG = {"BandPackets", "PacketReader", "PacketWriter"}


def test_elaborate_is_short():
    """What does not fit a screen is told in verbs, methods of their own."""
    lengths = {}
    for path in wing_files("gateware"):
        for kind in ast.walk(ast.parse(path.read_text())):
            if isinstance(kind, ast.ClassDef):
                lengths |= {
                    f"{kind.name} in {path.name}": item.end_lineno - item.lineno + 1
                    for item in kind.body
                    if isinstance(item, ast.FunctionDef) and item.name == "elaborate"
                    and kind.name not in LONG
                }  # fmt: skip
    assert len(lengths) > 50
    assert {name: lines for name, lines in lengths.items() if lines > 90} == {}


def packaged_files() -> dict[Path, str]:
    """What the package holds: files, and the packages that they belong to."""
    found = {}
    for folder in (ROOT / "lutgen", *WINGS.values()):
        for path in folder.rglob("*"):
            kept = path.suffix not in (".so", ".pyd") and "__pycache__" not in path.parts
            if kept and path.is_file() and path.parent not in WINGS:
                found[path] = ".".join(module(path.parent / "x")[:-1])
    assert len(found) > 200
    return found


def test_package_list_is_complete(setuptools):
    assert setuptools["packages"] == sorted(setuptools["packages"])
    assert {*setuptools["packages"]} == {*packaged_files().values()}


def test_every_file_is_installed(setuptools):
    kinds = ["*.py", *setuptools["package-data"]["*"]]
    lost = [str(p) for p in packaged_files() if not any(fnmatch(p.name, kind) for kind in kinds)]
    assert not lost, "package-data in pyproject.toml must name them"


def test_wings_at_the_top_are_found_without_installation(setuptools):
    assert setuptools["package-dir"] == {f"lutgen.{wing}": wing for wing in WINGS}
    for wing, folder in WINGS.items():
        assert (ROOT / "lutgen" / wing).resolve() == folder
