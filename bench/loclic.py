"""Rate and distortion of trained LoC-LIC codecs on a folder of colour images, from real bytes.

    python -m bench.loclic TRAINED.pt CODEC.loclic [--folder kodak] [--steps 0.5,1,2]
    python -m bench.loclic OTHER.pt OTHER.loclic --add

The second command adds the points of a codec that was trained with another lambda, so that one
curve has the rates of both.  Writes loclic-NAME.json in CompressAI's schema, a point for each
rounding step, and loclic-NAME-coding.json: at a step of one, what integers cost against the float
networks, times of both, the share of entropy coding, and whether symbols differ between numbers of
threads.  Times are CPU seconds of all the stated threads, without reading from or writing to disk.
"""

import json
import time
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch

from bench.quality import point
from lutgen.codec.lossy.model import LossyModelFile
from lutgen.codec.lossy.residuals import ResidualReader, ResidualWriter
from lutgen.codec.lossy.step import nearest_step
from lutgen.commands import Command
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.files import decode_image, encode_image, image_tensor
from lutgen.training.loclic.float_codec import FloatCodec
from lutgen.training.loclic.measure.results import FIGURES, Results
from lutgen.training.loclic.store import load_codec


def codec_point(codec: DeployedCodec, images: list[np.ndarray], step: int) -> dict[str, float]:
    """Figures of a rounding step: means over images."""
    return point(
        partial(encode_image, codec, step=step), partial(decode_image, codec), images,
        time.process_time,
    )  # fmt: skip


def coding_seconds(codec: DeployedCodec, image: np.ndarray) -> tuple[float, float]:
    """Seconds in which the entropy coder alone codes and decodes an image's symbols."""
    batches = []

    class Sink:
        def code(self, classes, residuals):
            batches.append((classes, residuals))

    codec.analyse(image_tensor(image), Sink())
    start = time.process_time()
    writer = ResidualWriter(codec.tables)
    for classes, residuals in batches:
        writer.code(classes, residuals)
    payload = writer.payload()
    middle = time.process_time()
    reader = ResidualReader(codec.tables, payload)
    for classes, _ in batches:
        reader.code(classes)
    reader.finish()
    return middle - start, time.process_time() - middle


def differing(codec: DeployedCodec, images: list[np.ndarray], threads: tuple[int, ...]) -> int:
    """Classes and values of decoded y that another number of threads computes differently.

    Decoders read the same bytes; a float transform of the encoder does not matter.
    """
    wrong = 0
    for image in images:
        data = codec.compress(image_tensor(image))
        found = []
        for count in threads:
            torch.set_num_threads(count)
            y = codec.decode_latent(data["strings"], data["shape"])
            found.append(y)
        wrong += sum(int((y != found[0]).sum()) for y in found[1:])
    return wrong


@click.command(cls=Command)
@click.argument("trained")
@click.argument("codec_file", metavar="CODEC")
@click.option("--folder", default="kodak", show_default=True)
@click.option("--steps", default="0.71,1,1.41,2,2.83,4,5.66,8", show_default=True)
@click.option("--name", default="small", show_default=True)
@click.option(
    "--add", is_flag=True,
    help="Add the points to those of this name; what the coding costs is of the first codec.",
)  # fmt: skip
@click.option("--limit", type=int, help="First images only.")
@click.option("--threads", type=int, default=2, show_default=True)
@click.option("--out", default="bench/results", show_default=True, metavar="FOLDER")
def main(trained, codec_file, folder, steps, name, add, limit, threads, out) -> None:
    """Measure an exported CODEC and, for comparison, the float networks it was TRAINED with."""
    torch.set_num_threads(threads)
    files = colour_files(folder)[:limit]
    images = [read_colour(path) for path in files]
    network, training = load_codec(trained)
    codec = DeployedCodec(LossyModelFile.read(codec_file))
    encode_image(codec, images[0][:64, :64])  # the compiled coder is loaded
    weight = training["config"]["weight"]
    path = Path(out, f"loclic-{name}.json")
    before = Results.load(path) if add else None
    curve: dict[str, list[float]] = {figure: [] for figure in FIGURES}
    numbers = sorted({nearest_step(float(s)) for s in steps.split(",")}, reverse=True)
    one = None
    for number in numbers:
        figures = codec_point(codec, images, number)
        if number == nearest_step(1):
            one = figures
        for figure in FIGURES:
            curve[figure].append(figures[figure])
        click.echo(f"step {number}: {figures['bpp']:.4f} bpp, {figures['psnr-rgb']:.2f} dB")
    more = {"step": [2 ** ((n - 16) / 8) for n in numbers], "lambda": [weight] * len(numbers)}
    last = training["last"]
    Path(out).mkdir(parents=True, exist_ok=True)
    about = (
        f"{training['config']['codec']['source']}, lambda {weight}, rounding steps of "
        f"y, hash {codec.file.hash[:16]}; mean of {len(images)} images, "
        f"times in CPU seconds, {threads} thread{'s' * (threads > 1)}"
    )
    points = curve | more
    if before:
        about = f"{before.description}; {about}"
        points = {key: before.results[key] + values for key, values in points.items()}
    Results(f"loc-lic-{name}", about, points).save(path)
    if before:
        return

    floats = FloatCodec(network, codec.file)
    one = one or codec_point(codec, images, nearest_step(1))
    other = codec_point(floats, images, nearest_step(1))
    seconds = np.mean([coding_seconds(codec, image) for image in images], 0).tolist()
    estimate = 0.0
    with torch.no_grad():
        for image in images:
            likelihoods = network(image_tensor(image))["likelihoods"].values()
            bits = sum(-v.log2().sum().item() for v in likelihoods)
            estimate += bits / (image.shape[0] * image.shape[1]) / len(images)
    record = {
        "model_hash": codec.file.hash, "images": len(images), "threads": threads,
        "trained_steps": last["step"], "trained_seconds": last["seconds"],
        "device": training["device"], "integers": one, "floats": other,
        "float_estimate_bpp": estimate,
        "integer_cost": one["bpp"] / other["bpp"] - 1,
        "coding_seconds": {"encode": seconds[0], "decode": seconds[1]},
        "coding_share": {
            "encode": seconds[0] / one["encoding_time"],
            "decode": seconds[1] / one["decoding_time"],
        },
        "differing_values": differing(codec, images, (1, 2, 8)), "thread_counts": [1, 2, 8],
    }  # fmt: skip
    write_file(
        Path(out, f"loclic-{name}-coding.json"), (json.dumps(record, indent=1) + "\n").encode()
    )
    click.echo(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
