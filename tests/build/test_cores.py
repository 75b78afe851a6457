"""Builds of several cores behind one pair of ports."""

import re

import numpy as np
import pytest

from lutgen.build.codec import build
from lutgen.build.cores import count_core, count_cores, count_glue, top_of_cores
from lutgen.build.options import BuildOptions
from lutgen.build.text import summary
from lutgen.build.tile_blueprint import block_paths
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim.check.check import check_build
from lutgen.synth import estimate
from lutgen.targets import get_target
from tests.models import pyramid_table_model, table_model

SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 40, "name": "lutgen"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A build of two cores each way."""
    out = tmp_path_factory.mktemp("cores") / "build"
    model = table_model(size=3, walker=False)
    return build("zynq7045", model, BuildOptions(cores=2, **SMALL), out=out, estimate=False), out


def test_record_and_files(pair):
    record, out = pair
    assert record["parameters"]["cores"] == 2
    assert record["rate"] == {
        "pixels_per_beat": 2, "clocks_per_pixel": 0.5, "mpx_per_s": 500.0,
    }  # fmt: skip
    for core, video in (("encoder", "s_axis_video"), ("decoder", "m_axis_video")):
        ports = {port["name"]: port["width"] for port in record["cores"][core]["ports"]}
        assert ports[f"{video}_tdata"] == 16
        text = (out / f"lutgen_{core}.v").read_text()
        assert len(re.findall(rf"^module lutgen_{core}\b", text, re.M)) == 1
        # One text, two instances.
        assert len(re.findall(rf"^module lutgen_{core}_core\b", text, re.M)) == 1
        assert len(re.findall(rf"^  lutgen_{core}_core instance_2? ", text, re.M)) == 2
        assert "cores          2, as many pixels per beat" in text
    assert "2 cores behind each pair of ports, 2 pixels per beat; at most 500 Mpx/s" in summary(
        record
    )
    assert "TDATA_NUM_BYTES" in (out / "component.xml").read_text()


@pytest.mark.slow
def test_memories_of_all_cores_are_counted(pair):
    one = build(
        "zynq7045", table_model(size=3, walker=False), BuildOptions(**SMALL),
        out=pair[1].parent / "one", estimate=False
    )  # fmt: skip
    assert one["rate"]["mpx_per_s"] == 250.0
    for core in ("encoder", "decoder"):
        single, double = one["cores"][core]["memory_bits"], pair[0]["cores"][core]["memory_bits"]
        assert double["tables"] == 2 * single["tables"] > 0
        assert double["tiles"] >= 2 * single["tiles"] > 0


@pytest.mark.slow
def test_levels_cost_clocks(tmp_path):
    record = build(
        "generic", pyramid_table_model(levels=1), BuildOptions(cores=4, top="encoder", **SMALL),
        out=tmp_path / "levels", estimate=False
    )  # fmt: skip
    assert record["rate"]["clocks_per_pixel"] == 1.25 / 4


@pytest.mark.parametrize(("parameters", "message"), [
    ({"cores": 3}, r"^cores must be 1, 2, 4 or 8, not 3$"),
    ({"cores": 2, "registers": True}, r"^cores must be 1 with registers and a model with tiles"),
    ({"cores": 2, "stream_bytes": 1}, r"^stream width must be 2, 4 or 8 bytes for 2 cores"),
])  # fmt: skip
def test_parameters(tmp_path, parameters, message):
    with pytest.raises(ValueError, match=message):
        build(
            "generic", table_model(), BuildOptions(**SMALL | parameters),
            out=tmp_path / "x", estimate=False
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.exhaustive
def test_build_is_right(pair):
    rng = np.random.default_rng(3)
    images = [(f"{k}", rng.integers(256, size=(21, 17), dtype=np.uint8)) for k in range(5)]
    result = check_build(pair[1], images, stall=0.3, quick=True)
    assert result["problems"] == []
    assert result["checks"] == 3


@pytest.mark.exhaustive
@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_sum_is_the_whole(core):
    """What a core and the glue are counted to is what Yosys counts for the whole.

    Memories and carry chains exactly.  LUTs are mapped for area where a path has time to spare,
    which is more or less beside other modules; and how deep the deepest path comes out is the
    mapper's luck with the whole at once, which may miss by one what it finds in each part.
    """
    model = table_model(size=3, walker=False)
    config = CoreConfig(model, tile_width=8, tile_height=8, max_width=24, max_height=40)
    target = get_target("zynq7045")
    top = top_of_cores(core, config, 2, 4)
    glue = top_of_cores(core, config, 2, 4, core_ports=True)
    blocks = block_paths(model, core)
    found = count_cores(count_core(core, config, target, blocks), count_glue(glue, target), 2)
    module = f"lutgen_{core}"
    whole = estimate(to_verilog(top, module), module, target, {"all": [""]})
    assert found["levels"] <= 4
    assert whole["levels"] <= 5
    for kind in ("bram36", "dsp", "carry4"):
        assert found["total"][kind] == whole["total"][kind]
    for kind, share in (("lut", 0.02), ("ff", 0.005)):
        assert found["total"][kind] == pytest.approx(whole["total"][kind], rel=share)
