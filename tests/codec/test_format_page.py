"""docs/format.md says what the code does: its tables, its limits, its rules and its example."""

import doctest
import hashlib
import io
import re
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from lutgen.codec.codec import Codec, ModelMismatchError
from lutgen.codec.coder import RANS, tans
from lutgen.codec.container import HEADER_BYTES, MAX_IMAGES, CorruptStreamError, Header
from lutgen.codec.lossy import loc_container
from lutgen.codec.lossy import model as lossy_model
from lutgen.codec.lossy.interleaved import LANES
from lutgen.codec.lossy.loc_container import LocFile
from lutgen.codec.lossy.residuals import ResidualTables, ResidualWriter
from lutgen.codec.lossy.step import STEPS, step_of
from lutgen.codec.predictive import container as container_2
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.planes import ORDERS
from lutgen.codec.rans import CHECK_STATE
from lutgen.codec.tans import TansTables
from lutgen.files.archive import ArchiveError, Limits, read_archive, write_archive
from lutgen.files.bounds import ARCHIVE_RATIO, FREE_BYTES, FREE_PIXELS, PIXELS_PER_BYTE
from lutgen.gateware.files.header import BuildHeader, HeaderCheck
from lutgen.model.head import PROB_BITS
from lutgen.model.header import TABLES, VERSION_1, HeaderField
from lutgen.model.predictive.residual import TOKENS, raw_bits_of
from lutgen.model.tile import MAX_IMAGE_SIDE, MAX_TILE_SIDE, TileGrid
from tests.codec import page_decoder
from tests.models import (
    laplace_model,
    predictive_model,
    pyramid_laplace_model,
    pyramid_table_model,
    table_model,
)

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
TEXT = PAGE.read_text()


def table(name: str) -> list[dict[str, str]]:
    """Rows of one of the page's marked tables, by the names of its columns."""
    (found,) = re.findall(rf"<!-- table: {name} -->\n(.*?)<!-- end -->", TEXT, re.S)
    head, _, *rows = [[c.strip() for c in line[1:-1].split("|")] for line in found.splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


def fields(name: str) -> dict[str, tuple[int, int]]:
    """Offset and size of each field, which must leave no gap."""
    found = {row["name"]: (int(row["offset"]), int(row["size"] or 0)) for row in table(name)}
    end = 0
    for offset, size in found.values():
        assert offset == end
        end += size
    return found


def refused(name: str) -> dict[str, str]:
    """Words of the error that a broken rule of a field gives."""
    return {row["name"]: row["refused with"].strip("`") for row in table(name)}


LGC, LGC_2, LOC, ARCHIVE = fields("lgc"), fields("lgc 2"), fields("loc"), fields("archive")


def put(data: bytes, field: tuple[int, int], value: bytes) -> bytes:
    offset, size = field
    assert len(value) == size
    return data[:offset] + value + data[offset + size :]


# --- headers

LGC_HEADER = Header(bytes(range(0xA0, 0xA8)), TileGrid(0x0123, 0x0245, 0x10, 0x18), 0x1A2B3C4D, 3,
                    tans(11))  # fmt: skip
LGC_BYTES = {
    "magic": b"LGC", "version": b"\1", "model hash": bytes(range(0xA0, 0xA8)),
    "image width": b"\x23\1", "image height": b"\x45\2", "tile width": b"\x10",
    "tile height": b"\x18", "levels": b"\3", "coder": b"\x0b", "images": b"\x4d\x3c\x2b\x1a",
}  # fmt: skip
LOC_FILE = LocFile(bytes(range(0xA0, 0xA8)), 0x0123, 0x0245, 17, b"payload")
LOC_BYTES = {
    "magic": b"LOC", "version": b"\1", "model hash": bytes(range(0xA0, 0xA8)),
    "image width": b"\x23\1", "image height": b"\x45\2", "step": b"\x11",
}  # fmt: skip


def at(data: bytes, field: tuple[int, int]) -> bytes:
    return data[field[0] : field[0] + field[1]]


@pytest.mark.parametrize("version", TABLES)
def test_table_of_the_page(version):
    """The page's table is the code's, field by field."""
    name = "lgc" if version == 1 else f"lgc {version}"
    shown = [
        (row["name"], int(row["offset"]), int(row["size"]),
         re.sub(r"\[(.*?)\]\(.*?\)", r"\1", row["meaning"]), row["file by file"] == "yes")
        for row in table(name)
    ]  # fmt: skip
    assert shown == [
        (f.name, f.offset, f.size, f.meaning, f.per_file) for f in TABLES[version].fields
    ]


def test_fields_put_their_values():
    field = VERSION_1["image height"]
    assert field.put(bytes(26), 0x1234) == bytes(14) + b"\x34\x12" + bytes(10)
    assert VERSION_1["magic"].put(b"???!", b"LGC") == b"LGC!"
    with pytest.raises(ValueError, match="^magic must be of 3 bytes, not 2$"):
        VERSION_1["magic"].put(bytes(24), b"LG")


def test_versions_begin_alike():
    """The version is read before the rest is, so each reader can name the other's files."""
    for version, fields_ in TABLES.items():
        assert [f.offset for f in fields_.fields[:2]] == [0, 3] and fields_.version == version
    data = LGC_HEADER.pack()
    with pytest.raises(CorruptStreamError, match="must be 1 with this model, not 2: a model of"):
        Header.unpack(VERSION_1["version"].put(data, 2))
    with pytest.raises(CorruptStreamError, match="version must be 1 or 2, not 3$"):
        Header.unpack(VERSION_1["version"].put(data, 3))


def test_header_of_lgc():
    data = LGC_HEADER.pack()
    assert {name: at(data, field) for name, field in LGC.items()} == LGC_BYTES
    assert len(data) == HEADER_BYTES == sum(size for _, size in LGC.values())
    joined = b"".join(LGC_BYTES[name] for name in LGC)
    assert Header.unpack(joined) == LGC_HEADER


def test_header_of_loc():
    data = LOC_FILE.pack()
    crc = LOC["CRC-32"]
    others = data[: crc[0]] + data[sum(crc) :]
    assert {name: at(data, LOC[name]) for name in LOC_BYTES} == LOC_BYTES
    assert at(data, crc) == struct.pack("<I", zlib.crc32(others))
    assert data[sum(crc) :] == b"payload"
    assert set(LOC) == {*LOC_BYTES, "CRC-32"}
    assert LocFile.unpack(data) == LOC_FILE


TINY = table_model(size=3, walker=False, bits=1)
BREAKS = {
    "magic": b"LGD", "version": b"\2", "model hash": bytes(8), "image width": bytes(2),
    "image height": b"\1\x40", "tile width": b"\0", "tile height": b"\x41", "levels": b"\4",
    "coder": b"\7", "images": bytes(4),
}  # fmt: skip


PREDICTIVE = predictive_model()
BREAKS_2 = {
    "magic": [b"LGD"], "version": [b"\1", b"\3"], "model hash": [bytes(8)],
    "image width": [bytes(2)], "image height": [bytes(2)], "bit depth": [b"\7", b"\x11"],
    "shift": [b"\x09"], "channels": [b"\0", b"\5"], "near": [b"\x80"], "coder": [b"\7", b"\x0d"],
    "strip height": [bytes(2), b"\3\0"], "tile width": [b"\5\0"], "images": [bytes(4)],
}  # fmt: skip


@pytest.mark.parametrize("name", LGC)
def test_broken_header_of_lgc(name):
    codec = Codec(TINY, threads=1)
    data = put(codec.encode(np.zeros((2, 4), np.uint8)).data, LGC[name], BREAKS[name])
    error = ModelMismatchError if name == "model hash" else CorruptStreamError
    with pytest.raises(error, match=re.escape(refused("lgc")[name])):
        codec.decode(data)


@pytest.mark.parametrize(("model", "name", "value", "words"), [
    (pyramid_table_model(size=3, ups_size=3), "tile width", b"\6", "tile width must be a multiple"),
    (TINY, "levels", b"\1", "stream must have its model's"),
    (laplace_model(bits=4, nodes=9), "coder", b"\x09",
     "stream must be coded with a coder that its model can have"),
])  # fmt: skip
def test_headers_that_do_not_fit(model, name, value, words):
    assert words in " ".join(TEXT.split())
    codec = Codec(model, threads=1)
    data = codec.encode(np.zeros((12, 12), np.uint8)).data
    with pytest.raises(CorruptStreamError, match=re.escape(words)):
        codec.decode(put(data, LGC[name], value))


@pytest.mark.parametrize("name", LGC_2)
def test_broken_header_of_version_2(name):
    codec = PredictiveCodec(PREDICTIVE, threads=1)
    good = codec.encode(np.zeros((2, 4), np.uint8))
    assert len(good) > sum(size for _, size in LGC_2.values()) == TABLES[2].size
    for value in BREAKS_2[name]:
        error = ModelMismatchError if name == "model hash" else CorruptStreamError
        with pytest.raises(error, match=re.escape(refused("lgc 2")[name])):
            codec.decode(put(good, LGC_2[name], value))


def test_rules_of_version_2():
    """Words and numbers of its errors."""
    flat = " ".join(TEXT.split())
    rules = {row["name"]: row["rule"] for row in table("lgc 2")}
    codec = PredictiveCodec(PREDICTIVE, threads=1)
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    data = codec.encode(image, strip_height=8, tile_width=0)
    assert f"A header of {TABLES[2].size} bytes" in flat
    assert rules["image width"] == rules["image height"] == f"1 to {container_2.MAX_SIDE}"
    assert rules["images"] == f"1 to {MAX_IMAGES}"
    assert f"`n // {least_samples()}` bytes" in flat
    wrong = data[:-1] + bytes([data[-1] ^ 1])
    long = data[:29] + b"\x7f" + data[30:]
    for bad, words in ((wrong, "checksum of strip"), (long, "length of payload")):
        assert f"`{words}" in flat
        with pytest.raises(CorruptStreamError, match=f"^{words}"):
            codec.decode(bad)
    for token in range(TOKENS):
        raw, first = raw_bits_of(token)
        e, m = 4 + (token - 16) // 4, (token - 16) % 4
        assert (raw, first) == ((0, token) if token < 16 else (e - 2, (4 + m) << (e - 2)))


def test_orders_of_planes():
    names = ("red", "green", "blue")
    shown = [(int(row["number"]), row["planes"]) for row in table("orders")]
    assert shown == [
        (number, ", ".join(names[k] for k in order)) for number, order in enumerate(ORDERS)
    ]


def least_samples() -> int:
    """Samples that a byte of a payload stands for at most."""
    return next(n for n in range(1, 1 << 20) if container_2.least_payload_bytes(n))


@pytest.mark.parametrize("name", [name for name in LOC if name != "model hash"])
def test_broken_header_of_loc(name):
    values = {**BREAKS, "step": b"\x29", "CRC-32": bytes(4)}
    data = put(LOC_FILE.pack(), LOC[name], values[name])
    if name != "CRC-32":
        crc = LOC["CRC-32"]
        others = data[: crc[0]] + data[sum(crc) :]
        data = put(data, crc, struct.pack("<I", zlib.crc32(others)))
    with pytest.raises(CorruptStreamError, match=re.escape(refused("loc")[name])):
        LocFile.unpack(data)


def test_constants():
    """Numbers of the page's rules, each where the page says it."""
    flat = " ".join(TEXT.split())
    rules = {name: {row["name"]: row["rule"] for row in table(name)} for name in ("lgc", "loc")}
    for side in ("image width", "image height"):
        assert rules["lgc"][side] == rules["loc"][side] == f"1 to {MAX_IMAGE_SIDE}"
    assert loc_container.MAX_SIDE == MAX_IMAGE_SIDE
    assert rules["lgc"]["tile width"].startswith(f"1 to {MAX_TILE_SIDE};")
    assert rules["lgc"]["images"] == f"1 to {MAX_IMAGES}"
    assert rules["loc"]["step"] == f"0 to {STEPS - 1}"
    assert f"x is {CHECK_STATE} to {2 * CHECK_STATE - 1}" in flat
    assert f"frequencies add up to {1 << PROB_BITS}" in flat
    assert f"under {LANES} rANS states" in flat
    assert f"at most {ARCHIVE_RATIO} bytes for each byte of the file, or {FREE_BYTES}" in flat
    assert f"more than {FREE_PIXELS} pixels must have at most {PIXELS_PER_BYTE} pixels" in flat
    assert f"one symbol of class {lossy_model.FAR_CLASS} for each" in flat
    assert f"two symbols of class {lossy_model.RAW_CLASS}:" in flat
    assert f"Channel i has class {lossy_model.PRIOR_CLASS} + i" in flat
    (steps,) = re.findall(r"where t is ([\d, ]+)\.", flat)
    t = [int(value) for value in steps.split(",")]
    assert [(t[s % 8] << s // 8) >> 2 for s in range(STEPS)] == [*map(step_of, range(STEPS))]


def test_limits_of_archives():
    default, lossy = Limits(), lossy_model._LIMITS
    names = ("size", "json", "arrays", "dims")
    assert [(int(row["`codec-model`"]), int(row["`loclic`"])) for row in table("limits")] == [
        (getattr(default, name), getattr(lossy, name)) for name in names
    ]


def test_header_of_archives():
    file = io.BytesIO()
    write_archive(file, "test", 1, {}, {"a": np.arange(3, dtype=np.int16)})
    data = file.getvalue()
    body = zlib.decompress(data[ARCHIVE["body"][0] :])
    assert at(data, ARCHIVE["magic"]) == b"LUTGEN\r\n"
    assert at(data, ARCHIVE["body size"]) == struct.pack("<Q", len(body))
    assert body.endswith(struct.pack("<3h", 0, 1, 2))
    for name in ("magic", "SHA-256"):
        with pytest.raises(ArchiveError, match=re.escape(refused("archive")[name])):
            read_archive(put(data, ARCHIVE[name], bytes(ARCHIVE[name][1])), "test", 1)
    for size, words in ((3, refused("archive")["body size"]), (7, refused("archive")["body"])):
        wrong = put(data, ARCHIVE["body size"], struct.pack("<Q", size))
        digest = hashlib.sha256(wrong[sum(ARCHIVE["SHA-256"]) :]).digest()
        with pytest.raises(ArchiveError, match=re.escape(words)):
            read_archive(put(wrong, ARCHIVE["SHA-256"], digest), "test", 1)


# --- gateware



def build_header(header: Header = LGC_HEADER) -> BuildHeader:
    """The header of a build whose files begin with this one, sizes and images apart."""
    config = SimpleNamespace(
        model_hash=header.model_hash, model=SimpleNamespace(levels=header.levels),
        tile_width=header.grid.tile_width, tile_height=header.grid.tile_height,
        coder=header.coder,
    )  # fmt: skip
    return BuildHeader.of(config)


def signal(field: HeaderField) -> Signal:
    return Signal(8 * field.size, name=field.name)


def test_gateware_writes_the_same_header():
    header = build_header()
    free = {field.name: signal(field) for field in header.table.fields if field.per_file}
    found = header.bytes(free)
    assert len(found) == HEADER_BYTES
    for name, field in LGC.items():
        for k, value in enumerate(at(found, field)):
            if name in free:
                assert repr(value) == repr(free[name][8 * k : 8 * k + 8]), name
            else:
                assert value.value == LGC_BYTES[name][k], name


@pytest.mark.parametrize("name", [None, *LGC])
def test_gateware_checks_and_keeps_the_same_header(name):
    """Each field that is not per file is compared, in full; the others are kept."""
    header = build_header()
    assert {"image width", "image height", "images"} == {
        field.name for field in header.table.fields if field.per_file
    }
    places = range(LGC[name][1]) if name else [0]
    for k in places:
        data = bytearray(LGC_HEADER.pack())
        if name:
            data[LGC[name][0] + k] ^= 1 << k
        per_file, wrong_header, wrong_model = checked(header, bytes(data))
        for field, kept in per_file.items():
            assert kept == int.from_bytes(at(data, LGC[field]), "little")
        assert wrong_model == (name == "model hash")
        assert wrong_header == (name not in (None, "model hash", *per_file))


def checked(header: BuildHeader, data: bytes) -> tuple[dict[str, int], int, int]:
    """What `HeaderCheck` makes of a header, in Amaranth's own simulator."""
    m, check = Module(), HeaderCheck(header)
    number, byte = Signal(range(header.size)), Signal(8)
    check.take(m, number, byte)
    found = []

    async def feed(context):
        for k, value in enumerate(data):
            context.set(number, k)
            context.set(byte, value)
            await context.tick()
        found.append({name: context.get(kept) for name, kept in check.fields.items()})
        found.extend((context.get(check.wrong_header), context.get(check.wrong_model)))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed)
    simulator.run()
    return tuple(found)


# --- the example


@pytest.fixture(scope="module")
def scope() -> dict:
    """What the page's example makes, when all of it has given what the page says."""
    test = doctest.DocTestParser().get_doctest(TEXT, {}, PAGE.name, str(PAGE), 0)
    failed, tried = doctest.DocTestRunner().run(test, clear_globs=False)
    assert tried and not failed, "run: python -m doctest docs/format.md"
    return test.globs


@pytest.fixture
def example(scope) -> tuple[dict, bytes, list]:
    """The model as its file is read, the file that the page's table shows, and the image."""
    file = io.BytesIO()
    scope["model"].save(file)
    data = b"".join(bytes.fromhex(row["bytes"]) for row in table("example"))
    assert data == scope["data"]
    return page_decoder.read_model(file.getvalue()), data, scope["image"].tolist()


def test_example_decodes_to_the_pixels_shown(example):
    model, data, image = example
    assert page_decoder.decode_file(model, data, LGC) == [image]
    for row in table("example")[:-2]:
        field = (int(row["offset"]), len(bytes.fromhex(row["bytes"])))
        assert LGC[row["name"]] == field
    (tail,) = re.findall(r"coder=tans\(8\)\).data\n>>> small\[16:\].*\n'(.*)'", TEXT)
    other = data[:16] + bytes.fromhex(tail)
    assert page_decoder.decode_file(model, other, LGC) == [image]


def test_steps_of_the_example(example):
    model, data, image = example
    bits = page_decoder.Bits(data[25:])
    while not bits.take(1):
        pass
    x = (1 << 16) + bits.take(16)
    picture = [[0] * 4, [0] * 4]
    for row in table("steps"):
        v, u = map(int, row["row, column"].split(","))
        left = picture[v][u - 1] if u else 0
        number, c = page_decoder.row_of(model, [0, 0, 0, left])
        slot = x % 16384
        symbol = int(row["symbol"])
        assert c[symbol] <= slot < c[symbol + 1]
        small = (c[symbol + 1] - c[symbol]) * (x // 16384) + slot - c[symbol]
        assert [left, number, x, slot, small] == [
            int(row[k]) for k in ("left", "class", "x", "slot", "x before new bits")
        ]
        begin = bits.at
        x = page_decoder.pop(x, c[symbol], c[symbol + 1], bits)
        bits.at = begin
        count = len(row["bits"])
        assert format(bits.take(count), "b").zfill(count) == row["bits"] or not count
        assert x == int(row["x after"])
        picture[v][u] = symbol
    assert picture == image
    assert (x, bits.at) == (CHECK_STATE, 8 * len(data[25:]))


# --- a decoder written from the page


@pytest.mark.parametrize(("model", "coder", "tile"), [
    (table_model(size=5), RANS, (8, 5)),
    (table_model(size=3, walker=False), RANS, (32, 32)),
    (table_model(size=7, seed=3), tans(8), (16, 16)),
    (table_model(seed=4), tans(12), (5, 11)),
    (laplace_model(bits=9, nodes=30), RANS, (16, 16)),
    (pyramid_table_model(levels=1, ups_size=3), tans(9), (8, 4)),
    (pyramid_table_model(levels=3, size=3, constraint=True), RANS, (8, 8)),
    (pyramid_laplace_model(bits=12, nodes=30), RANS, (16, 32)),
    (pyramid_laplace_model(bits=12, nodes=30, constraint=True), RANS, (12, 8)),
    (pyramid_laplace_model(bits=12, nodes=30, channels=3, constraint=True), RANS, (12, 8)),
    (pyramid_laplace_model(bits=9, nodes=30, channels=2, levels=1), RANS, (16, 16)),
    (pyramid_laplace_model(bits=9, nodes=30, channels=4, levels=0, size=3), RANS, (7, 16)),
])  # fmt: skip
def test_page_is_enough_to_decode(model, coder, tile):
    shape = (2, 11, 13) if model.channels == 1 else (2, 11, 13, model.channels)
    images = np.random.default_rng(1).integers(256, size=shape, dtype=np.uint8)
    images[1].T[:] = (np.arange(13) * 9)[:, None]  # and what is likelier
    data = Codec(model, threads=1).encode(images, tile=tile, coder=coder).data
    file = io.BytesIO()
    model.save(file)
    read = page_decoder.read_model(file.getvalue())
    assert read["hash"].hex() == model.hash
    assert page_decoder.decode_file(read, data, LGC) == images.tolist()


@pytest.mark.parametrize("bits", range(8, 13))
def test_tables_of_tans(bits):
    head = table_model(seed=bits).head
    tables = TansTables.from_head(head, bits)
    for row in (0, 5, 12):
        made = page_decoder.tans_tables(head.cumulative[row].tolist(), bits)
        assert made == [*zip(tables.symbols[row], tables.reduced[row], strict=True)]


@pytest.mark.parametrize("count", [0, 7, 200])
def test_page_is_enough_to_read_the_payload_of_loc(count):
    rng = np.random.default_rng(count)
    tables = lossy_model.format_tables()
    writer = ResidualWriter(
        ResidualTables(tables, far=lossy_model.FAR_CLASS, raw=lossy_model.RAW_CLASS)
    )
    batches = []
    for spread in (3, 300, 30000):
        classes = rng.integers(lossy_model.SCALES, size=count)
        batches.append((classes, rng.integers(-spread, spread, size=count)))
        writer.code(*batches[-1])
    payload = writer.payload()
    reader = page_decoder.Interleaved(payload)
    rows = tables.cumulative.tolist()
    for classes, residuals in batches:
        assert reader.batch(classes.tolist(), rows) == residuals.tolist()
    reader.finish()


@pytest.mark.parametrize(("damage", "words"), [
    (lambda data: data + b"\0", "bytes after its last packet"),
    (lambda data: data[:-1], "is cut short"),
    (lambda data: data[:23], "stream must have a header of 24 bytes"),
    (lambda data: data[:24] + b"\x85\0" + data[25:], "its length is not LEB128"),
    (lambda data: data[:24] + b"\2" + data[25:27] + bytes(2), "payload must have at least"),
    (lambda data: data[:25] + b"\0" + data[26:], "its decoder did not end in the check state"),
    (lambda data: data[:25] + b"\x11" + data[26:], "its decoder did not end in the check state"),
])  # fmt: skip
def test_broken_packets(scope, example, damage, words):
    assert words in " ".join(TEXT.split())
    _, data, image = example
    codec = Codec(scope["model"], threads=1)
    assert codec.decode(data).tolist() == [image]
    with pytest.raises(CorruptStreamError, match=re.escape(words)):
        codec.decode(damage(data))


def test_a_loc_of_another_model_is_refused():
    pytest.importorskip("torch")
    from lutgen.training.loclic.files import decode_image

    codec = SimpleNamespace(hash=bytes(8))
    with pytest.raises(ModelMismatchError, match=refused("loc")["model hash"]):
        decode_image(codec, LOC_FILE.pack())


def test_least_payload():
    """The formula of the page is the coder's."""
    assert "`(S + 1 + max(0, n // b - 1) + 7) // 8`" in TEXT
    for coder, s, b, most in ((RANS, 16, 64, 14), *((tans(k), k, 256, 15) for k in range(8, 13))):
        for n in (1, 63, 64, 128, 255, 256, 600, 4096):
            assert coder.least_payload_bytes(n) == (s + 1 + max(0, n // b - 1) + 7) // 8
            assert coder.max_payload_bytes(n) == (most * n + s + 8) // 8
        assert coder.min_payload_bytes == (s + 8) // 8
