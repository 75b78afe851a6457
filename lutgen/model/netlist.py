"""LUT netlist: a hard network of truth tables of up to six pins, on thermometer bits.

This is the form in which a trained network leaves the trainer, is computed by the software codec
and becomes LUTs in an FPGA. Signals are numbered: 0 is constant 0, 1 is constant 1, then come the
inputs (``feature > threshold``), then the nodes; a node reads lower signals only.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from lutgen.errors import InputError
from lutgen.files.archive import Limits, canonical_hash, read_archive, write_archive
from lutgen.model.bitslice import compile_program

__all__ = ["MAX_FEATURES", "Netlist", "NetlistError", "check_integer", "check_name"]

_KIND = "netlist"
_VERSION = 1
MAX_FEATURES = 1024
_MAX_INPUTS = MAX_FEATURES * 255
_MAX_NODES = 1 << 20
_MAX_GROUPS = 1024
_MAX_BITS = 1 << 20
_BLOCK = 1 << 18  # pixels; a multiple of 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")  # also an identifier in Verilog


class NetlistError(InputError):
    """A netlist, or an argument of one of its methods, breaks a rule."""


@dataclass(frozen=True, eq=False)
class Netlist:
    """Hard LUT network.

    Parameters
    ----------
    features : int
        Number of window features, 1 to 1024.
    inputs : (I, 2) int32
        Feature and threshold (0 to 254) of each thermometer bit ``feature > threshold``.
    fanin : (n, 6) int32
        Signals on the pins of each node; unused pins read signal 0.
    tables : (n,) uint64
        Truth tables: bit k is the output when pin j carries bit j of k.
    outputs : mapping of str to (bits,) int32
        Named groups of signals, least significant bit first; order is kept.

    Other integer arrays and lists are converted; the arrays held are read-only.

    Raises
    ------
    NetlistError
        If a value breaks a rule above.
    """

    features: int
    inputs: np.ndarray
    fanin: np.ndarray
    tables: np.ndarray
    outputs: Mapping[str, np.ndarray]

    def __post_init__(self):
        features = check_integer("features", self.features, 1, MAX_FEATURES)
        inputs = _array("inputs", self.inputs, (-1, 2), np.int32, _MAX_INPUTS)
        _bounded("feature of an input", inputs[:, 0], 0, features - 1)
        _bounded("threshold of an input", inputs[:, 1], 0, 254)
        fanin = _array("fanin", self.fanin, (-1, 6), np.int32, _MAX_NODES)
        tables = _array("tables", self.tables, (-1,), np.uint64, _MAX_NODES)
        if len(tables) != len(fanin):
            raise NetlistError(
                f"number of tables must be the number of nodes, {len(fanin)}, not {len(tables)}"
            )
        first = 2 + len(inputs)
        _bounded("signal of fanin", fanin, 0, None)
        late = fanin >= np.arange(first, first + len(fanin))[:, None]
        if late.any():
            node, pin = np.argwhere(late)[0]
            raise NetlistError(
                f"pin {pin} of node {node} must read a signal below {first + node}, "
                f"not {fanin[node, pin]}"
            )
        outputs = self._checked_outputs(first + len(fanin))
        for name, value in (
            ("features", features),
            ("inputs", inputs),
            ("fanin", fanin),
            ("tables", tables),
            ("outputs", MappingProxyType(outputs)),
        ):
            object.__setattr__(self, name, value)

    def _checked_outputs(self, signals: int) -> dict[str, np.ndarray]:
        if not isinstance(self.outputs, Mapping):
            raise NetlistError(
                f"outputs must be a mapping of names to signals, not {type(self.outputs).__name__}"
            )
        if len(self.outputs) > _MAX_GROUPS:
            raise NetlistError(
                f"number of output groups must be at most {_MAX_GROUPS}, not {len(self.outputs)}"
            )
        outputs = {}
        for name, ids in self.outputs.items():
            check_name(name)
            outputs[name] = _array(f"output {name!r}", ids, (-1,), np.int32, _MAX_BITS)
            if not len(outputs[name]):
                raise NetlistError(f"output {name!r} must have at least one bit, not none")
            _bounded(f"signal of output {name!r}", outputs[name], 0, signals - 1)
        total = sum(map(len, outputs.values()))
        if total > _MAX_BITS:
            raise NetlistError(f"number of output bits must be at most {_MAX_BITS}, not {total}")
        return outputs

    def __reduce__(self):
        # A mapping proxy cannot be pickled, and compiled programs need not be.
        outputs = dict(self.outputs)
        return Netlist, (self.features, self.inputs, self.fanin, self.tables, outputs)

    # --- structure

    @property
    def n_inputs(self) -> int:
        """Number of thermometer bits."""
        return len(self.inputs)

    @property
    def n_nodes(self) -> int:
        """Number of LUTs."""
        return len(self.fanin)

    @property
    def signals(self) -> int:
        """Number of signals: constants, inputs and nodes."""
        return 2 + self.n_inputs + self.n_nodes

    @cached_property
    def _levels(self) -> np.ndarray:
        levels = [0] * (2 + self.n_inputs)
        for pins in self.fanin.tolist():
            levels.append(1 + max([levels[pin] for pin in pins]))
        result = np.array(levels, dtype=np.int32)
        result.flags.writeable = False
        return result

    def levels(self) -> np.ndarray:
        """Return the LUT level of each signal, (signals,) int32: constants and inputs are 0."""
        return self._levels

    @property
    def depth(self) -> int:
        """Highest level of an output, 0 without outputs."""
        return max((int(self._levels[ids].max()) for ids in self.outputs.values()), default=0)

    def stats(self) -> dict:
        """Return counts for reports, ready for json.

        ``pins`` is the number of node pins that do not read a constant; ``lut_sizes[k]`` counts
        the nodes with k of them; ``fanout`` is the most pins and output bits on one signal.
        """
        used = (self.fanin > 1).sum(axis=1)
        reads = np.concatenate([self.fanin.ravel(), *self.outputs.values()])
        reads = reads[reads > 1]
        return {
            "features": self.features,
            "inputs": self.n_inputs,
            "nodes": self.n_nodes,
            "depth": self.depth,
            "pins": int(used.sum()),
            "lut_sizes": np.bincount(used, minlength=7).tolist(),
            "fanout": int(np.bincount(reads).max()) if reads.size else 0,
            "outputs": {name: len(ids) for name, ids in self.outputs.items()},
        }

    def kernel_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what a compiled kernel loops over, all C-contiguous and read-only.

        Returns
        -------
        inputs : (I, 2) int32
        fanin : (n, 6) int32
        tables : (n,) uint64
        """
        return self.inputs, self.fanin, self.tables

    # --- evaluation

    def evaluate_packed(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Evaluate all outputs, 64 pixels per word.

        Parameters
        ----------
        features : (F, P) uint8

        Returns
        -------
        dict of str to (bits, ceil(P / 64)) uint64
            Pixel p is bit ``p % 64`` of word ``p // 64``; bits after the last pixel are 0.
        """
        self._check_features(features)
        packed = self._run(tuple(self.outputs), features)
        result, start = {}, 0
        for name, ids in self.outputs.items():
            result[name] = packed[start : start + len(ids)]
            start += len(ids)
        return result

    def evaluate(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Evaluate all outputs of uint8 (F, P) features; return uint8 (bits, P) of each, 0 or 1."""
        packed = self.evaluate_packed(features)
        return {
            name: np.stack([_unpack(row, features.shape[1]) for row in rows])
            for name, rows in packed.items()
        }

    def evaluate_index(self, name: str, features: np.ndarray) -> np.ndarray:
        """Evaluate a group of at most 63 bits of uint8 (F, P) features as a number, (P,) int64."""
        self._check_group(name)
        if len(self.outputs[name]) > 63:
            raise NetlistError(
                f"output {name!r} must have at most 63 bits to be a number, "
                f"not {len(self.outputs[name])}"
            )
        self._check_features(features)
        result = np.zeros(features.shape[1], dtype=np.int64)
        for part, packed in self._blocks(name, features, result):
            for bit, row in enumerate(packed):
                part |= _unpack(row, part.size).astype(np.int64) << bit
        return result

    def evaluate_count(self, name: str, features: np.ndarray) -> np.ndarray:
        """Count the ones of a group for uint8 (F, P) features, (P,) int64."""
        self._check_group(name)
        self._check_features(features)
        result = np.zeros(features.shape[1], dtype=np.int64)
        for part, packed in self._blocks(name, features, result):
            for start in range(0, len(packed), 255):  # as many ones as a byte can count
                count = np.zeros(part.size, dtype=np.uint8)
                for row in packed[start : start + 255]:
                    count += _unpack(row, part.size)
                part += count
        return result

    def _check_group(self, name):
        if name not in self.outputs:
            raise NetlistError(f"output must be one of {list(self.outputs)}, not {name!r}")

    def _check_features(self, features):
        if not isinstance(features, np.ndarray) or features.dtype != np.uint8:
            found = getattr(features, "dtype", type(features).__name__)
            raise NetlistError(f"features must be a uint8 array, not {found}")
        if features.ndim != 2 or len(features) != self.features:
            raise NetlistError(
                f"shape of features must be ({self.features}, pixels), not {features.shape}"
            )

    def _blocks(self, name: str, features: np.ndarray, result: np.ndarray):
        """Yield slices of the result with the packed group of these pixels: bounds the memory."""
        for start in range(0, result.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            yield result[block], self._run((name,), features[:, block])

    def _run(self, names: tuple[str, ...], features: np.ndarray) -> np.ndarray:
        program = self._programs.get(names)
        if program is None:
            outputs = [int(signal) for name in names for signal in self.outputs[name]]
            program = compile_program(
                self.inputs.tolist(), self.fanin.tolist(), self.tables.tolist(), outputs
            )
            self._programs[names] = program
        return program.run(features)

    @cached_property
    def _programs(self) -> dict:
        return {}

    # --- files

    def to_arrays(self, prefix: str = "") -> tuple[dict, dict[str, np.ndarray]]:
        """Return json metadata and arrays (names start with `prefix`) to embed in an archive."""
        meta = {
            "features": self.features,
            "outputs": [[name, len(ids)] for name, ids in self.outputs.items()],
        }
        arrays = {
            "inputs": self.inputs,
            "fanin": self.fanin,
            "tables": self.tables,
            "outputs": np.concatenate([np.zeros(0, np.int32), *self.outputs.values()]),
        }
        return meta, {prefix + name: array for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, meta: dict, arrays: Mapping, prefix: str = "") -> "Netlist":
        """Build a netlist from what `to_arrays` returned; other arrays are ignored.

        Raises
        ------
        NetlistError
            If something is missing or breaks a rule of `Netlist`.
        """
        if not isinstance(meta, dict) or set(meta) != {"features", "outputs"}:
            raise NetlistError("metadata must be an object with the keys features and outputs")
        found = {}
        for name in ("inputs", "fanin", "tables", "outputs"):
            if prefix + name not in arrays:
                raise NetlistError(f"arrays must include {prefix + name!r}, not only others")
            found[name] = np.asarray(arrays[prefix + name])
        ids = _array("outputs", found.pop("outputs"), (-1,), np.int32, _MAX_BITS)
        groups = meta["outputs"]
        if not isinstance(groups, list) or len(groups) > _MAX_GROUPS:
            raise NetlistError(f"outputs must be a list of at most {_MAX_GROUPS} groups, not this")
        outputs, start = {}, 0
        for group in groups:
            if not isinstance(group, list) or len(group) != 2:
                raise NetlistError("output group must be [name, bits], not this")
            name, bits = group
            check_name(name)
            if name in outputs:
                raise NetlistError(f"output names must be unique, not {name!r} twice")
            bits = check_integer(f"bits of output {name!r}", bits, 1, _MAX_BITS)
            outputs[name] = ids[start : start + bits]
            start += bits
        if start != len(ids):
            raise NetlistError(f"number of output bits must be {start}, not {len(ids)}")
        return cls(meta["features"], outputs=outputs, **found)

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the canonical content."""
        return canonical_hash(*self.to_arrays())

    def save(self, path) -> None:
        """Write the netlist to a file (archive of kind ``netlist``)."""
        write_archive(path, _KIND, _VERSION, *self.to_arrays())

    @classmethod
    def load(cls, path) -> "Netlist":
        """Read a file that `save` wrote.

        Raises
        ------
        ArchiveError
            If the file is damaged, or is no netlist.
        NetlistError
            If its content breaks a rule of `Netlist`.
        """
        meta, arrays = read_archive(path, _KIND, _VERSION, Limits(arrays=4, dims=2))
        try:
            return cls.from_arrays(meta, arrays)
        except NetlistError as error:
            raise NetlistError(f"{os.fspath(path)}: {error}") from None


def check_name(name) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = repr(name)
        text = text if len(text) <= 80 else text[:77] + "..."
        raise NetlistError(f"output name must match {_NAME.pattern}, not {text}")


def check_integer(what: str, value, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise NetlistError(f"{what} must be an integer, not {type(value).__name__}")
    if not low <= value <= high:
        raise NetlistError(f"{what} must be between {low} and {high}, not {value}")
    return int(value)


def _array(what: str, value, shape: tuple[int, ...], dtype, most: int) -> np.ndarray:
    """Convert to a read-only C-contiguous array of at most `most` rows of a shape (-1, ...)."""
    dtype = np.dtype(dtype)
    # NumPy makes a float array of a list that mixes small and large integers: name the type.
    array = value if isinstance(value, np.ndarray) else _from_list(what, value, dtype)
    if array.size == 0 and array.ndim <= 1:
        array = np.zeros((0, *shape[1:]), dtype)
    if array.dtype.kind not in "iu":
        raise NetlistError(f"{what} must be integers, not {array.dtype}")
    if array.ndim != len(shape) or array.shape[1:] != shape[1:]:
        wanted = ", ".join(["n", *map(str, shape[1:])])
        raise NetlistError(f"shape of {what} must be ({wanted}), not {array.shape}")
    if len(array) > most:
        raise NetlistError(f"number of {what} must be at most {most}, not {len(array)}")
    limits = np.iinfo(dtype)
    _bounded(what, array, int(limits.min), int(limits.max))
    array = np.array(array, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def _from_list(what: str, value, dtype) -> np.ndarray:
    try:
        array = np.array(value)
        if array.dtype.kind in "fO" and all(isinstance(item, int) for item in value):
            array = np.array(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise NetlistError(f"{what} must be an array of {dtype} integers, not this") from None
    return array


def _bounded(what: str, array: np.ndarray, low: int, high: int | None) -> None:
    """Check the range of all elements, naming one that breaks it."""
    if not array.size:
        return
    least, most = int(array.min()), int(array.max())
    if least < low or (high is not None and most > high):
        rule = f"at least {low}" if high is None else f"between {low} and {high}"
        raise NetlistError(f"{what} must be {rule}, not {least if least < low else most}")


def _unpack(row: np.ndarray, pixels: int) -> np.ndarray:
    """Return the bits of packed words, (pixels,) uint8."""
    data = row.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(data, count=pixels, bitorder="little")
