"""Images for the codec in C of profile predictive, and what the reference makes of them."""

import numpy as np

from lutgen.codec.coder import RANS, tans
from lutgen.codec.predictive.container import SLABS
from lutgen.model.cfa import CFAS
from tests.c.compiled import SUCCESS
from tests.c.pictures import CHANNELS, drawn, stacked

__all__ = ["both_ways", "many_blocks"]

#: Kinds of images by the shipped model and the random one that code them.
KINDS = {
    ("photo", "photo-16", "random"): ("gray",),
    ("photo-rgb", "random-rgb"): (*CHANNELS, "gray"),
    ("photo-bayer", "random-bayer"): CFAS,
}
PREDICTIVE = {name for names in KINDS for name in names}


def kinds_of(model: str) -> tuple[str, ...]:
    return next(kinds for models, kinds in KINDS.items() if model in models)


def cases(rng, count: int, kinds: tuple[str, ...]):
    """Images and options of all depths, errors, shifts and layouts."""
    sizes = [(1, 1), (1, 40), (40, 1), (3, 16), (5, 17), (21, 50), (37, 24), (75, 33), (110, 17),
             (18, 150), (2, 3), (37, 66), (67, 131)]  # fmt: skip
    for k in range(count):
        depth = 8 + k % 9
        shift = int(rng.integers(0, 17 - depth)) if k % 4 == 3 else 0
        height, width = sizes[k % len(sizes)] if k % 2 else rng.integers(1, 60, 2)
        kind = kinds[k % len(kinds)]
        options = {"channels": CHANNELS.get(kind, 1)}
        if kind in CFAS:
            height, width, options = 2 * ((height + 1) // 2), 2 * ((width + 1) // 2), {"cfa": kind}
        elif kind != "gray" and k % 3 == 0:
            options["order"] = int(rng.integers(6)) if options["channels"] > 2 else 0
        texture = ("noise", "flat", "page", "smooth", "smooth")[k % 5]
        image = stacked(drawn(rng, texture, height, width, depth), kind, rng)
        images = np.stack([image, image[::-1]][: 1 + (k % 7 == 0)]) << shift
        tile_width = (None, 0, 0, 0, 1, 19)[rng.integers(6)]
        columns = width // 2 if kind in CFAS else width
        if not tile_width:
            fitting = [slabs for slabs in SLABS if columns > slabs * (slabs - 1)]
            options["slabs"] = int(rng.choice(fitting))
        yield images.astype(np.uint8 if depth + shift == 8 else np.uint16), {
            "depth": depth, "shift": shift, "near": int(rng.choice([0, 0, 1, 2, 5])),
            "strip_height": (None, 1, 7, 36, None)[rng.integers(5)],
            "tile_width": tile_width, "coder": tans(8 + k % 5) if k % 3 == 2 else RANS, **options,
        }  # fmt: skip


def both_ways(program, codecs, rng, count: int) -> None:
    """So many images for each model."""
    wanted = []
    for name in sorted(PREDICTIVE & program.models.keys()):
        for k, (images, options) in enumerate(cases(rng, count, kinds_of(name))):
            file = codecs[name].encode(images, **options)
            program.encode(name, images, **options, by_strips=k % 3 == 1)
            program.decode(name, file, by_strips=k % 3 == 2)
            wanted.append((file, codecs[name].decode(file), options))
    answers = program.answers()
    for (file, images, options), encoded, decoded in zip(wanted, answers[::2], answers[1::2],
                                                         strict=True):  # fmt: skip
        what = f"{images.shape}, {options}"
        assert encoded.status == SUCCESS and encoded.data == file, what
        assert decoded.status == SUCCESS and decoded.damaged == (), what
        assert np.array_equal(decoded.images(file), images), what


#: Model, kind, height and width of strips of more than one block of lanes.
MANY_BLOCKS = (
    ("photo", "gray", 75, 301), ("photo", "gray", 130, 126), ("random", "gray", 70, 260),
    ("photo-rgb", "RGB", 41, 397), ("random-rgb", "RGBA", 37, 140),
    ("photo-bayer", "RGGB", 70, 300),
)  # fmt: skip


def many_blocks(program, codecs, rng, textures=("smooth", "page", "noise", "flat")) -> None:
    """Lanes turn to their next rows, and eight payloads are read and written at once."""
    wanted = []
    for name, kind, height, width in MANY_BLOCKS:
        if name not in program.models:
            continue
        for k, texture in enumerate(textures):
            drawing = drawn(rng, texture, height, width, 8)
            images = stacked(drawing, kind, rng)[None].astype(np.uint8)
            images = images[:, : height // 2 * 2, : width // 2 * 2]
            options = {"cfa": kind} if kind in CFAS else {"channels": CHANNELS.get(kind, 1)}
            options |= {"depth": 8, "near": k % 2, "tile_width": 0, "strip_height": 999}
            file = codecs[name].encode(images, **options)
            program.encode(name, images, **options)
            program.decode(name, file)
            wanted.append((file, codecs[name].decode(file)))
    answers = program.answers()
    for (file, images), encoded, decoded in zip(wanted, answers[::2], answers[1::2], strict=True):
        assert encoded.status == SUCCESS and encoded.data == file, images.shape
        assert decoded.status == SUCCESS and np.array_equal(decoded.images(file), images)
