"""Tcl for Vivado: implementation out of context."""

from collections.abc import Mapping, Sequence

from lutgen.constraints import read
from lutgen.targets import Target

from .tcl import PRIMITIVES, heading, word, words

__all__ = ["SAIF_INSTANCE", "synth_tcl"]

#: Where the module is in the files that `lutgen sim` writes.
SAIF_INSTANCE = "lutgen_bench/dut"


def synth_tcl(
    record: Mapping, target: Target, modules: Sequence[str], tables: Sequence[str]
) -> str:
    """``synth_ooc.tcl``: each module out of context, from synthesis to reports, without a project.

    Parameters
    ----------
    record:
        ``build.json``, for the heading.
    target:
        Device; its part is what is implemented for.
    modules:
        Modules that have constraints ``<module>_ooc.xdc``.
    tables:
        Files that the Verilog reads.

    Raises
    ------
    InputError
        If a name would be more than a word to Tcl.
    """
    return heading(record, "Out-of-context synthesis and implementation, without a project.") + (
        read("synth_ooc.tcl").replace("@PART@", word(target.part))
        .replace("@MODULES@", words(modules))
        .replace("@TABLES@", words(tables))
        .replace("@INSTANCE@", SAIF_INSTANCE)
        .replace("@PRIMITIVES@", PRIMITIVES)
    )
