"""Files of all models, damage, and what the reference says of it."""

import struct
from zlib import crc32

import numpy as np

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.coder import RANS, tans
from lutgen.codec.container import CorruptStreamError, CorruptTileError
from lutgen.codec.predictive.codec import DamagedStripsError
from lutgen.model.header import VERSION_2
from tests.c.compiled import DAMAGED_STRIPS, SUCCESS
from tests.c.library import TILES
from tests.c.pictures import drawn, stacked

__all__ = ["mutated", "reference", "tile_victims", "victims"]


def mutated(rng, file: bytes, sound: bool) -> bytes:
    """A file with some damage; if ``sound``, of one strip, whose checksum is made right again."""
    data = bytearray(file[:-4] if sound else file)
    kind = rng.integers(5)
    for _ in range(1 if kind else int(rng.integers(1, 5))):
        at = int(rng.integers(VERSION_2.size if sound else 0, len(data)))
        if kind == 4:
            end = min(len(data), at + int(rng.integers(1, 9)))
            data[at:end] = bytes(end - at)
        elif kind == 3:
            del data[at : at + int(rng.integers(1, 9))]
        elif kind == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            data[at] ^= 1 << int(rng.integers(8)) if kind else int(rng.integers(1, 256))
    if not sound:
        return bytes(data)
    header = bytes(data[: VERSION_2.size])
    checksum = crc32(data[VERSION_2.size :], crc32(bytes(4), crc32(header)))
    return bytes(data) + struct.pack("<I", checksum)


def reference(codec, file: bytes):
    """Kind of status, damaged strips, and samples; None where the reference does not say.

    Of damaged tiles it tells the first alone, and gives no samples.
    """
    try:
        return SUCCESS, (), codec.decode(file)
    except DamagedStripsError as error:
        return DAMAGED_STRIPS, error.damaged, error.images
    except CorruptTileError:
        return DAMAGED_STRIPS, None, None
    except (CorruptStreamError, ModelMismatchError):
        return None, (), None


def victims(codecs, rng) -> tuple[list, list]:
    """Files of one strip, and of many, with their models: gray, colour and filter arrays."""
    image = drawn(rng, "smooth", 40, 30, 8)
    gray, deep = image.astype(np.uint8), drawn(rng, "smooth", 21, 20, 11).astype(np.uint16)
    rgb = stacked(image, "RGB", rng).astype(np.uint8)
    rgba = stacked(deep, "RGBA", rng).astype(np.uint16)
    # Wide enough for rows side by side: 16 columns for each channel.
    wide = drawn(rng, "smooth", 14, 130, 8)
    wide_rgb = stacked(wide[:, :50], "RGB", rng).astype(np.uint8)
    one = [
        ("photo", gray[:, :20], {"tile_width": 0}), ("photo", gray[:, :20], {"tile_width": 11}),
        ("random-rgb", rgb[:20, :17], {"channels": 3, "tile_width": 0}),
        ("photo-rgb", rgba[:14], {"channels": 4, "tile_width": 7, "depth": 11}),
        ("random-bayer", gray[:, :24], {"cfa": "GRBG", "tile_width": 0}),
        ("photo-rgb", wide_rgb, {"channels": 3, "tile_width": 0, "strip_height": 14}),
        ("photo-bayer", wide.astype(np.uint8), {"cfa": "BGGR", "tile_width": 0,
                                                "strip_height": 14}),
        ("photo", gray[:, :20], {"tile_width": 0, "coder": tans(8)}),
        ("random-rgb", rgb[:20, :17], {"channels": 3, "tile_width": 0, "coder": tans(11)}),
        # High enough for all lanes, too.
        ("photo", drawn(rng, "smooth", 36, 170, 8).astype(np.uint8),
         {"tile_width": 0, "strip_height": 36}),
    ]
    many = [
        ("photo", gray, {"strip_height": 8}),
        ("photo", deep, {"depth": 11, "near": 1, "strip_height": 9, "tile_width": 6}),
        ("photo-rgb", rgba, {"channels": 4, "depth": 11, "strip_height": 9, "coder": tans(9)}),
        ("random-rgb", rgba, {"channels": 4, "depth": 11, "near": 1, "strip_height": 6}),
        ("photo-rgb", rgb[:24], {"channels": 3, "strip_height": 5, "tile_width": 0}),
        ("photo", gray, {"strip_height": 16, "slabs": 4}),
        ("random-bayer", wide.astype(np.uint8), {"cfa": "RGGB", "strip_height": 6, "slabs": 2}),
        ("photo-bayer", gray, {"cfa": "RGGB", "strip_height": 8, "tile_width": 10}),
        ("random-rgb", wide_rgb, {"channels": 3, "near": 1, "tile_width": 0, "strip_height": 5}),
        ("random-bayer", wide.astype(np.uint8), {"cfa": "GBRG", "tile_width": 0,
                                                 "strip_height": 6}),
    ]
    return tuple(
        [(name, codecs[name].encode(image, **{"depth": 8, **options}))
         for name, image, options in files if name in codecs]
        for files in (one, many)
    )  # fmt: skip


def tile_victims(codecs, rng) -> list:
    """Files of version 1 with their models: of one tile, of many, of many images."""
    surface = drawn(rng, "smooth", 40, 54, 8).astype(np.uint8)
    small = np.stack([drawn(rng, "page", 9, 11, 8).astype(np.uint8) for _ in range(5)])
    files = []
    for name in TILES:
        model = codecs[name].model
        has_tables = hasattr(model.head, "from_counts") and not model.constraint
        for images, tile in ((surface, (16, 24)), (small, (32, 32)), (small[0], (8, 8))):
            for coder in (RANS, tans(9), tans(12))[: 3 if has_tables else 1]:
                files.append((name, codecs[name].encode(images, tile=tile, coder=coder).data))
    return files
