"""Bits of registers that never change, proven by ABC for a whole core.

The core is taken as one, as a graph of gates: constants and tables pass through all modules.  Bits
that keep the value of a reset in random simulation are taken for constant all at once, and those
are dropped that could leave it in the next clock, until none is left that could (van Eijk,
"Sequential equivalence checking based on structural similarities", IEEE Trans. CAD 19(7), 2000):
what stays is constant, each with the help of all others.  What is not proven may never change, too.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from lutgen.build.verilog import primitives
from lutgen.files.whole import scratch_folder
from lutgen.sim.tool.design import Design
from lutgen.synth.verilog_text import split_memories
from lutgen.synth.yosys import run_script

__all__ = ["constant_bits"]

#: Memories of as many words give anything in a proof, but for bits that all of their words have; so
#: do primitives, which trained networks are made of, and modules that are cut out.
_WORDS = 256
_ROUND = "opt_dff -nodffe -nosdff; opt_expr -full; opt_clean; "
_READ = (
    "read_verilog design.v; hierarchy -top {top}; proc; "
    # Also registers that nothing reads keep their names.
    "setattr -set keep 1 t:$*dff* %co1:+[Q] w:* %i; delete {cut}; flatten -noscopeinfo; "
    "setundef -undriven -anyseq; opt_expr -full; opt_clean; memory_collect; opt_mem; "
    "delete t:$mem* r:SIZE>={words} %i; "
    # Before anything takes what nobody drives for what suits it.
    f"setundef -undriven -anyseq; memory_map; opt_expr -full; {_ROUND}{_ROUND}"
    "write_json flat.json; simplemap; techmap; dffunmap; setundef -anyseq; aigmap; opt_clean; "
    "write_aiger -zinit -map names design.aig"
)
#: ABC stands inside a pass of Yosys that maps a design, so there must be one.
_SOME = "module some(input a, b, output y); assign y = a & b; endmodule\n"
_PROVE = "read_verilog some.v; proc; techmap; abc -script prove.abc"
_COMMANDS = "backup; read_aiger registers.aig; scorr -k; write_aiger left.aig; restore\n"
#: A condition that is a bit of its own, and what says in registers that it was true, or not.
_CONDITION = re.compile(r"if \((n\d+)\)")
_SEEN = """  reg {name}__on = 1'h0;
  reg {name}__off = 1'h0;
  always @(posedge clk)
    {name}__on <= {name};
  always @(posedge clk)
    {name}__off <= ~{name};
"""
_ENDS = ("__on", "__off")
_INSTANCE = re.compile(r"^  (\w+) (\\\S+|\w+) \($", re.M)
_MODULE = re.compile(r"^module (\w+).*?^endmodule$", re.M | re.S)


def constant_bits(
    design: Design, *, cut: str = "", words: int = _WORDS
) -> dict[str, set[tuple[str, int]]]:
    """Names and bits of registers, of the top's outputs, and of conditions of ``if``, that are
    constant in all instances of a module, by module.

    Parameters
    ----------
    design :
        A core.
    cut :
        End of the names of modules whose outputs may be anything, such as a large network, in which
        nothing is found then; none by default.
    words :
        Memories of as many words may give anything, too, but for bits that all of their words have.

    Raises
    ------
    SynthError
        If Yosys or ABC stops.
    """
    text = "\n".join([*design.whole_texts(), primitives()])
    constant = _constant(_MODULE.sub(_with_conditions, text), design.top, cut, words)
    bodies = {match[1]: match[0] for match in _MODULE.finditer(text)}
    found: dict[str, list[set[tuple[str, int]]]] = defaultdict(list)

    def walk(module: str, path: str) -> None:
        bits = constant[path]
        bits |= {(name.partition("__o")[0], 0) for name, _ in bits if name.endswith(_ENDS)}
        found[module].append({(name, bit) for name, bit in bits if not name.endswith(_ENDS)})
        for inner, name in _INSTANCE.findall(bodies[module]):
            if inner in bodies:
                walk(inner, f"{path}.{name}".strip(".").replace("\\", ""))

    walk(design.top, "")
    return {module: set.intersection(*some) for module, some in found.items()}


def _with_conditions(match: re.Match) -> str:
    """A module with registers behind the conditions that are wires of it."""
    body = match[0]
    if "\n  input clk;\n" not in body:
        return body
    names = [name for name in dict.fromkeys(_CONDITION.findall(body)) if f"  wire {name};" in body]
    seen = "".join(_SEEN.format(name=name) for name in names)
    return body.removesuffix("endmodule") + seen + "endmodule"


def _constant(verilog: str, top: str, cut: str, words: int) -> dict[str, set[tuple[str, int]]]:
    """Names and bits by the path of the instance that they are in."""
    text, contents = split_memories(verilog, "memory")
    found: dict[str, set[tuple[str, int]]] = defaultdict(set)

    def note(name: str, bit: int) -> None:
        path, _, own = name.rpartition(".")
        found[path].add((own, bit))

    with scratch_folder("lutgen-constant-") as work:
        for name, part in {"design.v": text, "some.v": _SOME, **contents}.items():
            (work / name).write_text(part)
        (work / "prove.abc").write_text(_COMMANDS)
        free = " ".join(["t:LUT6", *([f"t:*{cut}"] if cut else [])])
        run_script(work, _READ.format(top=top, cut=free, words=words))
        before = (work / "design.aig").read_bytes()
        outputs = _counts(before)[3]
        (work / "registers.aig").write_bytes(_all_outputs(before))
        run_script(work, _PROVE)
        # False in the graph; a register that a reset sets is inverted there.
        constant = {k for k, literal in enumerate(_outputs(work / "left.aig")) if literal < 2}
        for kind, number, bit, name in _names(work / "names"):
            if number + (outputs if "latch" in kind else 0) in constant:
                note(name, bit)
        # What is plainly constant is no register in the graph.
        nets = json.loads((work / "flat.json").read_text())["modules"][top]["netnames"]
        for name, net in nets.items():
            for bit, what in enumerate(net["bits"]):
                if what in ("0", "1"):
                    note(name, bit)
    return found


def _names(path: Path) -> Iterator[tuple[str, int, int, str]]:
    """Kind, number, bit and name of outputs and registers."""
    for line in path.read_text().splitlines():
        kind, *rest = line.split()
        if kind in ("output", "latch", "invlatch"):
            yield kind, int(rest[0]), int(rest[1]), rest[2]


def _counts(graph: bytes) -> list[int]:
    """Of AIGER's header: the greatest variable, inputs, latches, outputs and gates."""
    return [int(word) for word in graph.split(b"\n", 1)[0].split()[1:6]]


def _all_outputs(graph: bytes) -> bytes:
    """The graph with all registers as outputs, behind its own."""
    most, inputs, latches, outputs, gates = _counts(graph)
    _, *lines = graph.split(b"\n", 1 + latches + outputs)
    more = b"\n".join(b"%d" % (2 * (1 + inputs + k)) for k in range(latches))
    head = b"aig %d %d %d %d %d" % (most, inputs, latches, outputs + latches, gates)
    # Behind the gates stand names of the outputs that there were, which would be read as of others.
    end = 0
    for _ in range(2 * gates):
        while lines[-1][end] & 128:
            end += 1
        end += 1
    return b"\n".join([head, *lines[:-1], more, lines[-1][:end]])


def _outputs(path: Path) -> list[int]:
    """Literals of a graph's outputs."""
    graph = path.read_bytes()
    latches, outputs = _counts(graph)[2:4]
    lines = graph.split(b"\n", 1 + latches + outputs)
    return [int(line) for line in lines[1 + latches : 1 + latches + outputs]]
