"""Tables of models that code tiles as C, for ``tile_model.h`` of the sources."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lutgen.errors import InputError
from lutgen.model.head import Head, LaplaceHead, TableHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.upsample import GROUPS, Upsampler
from lutgen.model.walker import Walker

from .tables import guesses
from .text import array_text, model_text, opening, struct_text
from .word_program import word_program

__all__ = ["tile_source"]

_VALUES = 256  # of a feature
#: Arrays in C by name: type of an element, values, and what stands behind the first dimension.
_Arrays = dict[str, tuple[str, object, str]]


class _Circuit(NamedTuple):
    """A network in C."""

    arrays: _Arrays
    initialiser: str  #: Of a ``struct lutgen_circuit`` that points at them.
    outputs: list[int]  #: Words in which its outputs are found.
    code: list[str]  #: Its functions.


def tile_source(model: Model, name: str) -> str:
    """``model_NAME.c``: the tables of a model of one channel."""
    arrays, members = _head(model.head, model.network)
    window = model.window
    circuit = _circuit(model.network, model.head.groups, "circuit")
    code = circuit.code
    members = {
        "features": window.features, "causal": window.causal, "offset": "offset",
        "circuit": circuit.initialiser, "levels": model.levels,
        "constraint": int(model.constraint), "border": window.radius, "output": "output",
        **members,
    }  # fmt: skip
    arrays |= {
        "offset": ("int8_t", np.array(window.offsets), "[2]"), **circuit.arrays,
        "output": ("uint32_t", circuit.outputs, ""),
    }  # fmt: skip
    if model.walker:
        first = np.cumsum([0, *(stage.records for stage in model.walker.stages)])[:-1]
        arrays |= {"stage": ("uint32_t", first, ""),
                   "record": ("struct lutgen_record", _records(model.walker), "")}  # fmt: skip
        members |= {"stages": len(first), "stage": "stage", "record": "record"}
    if model.upsampler:
        more, further, own_code = _upsampler(model.upsampler)
        arrays |= more
        code += own_code
        members |= further
        members["border"] = max(window.radius, model.upsampler.radius)
    return "\n".join([
        opening(model.hash, name, "tile_model.h"), *code,
        *(array_text(kind, table, values, shape)
          for table, (kind, values, shape) in arrays.items()),
        struct_text("static const struct lutgen_tile_model", "tiles", members),
        model_text(model.hash, name, {
            "profile": "&lutgen_tile_profile", "tiles": "&tiles", "planes": 1,
        }),
    ])  # fmt: skip


def _head(head: Head, network: Netlist) -> tuple[_Arrays, dict]:
    """Arrays and members of the head; ``output`` has its groups one after the other."""
    arrays: _Arrays
    counts = [len(network.outputs[group]) for group in head.groups]
    members: dict = {"outputs": "{" + ", ".join(map(str, counts)) + "}"}
    if isinstance(head, TableHead):
        arrays = {
            "cumulative": ("uint16_t", head.cumulative, "[LUTGEN_SYMBOLS + 1]"),
            "guess": ("uint8_t", guesses(head.cumulative), "[1 << LUTGEN_GUESS_BITS]"),
        }
        return arrays, members | {"classes": head.classes} | {table: table for table in arrays}
    if not isinstance(head, LaplaceHead):
        raise InputError(f"head of a model in C must be a table or Laplace, not {head.kind!r}")
    arrays = {
        "location": ("uint16_t", head.mu, ""), "scale": ("uint8_t", head.sigma, ""),
        "distribution": ("uint16_t", head.cdf, "[2 * LUTGEN_LOCATIONS]"),
    }  # fmt: skip
    return arrays, members | {table: table for table in arrays}


def _circuit(net: Netlist, groups: Sequence[str], prefix: str) -> _Circuit:
    """A network, whose functions and arrays have names that begin with ``prefix``.

    Inputs are in the order of features and thresholds, so that those of a value are the first ones
    of its feature.
    """
    program = word_program(net, np.concatenate([net.outputs[group] for group in groups]).tolist())
    names = [f"{prefix}_{k}" for k in range(len(program.functions))]
    feature, threshold = np.array(program.inputs, dtype=np.int64).reshape(-1, 2).T
    first = np.searchsorted(feature, np.arange(net.features + 1))
    rank = np.stack([
        np.searchsorted(threshold[a:b], np.arange(_VALUES), side="left")
        for a, b in zip(first[:-1], first[1:], strict=True)
    ])  # fmt: skip
    arrays: _Arrays = {
        f"{prefix}_first": ("uint32_t", first, ""),
        f"{prefix}_rank": ("uint8_t", rank, "[256]"),
        # A network that passes inputs on has none; clang warns of braces around its zero.
        f"{prefix}_part": ("lutgen_compute", names or ["0"], ""),
    }
    sizes = f"{net.features}, {len(names)}, {program.words}"
    initialiser = f"{{{sizes}, {', '.join(arrays)}}}"
    code = [f"static void {part}(uint64_t *word)\n{{\n{body}\n}}\n"
            for part, body in zip(names, program.functions, strict=True)]  # fmt: skip
    return _Circuit(arrays, initialiser, program.outputs, code)


def _records(walker: Walker) -> list[tuple]:
    """Records of all stages; all children of one that is not last are its group."""
    return [
        (stage.feature[k].tolist(), stage.threshold[k].tolist(),
         np.broadcast_to(stage.child[k], 4).tolist())
        for stage in walker.stages for k in range(stage.records)
    ]  # fmt: skip


def _upsampler(upsampler: Upsampler) -> tuple[_Arrays, dict, list[str]]:
    """Arrays, members and functions of the upsampler."""
    circuit = _circuit(upsampler.network, GROUPS, "upsampler")
    ones = [len(upsampler.network.outputs[group]) for group in GROUPS]
    members = {
        "square": len(upsampler.offsets), "square_offset": "square_offset",
        "upsampler": circuit.initialiser,
        "ones": "{" + ", ".join(map(str, ones)) + "}",
        "square_output": "square_output", "square_value": "square_value",
    }  # fmt: skip
    arrays = circuit.arrays | {
        "square_offset": ("int8_t", np.array(upsampler.offsets), "[2]"),
        "square_output": ("uint32_t", circuit.outputs, ""),
        "square_value": ("uint8_t", np.concatenate(upsampler.values), ""),
    }
    return arrays, members, circuit.code
