"""Netlists built again with other inputs and outputs."""

from collections.abc import Mapping

import numpy as np

from lutgen.model.netlist import Netlist
from lutgen.model.netlist_builder import NetlistBuilder

__all__ = ["rebuilt"]


def rebuilt(netlist: Netlist, thresholds: np.ndarray, outputs: Mapping) -> Netlist:
    """The netlist with other thresholds and other outputs."""
    builder = NetlistBuilder(netlist.features)
    new = [0, 1]
    for feature, threshold in zip(netlist.inputs[:, 0], thresholds, strict=True):
        new.append(builder.input(feature, threshold))
    for pins, table in zip(netlist.fanin.tolist(), netlist.tables.tolist(), strict=True):
        new.append(builder.node([new[pin] for pin in pins], table))
    for name, ids in outputs.items():
        builder.output(name, [new[i] for i in ids.tolist()])
    return builder.build()
