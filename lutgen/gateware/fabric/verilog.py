"""Conversion of Amaranth components to Verilog text.

Yosys' Verilog writer names the ports of nested signatures with two underscores: the stream ``i``
of a component becomes ``i__payload``, ``i__valid`` and ``i__ready``, element 1 of an array of
streams ``i`` becomes ``i__1__payload`` and so on. A clock domain ``sync`` adds ``clk`` and, unless
it is resetless, ``rst``.
"""

from __future__ import annotations

import contextlib
import gc
import re

from amaranth.back import verilog
from amaranth.hdl import Elaboratable

from lutgen.files.caches import give_tools_a_cache

__all__ = ["to_verilog"]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def to_verilog(component: Elaboratable, name: str, ports=None) -> str:
    """Return the Verilog text of ``component`` as module ``name``.

    Source locations and Amaranth's own attributes are left out: they would put paths of the
    building machine into the text, and make up half of it.

    Parameters
    ----------
    component : Elaboratable
        A ``wiring.Component``, or any elaboratable together with ``ports``.  Its attribute
        ``fabric``, if it has one, is what all of it is made for; see `.fabric.Fabric`.
    name : str
        Name of the top module; submodules are called ``name.submodule``.  Components that
        ``component`` names in an attribute ``separate``, module -> component, follow.
    ports : optional
        Ports of an elaboratable without a signature, as for ``amaranth.back.verilog.convert``.

    Raises
    ------
    ValueError
        If ``name`` is not a plain Verilog identifier.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"module name must be a plain Verilog identifier, not {name!r}")
    give_tools_a_cache()  # Amaranth's Yosys is one of its tools
    with _patient_collector():
        text = verilog.convert(
            component, name, getattr(component, "fabric", None), ports=ports, emit_src=False,
            strip_internal_attrs=True,
        )  # fmt: skip
    separate = getattr(component, "separate", {})
    return "\n".join([text, *(to_verilog(inner, module) for module, inner in separate.items())])


@contextlib.contextmanager
def _patient_collector():
    """Let garbage wait: elaboration makes millions of objects that live until its end.

    To look through them every 700 new ones, as Python does, is a third of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
