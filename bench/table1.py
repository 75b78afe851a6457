"""Table 1 of the GIC-DLC paper: all methods side by side, one run, the same images.

    python -m bench.table1 --model gic-dlc=bench/models/gic-dlc-emnist.lutgen \\
        --baseline ic-mlp=bench/models/ic-mlp-emnist.npz emnist_digits kmnist.npz fashion_mnist.npz

    python -m bench.table1 ... --add letters=emnist_balanced_sample:test#28:

The second command adds sets to what the first has measured, with the same models.

Models of profile gic-dlc are measured twice: as their files have them, with the meaning of numbers
of ones counted on training images, and with the paper's fixed mapping, as NAME, paper.

Codecs and models write files and read them back; learned baselines give ideal code lengths.  Codecs
write one file per image, models are given both ways: ``file_each`` is the one to compare with them,
``file`` shares one header and so is what many small images cost.
"""

import importlib.metadata
import json
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.sets import images_of, name_of
from lutgen.codec.codec import Codec
from lutgen.codec.container import Header, split_packets
from lutgen.codec.rans import STATE_BITS
from lutgen.commands import Command, OutputFile
from lutgen.compare.codecs import TileCodec
from lutgen.compare.evaluate import evaluate
from lutgen.errors import InputError
from lutgen.files.whole import write_file
from lutgen.model.model import Model
from lutgen.training.data.datasets import data_hash

#: bpp that the paper gives in its table 1, of the test parts of these sets.
PUBLISHED_DATA = ["emnist_digits", "kmnist", "fashion_mnist", "letters", "all"]
PUBLISHED = {
    "QOI": [6.20, 7.56, 8.50, 6.02, 6.14],
    "PNG": [4.16, 4.45, 5.18, 4.13, 4.18],
    "WebP": [3.34, 3.56, 4.62, 3.31, 3.34],
    "JPEG XL e9": [3.23, 3.66, 4.29, 3.18, 3.20],
    "GIC-DLC": [2.71, 4.16, 6.27, 2.78, 2.74],
    "IC-MLP": [2.30, 3.67, 6.04, 2.34, 2.34],
}


def _named(values: tuple[str, ...]) -> dict[str, str]:
    named = {}
    for value in values:
        name, sign, path = value.partition("=")
        if not sign:
            raise click.UsageError(f"must be NAME=FILE, not {value!r}")
        named[name] = path
    return named


def rate(model: Model, images: list[np.ndarray]) -> dict:
    """How close coded bits are to predicted ones.

    Predicted bits are the sum of ``-log2 p`` of the integer tables.  Coded bits are those of the
    payloads but the ``STATE_BITS + 1`` of each packet's final state, which are there whatever the
    pixels; the 0 to 7 zeros before it, which fill the packet's first byte, are coded bits too.

    Parameters
    ----------
    model:
        The codec model.
    images:
        uint8 arrays of shape (H, W), in tiles of the default size.

    Returns
    -------
    dict
        ``per_image`` predicted bits, ``packets``, ``padding_bits``, ``rate_gap``: coded over
        predicted bits less one, and ``rate_gap_without_padding``.  They may fall a little below 0,
        as the final state holds up to one bit of the code.
    """
    codec = Codec(model, threads=1)
    per_image: list[float] = []
    coded = packets = padding = 0
    for image in images:
        encoded = codec.encode(image)
        starts, _ = split_packets(encoded.data, Header.unpack(encoded.data))
        per_image.append(encoded.ideal_bits)
        packets += len(starts)
        # The final state's leading one ends the padding; it is always within the first byte.
        padding += sum(8 - encoded.data[start].bit_length() for start in starts.tolist())
        coded += 8 * encoded.payload_bytes - len(starts) * (STATE_BITS + 1)
    predicted = sum(per_image)
    return {
        "per_image": per_image, "packets": packets, "padding_bits": padding,
        "rate_gap": coded / predicted - 1,
        "rate_gap_without_padding": (coded - padding) / predicted - 1,
    }  # fmt: skip


def _model(model: Model, images: list[np.ndarray], progress) -> dict:
    """What `evaluate` and `rate` say of a model, and its size."""
    found = evaluate(images, TileCodec(model), baselines=False, progress=progress)
    upsampler = model.upsampler
    return {
        "bpp": found["bpp"], "levels": found["levels"], "verified": found["verified"],
        "profile": model.profile, "hash": model.hash, "luts": model.network.n_nodes,
        "upsampler_luts": 0 if upsampler is None else upsampler.network.n_nodes,
        **rate(model, images),
    }  # fmt: skip


def _mapped(paths: dict[str, str], mappings: tuple[str, ...]) -> dict[str, Model]:
    """Models by label, those with a Laplace head under each mapping."""
    from lutgen.training.dlc.mapping import with_paper_mapping

    models = {}
    for label, path in paths.items():
        model = Model.load(path)
        laplace = model.head.kind == "laplace"
        if "counted" in mappings or not laplace:
            models[label] = model
        if "paper" in mappings and laplace:
            models[f"{label}, paper"] = with_paper_mapping(model)
    return models


def _learned(paths: dict[str, str]) -> dict:
    if not paths:
        return {}
    from lutgen.training.baselines.files import load

    return {label: load(path) for label, path in paths.items()}


@click.command(cls=Command)
@click.argument("data", nargs=-1, required=True, metavar="[NAME=]DATA[#FIRST:LAST]...")
@click.option("--model", "models", multiple=True, metavar="NAME=FILE", help="*.lutgen")
@click.option("--baseline", "learned", multiple=True, metavar="NAME=FILE", help="*.npz")
@click.option(
    "--mapping", "mappings", type=click.Choice(["counted", "paper"]), multiple=True,
    default=("counted", "paper"), show_default="both",
    help="Of models with a Laplace head: as their files have it, or by the paper's formulas.",
)  # fmt: skip
@click.option("--limit", type=int, help="First images of each set only.")
@click.option("--add", is_flag=True, help="Add sets to those that are in the file.")
@click.option("--out", default="bench/results/table1.json", show_default=True, type=OutputFile())
def main(data, models, learned, mappings, limit, add, out) -> None:
    """Measure all methods on the validation part of each data set."""
    from lutgen.training.tree.train import progress_bar

    # Read once: a file that is replaced during the run must not mix two models under one name.
    models = _mapped(_named(models), mappings)
    learned = _learned(_named(learned))
    result: dict = {
        "date": date.today().isoformat(),
        "command": command_of("bench.table1"),
        "imagecodecs": importlib.metadata.version("imagecodecs"),
        "published": PUBLISHED,
        "published_data": PUBLISHED_DATA,
        "data": {},
    }
    if add:
        result |= _before(Path(out), models, learned, result)
    for name in data:
        images = images_of(name)[:limit]
        with progress_bar() as progress:
            own = {label: _model(model, images, progress) for label, model in models.items()}
            usual = evaluate(images, None, progress=progress)["baselines"]
        row = {
            "source": name, "sha256": data_hash(images),
            "images": len(images), "pixels": sum(image.size for image in images),
            "codecs": usual, "models": own, "learned": {},
        }  # fmt: skip
        for label, baseline in learned.items():
            bits = baseline.bits(images)
            row["learned"][label] = {
                "kind": baseline.kind, "parameters": baseline.parameter_count,
                "ideal": sum(bits.values()) / row["pixels"],
                "levels": {str(k): v / row["pixels"] for k, v in sorted(bits.items())},
            }  # fmt: skip
        for k, model in enumerate(own.values()):
            bits = model.pop("per_image")
            if k == 0:  # of the first model only: figure 3
                row["per_image"] = [round(x, 1) for x in bits]
        result["data"][name_of(name)] = row
        write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    _show(result)


def _before(path: Path, models: dict[str, Model], learned: dict, result: dict) -> dict:
    """Sets that are in a file, and the commands that measured them and will measure more.

    Raises
    ------
    InputError
        If they were measured with other models, or another version of the codecs.
    """
    found = json.loads(path.read_text())
    row = next(iter(found["data"].values()))
    before = {label: own["hash"] for label, own in row["models"].items()}
    same = before == {label: model.hash for label, model in models.items()}
    if not same or row["learned"].keys() != learned.keys():
        raise InputError(f"{path} must be of the same models, to add to it")
    if found["imagecodecs"] != result["imagecodecs"]:
        raise InputError(
            f"{path} must be of imagecodecs {result['imagecodecs']}, to add to it, not "
            f"{found['imagecodecs']}"
        )
    return {"data": found["data"], "command": f"{found['command']}; {result['command']}"}


def _show(result: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="bits per pixel", title_justify="left")
    table.add_column("method")
    for name, row in result["data"].items():
        table.add_column(f"{name}\n{row['images']} images", justify="right")
    rows = list(result["data"].values())

    def line(label: str, cells: list[float | None], form: str = ".3f") -> None:
        table.add_row(label, *("-" if c is None else format(c, form) for c in cells))

    for name in rows[0]["codecs"]:
        line(f"{name}, file per image", [row["codecs"][name]["bpp"] for row in rows])
    for name in rows[0]["models"]:
        table.add_section()
        for key, what in (("file_each", "file per image"), ("file", "one file"), ("ideal",) * 2):
            line(f"{name}, {what}", [row["models"][name]["bpp"][key] for row in rows])
        gaps = [row["models"][name]["rate_gap"] for row in rows]
        line(f"{name}, coded over predicted", gaps, "+.2%")
    table.add_section()
    for name in rows[0]["learned"]:
        line(f"{name}, ideal", [row["learned"][name]["ideal"] for row in rows])
    table.add_section()
    for name, values in result["published"].items():
        given = dict(zip(result["published_data"], values, strict=True))
        line(f"{name}, published", [given.get(data) for data in result["data"]], ".2f")
    Console().print(table)


if __name__ == "__main__":
    main()
