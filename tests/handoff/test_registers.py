"""C header and register page against the map, the header by a compiler's own opinion."""

import re
import shutil
import subprocess

import pytest

from lutgen.gateware.ip.build_map import build_map
from lutgen.handoff.registers import c_header, register_page, register_texts
from lutgen.registers.register_map import MAPS
from tests.gateware.tops import tops

CONFIGS = ("plain", "two levels")


@pytest.fixture(params=[(name, config) for name in MAPS for config in CONFIGS], ids="-".join)
def registers(request):
    name, config = request.param
    return build_map(name, tops(config).config)


def compiled(source: str, folder, *options: str) -> subprocess.CompletedProcess:
    path = folder / "program.c"
    path.write_text(source)
    gcc = shutil.which("gcc")
    assert gcc, "gcc must be installed, which the simulator needs anyway"
    command = [gcc, "-Wall", "-Wextra", "-Werror", "-pedantic", "-std=c99", *options, str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def test_header_compiles(registers, tmp_path):
    """On its own and twice, with the struct's members where the offsets are."""
    file = f"lutgen_{registers.name}_registers.h"
    (tmp_path / file).write_text(register_texts(registers, "lutgen")[file])
    prefix = f"LUTGEN_{registers.name.upper()}"
    lines = [f'#include "{file}"', f'#include "{file}"', "#include <stddef.h>"]
    for register in registers:
        name = f"{prefix}_{register.name.upper()}"
        checks = {
            f"{name}_OFFSET": register.offset,
            f"{name}_AFTER_RESET": register.reset,
            f"offsetof(struct lutgen_{registers.name}_registers, {register.name})": register.offset,
        }
        for field in register.fields:
            checks[f"{name}_{field.name.upper()}_MASK"] = field.mask
            checks[f"{name}_{field.name.upper()}_SHIFT"] = field.low
        for k, (left, right) in enumerate(checks.items()):
            lines.append(f"typedef char {name}_{k}[({left}) == {right}u ? 1 : -1];")
    lines.append(f"extern volatile struct lutgen_{registers.name}_registers *at;")
    result = compiled("\n".join(lines) + "\n", tmp_path, "-fsyntax-only")
    assert result.returncode == 0, result.stderr
    wrong = "\n".join([*lines, "typedef char wrong[2 + 2 == 5 ? 1 : -1];"]) + "\n"
    assert compiled(wrong, tmp_path, "-fsyntax-only").returncode != 0


def test_constant_registers_cannot_be_written(registers, tmp_path):
    file = f"lutgen_{registers.name}_registers.h"
    (tmp_path / file).write_text(c_header(registers, "lutgen"))
    text = (
        f'#include "{file}"\n'
        f"void f(struct lutgen_{registers.name}_registers *at) {{ at->%s = 1u; }}\n"
    )
    assert compiled(text % "control", tmp_path, "-fsyntax-only").returncode == 0
    assert compiled(text % "pixels", tmp_path, "-fsyntax-only").returncode != 0


def test_names_and_lines_of_the_header(registers):
    header = c_header(registers, "lutgen")
    names = re.findall(r"^#define (\w+)", header, re.M)
    assert len(names) == len(set(names))
    assert all(len(line) <= 100 for line in header.splitlines())
    assert header.isascii()


def test_page_has_every_field(registers):
    page = register_page(registers)
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for register in registers:
        assert f"| `{register.offset:#04x}` | [{register.name}](#{register.name}) |" in page
        assert f"\n## {register.name}\n" in page
        for field in register.fields:
            assert any(field.description in row and f" {field.name} " in row for row in rows)
    # All rows of a table are of one length.
    for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
