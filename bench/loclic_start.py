"""What the first steps of a LoC-LIC training reach, from several beginnings.

    python -m bench.loclic_start before now

Trains the small configuration without context networks on crops that are the same for all, one
thread, and measures each on the middle 256 x 256 pixels of Kodak's images, rounded values,
estimated bits.  Besides, the CPU time of the crops of a step, with pictures kept in memory and read
again each time.  Writes loclic-start.json; beginnings that were measured earlier with the same
options stay in it.
"""

import json
import time
from pathlib import Path

import click
import numpy as np
import torch

from lutgen.commands import Command, OutputFile
from lutgen.errors import InputError
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour
from lutgen.training.loclic.crops import Crops
from lutgen.training.loclic.files import image_tensor
from lutgen.training.loclic.initial import begin_linear
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import preset
from lutgen.training.loclic.schedule import Stage, TrainConfig
from lutgen.training.loclic.step import bits_per_pixel
from lutgen.training.loclic.train import train_codec

_NAME = "loc-lic-small"
_CROP, _BATCH, _SIDE = 128, 4, 256
#: Rates of version 0.1.0, as its results were trained with.
_EARLIER = {"rate": 2e-4, "ramp": 200, "end": 1}

#: Of each beginning whether the hyperprior is that of version 0.1.0, and the rates.
BEGINNINGS = {
    "before": (True, _EARLIER),
    "before, new rates": (True, {}),
    "now": (False, {}),
}


def earlier_hyperprior(network: Codec, fresh: Codec) -> None:
    """Let the hyperprior of a codec begin as in version 0.1.0, from the weights of a fresh one.

    z is a fraction of a rounding step there, and the prior is ten wide.
    """
    last, begun = fresh.hyper_synthesis.stages[-1], network.hyper_synthesis.stages[-1]
    with torch.no_grad():
        network.hyper_analysis.load_state_dict(fresh.hyper_analysis.state_dict())
        last.weight *= 0.1
        last.bias.copy_(begun.bias)
        network.hyper_synthesis.load_state_dict(fresh.hyper_synthesis.state_dict())
        # Five layers, each with a fifth of the logarithm of the scale.
        widths = [matrix.shape[1] for matrix in network.prior.matrices]
        for matrix, width in zip(network.prior.matrices, widths, strict=True):
            matrix.fill_(float(np.log(np.expm1(10 ** (-1 / len(widths)) / width))))
        network.prior.quantiles.copy_(torch.tensor([-10.0, 0.0, 10.0]).expand(len(matrix), 3))


def begun(config: TrainConfig, crops: Crops, earlier: bool) -> Codec:
    """A codec before its first step."""
    torch.manual_seed(config.seed)
    network, fresh = Codec(config.codec), Codec(config.codec)
    x = torch.from_numpy(crops.batch(config.steps, 64, _CROP)).permute(0, 3, 1, 2) / 255
    begin_linear(network, x.contiguous(), config.weight)
    if earlier:
        earlier_hyperprior(network, fresh)
    return network


@torch.no_grad()
def measured(network: Codec, images: list[torch.Tensor], weight: float) -> dict[str, float]:
    """Loss, bits per pixel, those of z alone, and PSNR: means over images."""
    found = []
    for x in images:
        out = network.eval()(x, contexts=False)
        error = (out["x_hat"] - x).square().mean().item()
        bpp = bits_per_pixel(out).item()
        z = -out["likelihoods"]["z"].log2().sum().item() / x[0, 0].numel()
        found.append((weight * 255**2 * error + bpp, bpp, z, -10 * np.log10(error)))
    return dict(zip(("loss", "bpp", "z_bpp", "psnr"), np.mean(found, 0).tolist(), strict=True))


def crop_milliseconds(files: list[Path], memory: int, steps: int = 40) -> float:
    """CPU time of 16 crops, when all pictures have been seen that are kept."""
    crops = Crops(files, _CROP, 0, memory)
    for step in range(len(files) // 4 if memory else 1):  # four draws of each picture: nearly all
        crops.batch(step, 16, _CROP)
    start = time.process_time()
    for step in range(steps):
        crops.batch(1_000_000 + step, 16, _CROP)
    return 1000 * (time.process_time() - start) / steps


def middles(folder: str) -> list[torch.Tensor]:
    """The middle of each image of a folder, (1, 3, 256, 256)."""
    found = []
    for path in colour_files(folder):
        image = read_colour(path)
        top, left = ((side - _SIDE) // 2 for side in image.shape[:2])
        found.append(image_tensor(image[top : top + _SIDE, left : left + _SIDE]))
    return found


@click.command(cls=Command)
@click.argument("beginnings", nargs=-1, required=True, type=click.Choice(list(BEGINNINGS)))
@click.option("--data", default="rgb_train", show_default=True)
@click.option("--folder", default="kodak", show_default=True, help="To measure on.")
@click.option("--steps", type=click.IntRange(1), default=300, show_default=True)
@click.option(
    "--out", default="bench/results/loclic-start.json", show_default=True, type=OutputFile()
)
def main(beginnings, data, folder, steps, out) -> None:
    """Train from BEGINNINGS and measure."""
    torch.set_num_threads(1)
    files, images = colour_files(data), middles(folder)
    about = {
        "config": _NAME, "data": data, "pictures": len(files), "measured_on": folder,
        "images": len(images), "steps": steps, "crop": _CROP, "batch": _BATCH, "contexts": False,
    }  # fmt: skip
    found = {}
    if Path(out).exists():
        earlier = json.loads(Path(out).read_text())
        if {key: earlier.get(key) for key in about} == about:
            found = earlier["beginnings"]
    times = {
        name: crop_milliseconds(files, memory) for name, memory in (("read", 0), ("kept", 1 << 30))
    }  # fmt: skip
    click.echo(f"crops: {json.dumps(times)}")
    stage = Stage(steps=steps, crop=_CROP, batch=_BATCH, contexts=False)
    for name in beginnings:
        earlier, rates = BEGINNINGS[name]
        try:
            config = TrainConfig(codec=preset(_NAME), stages=[stage], **rates)
        except InputError as error:
            raise click.UsageError(str(error)) from error
        first = begun(config, Crops(files, _CROP, config.seed), earlier)
        start = time.process_time()
        network, _ = train_codec(files, config, start=first)
        found[name] = {
            "rate": config.rate, "ramp": config.ramp, "end": config.end, "weight": config.weight,
            "first": measured(first, images, config.weight),
            "last": measured(network, images, config.weight),
            "cpu_seconds": time.process_time() - start,
        }  # fmt: skip
        click.echo(f"{name}: {json.dumps(found[name])}")
        record = about | {
            "crop_ms": times, "beginnings": {k: found[k] for k in BEGINNINGS if k in found}
        }  # fmt: skip
        write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
