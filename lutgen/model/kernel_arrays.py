"""A model as the compiled kernels take it: plain arrays in tuples.

See :mod:`lutgen.codec.kernel`.
"""

import numpy as np

from .constraint import exponents
from .head import SYMBOLS
from .model import Model
from .netlist import Netlist
from .upsample import GROUPS

__all__ = ["arm_arrays", "ups_arrays"]


def _circuit(net: Netlist) -> tuple:
    """A network as the kernels take it."""
    inputs = np.ascontiguousarray(net.inputs, dtype=np.int64).reshape(-1, 2)
    order = np.argsort(inputs[:, 0], kind="stable")
    first = np.searchsorted(inputs[order, 0], np.arange(net.features + 1))
    fanin = np.ascontiguousarray(net.fanin, dtype=np.int64)
    used = fanin != 0
    # A table's trailing pins may be tied to 0: only pins up to the last used one are read.
    pins = np.where(used.any(axis=1), 6 - np.argmax(used[:, ::-1], axis=1), 1)
    return (
        first.astype(np.int64), 2 + order.astype(np.int64), inputs[order, 1].copy(),
        pins.astype(np.int64), fanin, np.ascontiguousarray(net.tables, dtype=np.uint64),
    )  # fmt: skip


def arm_arrays(model: Model) -> tuple:
    """The autoregressive model: ``arm`` of the kernels."""
    net = model.network
    return (
        np.array(model.window.offsets, dtype=np.int64), model.window.causal,
        _circuit(net), model.head.readout(net.outputs), _walker_arrays(model),
        np.ascontiguousarray(model.head.cumulative, dtype=np.int64),
        exponents(model.head.cumulative) if model.constraint
        else np.zeros((0, SYMBOLS), dtype=np.uint8),
    )  # fmt: skip


def ups_arrays(model: Model) -> tuple:
    """The upsampling model: ``ups`` of the kernels, empty without levels."""
    if not model.levels:
        nothing = Netlist(1, [], [], [], {})
        none = np.zeros(0, dtype=np.int64)
        values = np.zeros((4, 1), dtype=np.uint8)
        return none.reshape(0, 2), _circuit(nothing), none, np.zeros(5, np.int64), values
    outputs = model.upsampler.network.outputs
    bits = [len(outputs[name]) for name in GROUPS]
    values = np.zeros((4, max(bits) + 1), dtype=np.uint8)
    for row, table in zip(values, model.upsampler.values, strict=True):
        row[: len(table)] = table
    return (
        np.array(model.upsampler.offsets, dtype=np.int64),
        _circuit(model.upsampler.network),
        np.concatenate([outputs[name] for name in GROUPS]).astype(np.int64),
        np.cumsum([0, *bits]), values,
    )  # fmt: skip


def _walker_arrays(model: Model) -> tuple:
    if model.walker is None:
        empty = np.zeros((0, 4), dtype=np.int64)
        return np.zeros(0, dtype=np.int64), empty, empty, empty
    stages = model.walker.stages
    first = np.cumsum([0] + [s.records for s in stages[:-1]]).astype(np.int64)
    child = [
        s.child if s.last else np.repeat(s.child[:, None], 4, axis=1) for s in stages
    ]
    return (
        first,
        np.concatenate([s.feature for s in stages]).astype(np.int64),
        np.concatenate([s.threshold for s in stages]).astype(np.int64),
        np.concatenate(child).astype(np.int64),
    )
