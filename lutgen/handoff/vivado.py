"""All files that a build writes for Vivado."""

from collections.abc import Mapping, Sequence

from lutgen.registers.register_map import RegisterMap
from lutgen.targets import Target

from .ip_xact import Identity, component_xml
from .package_tcl import gui_tcl, package_tcl
from .synth_tcl import synth_tcl
from .xdc import clock_xdc, io_xdc

__all__ = ["vivado_files"]


def vivado_files(
    record: Mapping,
    target: Target,
    modules: Mapping[str, Sequence[Mapping]],
    verilog: Sequence[str],
    tables: Sequence[str],
    maps: Mapping[str, RegisterMap] | None = None,
) -> dict[str, str]:
    """Constraints, scripts and IP description of a build: text by file name.

    Parameters
    ----------
    record:
        ``build.json`` as far as it is known.
    target:
        Device.
    modules:
        Ports of each module, as in ``build.json``, the top among them.
    verilog, tables:
        Verilog in order of compilation, and the files that it reads.
    maps:
        Registers of the top's AXI4-Lite slaves by the interface's name.

    Raises
    ------
    InputError
        If a name is more than an identifier, or a module lacks clock or reset.
    """
    top = Identity.of(record).name
    return {
        "lutgen.xdc": clock_xdc(target),
        **{f"{name}_ooc.xdc": io_xdc(target, name, ports) for name, ports in modules.items()},
        "synth_ooc.tcl": synth_tcl(record, target, list(modules), tables),
        "package_ip.tcl": package_tcl(record, target, top, modules[top], tables, maps),
        "xgui.tcl": gui_tcl(record),
        "component.xml": component_xml(
            Identity.of(record), top, modules[top], verilog, tables, "xgui.tcl", maps
        ),
    }
