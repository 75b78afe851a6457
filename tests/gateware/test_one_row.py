"""Tables of one row and indices of no bits: Verilog that every tool reads."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal

from lutgen.codec.coder import RANS, tans
from lutgen.gateware.bands.multi import decoder_top, encoder_top
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.fabric.blockmem import add_rom
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.predictive.walk import Walk
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.upsample import Upsampler
from lutgen.model.window import Window
from tests.models import one_class_model, random_head, random_walker


def one_node(features: int, *groups: str):
    """A netlist of one node, which is the only bit of each group."""
    builder = NetlistBuilder(features)
    node = builder.node([builder.input(0, 5)], 1)
    for name in groups:
        builder.output(name, [node])
    return builder.build()


def laplace_of_one_scale(levels: int = 0, constraint: bool = False) -> Model:
    window = Window(3, prior=levels > 0)
    ups = Upsampler(3, one_node(9, *(f"p{i}" for i in range(4)))) if levels else None
    return Model(
        "gic-dlc" if levels else "raster-laplace", window,
        one_node(window.features, "mu", "sigma"), None,
        LaplaceHead.from_scales(np.array([3.0]), 1, 1), {}, levels, ups, constraint,
    )  # fmt: skip


def pyramid_of_one_class() -> Model:
    rng = np.random.default_rng(1)
    window = Window(3, prior=True)
    walk = random_walker(
        rng, features=window.features, entries=2, stages=1, groups=1, classes=1
    )
    ups = Upsampler(3, one_node(9, *(f"p{i}" for i in range(4))))
    return Model(
        "pyramid-table", window, one_node(window.features, "index"), walk, random_head(rng, 1),
        {}, 1, ups, True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("model", "coder"), [
    (one_class_model, RANS), (one_class_model, tans(8)), (laplace_of_one_scale, RANS),
    (lambda: laplace_of_one_scale(1, True), RANS), (pyramid_of_one_class, RANS),
], ids=["table", "tans", "laplace", "constraint", "pyramid"])  # fmt: skip
def test_no_vector_without_bits(model, coder):
    config = CoreConfig(
        model(), tile_width=8, tile_height=8, max_width=16, max_height=16, coder=coder
    )
    for top in (encoder_top, decoder_top):
        assert "[-1:0]" not in to_verilog(top(config, cores=1, stream_bytes=1), "top")


@pytest.mark.parametrize("columns", [4, 8, 12, 13])
def test_walk_of_fewer_columns_than_lanes(columns):
    """A filter array's plane has half the columns of the narrowest build."""
    walk = Walk(16, columns, least=17, tag=8)
    assert "[-1:0]" not in to_verilog(walk, "walk")


def test_rom_of_one_row_is_its_constant():
    m = Module()
    (first, second) = add_rom(m, "table", [0xA5], 8, [Signal(1), Signal(3)])
    assert (first.value, len(first)) == (second.value, len(second)) == (0xA5, 8)
