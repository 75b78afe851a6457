"""How many damaged files a decoder does not notice: one byte changed, by what is coded and how.

    python -m bench.damage emnist_digits:rans emnist_digits:tans9 kmnist.npz:rans

Files of one image each are coded with the model; one byte behind the header, chosen at random,
becomes another.  A change is *missed* when the file still decodes, to other pixels than before.
Version 1 of the format has no check but the coder's last state (`lutgen.codec.rans`), which is as
good as the code lengths near the damage let it be: the more bits a pixel takes, the more is missed.
Larger images are cut to what one tile holds, as the check is one of tiles.

A run measures the rows that it names and keeps the others of the file, if they are of the same
model, images and seed.
"""

import json
import math
from datetime import date
from pathlib import Path

import click
import numpy as np

from lutgen.codec.codec import Codec
from lutgen.codec.coder import Coder, coder_named
from lutgen.codec.container import HEADER_BYTES, CorruptStreamError
from lutgen.model.model import Model
from lutgen.training.data.datasets import data_hash, load_images

_TILE = 32


def _coder(name: str) -> Coder:
    return coder_named("tans", int(name[4:])) if name.startswith("tans") else coder_named(name)


def _pieces(images: list[np.ndarray], count: int) -> list[np.ndarray]:
    """At most ``count`` pieces of one tile each, one of each image, from its middle."""
    step = max(1, len(images) // count)
    pieces = []
    for image in images[::step][:count]:
        y, x = (max(0, (side - _TILE) // 2) for side in image.shape)
        pieces.append(np.ascontiguousarray(image[y : y + _TILE, x : x + _TILE]))
    return pieces


def _interval(missed: int, count: int) -> list[float]:
    """Wilson's interval of 95 % of the share that is missed."""
    z, share = 1.96, missed / count
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return [max(0.0, (middle - half) / (1 + z * z / count)), (middle + half) / (1 + z * z / count)]


def damage(
    codec: Codec, images: list[np.ndarray], coder: Coder, changes: int, seed: int, progress
) -> dict:
    """Change one byte, so many times in all, and count what the decoder says."""
    rng = np.random.default_rng(seed)
    files = [codec.encode(image, coder=coder).data for image in images]
    found = missed = 0
    for k in range(changes):
        which = int(rng.integers(len(files)))
        data = bytearray(files[which])
        data[int(rng.integers(HEADER_BYTES, len(data)))] ^= int(rng.integers(1, 256))
        try:
            pixels = codec.decode(bytes(data))[0]
        except CorruptStreamError:
            found += 1
        else:
            missed += not np.array_equal(pixels, images[which])
        progress(k + 1, changes)
    return {
        "changes": changes, "found": found, "missed": missed,
        "harmless": changes - found - missed,
        "one_in": round(changes / missed) if missed else None,
        "missed_95": _interval(missed, changes),
        "bpp": 8 * sum(map(len, files)) / sum(image.size for image in images),
    }  # fmt: skip


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="DATA:CODER...")
@click.option("--model", metavar="FILE", help="Model file; the embedded one by default.")
@click.option("--images", "count", type=int, default=200, show_default=True, help="Of each set.")
@click.option("--changes", type=int, default=20000, show_default=True, help="Of each row.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", default="bench/results/damage.json", show_default=True)
def main(what, model, count, changes, seed, out) -> None:
    """Measure the detection of damage, a row for each DATA:CODER; coders: rans, tans8..tans12."""
    from lutgen.cli.common import step_progress

    model = Model.default() if model is None else Model.load(model)
    codec = Codec(model, threads=1)
    result: dict = {
        "model": model.hash, "profile": model.profile, "images": count, "seed": seed,
    }  # fmt: skip
    path, rows = Path(out), {}
    if path.exists():
        old = json.loads(path.read_text())
        if all(old.get(key) == value for key, value in result.items()):
            rows = old["rows"]
    path.parent.mkdir(parents=True, exist_ok=True)
    for item in what:
        data, _, name = item.rpartition(":")
        images = _pieces(load_images(data, split="val"), count)
        with step_progress() as bar:
            row = damage(
                codec, images, _coder(name), changes, seed,
                lambda done, total, item=item: bar(item, done, total),
            )  # fmt: skip
        rows[item] = {
            "data": data, "coder": name, "images": len(images), "sha256": data_hash(images),
            "date": date.today().isoformat(), **row,
        }  # fmt: skip
        click.echo(f"{item}: {row['missed']} of {changes} missed, {row['bpp']:.2f} bpp")
        path.write_text(json.dumps(result | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
