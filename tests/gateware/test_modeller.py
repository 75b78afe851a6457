"""The encoder's model against `lutgen.codec.predictive.strip`, picture by picture."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.container import GROUP, LAG
from lutgen.codec.predictive.strip import model_unit
from lutgen.gateware.predictive.modeller import Modeller
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.shipped import shipped
from lutgen.sim import Design, rtl_stream
from lutgen.sim.drive.beats import raster_beats
from tests.gateware.test_prediction import pictures

FIELDS = ("lane", "side", "row", "folded", "first", "last", "strip_ends", "file_ends")


class _Symbols(wiring.Component):
    """The modeller, whose symbols are a stream that nothing stops."""

    def __init__(self, modeller: Modeller) -> None:
        self._modeller = modeller
        members = modeller.signature.members
        self._names = [n for n in members if n not in ("symbol", "pixels", "hold")]
        super().__init__({
            **{name: members[name] for name in self._names}, "pixels": members["pixels"],
            "symbols": Out(stream.Signature(members["symbol"].shape)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.modeller = modeller = self._modeller
        wiring.connect(m, wiring.flipped(self.pixels), modeller.pixels)
        m.d.comb += [
            self.symbols.valid.eq(modeller.symbol.valid),
            self.symbols.payload.eq(modeller.symbol),
        ]
        for name in self._names:
            ours, its = getattr(self, name), getattr(modeller, name)
            given = modeller.signature.members[name].flow is In
            m.d.comb += its.eq(ours) if given else ours.eq(its)
        return m


def reference(model, picture: np.ndarray, depth: int, strip_height: int) -> list[np.ndarray]:
    """Folded residuals and token rows of each group, int32 (2, samples)."""
    found = []
    top = (1 << depth) - 1
    for start in range(0, len(picture), strip_height):
        strip = np.ascontiguousarray(picture[start : start + strip_height], dtype=np.int32)
        rows = new_rows(strip.shape[1])
        for y in range(0, len(strip), GROUP):
            part = strip[y : y + GROUP]
            folded, row = np.zeros((2, part.size), np.int32)
            model_unit(model.kernel, rows, y, part, part, LAG, depth, 1, top, folded, row)
            found.append(np.stack([folded, row]))
    return found


@dataclass(frozen=True)
class Case:
    name: str
    depth: int
    lanes: int
    max_width: int
    max_height: int
    strip_height: int

    @cached_property
    def model(self):
        return shipped(self.name)

    @cached_property
    def design(self) -> Design:
        return Design.of(_Symbols(Modeller(
            self.model, self.depth, lanes=self.lanes, max_width=self.max_width,
            max_height=self.max_height, strip_height=self.strip_height,
        )))  # fmt: skip


CASES = {
    "8 bits": Case("photo", 8, 8, 48, 40, 16),
    "12 bits": Case("photo-16", 12, 9, 80, 64, 64),
}


#: Fields of a pixel as blocks call them, by those of AXI4-Stream.
MARKERS = {"data": "data", "user": "sof", "last": "eol"}


def raster(given: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Beats of pictures with their markers, fields as those of AXI4-Stream."""
    parts = [raster_beats(picture[None].astype(np.uint16)) for picture in given]
    return {name: np.concatenate([part[name] for part in parts]) for name in MARKERS}


def run(case: Case, given: list[np.ndarray], **options):
    """Symbols of each group, int64 (2, samples) in order of their lanes, and the result."""
    height, width = given[0].shape
    beats = {MARKERS[name]: values for name, values in raster(given).items()}
    wanted = [g for p in given for g in reference(case.model, p, case.depth, case.strip_height)]
    result = rtl_stream(
        case.design, {"pixels": beats}, {"symbols": FIELDS},
        expect={"symbols": sum(g.shape[1] for g in wanted)},
        config={"width": width, "height": height}, **options,
    )  # fmt: skip
    return split(case, result.outputs["symbols"]), wanted, result


def split(case: Case, symbols) -> list[dict[str, np.ndarray]]:
    """Symbols by group, in the order in which groups begin."""
    groups, under_way = [], {}
    for k, lane in enumerate(symbols["lane"]):
        place = lane, symbols["side"][k]
        if symbols["first"][k]:
            round_, number = divmod(len(groups), case.lanes)
            assert place not in under_way and place == (number, round_ % 2)
            under_way[place] = []
            groups.append(under_way[place])
        under_way[place].append(k)
        if symbols["last"][k]:
            del under_way[place]
    assert not under_way
    return [{name: symbols[name][members] for name in FIELDS} for members in groups]


@pytest.mark.slow  # the cores' tests see it, too
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [(40, 48), (5, 9), (1, 1), (3, 2), (18, 30)])
def test_symbols(name, size):
    case = CASES[name]
    height, width = size
    given = [p[:height, :width] for p in pictures(np.random.default_rng(3), case.depth)
             if len(p) >= height]  # fmt: skip
    found, wanted, result = run(case, given)
    assert not result.status
    assert len(found) == len(wanted)
    for k, (group, (folded, row)) in enumerate(zip(found, wanted, strict=True)):
        np.testing.assert_array_equal(group["row"], row, err_msg=f"row of group {k}")
        np.testing.assert_array_equal(group["folded"], folded, err_msg=f"group {k}")
    of_picture = -(-height // GROUP)
    ends = [bool(g["file_ends"].all()) for g in found]
    assert ends == [k % of_picture == of_picture - 1 for k in range(len(found))]
