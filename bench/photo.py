"""Train the models that come with the package for cameras: ``photo``, ``photo-16``, ``photo-rgb``,
``photo-bayer``.

    LUTGEN_DATA=... python -m bench.photo photo [--samples N] [-o FILE]
    LUTGEN_DATA=... python -m bench.photo photo-16
    LUTGEN_DATA=... python -m bench.photo photo-rgb
    LUTGEN_DATA=... python -m bench.photo photo-bayer
    LUTGEN_DATA=... python -m bench.photo photo-16 --half -o half.lutgen

``photo`` is for 8-bit gray: photographs, and with them drawn pages and scans, and what a list of
instruments gave.  ``photo-16`` is for 10 to 16 bits.  ``photo-rgb`` is for
colour of 8 to 16 bits.  ``photo-bayer`` is for colour filter arrays of 8 to 16 bits: photographs
as a sensor would have seen them, and arrays of cameras.  Images whose licence does not allow it
are left out; the model's record names the others.

With ``--half`` every second image of each kind of instrument is left out of the training, of colour
and filter arrays every second photograph, too, and measured beside JPEG-LS and JPEG XL: what the
models do on images of these kinds that they have not seen.  The figures go to
``bench/results/held-out.json``.
"""

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

import click
import numpy as np

from bench.domains import middle
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.planes import cfa_planes
from lutgen.compare.baselines import BASELINES
from lutgen.formats.imageio import DEEP_COLOUR, read_image, read_images
from lutgen.model.predictive.model import PredictiveModel
from lutgen.training.data.datasets import load_images
from lutgen.training.data.pages import pages
from lutgen.training.predictive.colour import train_colour, train_planes
from lutgen.training.predictive.config import PredictiveConfig
from lutgen.training.predictive.measure import samples_of
from lutgen.training.predictive.train import train_predictive

#: Licences of a program that carried an image: it may not be built upon by everybody.
_CLOSED = ("GPL",)
_DEEP_KINDS = ("astro16", "depth16", "medical16", "microscopy16", "satellite16", "thermal16")
_FLAT_KINDS = ("microscopy8", "piv8")
_BAYER_KINDS, _PATTERN = ("bayer8", "bayer14"), "RGGB"
_COLOUR_KINDS = ("rgb_photo", "rgb_vision", "rgb_microscopy", "rgb_screen", "rgb16")
_PAGES, _PAGES_SEED = 64, 5
#: Depths of sensors, and photons at the full scale.
_BAYER_DEPTHS, _PHOTONS = (8, 10, 12, 12, 14, 14), (1_000, 50_000)
#: Shares of samples below and above what a window shows, in per cent.
_WINDOW = (0.2, 99.8)
#: Of images left out the middle is measured, as `bench.domains --crop` does.
_SIDE = 512


def _domains(data: Path, kinds) -> list[tuple[dict, np.ndarray]]:
    """Images of `domains2` that may be trained on, with what the manifest says of each."""
    folder = data / "domains2"
    entries = json.loads((folder / "manifest.json").read_text())
    return [
        (entry, read_image(folder / entry["kind"] / f"{entry['name']}.png", DEEP_COLOUR))
        for entry in entries
        if entry["kind"] in kinds and not any(word in entry["licence"] for word in _CLOSED)
    ]  # fmt: skip


def _halves(found: list[tuple[dict, np.ndarray]]):
    """Every second image of each kind, and the others."""
    halves, seen = ([], []), Counter()
    for entry, image in found:
        halves[seen[entry["kind"]] % 2].append((entry, image))
        seen[entry["kind"]] += 1
    return halves


def _photographs(data: Path) -> list[tuple[dict, np.ndarray]]:
    """Those of `rgb_train`, as a kind."""
    images = read_images(data / "rgb_train", DEEP_COLOUR)
    return [({"kind": "rgb_train"}, image) for image in images]


def _left_out(data: Path, name: str) -> list[tuple[dict, np.ndarray]]:
    """Images that a model of this name is not trained on with ``--half``."""
    kinds = {
        "photo": _FLAT_KINDS, "photo-16": _DEEP_KINDS, "photo-rgb": _COLOUR_KINDS,
        "photo-bayer": _BAYER_KINDS,
    }[name]  # fmt: skip
    photographs = _photographs(data) if name == "photo-rgb" else []
    return _halves([*photographs, *_domains(data, kinds)])[1]


def _held_out(
    model: PredictiveModel, images: list[tuple[dict, np.ndarray]], cfa: str | None
) -> dict:
    """Bits per pixel of images left out, by kind: a file each, all bytes."""
    codec, found = PredictiveCodec(model), {}
    coders = {
        "lutgen": lambda image: codec.encode(image, channels=(*image.shape, 1)[2], cfa=cfa)
    }
    for name in ("JPEG-LS", "JPEG XL e7"):
        coders[name] = lambda image, usual=BASELINES[name]: usual.both(image)[0](image)
    for entry, image in images:
        found.setdefault(entry["kind"], []).append(middle(image, _SIDE))
    return {
        kind: {"images": len(images)} | {
            name: 8 * sum(len(encode(np.ascontiguousarray(image))) for image in images)
            / sum(i.shape[0] * i.shape[1] for i in images)
            for name, encode in coders.items()
        }
        for kind, images in found.items()
    }  # fmt: skip


def _windowed(image: np.ndarray) -> np.ndarray:
    """8 bits of a deep image, as a viewer shows it."""
    low, high = np.percentile(image, _WINDOW)
    value = (image.astype(np.float64) - low) * (255 / max(1.0, high - low))
    return np.clip(np.rint(value), 0, 255).astype(np.uint8)


def gather(
    data: Path, name: str, half: bool = False
) -> tuple[list[tuple[np.ndarray, int]], list[dict]]:
    """Training images with their depths, and the record of where they come from."""
    natural = load_images(str(data / "natural_gray_train.npz"))
    drawn = pages(_PAGES, _PAGES_SEED)
    deep = _halves(_domains(data, _DEEP_KINDS))[0] if half else _domains(data, _DEEP_KINDS)
    record = [
        {"name": "natural_gray_train", "images": len(natural),
         "licence": "CC BY-SA 4.0, Unsplash, research"},
        {"name": "synthetic pages, charts, screens, scans, noise", "images": len(drawn),
         "licence": "drawn by this package"},
        *({"name": f"{e['kind']}/{e['name']}", "images": 1, "licence": e["licence"],
           "source": e["source"]} for e, _ in deep),
    ]  # fmt: skip
    if name == "photo":
        flat = _domains(data, _FLAT_KINDS)
        flat = _halves(flat)[0] if half else flat
        record += [
            {"name": f"{e['kind']}/{e['name']}", "images": 1, "licence": e["licence"],
             "source": e["source"]} for e, _ in flat
        ]  # fmt: skip
        images = [*natural, *drawn, *(image for _, image in flat)]
        images += [_windowed(image) for _, image in deep]
        return [(image, 8) for image in images], record
    shown = natural[::4] + drawn[::2]
    return [(image, 8) for image in shown] + [samples_of(image) for _, image in deep], record


def gather_colour(
    data: Path, half: bool = False
) -> tuple[list[tuple[np.ndarray, int]], list[dict]]:
    """The same for ``photo-rgb``: images of shape (H, W, 3)."""
    found = _photographs(data)
    photographs = [image for _, image in (_halves(found)[0] if half else found)]
    # Gray pages in colour files are common.
    drawn = [np.repeat(page[..., None], 3, axis=2) for page in pages(_PAGES, _PAGES_SEED)[::4]]
    found = _domains(data, _COLOUR_KINDS)
    found = _halves(found)[0] if half else found
    record = [
        {"name": "rgb_train", "images": len(photographs), "licence": "CC BY-SA 4.0, Unsplash"},
        {"name": "synthetic pages, charts, screens, scans, noise, gray", "images": len(drawn),
         "licence": "drawn by this package"},
        *({"name": f"{e['kind']}/{e['name']}", "images": 1, "licence": e["licence"],
           "source": e["source"]} for e, _ in found),
    ]  # fmt: skip
    images = [*photographs, *drawn, *(image for _, image in found)]
    return [samples_of(image) for image in images], record


def as_sensor(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """An RGGB mosaic of a photograph (H, W, 3) as a sensor would have seen it, and its bit depth.

    Light is linear again (a power of 2.2), red and blue are weaker by what a white balance would
    have made up for, light is under the full scale by up to three octaves, and there is a black
    level.  Noise is of photons, 1,000 to 50,000 at the full scale, and of reading, 1 to 10.
    """
    depth = int(rng.choice(_BAYER_DEPTHS))
    light = (image[: len(image) & ~1, : image.shape[1] & ~1] / 255.0) ** 2.2
    light = light * [rng.uniform(0.4, 0.7), 1, rng.uniform(0.4, 0.8)] / 2 ** rng.uniform(0, 3)
    mosaic = light[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = light[::2, ::2, 0], light[1::2, 1::2, 2]
    full = np.exp(rng.uniform(*np.log(_PHOTONS)))
    electrons = rng.poisson(mosaic * full) + rng.normal(0, rng.uniform(1, 10), mosaic.shape)
    if depth == 8:  # of gamma, as 8 bits of a camera are
        value = np.clip(electrons / full, 0, 1) ** (1 / 2.2) * 255
    else:
        value = electrons / full * (1 << depth) * 15 / 16 + (1 << depth) / 16
    most = (1 << depth) - 1
    return np.clip(np.rint(value), 0, most).astype(np.uint16 if depth > 8 else np.uint8), depth


def gather_bayer(
    data: Path, half: bool = False
) -> tuple[list[tuple[np.ndarray, int]], list[dict]]:
    """The same for ``photo-bayer``: planes of mosaics, shape (H / 2, W / 2, 4)."""
    found = _photographs(data)
    photographs = [image for _, image in (_halves(found)[0] if half else found)]
    rng = np.random.default_rng(_PAGES_SEED)
    found = _domains(data, _BAYER_KINDS)
    found = _halves(found)[0] if half else found
    record = [
        {"name": "rgb_train as mosaics with noise", "images": len(photographs),
         "licence": "CC BY-SA 4.0, Unsplash"},
        *({"name": f"{e['kind']}/{e['name']}", "images": 1, "licence": e["licence"],
           "source": e["source"]} for e, _ in found),
    ]  # fmt: skip
    mosaics = [as_sensor(image, rng) for image in photographs]
    mosaics += [samples_of(image) for _, image in found]
    return [(cfa_planes(mosaic, _PATTERN), depth) for mosaic, depth in mosaics], record


@click.command()
@click.argument("name", type=click.Choice(["photo", "photo-16", "photo-rgb", "photo-bayer"]))
@click.option("--samples", type=int, default=3_000_000, show_default=True)
@click.option("--scales", type=int, default=32, show_default=True)
@click.option("--corrections", type=int, default=16, show_default=True)
@click.option("--half", is_flag=True, help="Leave out every second image, and measure on these.")
@click.option("-o", "--out", type=click.Path(path_type=Path), show_default="lutgen/models/")
def main(name, samples, scales, corrections, half, out) -> None:
    """Train a model that comes with the package."""
    data = Path(os.environ.get("LUTGEN_DATA", Path(__file__).parents[2] / "shared/data"))
    shipped = Path(__file__).parents[1] / "lutgen" / "models" / f"{name}.lutgen"
    if half and out is None:
        raise click.UsageError("--out must be given with --half: this is no model to ship")
    out = out or shipped
    others = {"photo-rgb": (gather_colour, train_colour),
              "photo-bayer": (gather_bayer, train_planes)}  # fmt: skip
    collect, train = others.get(
        name, (lambda data, half: gather(data, name, half), train_predictive)
    )
    images, record = collect(data, half)
    config = PredictiveConfig(samples=samples, scales=scales, corrections=corrections)
    begun = time.perf_counter()

    def note(what: str, value: float) -> None:
        print(f"{time.perf_counter() - begun:6.0f} s  {what} {value:.4f}", file=sys.stderr)

    model = train(images, config, note)
    model = model.with_training({**model.training, "model": name, "data": record})
    model.save(out)
    if half:
        path = Path(__file__).parent / "results" / "held-out.json"
        results = json.loads(path.read_text()) if path.exists() else {}
        cfa = _PATTERN if name == "photo-bayer" else None
        results[name] = _held_out(model, _left_out(data, name), cfa)
        path.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps({"seconds": round(time.perf_counter() - begun), **model.stats()}))


if __name__ == "__main__":
    main()
