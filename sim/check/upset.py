"""A core in which anything may stand when a reset comes, as after power-up in any state.

In simulation registers and memories begin with zeros, and a core that was at rest is reset to what
it is already: a register without its reset is seldom missed.  So a judge's core has one more
input, `UPSET`: a clock in which it is high puts noise into every register of the design.  The
wrapper of the simulation raises it for the clock before each reset, the first one included, and
memories that the core writes begin with noise, too.  What then comes behind the reset shows that
the reset is complete.
"""

from __future__ import annotations

import random
import re
import zlib

from lutgen.errors import InputError
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.harness import UPSET

__all__ = ["upset"]

_MODULE = re.compile(r"^module (\w+)\b.*?^endmodule", re.M | re.S)
_REGISTER = re.compile(r"^(  always @\(posedge clk\)\n +(\\\S+ |\w+) ?<= )([^;]+);", re.M)
_WIDTH = re.compile(r"^  (?:output )?reg (?:\[(\d+):0\] )?(\\\S+ |\w+) ?(?:=[^;\[]*)?;", re.M)
_MEMORY = re.compile(r"^  reg \[(\d+):0\] (\\\S+ |\w+) ?\[(\d+):0\];", re.M)
_NOISE = "upset_noise"
#: Bits of noise, which each register takes from another place and turns around in other places.
_BITS = 64


def upset(design: Design) -> Design:
    """The design with `UPSET`, and with noise in the memories that it writes.

    Parameters
    ----------
    design :
        A core as `lutgen build` writes it, its top without a port of that name.
    """
    texts = [_MODULE.sub(lambda m: _module(m, design.top), text) for text in design.texts]
    return Design.of(texts, design.top)


def _module(match: re.Match, top: str) -> str:
    text = match[0]
    widths = {m[2].strip(): int(m[1] or 0) + 1 for m in _WIDTH.finditer(text)}

    def register(found: re.Match) -> str:
        name = found[2].strip()
        if name not in widths:  # what the model of a primitive keeps
            return found[0]
        noise = _noise(f"{match[1]}.{name}", widths[name], top)
        return f"{found[1]}{top}.{UPSET} ? {noise} : {found[3]};"

    text = _REGISTER.sub(register, text)
    memories = list(_MEMORY.finditer(text))
    for memory in memories:
        text = _filled(text, memory)
    body = text.index(";") + 1
    if memories:
        text = f"{text[:body]}\n  integer {_NOISE}_at;{text[body:]}"
    if match[1] != top:
        return text
    if (head := re.match(r"module (\w+) ?\(", text)) is None:
        raise InputError(f"text must begin with a module and its ports, not {text[:40]!r}")
    return (
        f"module {top}({UPSET}, {text[head.end() : body]}\n"
        f"  input {UPSET};\n"
        f"  reg [{_BITS - 1}:0] {_NOISE}_now = {_BITS}'h9e3779b97f4a7c15;\n"
        f"  wire [{_BITS - 1}:0] {_NOISE}_left = {_NOISE}_now ^ ({_NOISE}_now << 13);\n"
        f"  wire [{_BITS - 1}:0] {_NOISE}_right = {_NOISE}_left ^ ({_NOISE}_left >> 7);\n"
        f"  wire [{2 * _BITS - 1}:0] {_NOISE} = {{2{{{_NOISE}_now}}}};\n"
        f"  always @(posedge clk) {_NOISE}_now <= {_NOISE}_right ^ ({_NOISE}_right << 17);"
        f"{text[body:]}"
    )


def _noise(path: str, width: int, top: str) -> str:
    """Noise for a register: bits of the common word, some of them turned."""
    seed = zlib.crc32(path.encode())
    first, turned = seed % _BITS, random.Random(seed).getrandbits(width)
    parts = [
        f"{top}.{_NOISE}[{first + min(_BITS, width - start) - 1}:{first}]"
        for start in range(0, width, _BITS)
    ]
    return f"{{{', '.join(parts)}}} ^ {width}'h{turned:x}"


def _filled(text: str, memory: re.Match) -> str:
    """The text with noise in a memory, if it is written: others are tables."""
    name = memory[2].strip()
    own = re.escape(name)
    if not re.search(rf"^ +{own} ?\[.*\] <= ", text, re.M):
        return text
    words = -(-(int(memory[1]) + 1) // 32)
    seed = zlib.crc32(name.encode())
    fill = (
        f"for ({_NOISE}_at = 0; {_NOISE}_at <= {memory[3]}; {_NOISE}_at = {_NOISE}_at + 1) "
        f"{memory[2]}[{_NOISE}_at] = {{{words}{{32'h{seed:x} ^ ({_NOISE}_at * 32'h9e3779b1)}}}};"
    )
    return re.sub(rf'\$readmemh\("[^"]+", {own} ?(?:, *\d+, *\d+)?\);', lambda _: fill, text)
