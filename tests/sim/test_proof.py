"""Networks proven equal to the model's tables; a fault anywhere gives a counterexample."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lutgen.errors import InputError
from lutgen.gateware.fabric.plain_names import plain_names
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.network.network import Network
from lutgen.gateware.prediction.colour import ColourPrediction
from lutgen.gateware.prediction.near import Near
from lutgen.gateware.prediction.plane_models import PlaneModels
from lutgen.gateware.prediction.prediction import Prediction
from lutgen.sim.check.expected_tables import threshold_lut
from lutgen.sim.proof.golds import networks_of
from lutgen.sim.proof.pipeline import NoPipelineError
from lutgen.sim.proof.prove import prove_network, sentence
from lutgen.sim.proof.prover import PROVEN, WRONG
from tests.models import colour_model, laplace_model, predictive_model, table_model

PARTS = (
    "surroundings", "scale", "comparisons", "predictor", "first prediction", "corrections",
    "scales",
)  # fmt: skip
TOP = "top__core__network"
PREDICTION = "top__core__prediction"
SECONDS = 100
#: Another output, and the end of the module.
_MORE = "  output more;\n  assign more = features[0];\nendmodule"


def verilog(component, module):
    return plain_names(to_verilog(component, "net"), "net", module)


def proven(model, text, module, folder, **options):
    """Parts of a network by name, and its latencies."""
    (network,) = networks_of(model, [module], **options)
    parts, latency = prove_network(network, text, folder, SECONDS)
    return {part.name: part for part in parts}, latency


def states(parts):
    return {name: part.state for name, part in parts.items()}


def wrong(parts):
    return {name: part.counterexample for name, part in parts.items() if part.state == WRONG}


def within(text, module, pattern):
    """The first match of a pattern in a module's text."""
    return re.compile(pattern).search(text, text.index(f"module {module}("))


def changed(text, match, value):
    """The text with another value in a match's first group."""
    assert match[1] != value
    return text[: match.start(1)] + value + text[match.end(1) :]


@pytest.fixture(scope="module")
def walked():
    model = table_model()
    return model, verilog(Network(model, levels_per_stage=2, primitive="LUT6"), TOP)


@pytest.fixture(scope="module")
def predicted():
    model = predictive_model()
    return model, verilog(Prediction(model, 8), PREDICTION)


def test_netlist_and_walk(walked, tmp_path):
    model, text = walked
    parts, latency = proven(model, text, TOP, tmp_path)
    names = ["netlist", "walker stage 0", "walker stage 1", "walker's class"]
    assert states(parts) == dict.fromkeys(names, PROVEN)
    assert set(latency.values()) == {Network.latency_of(model, 2)}


def test_counts_in_plain_logic(tmp_path):
    model = laplace_model(bits=10, nodes=24)
    text = verilog(Network(model, levels_per_stage=2, primitive=None), TOP)
    parts, _ = proven(model, text, TOP, tmp_path)
    assert states(parts) == dict.fromkeys(["netlist", "counts", "tables"], PROVEN)


def index_of(net, pixels):
    """Value of the index, or of other outputs, for one window."""
    (bits,) = net.evaluate_packed(np.frombuffer(bytes(pixels), np.uint8)[:, None]).values()
    return sum((int(word.ravel()[0]) & 1) << k for k, word in enumerate(bits))


def test_flipped_bit_of_a_truth_table(walked, tmp_path):
    """A bit that some window looks up; those of the counterexample have the expected index."""
    model, text = walked
    net = model.network
    node = int(net.outputs["index"][0]) - 2 - len(net.inputs)
    pins = replace(net, outputs={"pins": net.fanin[node]})
    address = index_of(pins, np.random.default_rng(0).integers(256, size=net.features).tolist())
    match = within(text, TOP + "__layers", rf"\.INIT\(64'h([0-9a-f]{{16}})\)\s*\) lut{node} ")
    flipped = f"{int(match[1], 16) ^ 1 << address:016x}"
    parts, _ = proven(model, changed(text, match, flipped), TOP, tmp_path)
    (shown,) = wrong(parts).values()
    pixels = shown["inputs"]["features"].to_bytes(net.features, "little")
    assert shown["output"] == "layers.index"
    assert shown["expected"] == index_of(net, pixels) != shown["found"]


@pytest.mark.slow
def test_other_threshold(walked, tmp_path):
    model, text = walked
    net = model.network
    pixels = np.random.default_rng(1).integers(256, size=(net.features, 4096), dtype=np.uint8)

    def matters(number):
        inputs = net.inputs.copy()
        inputs[number, 1] ^= 128
        other = replace(net, inputs=inputs).evaluate_packed(pixels)["index"]
        return (other != net.evaluate_packed(pixels)["index"]).any()

    number = next(filter(matters, range(len(net.inputs))))
    threshold = int(net.inputs[number, 1])
    match = within(
        text, TOP + "__thermometer", rf"\.INIT\(64'h([0-9a-f]{{16}})\)\s*\) lut{number} "
    )
    assert int(match[1], 16) == threshold_lut(threshold)
    broken = changed(text, match, f"{threshold_lut(threshold ^ 128):016x}")
    assert set(wrong(proven(model, broken, TOP, tmp_path)[0])) == {"netlist"}


@pytest.mark.slow
def test_word_of_a_memory(walked, tmp_path):
    model, text = walked
    match = within(text, TOP + "__walker", r"stage1_0\[0\] = \d+'h([0-9a-f]+);")
    broken = changed(text, match, f"{int(match[1], 16) ^ 1:x}")
    assert set(wrong(proven(model, broken, TOP, tmp_path)[0])) == {"walker stage 1"}


@pytest.mark.slow
def test_swapped_comparison_of_a_walk(walked, tmp_path):
    model, text = walked
    match = within(text, TOP + "__walker", r"assign test0_0 = \w+ (>) ")
    assert set(wrong(proven(model, changed(text, match, "<"), TOP, tmp_path)[0])) == {
        "walker stage 1"
    }


def test_other_output(walked, tmp_path):
    """What the model does not say is not proven by being left out."""
    model, text = walked
    more = text.replace(f"module {TOP}(clk,", f"module {TOP}(more, clk,", 1)
    match = within(more, TOP, r"\n(endmodule)")
    with pytest.raises(InputError, match="^module must have no output but those of the model, not"):
        proven(model, changed(more, match, _MORE), TOP, tmp_path)


def test_late_register(walked, tmp_path):
    """Wires are alike whatever their clock, so another clock is no question for the prover."""
    model, text = walked
    match = within(text, TOP, r"\.features\((features_\w+)\)")
    with pytest.raises(NoPipelineError, match="must be of one clock, not "):
        proven(model, changed(text, match, "features"), TOP, tmp_path)


@pytest.mark.slow
def test_prediction(predicted, tmp_path):
    model, text = predicted
    parts, latency = proven(model, text, PREDICTION, tmp_path)
    assert states(parts) == dict.fromkeys(PARTS, PROVEN)
    block = Prediction(model, 8)
    assert latency["first"] == block.first_latency
    assert latency["row"] == block.latency


@pytest.mark.exhaustive
@pytest.mark.parametrize(("pattern", "instead", "part"), [
    (r"assign \w+ = 64'h([0-9a-f]{15})[0-9a-f] >> ", "000000000000000", None),
    (r"assign \w+ = s_chain\d_factor0 \* \d+'h([0-9a-f]+);", "7", "scale"),
    (r"assign \w+ = \w+ (<) ", ">", None),
])  # fmt: skip
def test_faults_of_a_prediction(pattern, instead, part, predicted, tmp_path):
    model, text = predicted
    match = within(text, PREDICTION, pattern)
    parts, _ = proven(model, changed(text, match, instead), PREDICTION, tmp_path)
    assert wrong(parts) and part in (None, *wrong(parts))


@pytest.mark.exhaustive
def test_nears(tmp_path):
    """Of nine bits, where predictions go beyond the greatest index; and another reciprocal."""
    model, form = predictive_model(), Near(9, 3)
    options = {"depth": 9, "near": 3}
    text = verilog(Prediction(model, 9, near=form), PREDICTION)
    parts, _ = proven(model, text, PREDICTION, tmp_path, **options)
    assert states(parts) == dict.fromkeys(PARTS, PROVEN)
    match = within(text, PREDICTION, rf"17'h({form.reciprocals[1]:05x})")
    broken = changed(text, match, f"{form.reciprocals[1] ^ 32:05x}")
    shown = wrong(proven(model, broken, PREDICTION, tmp_path, **options)[0])
    assert set(shown) == {"corrections", "scales"}
    assert shown["corrections"]["inputs"]["near"] == 1


@pytest.mark.exhaustive
def test_planes(tmp_path):
    """Each plane's model, all in one module, of which one plane's has a wrong bit."""
    model = colour_model()
    text = verilog(ColourPrediction(PlaneModels(model.planes), 8), PREDICTION)
    # The highest word of a memory is the last model's.
    match = [*re.finditer(r"coefficients_0_0\[\d+\] = 72'h([0-9a-f]{18});", text)][-1]
    broken = changed(text, match, f"{int(match[1], 16) ^ 2:018x}")
    parts, _ = proven(model, broken, PREDICTION, tmp_path)
    names = [f"plane {k}: {part}" for k in range(3) for part in PARTS]
    where = "plane 2: predictor"
    assert states(parts) == dict.fromkeys(names, PROVEN) | {where: WRONG}
    shown = wrong(parts)[where]
    assert shown["output"] == "coefficient_MED" and shown["expected"] == shown["found"] ^ 2


def test_sentence():
    assert sentence({
        "inputs": {"W": 12, "NW": 3}, "values": {"feature 2, W-NW<<3": 140, "threshold": 139},
        "output": "f2_above_139", "expected": 1, "found": 0,
    }) == (
        "f2_above_139 must be 1, not 0, for feature 2, W-NW<<3 140, threshold 139, where W 12, "
        "NW 3"
    )  # fmt: skip
