"""Tables of models that code tiles as C, for ``tile_model.h`` of the sources."""

from collections.abc import Sequence

import numpy as np

from lutgen.model.head import LaplaceHead, TableHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.upsample import GROUPS

from .text import array_text, model_text, opening, struct_text
from .word_program import word_program

__all__ = ["tile_source"]

_VALUES = 256  # of a feature


def tile_source(model: Model, name: str) -> str:
    """``model_NAME.c``: its tables."""
    arrays, members = _head(model.head, model.network)
    window = model.window
    circuit, outputs, code = _circuit(model.network, model.head.groups, "circuit")
    members = {
        "features": window.features, "causal": window.causal, "offset": "offset",
        "circuit": circuit.pop("circuit"), "levels": model.levels,
        "constraint": int(model.constraint), "border": window.radius, "output": "output",
        **members,
    }  # fmt: skip
    arrays |= {
        "offset": ("int8_t", np.array(window.offsets), "[2]"), **circuit,
        "output": ("uint32_t", outputs, ""),
    }  # fmt: skip
    if model.walker:
        first = np.cumsum([0, *(stage.records for stage in model.walker.stages)])[:-1]
        arrays |= {"stage": ("uint32_t", first, ""),
                   "record": ("struct lutgen_record", _records(model), "")}  # fmt: skip
        members |= {"stages": len(first), "stage": "stage", "record": "record"}
    if model.levels:
        more, further, own_code = _upsampler(model)
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


def _head(head: TableHead | LaplaceHead, network: Netlist) -> tuple[dict, dict]:
    """Arrays and members of the head; ``output`` has its groups one after the other."""
    counts = [len(network.outputs[group]) for group in head.groups]
    members: dict = {"outputs": "{" + ", ".join(map(str, counts)) + "}"}
    if isinstance(head, TableHead):
        arrays = {"cumulative": ("uint16_t", head.cumulative, "[LUTGEN_SYMBOLS + 1]")}
        return arrays, members | {"classes": head.classes, "cumulative": "cumulative"}
    arrays = {
        "location": ("uint16_t", head.mu, ""), "scale": ("uint8_t", head.sigma, ""),
        "distribution": ("uint16_t", head.cdf, "[2 * LUTGEN_LOCATIONS]"),
    }  # fmt: skip
    return arrays, members | {table: table for table in arrays}


def _circuit(net: Netlist, groups: Sequence[str], prefix: str) -> tuple[dict, list[int], list[str]]:
    """Arrays of a network, and under its name its initialiser; words of its outputs; functions.

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
    arrays = {
        f"{prefix}_first": ("uint32_t", first, ""),
        f"{prefix}_rank": ("uint8_t", rank, "[256]"),
        # A network that passes inputs on has none; clang warns of braces around its zero.
        f"{prefix}_part": ("lutgen_compute", names or ["0"], ""),
    }
    sizes = f"{net.features}, {len(names)}, {program.words}"
    arrays[prefix] = f"{{{sizes}, {', '.join(arrays)}}}"
    code = [f"static void {part}(uint64_t *word)\n{{\n{body}\n}}\n"
            for part, body in zip(names, program.functions, strict=True)]  # fmt: skip
    return arrays, program.outputs, code


def _records(model: Model) -> list[tuple]:
    """Records of all stages of the walker; all children of one that is not last are its group."""
    return [
        (stage.feature[k].tolist(), stage.threshold[k].tolist(),
         np.broadcast_to(stage.child[k], 4).tolist())
        for stage in model.walker.stages for k in range(stage.records)
    ]  # fmt: skip


def _upsampler(model: Model) -> tuple[dict, dict, list[str]]:
    """Arrays, members and functions of the upsampler."""
    upsampler = model.upsampler
    arrays, outputs, code = _circuit(upsampler.network, GROUPS, "upsampler")
    ones = [len(upsampler.network.outputs[group]) for group in GROUPS]
    members = {
        "square": len(upsampler.offsets), "square_offset": "square_offset",
        "upsampler": arrays.pop("upsampler"),
        "ones": "{" + ", ".join(map(str, ones)) + "}",
        "square_output": "square_output", "square_value": "square_value",
    }  # fmt: skip
    arrays |= {
        "square_offset": ("int8_t", np.array(upsampler.offsets), "[2]"),
        "square_output": ("uint32_t", outputs, ""),
        "square_value": ("uint8_t", np.concatenate(upsampler.values), ""),
    }
    return arrays, members, code
