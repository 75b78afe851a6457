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
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.features import Feature, Scale
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import TAPS
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.reference import REFERENCE_TAPS, TAPS_OF_ONE
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


def predictive_model(references: int = 0) -> PredictiveModel:
    """Three linear predictors, three trees, twelve classes; features of all kinds."""
    features = (
        Feature(()), Feature(("W-NW",)), Feature(("W-N", "N-NE"), absolute=True, gain=2),
        Feature(("W-NW", "NW-N", "N-NE"), absolute=True), Feature(("eW",), gain=4),
        Feature(("changes",)),
        *(Feature((f"{c}eX",), absolute=True, gain=4) for c in "ab"[:references]),
        Feature(("P-W",)), Feature(("P",)),
    )  # fmt: skip
    rows = np.zeros((3, len(TAPS) + references * TAPS_OF_ONE), dtype=np.int16)
    for r in range(references):
        names = REFERENCE_TAPS[r * TAPS_OF_ONE :][:TAPS_OF_ONE]
        for name, weight in (("X", 9 - r), ("W", -5), ("E", r - 4), ("eX", 30 * r - 20)):
            rows[:, len(TAPS) + r * TAPS_OF_ONE + names.index("ab"[r] + name)] = weight
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
    weights = {"eW": 22, "eN": 16, "eNE": 12, "EW": 20}
    weights |= {f"{c}eX": 9 for c in "ab"[:references]}
    return PredictiveModel(
        features, Scale(weights, 205), predictor,
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
        "4c47430259d8903a90ca7bd00900070008000100000700000001000000383ffb7fdf54b1a276f002"
        "898126d1cb989f32b882109918cb26438ae1010e08001003550510108302110c565f61243480ba3f"
        "ac2608369f4e1c2c177a"
    )),
    "strips": (RAMP, {"strip_height": 3, "tile_width": 0}, (
        "4c47430259d8903a90ca7bd00900070008000100000300000001000000284ff77fdf2195c5aebaae"
        "758b19ffa844da43849b1e29afdb36c6010e010a0d0608020012120603550510128302110c566134"
        "baace3b7e4ca12860822161305073024a90c0cfd19000000200000000e00000044841e95"
    )),
    "tiles of two images": (
        np.stack([RAMP, RAMP[::-1]]), {"strip_height": 4, "tile_width": 5}, (
        "4c47430259d8903a90ca7bd009000700080001000004000500020000001e1ffdbfefaa6e5a5aea5f"
        "dbca48200702e205060617050c011a001f180b100311812ede9e1eb805060606554a839a55302480"
        "3f26059a050606634ababa30369f4e3b5b08792886082216132f428384416221012d3d0e05050801"
        "07680830242f42baba6228033c0e05090aacb068141affecc8097afa37316e629a82ed01b4042418"
        "1a031800140107056204ff6d25000000210000002a0000001f0000006287cbea"
    )
    ),
    "near": (RAMP, {"near": 2, "strip_height": 7, "tile_width": 0}, (
        "4c47430259d8903a90ca7bd00900070008000102000700000001000000220bfeb33001c9d44217cf"
        "48a7fd4f38bc9d080420020510030da0830cf4d31ca6653621832e0400bf572324"
    )),
    "plain bits": (NOISE, {"strip_height": 7, "tile_width": 0}, (
        "4c47430259d8903a90ca7bd0090007000800010000070000000100000048ff27252ed0c5d5ad1882"
        "96f02c27d5b69f6c90ff194371cd264f6091a18e353bf1dfe59411af67fe311c50d496cdd3097107"
        "fb3bf525178010d9de5dc5cfcc79ebdab1e0"
    )),
    "12 of 16 bits, shifted": (DEEP, {}, (
        "4c47430259d8903a90ca7bd0090007000c040100000700090001000000be01ffe034065065065065"
        "0650650650ab0430a90210870650430cb00018800718e11d0fe08f11921f1980cb11d0090b103205"
        "011d03b1310ed08f00311903405811902b0cb5a611d8b41255bd1d9125c5bb6933027088d4302880"
        "c039a99e52f0cf4e59cc"
    )),
    "16 bits, near": (NOISE.astype(np.uint16) * 257, {"near": 100}, (
        "4c47430259d8903a90ca7bd009000700100001640007000900010000008e01a30c86437854402ac0"
        "16bf0d2ac998c9d22ea315a20cb5c08120313eb38890632afd6c4c99c764abe702128a3f11c3a0c0"
        "c04828af0e47d06721d0a470a02952454eefc84c15362655583d"
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", PREDICTIVE)
def test_version_2(name):
    image, options, data = PREDICTIVE[name]
    codec = PredictiveCodec(predictive_model(), threads=1)
    assert codec.model.hash[:16] == "59d8903a90ca7bd0"
    found = codec.decode(bytes.fromhex(data))
    wanted = image if image.ndim == 3 else image[None]
    assert found.dtype == image.dtype and found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= options.get("near", 0)
    assert codec.encode(image, **options).hex() == data


RGBA = np.dstack([RAMP, RAMP + np.uint8(20), RAMP // 2 + np.uint8(60), RAMP // 64])
COLOUR = {
    "rgba in rows": (RGBA, {"strip_height": 7, "tile_width": 0}, (
        "4c474302b11c8480d05751a509000700080004000007000000010000002c1bfd8c4f3f8ac09d2659"
        "b092245e8ecdfda2d4992a970705f8933214c9ae171b46f9b08e33888e6e97084f9240cbe983d96c"
        "6d1a871edaa89819bb81cb7b7e970501c115077c4ff2bc2a12465fea1ea16121ae970104d5874984"
        "f98a0a852fd3ef608e7d873e97245b109711560061003400ce00a6003b0022006a00430036011401"
        "280266035e01000102010507febff419cf079e2d0b627ddd42c5e83059fec70ce0eacc3307e2d828"
        "13e8ce6b4a6e44ff"
    )),
    "rgb in tiles": (RGBA[..., :3], {"strip_height": 4, "tile_width": 5, "order": 4}, (
        "4c474302b11c8480d05751a509000700080043000004000500010000004204ff3d1502aa80af6f29"
        "0aeb134eb4621234a6fce4443c0ec9ec780a1d330510630502ff874b22e50321fc8d471af2e8d730"
        "d1aba006a18c70f3bbf942d162f34fa140fd5a64010402042c0302040254030204012f24514c2931"
        "265c4e2b3126524e2b2f123f20123617352917321730291611560302041c0104024401040131267c"
        "76432485742f247674301464313416753a3116713809eff96f450000005700000051a691cd"
    )),
    "gray with alpha, near": (RGBA[..., ::3], {"near": 1, "strip_height": 7, "tile_width": 0}, (
        "4c474302b11c8480d05751a5090007000800020100070000000100000024037facaddb0ccb53d902"
        "e6b34f2f987014f5030172d5a6dca5cf3d319410fe0012c2f50c8d03665d9efb24c868c22082248a"
        "7ae466397c449f010d01ff02d3236885dbb9e440a8c5aae7f085d4e4"
    )),
    "12 of 16 bits": (RGBA[..., :3].astype(np.uint16) << 4 | 3, {}, (
        "4c474302b11c8480d05751a5090007000c0003000007000900010000009e049ff75ebfb0ff67fd97"
        "f63fd87fb3fecbfb1ff9400ffd2fdb1e1ff4619b0d087381a30cd868439c0ef7ffc27e77f7b7c9ff"
        "65fc1fe8fd93fd2fdad81cd870037e10f4819b8e086c607927473ff0e3efaff8831f81f7ff100327"
        "fa5e09dbc846dbbe3dfa6ef40fa2cf077fea7ebe00cd5f0047ed9f5d7f011fbfff79f001f4bf42b1"
        "d29427cf4373ecec2beb03e98fe79f04023f8b3dd9fe023f681d6ffb4bfeec86ecbed12dd3c665d7"
        "69b843f4d9ffc067fd973ff814ffa59ffea12ff9a07fdce3ffb4d8327fa5e0dd97fc8bffeaa9ffa0"
        "cffe6bfff081ff282ffa9b3fe9e3ffa7c3fe495ff602ffe82fff9307fa68fcd8bfec5e7fd4463da5"
        "ff779e27fb66fe6dbff23cff87fff0fbe7cbe7cff3275df02017"
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", COLOUR)
def test_version_2_of_colour(name):
    image, options, data = COLOUR[name]
    codec = PredictiveCodec(ColourModel(tuple(map(predictive_model, range(3)))), threads=1)
    assert codec.model.hash[:16] == "b11c8480d05751a5"
    found = codec.decode(bytes.fromhex(data))[0]
    assert found.dtype == image.dtype and found.shape == image.shape
    assert np.abs(found.astype(int) - image).max() <= options.get("near", 0)
    assert codec.encode(image, channels=image.shape[2], **options).hex() == data
