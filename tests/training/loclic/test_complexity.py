"""Closed-form complexity against the figures known for these codecs and against the network."""

import importlib.util
import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lutgen.training.loclic.measure.complexity import codec_layers, count
from lutgen.training.loclic.measure.reference import REFERENCES, reference_layers
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import PRESETS, CodecConfig, preset
from lutgen.training.loclic.networks.gdn import GDN
from tests.tiers import slow_but_first

#: Blocks of MLIC++'s entropy model at M = 320 and 10 slices, kMAC per pixel.
ENTROPY = {
    "anchor parameters": 14.96, "non-anchor parameters": 16.48, "channel context": 22.68,
    "inter-slice context": 18.05, "intra-slice context": 2.555, "local context": 2.92,
}  # fmt: skip
BLOCKS = {
    "loc-lic": ENTROPY | {
        "analysis": 24.98, "synthesis": 44.03, "hyper-analysis": 2.34, "hyper-synthesis": 21.24,
        "latent residual": 101.16,
    },
    "mlic++": ENTROPY | {
        "analysis": 358.99, "synthesis": 563.62, "hyper-analysis": 4.185,
        "hyper-synthesis": 21.285, "latent residual": 101.16,
    },
    "mlic++-old": ENTROPY | {
        "analysis": 358.99, "synthesis": 553.20, "hyper-analysis": 4.185,
        "hyper-synthesis": 21.285, "latent residual": 241.29,
    },
}  # fmt: skip
#: Which block a part of the network is.
PARTS = {
    "analysis": "analysis", "synthesis": "synthesis", "hyper_analysis": "hyper-analysis",
    "hyper_synthesis": "hyper-synthesis", "anchor_parameters": "anchor parameters",
    "other_parameters": "non-anchor parameters", "channel": "channel context",
    "inter": "inter-slice context", "intra": "intra-slice context", "local": "local context",
    "anchor_residual": "latent residual", "other_residual": "latent residual",
    "remainder_analysis": "remainder", "remainder_synthesis": "remainder",
    "remainder_parameters": "remainder",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "total", "all_in", "parameters"),
    [
        ("loc-lic", 271.39, 274.89, 69.92),
        ("mlic++", 1126.88, 1153.03, 83.50),
        ("mlic++-old", 1256.60, 1282.75, 116.72),
        ("loc-lic-256", 202.18, 205.22, 48.26),
        ("loc-lic-192", 145.36, 147.98, 30.64),
        ("loc-lic-small", 60.82, 61.89, 14.64),
        ("loc-lic-mini", 43.70, 44.77, 10.25),
        ("loc-lic-mini-plain", 42.21, 43.28, 9.87),
    ],
)
def test_totals(name, total, all_in, parameters):
    found = count(codec_layers(preset(name)))
    assert round(found.total, 2) == total
    assert round(found.all_in, 2) == all_in
    assert round(found.parameters / 1e6, 2) == parameters


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name):
    found = count(codec_layers(preset(name)))
    assert found.blocks == pytest.approx(BLOCKS[name], abs=0.0051)
    gdn = 0.768 if name == "loc-lic" else 12.096
    assert found.gdn == pytest.approx({"analysis": gdn, "synthesis": gdn})
    assert sum(found.attention.values()) == pytest.approx(1.9585, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("factorized", 73.6, 163.2),
        ("hyperprior", 76.3, 169.8),
        ("mbt2018-mean", 80.4, 181.4),
        ("mbt2018", 177.5, 212.4),
        ("cheng2020-anchor", 415.9, 932.4),
    ],
)
def test_compressai_models(name, low, high):
    found = [count(reference_layers(name, size)).total for size in REFERENCES[name]]
    assert [round(total, 1) for total in found] == [low, high]


def test_the_rule_of_the_paper():
    # The paper writes 270, 1256 and 933.
    totals = [count(codec_layers(preset(n)), "torchinfo").total for n in ("loc-lic", "mlic++-old")]
    totals.append(count(reference_layers("cheng2020-anchor", "high"), "torchinfo").total)
    assert [int(total) for total in totals] == [270, 1256, 933]
    # Transposed convolutions count four times.
    macs, info = (count(reference_layers("factorized", "low"), r).blocks for r in
                  ("macs", "torchinfo"))  # fmt: skip
    assert info["synthesis"] == pytest.approx(4 * macs["synthesis"], rel=2e-3)
    assert info["analysis"] == pytest.approx(macs["analysis"], rel=5e-3)


def counted(config):
    """kMAC per pixel that torch counts in the network, by block: convolutions and linear layers,
    GDN, and matrix products."""
    side = 64
    with torch.device("meta"):
        network = Codec(config).eval()
        image = torch.empty(1, 3, side, side)
    counter = FlopCounterMode(display=False, depth=None)
    with counter, torch.no_grad():
        network(image)
    counts = counter.get_flop_counts()
    norms = {f"Codec.{name}" for name, m in network.named_modules() if isinstance(m, GDN)}
    blocks, gdn, attention = {}, {}, {}

    def add(where, block, flops):
        where[block] = where.get(block, 0) + flops / 2 / side**2 / 1000

    total = 0
    for name, _ in network.named_modules():
        path = name.split(".")
        part = path[-1]
        whole = len(path) == (3 if path[0] == "entropy_model" else 1)
        if f"Codec.{name}" in norms:
            block = PARTS[path[0]]
            flops = sum(counts[f"Codec.{name}"].values())
            add(gdn, block, flops)
            add(blocks, block, -flops)
        elif part in PARTS and (whole or len(path) == 4):
            for operation, flops in counts.get(f"Codec.{name}", {}).items():
                total += flops
                product = "bmm" in str(operation)
                add(attention if product else blocks, PARTS[part], flops)
    # Nothing is left but the factorized prior's products, which are tables when it codes.
    rest = sum(counts["Global"].values()) - total
    assert rest == 2 * 2 * config.hyper_width * (3 + 9 + 9 + 9 + 3)
    return blocks, gdn, attention, sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", slow_but_first(PRESETS))
def test_network_has_what_is_counted(name):
    found = count(codec_layers(preset(name)))
    blocks, gdn, attention, parameters = counted(preset(name))
    assert blocks == pytest.approx(found.blocks, rel=1e-9)
    assert gdn == pytest.approx(found.gdn, rel=1e-9)
    assert attention == pytest.approx(found.attention, rel=1e-9)
    assert parameters == found.parameters


@pytest.mark.skipif(
    importlib.util.find_spec("torchinfo") is None, reason="torchinfo is not installed: extra `dev`"
)
def test_torchinfo_prints_what_its_rule_gives():
    import torchinfo

    config = CodecConfig(source="test", widths=(8, 16, 24), latent=48, slices=3)
    network, side = Codec(config).eval(), 64
    summary = torchinfo.summary(network, input_size=(1, 3, side, side), verbose=0)
    # Linear layers count once per image there, and so does the layer norm.
    once = sum(
        p.numel()
        for m in network.modules() if isinstance(m, torch.nn.Linear | torch.nn.LayerNorm)
        for p in m.parameters()
    )  # fmt: skip
    found = count(codec_layers(config), "torchinfo").total * 1000 * side**2
    assert summary.total_mult_adds == pytest.approx(found + once, rel=1e-9)


def test_complexity_needs_no_torch():
    code = (
        "import sys; import lutgen.training.loclic.measure.reference, "
        "lutgen.training.loclic.measure.bd, "
        "lutgen.training.loclic.measure.results; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_errors():
    with pytest.raises(ValueError, match="^rule must be one of macs, torchinfo, not 'flops'$"):
        count([], "flops")
    with pytest.raises(ValueError, match="^model must be one of factorized, .*, not 'x'$"):
        list(reference_layers("x", "low"))
    with pytest.raises(ValueError, match="^size must be low or high, not 'mid'$"):
        list(reference_layers("factorized", "mid"))
    with pytest.raises(ValueError, match="^configuration must be one of loc-lic, .*, not 'x'$"):
        preset("x")
    with pytest.raises(ValueError, match="^slices must divide latent .* not 320 into 7$"):
        CodecConfig(source="test", slices=7)
    odd = "^window must be an odd number of cells, at most 15, not 4$"
    with pytest.raises(ValueError, match=odd):
        CodecConfig(source="test", window=4)
    odd = "^residual must be one of narrow, pointwise, tapered, not 'wide'$"
    with pytest.raises(ValueError, match=odd):
        CodecConfig(source="test", residual="wide")
