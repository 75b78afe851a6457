"""The clock constraint of a build, as Xilinx Design Constraints."""

import re

from lutgen.targets import Target

__all__ = ["clock_xdc"]


def clock_xdc(target: Target, clock_port: str = "clk") -> str:
    """Constraint text that asks for the target's clock goal on the top's clock port.

    Written for out-of-context synthesis: read it before `synth_design`, or the mapper will not
    know what to aim at.  ValueError if ``clock_port`` is not a plain Verilog identifier.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", clock_port):
        raise ValueError(f"clock port must be a plain Verilog identifier, not {clock_port!r}")
    return (
        f"# Clock goal of target {target.name}: {target.clock_mhz:g} MHz.\n"
        f"create_clock -period {target.period_ns:.3f} -name {clock_port} "
        f"[get_ports {clock_port}]\n"
    )
