"""Constraints of a build as Xilinx Design Constraints: the clock, and modules out of context."""

import re
from collections.abc import Mapping, Sequence

from lutgen.constraints import read
from lutgen.errors import InputError
from lutgen.targets import Target

__all__ = ["clock_xdc", "io_xdc"]

#: A site of the clock buffers, by how parts begin that have it.  Any site will do: the tool takes
#: the clock's skew and insertion delay from it.
_CLOCK_SITES = {"xc7": "BUFGCTRL_X0Y0"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def clock_xdc(target: Target, clock_port: str = "clk") -> str:
    """Constraint text that asks for the target's clock goal on the top's clock port.

    Written for out-of-context synthesis: read it before `synth_design`, or the mapper will not
    know what to aim at.  InputError if ``clock_port`` is not a plain Verilog identifier.
    """
    _check("clock port", clock_port)
    return (
        read("clock.xdc").replace("@TARGET@", target.name)
        .replace("@MHZ@", f"{target.clock_mhz:g}")
        .replace("@PERIOD@", f"{target.period_ns:.3f}")
        .replace("@CLOCK@", clock_port)
    )  # fmt: skip


def io_xdc(
    target: Target, module: str, ports: Sequence[Mapping], clock_port: str = "clk"
) -> str:
    """Constraint text for one module out of context, to be read after `clock_xdc`'s.

    Inputs and outputs become false paths, and the clock gets a buffer to come from, where one is
    known of the target's family.

    Parameters
    ----------
    target:
        Device.
    module:
        Name of the module, for the heading.
    ports:
        Its ports as in ``build.json``: dicts of ``name``, ``direction`` and ``width``.
    clock_port:
        The one of them that is the clock.

    Raises
    ------
    InputError
        If a name is not a plain Verilog identifier, or the clock is not among the inputs.
    """
    _check("module", module)
    sides: dict[str, list[str]] = {"input": [], "output": []}
    for port in ports:
        _check("port", port["name"])
        sides[port["direction"]].append(port["name"] + "[*]" * (port["width"] > 1))
    if clock_port not in sides["input"]:
        raise InputError(f"clock port must be an input of {module}, not {clock_port!r}")
    sides["input"].remove(clock_port)
    lines = []
    for start, site in _CLOCK_SITES.items():
        if target.part.startswith(start):
            lines += [
                "# Without a place to come from, the clock would have neither skew nor delay.",
                f"set_property HD.CLK_SRC {site} [get_ports {clock_port}]",
                "",
            ]
    for option, names in (("-from", sides["input"]), ("-to", sides["output"])):
        if names:
            lines += [
                f"set_false_path {option} [get_ports {{",
                *(f"  {name}" for name in names),
                "}]",
            ]
    return (
        read("out_of_context.xdc").replace("@MODULE@", module)
        .replace("@CONSTRAINTS@\n", "".join(f"{line}\n" for line in lines))
    )  # fmt: skip


def _check(what: str, name: str) -> None:
    # A name goes into Tcl as it is.
    if not _IDENTIFIER.fullmatch(name):
        raise InputError(f"{what} must be a plain Verilog identifier, not {name!r}")
