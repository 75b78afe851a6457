"""Several blocks as one design: to compile one simulator is quicker than one for each."""

from collections.abc import Mapping

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lutgen.sim import Design, rtl_pipeline


class Bundle(wiring.Component):
    """Blocks side by side; ports as theirs, prefixed by the block's name and ``_``."""

    def __init__(self, blocks: Mapping[str, wiring.Component]) -> None:
        self._blocks = dict(blocks)
        super().__init__({
            f"{name}_{port}": member
            for name, block in self._blocks.items()
            for port, member in block.signature.members.items()
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        for name, block in self._blocks.items():
            m.submodules[name] = block
            for port, member in block.signature.members.items():
                inner, outer = getattr(block, port), getattr(self, f"{name}_{port}")
                if member.is_port and not member.dimensions:
                    m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
                elif member.is_port:
                    (count,) = member.dimensions
                    for k in range(count):
                        inout = (inner[k], outer[k])
                        m.d.comb += (
                            inout[0].eq(inout[1]) if member.flow is In else inout[1].eq(inout[0])
                        )
                else:
                    source = wiring.flipped(outer)
                    wiring.connect(m, *((source, inner) if member.flow is In else (inner, source)))
        return m


class Pipelines:
    """Blocks without handshake, each fed with vectors of its own, in one compiled simulator."""

    def __init__(self, blocks: Mapping[str, wiring.Component]) -> None:
        self._design = Design.of(Bundle(blocks))
        ports = self._design.ports.values()
        self._inputs = [p.name for p in ports if p.is_input and p.name not in ("clk", "rst")]
        self._outputs = [p.name for p in ports if not p.is_input]

    def __call__(
        self, inputs: Mapping[str, np.ndarray], *, extra: int = 0
    ) -> dict[str, np.ndarray]:
        """Outputs of every clock; inputs that are not named are zero.

        ``extra`` vectors of zeros follow the given ones, so that the last results can be seen.
        """
        unknown = set(inputs) - set(self._inputs)
        assert not unknown, f"inputs must be among {self._inputs}, not {unknown}"
        length = max(len(values) for values in inputs.values()) + extra
        vectors = {}
        for name in self._inputs:
            values = np.asarray(inputs.get(name, []))
            dtype = object if values.dtype == object else np.int64
            vectors[name] = np.zeros(length, dtype=dtype)
            vectors[name][: len(values)] = values
        return rtl_pipeline(self._design, vectors, self._outputs)


def packed(features: np.ndarray) -> np.ndarray:
    """Windows uint8 (F, P) as integers (P,), feature 0 in the low byte."""
    columns = np.ascontiguousarray(np.asarray(features, dtype=np.uint8).T)
    return np.array([int.from_bytes(c.tobytes(), "little") for c in columns], dtype=object)


def bits(values: np.ndarray, count: int) -> np.ndarray:
    """Bits of integers (P,) as uint8 (count, P)."""
    return np.array([[v >> k & 1 for v in map(int, values)] for k in range(count)], np.uint8)


def number(planes: np.ndarray) -> np.ndarray:
    """Integers (P,) of bits (count, P), the first lowest."""
    return np.array([
        sum(int(b) << k for k, b in enumerate(column)) for column in np.asarray(planes).T
    ], dtype=object)  # fmt: skip
