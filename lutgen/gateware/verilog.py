"""Conversion of Amaranth components to Verilog text.

Yosys' Verilog writer names the ports of nested signatures with two underscores: the stream ``i``
of a component becomes ``i__payload``, ``i__valid`` and ``i__ready``, element 1 of an array of
streams ``i`` becomes ``i__1__payload`` and so on. A clock domain ``sync`` adds ``clk`` and, unless
it is resetless, ``rst``.
"""

from __future__ import annotations

import re

from amaranth.back import verilog
from amaranth.hdl import Elaboratable

__all__ = ["to_verilog"]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def to_verilog(component: Elaboratable, name: str, ports=None) -> str:
    """Return the Verilog text of ``component`` as module ``name``.

    Source locations and Amaranth's own attributes are left out: they would put paths of the
    building machine into the text, and make up half of it.

    Parameters
    ----------
    component : Elaboratable
        A ``wiring.Component``, or any elaboratable together with ``ports``.
    name : str
        Name of the top module; submodules are called ``name.submodule``.
    ports : optional
        Ports of an elaboratable without a signature, as for ``amaranth.back.verilog.convert``.

    Raises
    ------
    ValueError
        If ``name`` is not a plain Verilog identifier.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"module name must be a plain Verilog identifier, not {name!r}")
    return verilog.convert(component, name, ports=ports, emit_src=False, strip_internal_attrs=True)
