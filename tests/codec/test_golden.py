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
from lutgen.model.head import LaplaceHead, TableHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.features import Feature, Scale
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import TAPS
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.reference import REFERENCE_TAPS, TAPS_OF_ONE
from lutgen.model.predictive.trees import LutTrees
from lutgen.model.upsample import Upsampler
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


def channels_model(constraint: bool) -> Model:
    """Three channels, one level: thermometer bits of own neighbours, and of one of another."""
    size = 9

    def network(bits: int, groups: tuple[str, ...]) -> Netlist:
        inputs, outputs = [], {}
        for channel in range(3):
            for k, name in enumerate(groups):
                first = 2 + len(inputs)
                own, other = size * channel, size * ((channel + 1) % 3)
                inputs += [[own + (1 + 2 * b + k) % size, 256 * b // bits] for b in range(bits - 1)]
                inputs.append([other + 4, 100])
                outputs[f"{name}_{channel}"] = range(first, first + bits)
        return Netlist(3 * size, inputs, fanin=[], tables=[], outputs=outputs)

    at = np.arange(1024) - 512
    cdf = [np.clip(8064 + step * at, 0, 16128) for step in (600, 150, 40)]
    head = LaplaceHead(
        mu=np.arange(0, 511, 34), sigma=np.array([0, 0, 1, 1, 2, 2, 2, 2]), cdf=np.array(cdf)
    )
    groups = network(15, ("mu",)), network(7, ("sigma",))
    inputs = np.concatenate([part.inputs for part in groups])
    outputs = {
        f"{name}_{c}": part.outputs[f"{name}_{c}"] + shift
        for name, part, shift in (("mu", groups[0], 0), ("sigma", groups[1], 45)) for c in range(3)
    }
    net = Netlist(27, inputs, fanin=[], tables=[], outputs=outputs)
    ups = Upsampler(3, network(8, ("p0", "p1", "p2", "p3")), 3)
    return Model("tiny", Window(3, True, 3), net, None, head, {}, 1, ups, constraint)


CHANNELS = {
    False: ("948eabdb44e64656", (
        "4c474301948eabdb44e646560900070008042100010000009501274f75f9ffe1bf90fe85f89fe4ff"
        "a2fe33f96fe91f8d7e5dfa4c3e186f3ad485ce21fea8b26bf3cae8f77d2b5f9ffe1238287e18a8c1"
        "2e7547f89691aa00afdd037e15f8f7e824d10765c6580824013414eb02933e44ff05b1c15d78f06d"
        "fe8e00aa9029c47e6bdb6dbee1a119b4d4424ac6356dfa57eaff8efe63fa5003cf421fee79bac560"
        "550ac5c0fd4ac4406fcb64afd5c0002213f1dfcc7f4afcbff43fd4ff18fcb3f48fc87f35fd33f2af"
        "cfbf51fccff47fd540008601017f34fd23f56fd13f58fd7bf4afd7bf61fd6bf6efda7f3bfd3ff59f"
        "d177f5330b30fea9fb47ecdf927e71fa7004ff9dfe9ff957e7dfa884ca3fa91f746a3c0b4ac5b38a"
        "ff9cfe9bfac7eabfb4fecc43a92107fcbfefa7dabb587f75e99a4fde293dcff5f5fe77f33f9efea3"
        "fad0072b572423d73f25cd764f06505d7bc8e0fd83f74fdb00001d04fd07f55fd73f4efd8bf63fcf"
        "3f50fd6bf45fd67f5efd3bf62fd8c000"
    )),
    True: ("867b65016e531efb", (
        "4c474301867b65016e531efb0900070008042100010000008201013a7bafcfff0dfc87f42fc4ff27"
        "fd17f19fcb7f48fc6bf2efd261f0c379d6a42e710ff545935f9e5747bbe95afcfff091c143f0c546"
        "0977aa3fc4b3dc50057edf1bf0afc7bf41f4b8cb010400b02e6e00d8e0a5a8dbfd1c0155205388fc"
        "d7b6db7dc3423369a88475a2d0dbf4afd5ff1dfcc7f4a52b8b27bde055002c4406fe00002213f1df"
        "cc7f4afcbff43fd4ff18fcb3f48fc87f35fd33f2afcfbf51fccff47fd540007b02fe69fa47eadfa2"
        "7eb1faf7e95faf7ec3fad7eddfb4fe77fa7feb3fa2efea661661fd53f68fd9bf24fce3f4e009ff3b"
        "fd3ff2afcfbf5109947f523ee8d47816958b6715ff39fd37f58fd57f69fd9a9fe0ff97fdf69fd87f"
        "75ecee7824d79efea3fad0072b572423d73f25cd764f06505d7bc8e0fd83f74fdb00001d04fd07f5"
        "5fd73f4efd8bf63fcf3f50fd6bf45fd67f5efd3bf62fd8c000"
    )),
}  # fmt: skip


@pytest.mark.parametrize("constraint", CHANNELS)
def test_version_1_of_three_channels(constraint):
    model_hash, data = CHANNELS[constraint]
    image = np.dstack([RAMP, RAMP + np.uint8(20), RAMP // 2 + np.uint8(60)])
    codec = Codec(channels_model(constraint), threads=1)
    assert codec.model.hash[:16] == model_hash
    np.testing.assert_array_equal(codec.decode(bytes.fromhex(data))[0], image)
    assert codec.encode(image, tile=(8, 4)).data.hex() == data


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
        "4c47430259d8903a90ca7bd0090007000800010000070000000100000038ffedff7d52fa09dbc405"
        "e66d2b9ee91a77a2b882109918cb26438ae1010e08001003550510108302110c563061243480ba3f"
        "ac2608369f4e030ddc61"
    )),
    "strips": (RAMP, {"strip_height": 3, "tile_width": 0}, (
        "4c47430259d8903a90ca7bd00900070008000100000300000001000000284ff6ffdf3b4bc5aebaae"
        "86fd12ffa844da43849b1a5677b836c6010e010a110608020012120603550534128302110c566134"
        "baacf7b4b4b012860822161305073024a90c0cfd19000000200000000e00000044841e95"
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
        "4c47430259d8903a90ca7bd00900070008000102000700000001000000220bfeb33001c9d4433b0f"
        "48cb734f38bc9d0639f1d8132218b26c7cf860704546a9bfd10951014eecb09a"
    )),
    "plain bits": (NOISE, {"strip_height": 7, "tile_width": 0}, (
        "4c47430259d8903a90ca7bd0090007000800010000070000000100000048ff27252ed0c5d5ad1882"
        "96f02c27d5b69f6c90ff194371cd264f6095a18e353bf1dfe59411af67fe311c00d443cdd3097107"
        "fb3bf521178010d9de5dc5cfcc79500dc7c8"
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


#: The same with tokens by tANS.
PREDICTIVE |= {
    "rows, tANS": (RAMP, {"strip_height": 7, "tile_width": 0, "coder": tans(8)}, (
        "4c47430259d8903a90ca7bd009000700080001000807000000010000003801847fe968034dad630c"
        "1164884b7fe7dde509022abe047f0e888b19010e08001003550510108302110c563061243480ba3f"
        "ac2608369f4eeccd5947"
    )),
    "tiles, near, tANS": (NOISE, {"near": 2, "strip_height": 4, "tile_width": 5,
                                  "coder": tans(10)}, (
        "4c47430259d8903a90ca7bd009000700080001020a04000500010000001ecc8209aa741bc08ae074"
        "55e941d6cd058c3787917ccd61380ab6db9de9612851184d1cca64036a5b21466ab4c005ca9396c4"
        "50ec9e9a5812de1244210000001b000000e5332802"
    )),
    "11 bits, tANS": (RAMP.astype(np.uint16) + 1000, {"tile_width": 0, "coder": tans(9)}, (
        "4c47430259d8903a90ca7bd0090007000b000100090700000001000000380c00635e0c32e6d21903"
        "3f68b1259ea9c6ff0f623359ec7f3dc888e11401c020000100061880281002029801011018158180"
        "610480d0400f60842b01300806c32031002a115196"
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
        "b092245e8ecdfda2d4992a970704fa3b8a92cc033cfe3179b08e33888e6e970a05fb3e101bdb01c3"
        "8ae99900a780869819bb81cb7b7e97071790058040e9aca300c0a22fea1ea16121ae97012fa825db"
        "09f314150cc6d3ef608e7d873e972462109711560061003400ce00a6003e0022006a004300360114"
        "01280266035e01000102010713f731d0673c1e78b42d89f7750b17a0c16543c3bc33c634fddb9828"
        "13e8ce6bd58175be"
    )),
    "rgb in tiles": (RGBA[..., :3], {"strip_height": 4, "tile_width": 5, "order": 4}, (
        "4c474302b11c8480d05751a50900070008004300000400050001000000444ff3d1502aa80af6f290"
        "af393e597154f642aed7e474e903dcb6c4540b11391610e3055ff0e9645ca0643f91a92ae99fdc20"
        "27dd80425f219361e82dbb18446902f311d35b105a64010402042c0302040254030204013124514c"
        "2937265c4e2b3226524e2b18123f20121814352917181330291611560302041c0104024401040133"
        "267c763524857430247674181b6431180f753a18187138e516b4a247000000570000002ca1b48f"
    )),
    "gray with alpha, near": (RGBA[..., ::3], {"near": 1, "strip_height": 7, "tile_width": 0}, (
        "4c474302b11c8480d05751a5090007000800020100070000000100000024037facaddb0ccb53d902"
        "e6b34f2f987014f50305d5df4db94b9f03df9410fe0012c2f50e012871665d9efb24c868c2208224"
        "8a7ae466397c449f01113fb813236885dbb9e440a8c5aae7ec2921bd"
    )),
    "12 of 16 bits": (RGBA[..., :3].astype(np.uint16) << 4 | 3, {}, (
        "4c474302b11c8480d05751a5090007000c000300000700090001000000a404013feebd7f61fecffb"
        "2fec7fb0ff67fd97f63ff2801ffa5fb63c3fe8c3361a10e7034619b0d087381defff84fcefef6f93"
        "fecbf83fd1fb27fa5fb5b039b0e006fc21e903371c10d8c9f24e8e7fe1c7df5ff1063f03effe2006"
        "4ff4bc1583c706dbbe35fa6ef3cfa0cf077febffeb7ff019a9b008fda3eb6fe023f7efef3e3da5ff"
        "76fc3e365184f1e82e7994c37d707d9ffe79f91023f8c3dd9fe023f6c1d5fffe97fa4c83d87d8e5b"
        "a62e8bac5aa187d43fff019ff65cffe053fe967ffa84bfe681ff738ffed360f697fdde641ff22fff"
        "aaa7fe833ff9afffc207fca0bfea6cffa78ffe601ff24affb017ff417ffc983fd347e6c5ff62f3fe"
        "a23001f4bf6c0ffeb8be6dbff23cff87fff0fbe7cbe7cff32787f117f7"
    )),
}  # fmt: skip

COLOUR["rgba in rows, tANS"] = (
    RGBA, {"strip_height": 4, "tile_width": 0, "near": 1, "coder": tans(11)}, (
        "4c474302b11c8480d05751a509000700080004010b040000000100000028180cc3b9d2c77d2c0144"
        "13452c46655e78e20b910b0b8984b0df3ed92f47ac4bb00b91028601c2b6203277080074c7dd41df"
        "910134914a48bdbddad18c6bf104df914910857b26300fa7b41fcc577628781d2c46655e78e20b91"
        "163410380055e1e08bc5ee1deea731e55bf7410877c5c5ea5359ee92b763550df4d6fc470bc26123"
        "0331158b60b5bc06bcf645dcd1f791bde06b96470000004f000000a97554c3"
    )
)  # fmt: skip


@pytest.mark.parametrize("name", COLOUR)
def test_version_2_of_colour(name):
    image, options, data = COLOUR[name]
    codec = PredictiveCodec(ColourModel(tuple(map(predictive_model, range(3)))), threads=1)
    assert codec.model.hash[:16] == "b11c8480d05751a5"
    found = codec.decode(bytes.fromhex(data))[0]
    assert found.dtype == image.dtype and found.shape == image.shape
    assert np.abs(found.astype(int) - image).max() <= options.get("near", 0)
    assert codec.encode(image, channels=image.shape[2], **options).hex() == data


MOSAIC = (np.arange(80).reshape(8, 10) * 53 % 4001).astype(np.uint16)
MOSAICS = {
    "12 bits in rows": ({"cfa": "RGGB", "strip_height": 4, "tile_width": 0}, (
        "4c4743029d316f178b73931f050004000c00840000020000000100000032027fdf96ff37ffb53fd8"
        "9ff6a7fc8487bbb794c9e0d238f6970dfff42cffb53fd89ff6a7fb337fe97fa5fe979ffb5583303f"
        "fbb9fd89ff6a7fb13fed4ff9dc8f776f2993c1c118f697037ffb08ffed4ff627fda9feccc0107fe4"
        "1ed2ffbbdfaf51ee63ad3100000034000000cd990e28"
    )),
    "tiles, near": ({"cfa": "GBRG", "near": 3, "strip_height": 2, "tile_width": 3}, (
        "4c4743029d316f178b73931f050004000c00b403000100020001000000149240f14c051300102003"
        "00834271b4051a801098010973c7022044301662631446c242200232400130040037422234043040"
        "31040209284932f03bde855651140501e2a4072a8010840100140202c0092900106c0309230b8278"
        "133603cefd145082733c07238010100300600273563e18a450dc4e096f22e8d83fbebe3671200000"
        "002000000020000000200000009e7ffb4d"
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", MOSAICS)
def test_version_2_of_filter_arrays(name):
    options, data = MOSAICS[name]
    codec = PredictiveCodec(ColourModel(tuple(map(predictive_model, (0, 1, 2, 2)))), threads=1)
    assert codec.model.hash[:16] == "9d316f178b73931f"
    found = codec.decode(bytes.fromhex(data))[0]
    assert found.dtype == MOSAIC.dtype and found.shape == MOSAIC.shape
    assert np.abs(found.astype(int) - MOSAIC).max() <= options.get("near", 0)
    assert codec.encode(MOSAIC, **options).hex() == data
