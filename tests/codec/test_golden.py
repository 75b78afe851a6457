"""Files that were written once decode for ever: golden streams, byte for byte.

If one of these tests fails, the format has changed: do not write new bytes here, give the format a
new version.  All models are built by hand from whole numbers, so that nothing else can change them.
"""

import numpy as np
import pytest

import lutgen
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, tans
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.model.head import TableHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.predictive.features import Feature, Scale
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import TAPS
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.trees import LutTrees
from lutgen.model.window import Window

#: A ramp with a little of everything on it: uint8, shape (7, 9).
RAMP = (np.add.outer(9 * np.arange(7), 3 * np.arange(9)) + np.outer([0, 1, 5, 2, 0, 40, 7],
        [1, 0, 2, 0, 1, 1, 0, 3, 0])).astype(np.uint8)  # fmt: skip
NOISE = (np.arange(63) ** 3 * 157 >> 2).astype(np.uint8).reshape(7, 9)


def tile_model() -> Model:
    """Two classes by the pixel to the left."""
    freq = np.ones((2, 256), dtype=np.int32)
    freq[0, [0, 255]] = 8192, 7938
    freq[1, [0, 255]] = 4096, 12034
    head = TableHead(np.pad(freq.cumsum(axis=1), ((0, 0), (1, 0))))
    network = Netlist(4, inputs=[[3, 127]], fanin=[], tables=[], outputs={"index": [2]})
    return Model("tiny", Window(3), network, None, head)


def predictive_model() -> PredictiveModel:
    """Three linear predictors, three trees, twelve classes; features of all kinds."""
    features = (
        Feature(()), Feature(("W-NW",)), Feature(("W-N", "N-NE"), absolute=True, gain=2),
        Feature(("W-NW", "NW-N", "N-NE"), absolute=True), Feature(("eW",), gain=4),
        Feature(("changes",)), Feature(("P-W",)), Feature(("P",)),
    )  # fmt: skip
    rows = np.zeros((3, len(TAPS)), dtype=np.int16)
    for row, weights in zip(
        rows, ({"W": 96, "N": 96, "NW": -64}, {"W": 100, "NE": 28}, {"N": 140, "NN": -12}),
        strict=True,
    ):  # fmt: skip
        for name, weight in weights.items():
            row[TAPS.index(name)] = weight
    predictor = Predictor(
        np.array([2, 1], dtype=np.uint8), np.array([20, 128], dtype=np.uint8),
        np.array([[-1, 1], [-2, -3]], dtype=np.int16), rows,
    )  # fmt: skip
    pins = np.arange(6)

    def trees(numbers, step: int, middle: int) -> LutTrees:
        return LutTrees(
            np.array([(pins + t) % len(features) for t in numbers], dtype=np.uint8),
            np.array([(40 * pins + 25 + 9 * t) % 250 for t in numbers], dtype=np.uint8),
            np.array([step * (t + 1) * np.arange(64) % 13 - middle for t in numbers]).astype("i1"),
        )

    freq = np.array([
        [max(1, 6000 >> 8 * max(0, t - t % 2 * f) // (2 * k + 3)) for t in range(64)]
        for k in range(12) for f in range(3)
    ])  # fmt: skip
    freq = np.maximum(1, freq * (16384 - 64) // freq.sum(axis=1, keepdims=True))
    freq[:, 0] += 16384 - freq.sum(axis=1)
    cumulative = np.pad(freq.cumsum(axis=1), ((0, 0), (1, 0))).astype(np.int32)
    return PredictiveModel(
        features, Scale({"eW": 22, "eN": 16, "eNE": 12, "EW": 20}, 205), predictor,
        trees(range(1), 5, 6), trees(range(1, 3), 7, 5), 120, cumulative,
    )  # fmt: skip


TILES = {
    "rans": (RANS, (
        "4c4743012ecaa758318ac26e09000700040800000100000007280080180e1afc054001237efc03c4"
        "4ae4"
    )),
    "tans": (tans(8), (
        "4c4743012ecaa758318ac26e090007000408000801000000064a00083880610425800681028d3e"
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", TILES)
def test_version_1(name):
    coder, data = TILES[name]
    image = np.where(RAMP < 40, 0, 255).astype(np.uint8)
    image[2, 3] = 7
    codec = Codec(tile_model(), threads=1)
    assert codec.model.hash[:16] == "2ecaa758318ac26e"
    np.testing.assert_array_equal(codec.decode(bytes.fromhex(data))[0], image)
    assert codec.encode(image, tile=(4, 8), coder=coder).data.hex() == data


def test_version_1_of_the_shipped_model():
    data = (
        "4c474301873863f397e88be50900070020200000010000004d41352e20fc945e4b6c9885d91ca1f7"
        "311fcc58a9160c21ff825f9c66166cc60670956f3b032c06ec9adec83787752155d9a4be9ff51015"
        "06284ce40f1628fae6ba335e2e0ea742e0882fd30000"
    )
    np.testing.assert_array_equal(lutgen.decode(bytes.fromhex(data)), RAMP)
    assert lutgen.encode(RAMP, "digits").hex() == data


DEEP = (RAMP.astype(np.uint16) * 17 + 1) << 4
PREDICTIVE = {
    "rows": (RAMP, {"strip_height": 7, "tile_width": 0}, (
        "4c47430284e5d1655144703909000700080001000007000000010000000e9feeff32b333e7019d1c"
        "e43f660106170017060e08101f1001376b1f83203218f7017f4b380434b70d0455108311566134ba"
        "ac002e24803f2608369f4ed870cebd"
    )),
    "strips": (RAMP, {"strip_height": 3, "tile_width": 0}, (
        "4c47430284e5d1655144703909000700080001000003000000010000000e9feeff32b333e7019d1c"
        "e43f660106170017060e08101f104366d566101bfda36df3b5bf0b0002fc94cbbbd4bc6d02553483"
        "11566134baaced5bc53f12860622151406073023b4f6bd7f1d000000200000000e000000956ccdf8"
    )),
    "tiles of two images": (
        np.stack([RAMP, RAMP[::-1]]), {"strip_height": 4, "tile_width": 5}, (
        "4c47430284e5d1655144703909000700080001000004000500020000001e27fbbfccae6f40f46098"
        "d3c8a22007005ff7c4dc7b96c1d7d710990c8298f79b5055941eb80906060655348312562e24803f"
        "26059a0906066334baac2e369f4ea7ae63122886062215143111836c446121012d3d0c0505080107"
        "680630233111baa06133033c0c05090a0117c3821adfec49eefcb1b94530465b83bd01b400241716"
        "01050713010700bce6e11824000000210000002a0000001f000000a98e9d30"
    )
    ),
    "near": (RAMP, {"near": 2, "strip_height": 7, "tile_width": 0}, (
        "4c47430284e5d1655144703909000700080001020007000000010000000ecc100100104004031169"
        "0bd131007a969597310011a0bc849d00087e73cd07044436833d32a5880024764d1832e0402847e8"
        "a5"
    )),
    "plain bits": (NOISE, {"strip_height": 7, "tile_width": 0}, (
        "4c47430284e5d16551447039090007000800010000070000000100000012ff27272cd0d510962400"
        "c55287f027b624ff4300d59f9019712660a13500cd4f958e3bf1dfe59400af67fe311cd4cd090700"
        "0743d371fbf51710de003d2180d95dc5cfcc7941f93fef"
    )),
    "12 of 16 bits, shifted": (DEEP, {}, (
        "4c47430284e5d16551447039090007000c040100000700090001000000be01ffe03406706d06d06d"
        "06d0690690ab05c0b103a08b1570540cf01d18800718e11d0fe08f11921f1190db11d0090b103205"
        "011d03b0d30f508f00311903405811902b0cf5a611d8b41255bd1d9125c5bb6931027088d4302880"
        "c039a99e52f044f9407f"
    )),
    "16 bits, near": (NOISE.astype(np.uint16) * 257, {"near": 100}, (
        "4c47430284e5d1655144703909000700100001640007000900010000008e01a30c86437854402ac0"
        "16bf0d2ac998c9d22ea315a20cb5c08120313eb38890632afd6c4c99c764abe702128a3f11c3a0c0"
        "c04828af0e47d06721d0a470a02952454eefc84c1536c73be6fd"
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", PREDICTIVE)
def test_version_2(name):
    image, options, data = PREDICTIVE[name]
    codec = PredictiveCodec(predictive_model(), threads=1)
    assert codec.model.hash[:16] == "84e5d16551447039"
    found = codec.decode(bytes.fromhex(data))
    wanted = image if image.ndim == 3 else image[None]
    assert found.dtype == image.dtype and found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= options.get("near", 0)
    assert codec.encode(image, **options).hex() == data
