"""The command ``lutgen``: parse, call, print.

Commands import what they need when they run: ``lutgen --help`` stays quick, and an installation
without an extra does without its commands only.
"""

import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import click

from lutgen import __version__

__all__ = ["main"]


class _Failure(click.ClickException):
    """Bad data or a failed check: one line, exit status 1."""

    def show(self, file=None) -> None:
        click.echo(f"error: {self.message}", err=True)


class _Commands(click.Group):
    """Turns the errors that users cause into one line each."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly
        except OSError as error:
            where = f"{error.filename}: " if error.filename is not None else ""
            raise _Failure(where + (error.strerror or str(error))) from error
        except MemoryError as error:
            raise _Failure(f"out of memory {error}".rstrip()) from error
        except ValueError as error:
            raise _Failure(" ".join(str(error).split())) from error


class _Tile(click.ParamType):
    name = "WxH"

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", value)
        sides = tuple(map(int, match.groups())) if match else ()
        if not sides or not all(1 <= side <= 64 for side in sides):
            self.fail(f"tile must be WxH with sides of 1 to 64 pixels, not {value!r}", param, ctx)
        return sides


def _output(ctx, param, value: str) -> str:
    """An image file name, or a folder, of which decoded images can be written."""
    from lutgen.imageio import ImageError, image_format

    if not _is_folder(value):
        try:
            image_format(value)
        except ImageError as error:
            raise click.BadParameter(f"{error}; a folder must exist or end in /") from None
    return value


def _is_folder(path: str) -> bool:
    return path.endswith("/") or Path(path).is_dir()


_model = click.option("--model", metavar="FILE", help="Model file; the embedded one by default.")
_tile = click.option(
    "--tile", type=_Tile(), default=(32, 32), help="Size of a tile in pixels; 32x32 by default."
)
_lanes = click.option(
    "--lanes", type=int, metavar="N", help="Of the decoder; what its pipeline needs by default."
)
_encoder_lanes = click.option("--encoder-lanes", type=int, metavar="N", help="Of the encoder.")
_threads = click.option("--threads", type=click.IntRange(1, 1024), help="One per core by default.")
_json = click.option("--json", "as_json", is_flag=True, help="Print json to standard output.")


def _load_model(path: str | None):
    from lutgen.model import Model

    return Model.default() if path is None else Model.load(path)


def _bar(*columns):
    """A progress display on stderr, gone when it ends; nothing where nobody looks on."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def _progress():
    """A bar as a function of step, work done and all work."""
    with _bar() as bar:
        tasks = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield tell


@contextmanager
def _core_progress(title: str):
    """A line for each core, as a function of the core and what is done for it."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with _bar(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as bar:
        tasks = {}

        def tell(core: str, step: str) -> None:
            text = f"{title} {core}: {step}"
            if core not in tasks:
                tasks[core] = bar.add_task(text, total=None)
            bar.update(tasks[core], description=text)

        yield tell


@contextmanager
def _pixel_progress(step: str, total: int | None):
    """A bar as a function of the pixels just done."""
    with _bar() as bar:
        task = bar.add_task(step, total=total)
        yield lambda count: bar.advance(task, count)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lutgen")
def main() -> None:
    """Learned lossless image compression in FPGA fabric."""


@main.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("-o", "--output", required=True, metavar="FILE", help="Bitstream, *.lgc.")
@_model
@_tile
@_threads
def encode(inputs, output, model, tile, threads) -> None:
    """Encode 8-bit gray images of one size into one file.

    INPUT is a PNG, PGM or npy file, the latter of shape (H, W) or (N, H, W), or a folder of PNG
    and PGM files.
    """
    from lutgen.codec.codec import Codec
    from lutgen.files import write_file
    from lutgen.imageio import read_stack

    for path in inputs:
        if Path(path).exists() and Path(output).exists() and Path(path).samefile(output):
            raise click.BadParameter(f"output must not be the input {path}", param_hint="-o")
    images = read_stack(inputs)
    codec = Codec(_load_model(model), threads=threads)
    with _pixel_progress("encoding", images.size) as progress:
        encoded = codec.encode(images, tile=tile, progress=progress)
    write_file(output, encoded.data)
    count, height, width = images.shape
    bpp = [bits / images.size for bits in (8 * len(encoded.data), 8 * encoded.payload_bytes)]
    click.echo(
        f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}, "
        f"{images.size} -> {len(encoded.data)} bytes, {bpp[0]:.3f} bpp "
        f"(tiles alone {bpp[1]:.3f}, ideal {encoded.ideal_bits / images.size:.3f})"
    )


@main.command()
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", required=True, callback=_output, metavar="OUT",
    help="*.png, *.pgm or *.npy; of several images *.npy, a folder, or a pattern like out%04d.png.",
)  # fmt: skip
@click.option(
    "--level", type=click.IntRange(0), default=0, metavar="K",
    help="Small pictures, sides halved K times, of a model with levels; reads no more than needed.",
)  # fmt: skip
@_model
@_threads
def decode(file, output, level, model, threads) -> None:
    """Decode a bitstream into images."""
    from lutgen.codec.codec import Codec, ModelMismatchError
    from lutgen.codec.container import CorruptStreamError
    from lutgen.imageio import write_image

    codec = Codec(_load_model(model), threads=threads)
    try:
        # Unbuffered, so that no more is read than the level needs.
        with open(file, "rb", buffering=0) as data, _pixel_progress("decoding", None) as progress:
            images = codec.decode(data, level=level, progress=progress)
    except (CorruptStreamError, ModelMismatchError) as error:
        raise type(error)(f"{file}: {error}") from None
    count, height, width = images.shape
    paths = _image_paths(output, count)
    for path, image in zip(paths, images if paths[1:] or count == 1 else [images], strict=True):
        write_image(path, image)
    click.echo(f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}")


def _image_paths(output: str, count: int) -> list[str]:
    """Files that `count` decoded images go to; one for all if it is an npy file."""
    if _is_folder(output):
        Path(output).mkdir(parents=True, exist_ok=True)
        output = str(Path(output, "%06d.png"))
    numbers = re.findall(r"%0?\d?d", Path(output).name)
    if len(numbers) == 1:
        folder = Path(output).parent
        return [str(folder / Path(output).name.replace(numbers[0], numbers[0] % i))
                for i in range(count)]  # fmt: skip
    if count > 1 and not output.lower().endswith(".npy"):
        raise click.UsageError(
            f"output of {count} images must be *.npy, a folder or a pattern like out%04d.png, "
            f"not {output!r}"
        )
    return [output]


@main.command("eval")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="val", show_default=True,
    help="Part of data that comes in parts.",
)  # fmt: skip
@_model
@_tile
@click.option("--limit", type=click.IntRange(1), metavar="N", help="First N images only.")
@click.option("--no-baselines", is_flag=True, help="Leave out PNG, WebP, JPEG XL, JPEG-LS, QOI.")
@_json
def evaluate_(data, split, model, tile, limit, no_baselines, as_json) -> None:
    """Measure a model beside the usual lossless codecs.

    DATA is a folder of PNG and PGM files, an image, npy, npz (FILE.npz:ARRAY for one array) or
    IDX file, or one of glyphs, emnist-digits, kmnist and fashion-mnist.
    """
    from lutgen.evaluate import evaluate, table
    from lutgen.training.datasets import load_images

    codec_model = _load_model(model)
    results = {}
    for name in data:
        images = load_images(name, split=split)[:limit]
        with _progress() as progress:
            results[name] = evaluate(
                images, codec_model, tile=tile, baselines=not no_baselines, progress=progress
            )
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        from rich.console import Console

        Console().print(table(results))
    bad = [name for name, result in results.items() if not result["verified"]]
    if bad:
        raise _Failure(f"{', '.join(bad)}: decoded images must equal the originals, but differ")


@main.command()
@click.option("--profile", default="raster-table", show_default=True)
@click.option(
    "--trainer", type=click.Choice(["tree", "dlc"]),
    help="Context tree, or LUT networks by gradients; what the profile is for by default.",
)  # fmt: skip
@click.option(
    "--data", multiple=True, required=True, metavar="DATA", help="As in eval; may be repeated."
)
@click.option("--classes", type=int, help="[tree] Probability tables.")
@click.option("--leaves", type=int, help="[tree] Leaves of the context tree.")
@click.option("--top-leaves", type=int, help="[tree] Leaves that the netlist decides.")
@click.option("--stages", type=int, help="[tree] Stages of the tree walker, 0 for none.")
@click.option(
    "--preset", help="[dlc] paper, cpu or cpu-quick, see README.md; cpu-quick by default."
)
@click.option("--steps", type=int, help="[dlc] Iterations of the autoregressive model.")
@click.option("--luts", type=int, metavar="N", help="[dlc] LUTs of each layer of each network.")
@click.option("--levels", type=int, help="[dlc] Levels of the pyramid, profile gic-dlc.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[dlc] cuda where there is.")
@click.option(
    "--checkpoint", metavar="FILE", help="[dlc] State to go on from; FILE.ckpt of the model file."
)
@click.option("--log", metavar="FILE", help="[dlc] json lines; FILE.jsonl of the model file.")
@click.option("--seed", type=int)
@click.option("--licence", default="", metavar="TEXT", help="Licence of the data, for the record.")
@click.option("-o", "--out", required=True, metavar="FILE", help="Model file, *.lutgen.")
def train(profile, trainer, data, licence, out, **options) -> None:
    """Train a codec model.

    The trainer of LUT networks writes its state once a minute: a run that was stopped goes on
    where it was when the same command is given again.  Under torchrun, processes train together:
    torchrun --nproc-per-node 2 -m lutgen train ...
    """
    with _train_extra():
        from lutgen.training.datasets import load_images
        from lutgen.training.profiles import PROFILES
    if profile not in PROFILES:
        raise click.BadParameter(
            f"profile must be one of {', '.join(PROFILES)}, not {profile!r}",
            param_hint="--profile",
        )
    trainers = PROFILES[profile]
    trainer = trainer or next(iter(trainers))
    if trainer not in trainers:
        raise click.BadParameter(
            f"trainer of profile {profile} must be {' or '.join(trainers)}, not {trainer}",
            param_hint="--trainer",
        )
    common = ("seed",)
    own = {
        "tree": ("classes", "leaves", "top_leaves", "stages"),
        "dlc": ("preset", "steps", "luts", "levels", "device", "checkpoint", "log"),
    }
    options = {name: value for name, value in options.items() if value is not None}
    foreign = [name for name in options if name not in (*own[trainer], *common)]
    if foreign:
        name = foreign[0].replace("_", "-")
        raise click.UsageError(f"--{name} must stand without trainer {trainer}, which has none")
    run = {"tree": _train_tree, "dlc": _train_dlc}[trainer]

    def load():
        return [image for name in data for image in load_images(name, split="train")]

    record = {"name": ", ".join(data), "licence": licence}
    run(trainers[trainer], options, load, record, out)


@contextmanager
def _train_extra():
    """Around imports that need the extra `train`: says so where a package is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "lutgen":
            raise
        raise _Failure(
            f'training needs the package {error.name}: pip install "lutgen[train]"'
        ) from error


def _train_tree(kind, options, load, record, out) -> None:
    with _train_extra():
        from lutgen.training.train import train_table_model
    try:
        config = kind(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with _progress() as progress:
        model = train_table_model(load(), config, progress=progress, **record)
    _save_model(model, out)
    figures = model.training["metrics"]
    click.echo(
        f"{out}: {model.network.n_nodes} LUTs, {model.head.classes} classes, ideal bpp "
        f"{figures['final']['integer']:.3f} on training images, "
        f"{figures['held_out']['integer']:.3f} on held-out ones"
    )


def _train_dlc(kind, options, load, record, out) -> None:
    from lutgen.training.dlc.config import configure

    paths = {
        name: Path(options.pop(name, f"{out}.{suffix}"))
        for name, suffix in (("checkpoint", "ckpt"), ("log", "jsonl"))
    }
    device = options.pop("device", None)
    try:
        config = configure(kind, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with _train_extra():
        import torch

        from lutgen.training.dlc.parallel import processes, rank
        from lutgen.training.dlc.train import train_dlc_model
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with processes(device) as own, _progress() as progress:
        try:
            model = train_dlc_model(
                load(), config, device=own, progress=progress, **paths, **record
            )
        except ValueError as error:
            raise _Failure(str(error)) from error
        if rank():
            return
    _save_model(model, out)
    figures = model.training["metrics"]
    ups = "" if model.upsampler is None else f" + {model.upsampler.network.n_nodes}"
    click.echo(
        f"{out}: {model.network.n_nodes}{ups} LUTs, bpp on held-out images: as trained "
        f"{figures['soft_bpp']:.3f}, hard {figures['hard_bpp']:.3f}, integer tables "
        f"{figures['integer_bpp']:.3f}"
    )


def _save_model(model, path: str) -> None:
    import io

    from lutgen.files import write_file

    file = io.BytesIO()
    model.save(file)
    write_file(path, file.getvalue())


@main.command("slim")
@click.argument("model", metavar="MODEL")
@click.option(
    "--data", multiple=True, required=True, metavar="DATA",
    help="Training images, as in eval; may be repeated.",
)  # fmt: skip
@click.option(
    "--thresholds", type=int, metavar="N", help="Of a pixel, on average, in each network."
)
@click.option("--output-bits", type=int, metavar="N", help="Of location and of scale, each.")
@click.option("--ups-bits", type=int, metavar="N", help="Of each upsampled pixel.")
@click.option("--scales", type=int, metavar="N", help="Scale classes of the head.")
@click.option(
    "--limit", type=int, default=1000, show_default=True, help="Most images to count on."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the images' choice.")
@click.option("--licence", default="", metavar="TEXT", help="Licence of the data, for the record.")
@click.option("-o", "--out", required=True, metavar="FILE", help="Model file, *.lutgen.")
def slim_(model, data, licence, out, **options) -> None:
    """Cut a trained model of LUT networks down to a cheaper layout.

    MODEL is a model file with a Laplace head.  Thresholds, output bits and scales are given up
    where training images miss them least, and the tables are counted again; no network is trained.
    """
    if all(options[name] is None for name in ("thresholds", "output_bits", "ups_bits", "scales")):
        raise click.UsageError(
            "at least one of --thresholds, --output-bits, --ups-bits and --scales must be given"
        )
    from lutgen.model import Model

    with _train_extra():
        from lutgen.training.datasets import load_images
        from lutgen.training.slim import Slim, slim_model
    try:
        config = Slim(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    images = [image for name in data for image in load_images(name, split="train")]
    slim = slim_model(Model.load(model), images, config, name=", ".join(data), licence=licence)
    _save_model(slim, out)
    networks = [slim.network, *([slim.upsampler.network] if slim.upsampler else [])]
    luts, bits = (" + ".join(str(n) for n in counts) for counts in (
        [net.n_nodes for net in networks], [net.n_inputs for net in networks]
    ))  # fmt: skip
    entry = slim.training["slim"][-1]
    click.echo(
        f"{out}: {luts} LUTs, {bits} comparators, {slim.head.scales} scales, ideal bpp on "
        f"{entry['data']['images']} training images {entry['bpp']:.3f}, was "
        f"{entry['bpp_before']:.3f}"
    )


@main.command("build")
@click.option("--target", required=True, help="Device, see `lutgen targets`.")
@_model
@click.option(
    "--top", type=click.Choice(["encoder", "decoder", "codec"]), default="codec",
    show_default=True, help="One core, or both.",
)  # fmt: skip
@_lanes
@_encoder_lanes
@_tile
@click.option("--max-width", type=int, default=512, show_default=True, help="Of images, in pixels.")
@click.option("--max-height", type=int, default=4096, show_default=True)
@click.option(
    "--stream-bytes", type=int, default=4, show_default=True, help="Width of the file's TDATA."
)
@click.option("--out", metavar="DIR", help="By default rtl_out/TARGET/TOP-PROFILE.")
@click.option("--no-estimate", is_flag=True, help="Do not count resources, which takes a minute.")
@_json
def build_(target, no_estimate, as_json, **parameters) -> None:
    """Write the Verilog of a model's encoder and decoder."""
    from lutgen.build import BuildError, build
    from lutgen.build_text import summary, table
    from lutgen.model import ModelError

    try:
        with _core_progress("making the") as progress:
            record = build(target, estimate=not no_estimate, progress=progress, **parameters)
    except ModelError:
        raise
    except BuildError as error:
        raise _Failure(str(error)) from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(record, indent=2))
        return
    from rich.console import Console

    if record["pair"]:
        Console().print(table(record))
    click.echo(summary(record))


@main.command("sim")
@_model
@click.option(
    "--images", multiple=True, metavar="PATH",
    help="Image or folder, may be repeated; synthetic glyphs and odd sizes by default.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), metavar="N", help="First N images only.")
@click.option("--target", default="zynq7045", show_default=True)
@_lanes
@_encoder_lanes
@_tile
@click.option(
    "--stall", type=float, default=0.0, metavar="P", help="Share of clocks in which ports stall."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--build", "folder", metavar="DIR", help="What `lutgen build` has written.")
@_json
@click.pass_context
def sim(ctx, images, limit, folder, stall, seed, as_json, **parameters) -> None:
    """Simulate the Verilog and compare it with the reference codec, byte for byte."""
    from lutgen.sim.check import check, check_build, synthetic_images, table
    from lutgen.sim.verilator import SimulationError

    given = [name for name in parameters if ctx.get_parameter_source(name).name == "COMMANDLINE"]
    if folder and given:
        raise click.UsageError(
            f"--build must stand without --{given[0].replace('_', '-')}, which the build decides"
        )
    if images:
        from lutgen.imageio import read_images

        named = [
            (f"{path} {k}", image) for path in images for k, image in enumerate(read_images(path))
        ][:limit]
    else:
        named = synthetic_images(limit or 48, seed)
    common = {"stall": stall, "seed": seed}
    try:
        with _core_progress("simulating the") as progress:
            if folder:
                result = check_build(folder, named, progress=progress, **common)
            else:
                result = check(images=named, progress=progress, **common, **parameters)
    except SimulationError as error:
        raise _Failure(str(error)) from error
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        from rich.console import Console

        Console().print(table(result))
        click.echo(
            f"{result['images']} images, {result['pixels']} pixels, {result['checks']} checks, "
            f"{result['mismatches']} mismatches, {result['seconds']:.0f} s"
        )
    if not result["ok"]:
        raise _Failure("\n  ".join(["Verilog and reference must agree, but:", *result["problems"]]))


@main.command("report")
@click.option(
    "--vivado", "reports", required=True, metavar="DIR",
    help="Folder of Vivado's reports, *.rpt and *.txt.",
)  # fmt: skip
@click.option(
    "--build", "folder", metavar="FOLDER", help="What `lutgen build` has written, to compare with."
)
@_json
def report_(reports, folder, as_json) -> None:
    """Show Vivado's reports, beside the estimates of a build.

    Reads utilisation, timing summary and power, as report_utilization, report_timing_summary and
    report_power write them; a report of an unknown layout is an error.
    """
    from lutgen.build import load_build
    from lutgen.handoff.vivado_compare import compare, summary, table, title
    from lutgen.handoff.vivado_report import read_reports

    found = compare(read_reports(reports), load_build(folder) if folder else None)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    click.echo(title(found))
    if found["rows"]:
        Console().print(table(found))
    click.echo(summary(found))


@main.command()
@_json
def targets(as_json) -> None:
    """List the devices that designs are built for, and how many cores would fit."""
    from dataclasses import asdict

    from lutgen.targets import all_targets
    from lutgen.targets.fit import fit
    from lutgen.targets.table import notes, table

    if as_json:
        found = [asdict(target) | {"fit": asdict(fit(target))} for target in all_targets()]
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    Console().print(table(all_targets()))
    click.echo("\n" + notes(all_targets()))


if __name__ == "__main__":
    sys.exit(main())
