"""A model as the compiled kernels of :mod:`lutgen.codec.kernel` take it: arrays in named tuples.

Numba compiles a named tuple as it does a plain one: a name costs nothing at run time.
"""

from typing import NamedTuple

import numpy as np

from .constraint import exponents
from .head import SYMBOLS, OutputArrays
from .model import Model
from .netlist import Netlist
from .netlist_builder import NetlistBuilder

__all__ = [
    "ArmArrays", "CircuitArrays", "UpsArrays", "WalkerArrays", "arm_arrays",
    "ups_arrays",
]  # fmt: skip


class CircuitArrays(NamedTuple):
    """A network of F features, I inputs and N nodes; all but ``tables`` are int64.

    A node reads signals: 0 and 1 are constants, then come the inputs, then the nodes.
    """

    first: np.ndarray  #: (F + 1,): inputs of feature f are those from first[f] to first[f + 1].
    order: np.ndarray  #: (I,): signals of the inputs, in the order of their features.
    thresholds: np.ndarray  #: (I,): in the same order; an input is "feature > threshold".
    pins: np.ndarray  #: (N,): how many pins of each node are used.
    fanin: np.ndarray  #: (N, 6): signals at the pins.
    tables: np.ndarray  #: (N,) uint64.


class WalkerArrays(NamedTuple):
    """The records of all stages of a walker, one after another; int64, empty without one."""

    first: np.ndarray  #: (stages,): first record of each.
    feature: np.ndarray  #: (R, 3)
    threshold: np.ndarray  #: (R, 3)
    child: np.ndarray  #: (R, 4): group of the next stage, in all four, or class by the outcome.


class ArmArrays(NamedTuple):
    """The autoregressive model."""

    offsets: np.ndarray  #: (F / C, 2) int64: row and column of a channel's features from the pixel.
    causal: int  #: Features of a channel that are pixels; the others are of the prior.
    circuit: CircuitArrays
    outputs: OutputArrays  #: Of all channels: ``bits`` and ``more_bits`` have a row for each.
    walker: WalkerArrays
    cumulative: np.ndarray  #: (classes, 257) int64: frequencies.
    exponents: np.ndarray  #: (classes, 256) uint8, see :mod:`.constraint`; of 0 rows without one.


class UpsArrays(NamedTuple):
    """The upsampling model; of a model without levels all of it is empty."""

    offsets: np.ndarray  #: (F / C, 2) int64: the same, from the coarse pixel.
    circuit: CircuitArrays
    bits: np.ndarray  #: (bits,) int64: signals of the groups of output bits, four of each channel.
    first: np.ndarray  #: (4 C + 1,) int64: where each group begins in them.
    values: np.ndarray  #: (4 C, bits + 1) uint8: pixel by the bits that are set.


def _circuit(net: Netlist) -> CircuitArrays:
    inputs = np.ascontiguousarray(net.inputs, dtype=np.int64).reshape(-1, 2)
    order = np.argsort(inputs[:, 0], kind="stable")
    first = np.searchsorted(inputs[order, 0], np.arange(net.features + 1))
    fanin = np.ascontiguousarray(net.fanin, dtype=np.int64)
    used = fanin != 0
    # A table's trailing pins may be tied to 0: only pins up to the last used one are read.
    pins = np.where(used.any(axis=1), 6 - np.argmax(used[:, ::-1], axis=1), 1)
    return CircuitArrays(
        first=first.astype(np.int64),
        order=2 + order.astype(np.int64),
        thresholds=inputs[order, 1].copy(),
        pins=pins.astype(np.int64),
        fanin=fanin,
        tables=np.ascontiguousarray(net.tables, dtype=np.uint64),
    )


def arm_arrays(model: Model) -> ArmArrays:
    """The autoregressive model of a codec model."""
    cumulative = np.ascontiguousarray(model.head.cumulative, dtype=np.int64)
    none = np.zeros((0, SYMBOLS), dtype=np.uint8)
    return ArmArrays(
        offsets=np.array(model.window.offsets, dtype=np.int64),
        causal=model.window.causal,
        circuit=_circuit(model.network),
        outputs=_outputs(model),
        walker=_walker_arrays(model),
        cumulative=cumulative,
        exponents=exponents(model.head.cumulative) if model.constraint else none,
    )


def _outputs(model: Model) -> OutputArrays:
    channels = [model.head.readout(network.outputs) for network in model.channel_networks]
    bits = np.stack([channel.bits for channel in channels])
    more_bits = np.stack([channel.more_bits for channel in channels])
    return channels[0]._replace(bits=bits, more_bits=more_bits)


def ups_arrays(model: Model) -> UpsArrays:
    """The upsampling model of a codec model."""
    upsampler = model.upsampler
    if upsampler is None:
        nothing = NetlistBuilder(1).build()
        none = np.zeros(0, dtype=np.int64)
        return UpsArrays(
            offsets=none.reshape(0, 2), circuit=_circuit(nothing), bits=none,
            first=np.zeros(5, np.int64), values=np.zeros((4, 1), dtype=np.uint8),
        )  # fmt: skip
    outputs, groups = upsampler.network.outputs, upsampler.groups
    bits = [len(outputs[name]) for name in groups]
    values = np.zeros((len(groups), max(bits) + 1), dtype=np.uint8)
    for row, table in zip(values, upsampler.values, strict=True):
        row[: len(table)] = table
    return UpsArrays(
        offsets=np.array(upsampler.offsets, dtype=np.int64),
        circuit=_circuit(upsampler.network),
        bits=np.concatenate([outputs[name] for name in groups]).astype(np.int64),
        first=np.cumsum([0, *bits]),
        values=values,
    )


def _walker_arrays(model: Model) -> WalkerArrays:
    if model.walker is None:
        empty = np.zeros((0, 4), dtype=np.int64)
        return WalkerArrays(np.zeros(0, dtype=np.int64), empty, empty, empty)
    stages = model.walker.stages
    first = np.cumsum([0] + [s.records for s in stages[:-1]]).astype(np.int64)
    child = [
        s.child if s.last else np.repeat(s.child[:, None], 4, axis=1) for s in stages
    ]
    return WalkerArrays(
        first=first,
        feature=np.concatenate([s.feature for s in stages]).astype(np.int64),
        threshold=np.concatenate([s.threshold for s in stages]).astype(np.int64),
        child=np.concatenate(child).astype(np.int64),
    )
