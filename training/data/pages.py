"""Synthetic pages, charts, screens and scans: images that are flat, sparse and repeated.

Photographs have none of what printed pages, user interfaces and scanners give: large areas of one
value, edges without noise, few grey values, a dark background around an object.  These images are
drawn, so that a model can learn from them without anybody's picture.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from lutgen.errors import InputError

__all__ = ["pages"]

_SIZE = 384
_MOST = 10_000
_WORDS = (
    "clock edge lane strip sample picture sensor value range table state frame error delay stage "
    "the of and to in a is that for on with as at by from this which one two all not are it"
).split()


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _line(rng: np.random.Generator, words: int) -> str:
    text = " ".join(rng.choice(_WORDS, words))
    return text.capitalize() if rng.random() < 0.3 else text


def _grey(rng: np.random.Generator, low: int = 0, high: int = 256) -> int:
    return int(rng.integers(low, high))


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Normal blur, rows then columns; the image is continued as its mirror image."""
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for _ in range(2):
        padded = np.pad(image, ((0, 0), (reach, reach)), mode="reflect")
        image = sum(
            weight * padded[:, k : k + image.shape[1]] for k, weight in enumerate(kernel)
        ).T
    return image


def _page(rng: np.random.Generator) -> np.ndarray:
    """Lines of text in a few sizes, and rules between them; sometimes light on dark."""
    paper, ink = _grey(rng, 225), _grey(rng, 0, 70)
    if rng.random() < 0.5:
        paper, ink = 255, 0
    if rng.random() < 0.25:
        paper, ink = ink, paper
    image = Image.new("L", (_SIZE, _SIZE), paper)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1" if rng.random() < 0.2 else "L"
    y, size = int(rng.integers(4, 40)), int(rng.integers(9, 20))
    left = int(rng.integers(4, 60))
    while y < _SIZE:
        if rng.random() < 0.1:
            size = int(rng.integers(9, 34))
        if rng.random() < 0.85:
            text = _line(rng, int(rng.integers(2, 14)))
            draw.text((left, y), text, fill=ink, font=_font(size))
        elif rng.random() < 0.5:
            draw.line((left, y, _SIZE - left, y), fill=ink, width=int(rng.integers(1, 3)))
        y += round(size * rng.uniform(1.1, 1.8))
    return np.asarray(image)


def _chart(rng: np.random.Generator) -> np.ndarray:
    """Axes, grid, curves or bars, and labels."""
    paper = 255 if rng.random() < 0.7 else _grey(rng, 200)
    image = Image.new("L", (_SIZE, _SIZE), paper)
    draw = ImageDraw.Draw(image)
    box = (40, 30, _SIZE - 20, _SIZE - 40)
    for k in range(1, int(rng.integers(3, 9))):
        y = box[1] + k * 40
        draw.line((box[0], y, box[2], y), fill=_grey(rng, 180, 240))
        draw.text((5, y - 6), f"{rng.integers(1000)}", fill=0, font=_font(10))
    if rng.random() < 0.5:
        across = np.linspace(box[0], box[2], 60)
        for _ in range(int(rng.integers(1, 5))):
            wave = np.cumsum(rng.normal(0, 8, len(across))) + rng.uniform(box[1] + 40, box[3] - 40)
            wave = np.clip(wave, box[1], box[3])
            draw.line(list(zip(across, wave, strict=True)), fill=_grey(rng, 0, 160),
                      width=int(rng.integers(1, 4)))  # fmt: skip
    else:
        step = int(rng.integers(12, 50))
        for x in range(box[0] + 6, box[2] - step, step):
            top = int(rng.integers(box[1], box[3]))
            draw.rectangle((x, top, x + step - 6, box[3]), fill=_grey(rng))
    draw.rectangle(box, outline=0)
    draw.text((box[0], 8), _line(rng, 4), fill=0, font=_font(14))
    return np.asarray(image)


def _screen(rng: np.random.Generator) -> np.ndarray:
    """Windows with frames, gradients, buttons, lists and a dithered picture."""
    image = Image.new("L", (_SIZE, _SIZE), _grey(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 10))):
        x, y = (int(v) for v in rng.integers(-20, _SIZE - 60, 2))
        w, h = (int(v) for v in rng.integers(50, 300, 2))
        face = _grey(rng)
        draw.rectangle((x, y, x + w, y + h), fill=face, outline=_grey(rng))
        if rng.random() < 0.5:
            a, b = _grey(rng), _grey(rng)
            for k in range(18):
                draw.line((x + 1, y + 1 + k, x + w - 1, y + 1 + k), fill=a + (b - a) * k // 18)
        kind, ink = rng.random(), 255 * (face < 128)
        if kind < 0.6:
            for k in range(24, h - 14, int(rng.integers(14, 24))):
                text = _line(rng, max(1, w // 60))
                draw.text((x + 6, y + k), text, fill=ink, font=_font(11))
        elif kind < 0.8:
            step = int(rng.integers(8, 40))
            for u in range(x + 6, x + w - step, step + 6):
                draw.ellipse((u, y + 24, u + step, y + 24 + step), fill=_grey(rng))
        elif h > 60 and w > 60:
            noise = rng.integers(0, 256, (h - 30, w - 10), dtype=np.uint8)
            smooth = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(rng.uniform(2, 6)))
            image.paste(smooth, (x + 5, y + 25))
    return np.asarray(image)


def _scan(rng: np.random.Generator) -> np.ndarray:
    """Smooth bodies with noise before a background without any, as scanners give them."""
    y, x = np.mgrid[:_SIZE, :_SIZE] / _SIZE - 0.5
    value = np.zeros((_SIZE, _SIZE))
    inside = np.zeros((_SIZE, _SIZE), dtype=bool)
    for k in range(int(rng.integers(3, 14))):
        size = rng.uniform(0.3, 0.48) if k == 0 else rng.uniform(0.02, 0.3)
        at = rng.uniform(-0.05, 0.05, 2) if k == 0 else rng.uniform(-0.3, 0.3, 2)
        ratio, turn = rng.uniform(0.5, 1.6), rng.uniform(0, np.pi)
        u = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
        v = (y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)
        body = u**2 + (v * ratio) ** 2 < size**2
        value[body] += rng.uniform(-60, 90) if k else rng.uniform(40, 150)
        inside |= body if k == 0 else False
    noise, grain = rng.normal(0, 1, (_SIZE, _SIZE)), rng.uniform(0, 1.2)
    if grain > 0.3:
        noise = _blurred(noise, grain)
    noise *= rng.choice([0.7, 1.5, 3, 6, 12]) / noise.std()
    result = _blurred(value, rng.uniform(0.5, 2.5)) + noise
    if rng.random() < 0.7:
        result[~inside] = rng.choice([0, 0, 0, 16])
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Noise that no model foresees: uniform, or normal on a flat grey."""
    if rng.random() < 0.5:
        return rng.integers(0, 256, (_SIZE, _SIZE), dtype=np.uint8)
    noise = rng.normal(_grey(rng, 60, 200), rng.choice([1, 2, 4, 8, 16, 32, 64]), (_SIZE, _SIZE))
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8)


_KINDS = (_page, _chart, _screen, _scan, _screen, _page, _scan, _noise)


def pages(count: int, seed: int) -> list[np.ndarray]:
    """Draw images: uint8, each of shape (384, 384); the kinds follow one another.

    Raises
    ------
    InputError
        If ``count`` is not 1 to 10,000, or ``seed`` negative.
    """
    if type(count) is not int or not 1 <= count <= _MOST:
        raise InputError(f"number of pages must be 1 to {_MOST}, not {count!r}")
    if type(seed) is not int or seed < 0:
        raise InputError(f"seed of pages must be an integer of at least 0, not {seed!r}")
    rng = np.random.default_rng(seed)
    return [_KINDS[k % len(_KINDS)](rng) for k in range(count)]
