"""Synthetic glyph images: training and test data that needs no download.

They are made the way EMNIST was (Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of
MNIST to handwritten letters", 2017, section II-A): a character drawn large, blurred with sigma 1,
cropped to its box, centred with a border of two pixels in a square, reduced to 28 x 28 by bicubic
interpolation and scaled to the full 8-bit range.  Characters are handwriting-like strokes or
Pillow's embedded font, bent by a random affine and a smooth random displacement.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from lutgen.errors import InputError

__all__ = ["SIZE", "glyphs"]

SIZE = 28
_CANVAS = 128
_BORDER = 2

# Strokes of the digits in a unit square, x right and y down; points of smooth curves.
_STROKES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (((.5, .05), (.2, .2), (.12, .5), (.22, .83), (.5, .95), (.8, .8), (.88, .5), (.78, .2),
      (.5, .05)),),
    (((.35, .25), (.55, .05), (.52, .5), (.5, .95)),),
    (((.15, .28), (.35, .06), (.7, .1), (.78, .35), (.5, .65), (.12, .93), (.5, .9), (.88, .93)),),
    (((.18, .14), (.5, .05), (.78, .2), (.68, .42), (.42, .48), (.75, .58), (.83, .8), (.5, .96),
      (.15, .85)),),
    (((.62, .05), (.35, .4), (.12, .66), (.5, .66), (.9, .63)), ((.66, .4), (.64, .7), (.62, .96))),
    (((.82, .07), (.5, .08), (.28, .1), (.22, .42), (.55, .4), (.82, .62), (.66, .9), (.18, .92)),),
    (((.7, .05), (.4, .25), (.18, .6), (.3, .92), (.65, .93), (.8, .7), (.6, .52), (.22, .66)),),
    (((.12, .1), (.5, .1), (.88, .08), (.62, .45), (.42, .95)),),
    (((.72, .16), (.4, .06), (.25, .25), (.5, .46), (.76, .7), (.55, .95), (.25, .8), (.45, .5),
      (.74, .2), (.5, .05)),),
    (((.78, .2), (.45, .06), (.22, .28), (.4, .5), (.72, .36), (.8, .15), (.76, .5), (.68, .95)),),
)
_CHARACTERS = "0123456789ABDEFGHJKLMNPQRSTUVWXYZabdefghijkmnqrty"


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _curve(points: np.ndarray, steps: int = 6) -> np.ndarray:
    """Catmull-Rom curve through ``points`` (n, 2)."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    a, b, c, d = (padded[k : k + len(points) - 1, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _affine(rng: np.random.Generator) -> np.ndarray:
    angle, shear = rng.normal(0, 0.12), rng.normal(0, 0.2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.array([[rng.uniform(0.6, 1.0), shear], [0, rng.uniform(0.8, 1.1)]])


def _stroked(rng: np.random.Generator) -> Image.Image:
    """A digit of random strokes; the points move, so the elastic distortion is exact."""
    image = Image.new("L", (_CANVAS, _CANVAS))
    draw = ImageDraw.Draw(image)
    width = int(rng.integers(5, 15))
    matrix = _affine(rng)
    wave = rng.normal(0, 0.03, (2, 2))
    phase = rng.uniform(0, 2 * np.pi, (2, 2))
    for stroke in _STROKES[rng.integers(10)]:
        points = np.array(stroke) + rng.normal(0, 0.035, (len(stroke), 2))
        points = _curve(points) - 0.5
        bend = sum(
            wave[k] * np.sin(2 * np.pi * points[:, k : k + 1] + phase[k]) for k in range(2)
        )
        points = (points + bend) @ matrix.T * 88 + _CANVAS / 2
        line = [tuple(p) for p in points.tolist()]
        draw.line(line, fill=255, width=width, joint="curve")
        r = width / 2
        for x, y in (line[0], line[-1]):
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return image


def _typed(rng: np.random.Generator) -> Image.Image:
    """A character of the embedded font, through a random mesh."""
    image = Image.new("L", (_CANVAS, _CANVAS))
    character = _CHARACTERS[rng.integers(len(_CHARACTERS))]
    size = int(rng.integers(9, 14)) * 8
    stroke = int(rng.integers(0, 4))
    ImageDraw.Draw(image).text(
        (_CANVAS / 2, _CANVAS / 2), character, fill=255, font=_font(size), anchor="mm",
        stroke_width=stroke,
    )
    matrix = np.linalg.inv(_affine(rng))
    grid = np.linspace(0, _CANVAS, 5)
    at = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)[..., ::-1]
    source = (at - _CANVAS / 2) @ matrix.T + _CANVAS / 2 + rng.normal(0, 2.0, at.shape)
    mesh = []
    for i in range(4):
        for j in range(4):
            corners = source[[i, i + 1, i + 1, i], [j, j, j + 1, j + 1]]
            box = tuple(int(v) for v in (grid[j], grid[i], grid[j + 1], grid[i + 1]))
            mesh.append((box, tuple(corners.reshape(-1))))
    return image.transform(
        image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR, fillcolor=0
    )


def _finish(image: Image.Image) -> np.ndarray:
    image = image.filter(ImageFilter.GaussianBlur(1))
    left, top, right, bottom = image.getbbox() or (0, 0, _CANVAS, _CANVAS)
    side = max(right - left, bottom - top)
    # The border is two pixels of the finished image.
    square = round(side * SIZE / (SIZE - 2 * _BORDER))
    canvas = Image.new("L", (square, square))
    canvas.paste(
        image.crop((left, top, right, bottom)),
        ((square - right + left) // 2, (square - bottom + top) // 2),
    )
    small = np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BICUBIC), dtype=np.float64)
    low, high = small.min(), small.max()
    return np.rint((small - low) * (255 / max(high - low, 1))).astype(np.uint8)


def glyphs(count: int = 1000, seed: int = 0) -> np.ndarray:
    """Synthetic glyphs, two of three of them stroked digits and the others typed characters.

    The images depend on ``seed`` and their position only, so more of them begin with the same
    ones.  They may differ in single grey values between versions of Pillow.

    Parameters
    ----------
    count:
        Number of images, at least 1.
    seed:
        At least 0.

    Returns
    -------
    numpy.ndarray
        uint8, shape (count, 28, 28).

    Raises
    ------
    InputError
        If ``count`` or ``seed`` is out of range.
    """
    if not isinstance(count, int | np.integer) or not 1 <= count <= 1_000_000:
        raise InputError(f"number of glyphs must be 1 to 1000000, not {count!r}")
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 63:
        raise InputError(f"seed of glyphs must be an integer of at least 0, not {seed!r}")
    out = np.empty((count, SIZE, SIZE), dtype=np.uint8)
    for k in range(count):
        rng = np.random.default_rng((int(seed), k))
        out[k] = _finish(_stroked(rng) if rng.random() < 2 / 3 else _typed(rng))
    return out
