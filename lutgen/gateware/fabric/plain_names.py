"""Verilog text in plain names, as a build hands it on.

Yosys' writer leaves names that Verilog allows only behind a backslash (``\\$127``,
``\\payload.last``, ``module \\top.core``), and attributes that tell Yosys, on wires, what a
register elsewhere starts with.  Both are legal; but lint, coverage and waveform tools stumble over
the first, and a synthesiser may look for a register behind the second where there is none.
"""

import re

__all__ = ["MODULE_SEPARATOR", "plain_names"]

#: Between a module's name and its parent's.
MODULE_SEPARATOR = "__"

#: An escaped name goes up to a blank, which belongs to it.
_ESCAPED = re.compile(r"\\(\S+)(?: |(?=\n))")
_WORD = re.compile(r"[A-Za-z_]\w*")
_MODULE = re.compile(r"^module (\\?)([^\s(]+)", re.M)
#: Of a wire or a port.  A register says itself what it starts with: ``reg a = 1'h0;``.
_INIT = re.compile(r"^ *\(\* init = [^\n]* \*\)\n", re.M)
#: What makes simulators run every ``always @*`` of a module once at the start.
_START = re.compile(r"\$auto\$verilog_backend\.cc:\d+:dump_module\$")
_STARTED = re.compile(rf"^( *)reg (\\{_START.pattern}\d+ ) *= 0;$", re.M)
#: A block that Yosys writes without asking for that.
_BARE = re.compile(r"^( *)always @\*\n *(\S.*;)$", re.M)


def plain_names(verilog: str, top: str, wanted: str) -> str:
    """Return the same design in names that need no backslash, and without ``init`` on wires.

    What starts every ``always @*`` does so in SystemVerilog, too: there a register's initial value
    is no event, so that a block whose inputs are all registers would leave its output unknown.  A
    nonblocking assignment is one, and comes when all blocks wait.

    ``$127`` becomes ``n127``, ``payload.last`` becomes ``payload_last``, and a module
    ``top.core.coder`` becomes ``wanted__core__coder``; where such a name is taken, a number
    follows.  An escaped name becomes the same one in all modules, so ports stay connected.

    Parameters
    ----------
    verilog : str
        Text that Amaranth wrote, see `.verilog.to_verilog`.
    top, wanted : str
        What the names of all modules begin with, and what they shall begin with.

    Raises
    ------
    ValueError
        If the name of a module begins with anything else.
    """
    verilog = "endmodule".join(map(_start_blocks, _INIT.sub("", verilog).split("endmodule")))
    taken = set(_WORD.findall(_ESCAPED.sub(" ", verilog)))
    names: dict[str, str] = {}

    def add(name: str, plain: str) -> None:
        names[name], number = plain, 1
        while names[name] in taken:
            number += 1
            names[name] = f"{plain}_{number}"
        taken.add(names[name])

    words = {}
    for escape, name in _MODULE.findall(verilog):
        if not name.startswith(top):
            raise ValueError(f"module names must begin with {top!r}, not as {name!r}")
        new = wanted + name.removeprefix(top).replace(".", MODULE_SEPARATOR)
        if escape:
            add(name, re.sub(r"\W", "_", new))
        else:
            words[name] = new
    for name in _ESCAPED.findall(verilog):
        if name not in names:
            add(name, _plain(name))
    text = _ESCAPED.sub(lambda match: names[match[1]], verilog)
    return re.sub(rf"\b(?:{'|'.join(words)})\b", lambda match: words[match[0]], text)


def _start_blocks(module: str) -> str:
    """The text of a module whose blocks all run once at the start."""
    if not (start := _STARTED.search(module)):
        return module

    def block(match: re.Match) -> str:
        indent, statement = match.groups()
        lines = ["always @* begin", f"  if ({start[2]}) begin end", f"  {statement}", "end"]
        return "\n".join(indent + line for line in lines)

    return _STARTED.sub(r"\1reg \2;\n\1initial \2 <= 1'h0;", _BARE.sub(block, module))


def _plain(name: str) -> str:
    """A word like ``name``, which is no keyword of any Verilog."""
    plain = re.sub(r"\W+", "_", _START.sub("start_", name)).strip("_")
    if plain[:1].isdigit():
        plain = f"n{plain}"
    return plain if re.search(r"[\d_]", plain) else f"{plain}_"
