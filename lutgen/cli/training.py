"""Commands that make models: train, polish, slim."""

from dataclasses import replace
from pathlib import Path

import click

from lutgen.commands import Failure, OutputFile, check_apart, run_files, say
from lutgen.errors import InputError

from .common import step_progress, work_progress

__all__ = ["polish_", "slim_", "train"]

#: Default of what can be cut.
_KEEP = "as it is"


@click.command()
@click.option("--profile", default="raster-table", show_default=True)
@click.option(
    "--trainer", type=click.Choice(["tree", "dlc", "boost"]),
    show_default="what the profile is for",
    help="Context tree, LUT networks by gradients, or, of profile predictive, linear predictors "
    "and boosted LUT trees.",
)  # fmt: skip
@click.option(
    "--data", multiple=True, required=True, metavar="DATA", help="As in eval; may be repeated."
)
@click.option(
    "--classes", type=int, show_default="128, boost 64",
    help="[tree, boost] Probability tables; boost: of scales, three tables each.",
)  # fmt: skip
@click.option(
    "--leaves", type=int, show_default="12288",
    help="[tree] Leaves of the context tree.",
)  # fmt: skip
@click.option(
    "--top-leaves", type=int, show_default="256",
    help="[tree] Leaves that the netlist decides.",
)  # fmt: skip
@click.option(
    "--stages", type=int, show_default="3",
    help="[tree] Stages of the tree walker, 0 for none.",
)  # fmt: skip
@click.option(
    "--predictors", type=int, show_default="64", help="[boost] Linear predictors."
)
@click.option(
    "--corrections", type=int, metavar="N", show_default="12",
    help="[boost] LUT trees that correct the prediction.",
)  # fmt: skip
@click.option(
    "--scales", type=int, metavar="N", show_default="24",
    help="[boost] LUT trees that correct the scale.",
)  # fmt: skip
@click.option(
    "--network", type=click.Choice(["trees", "gradient"]), show_default="trees",
    help="[boost] How these are made: boosted one by one, or all at once by gradients.",
)  # fmt: skip
@click.option(
    "--samples", type=int, metavar="N", show_default="2000000",
    help="[boost] Samples drawn from all images.",
)  # fmt: skip
@click.option(
    "--from", "start", metavar="MODEL", show_default="from scratch",
    help="[boost] Train this model further: its structure stays, its numbers are fitted again.",
)  # fmt: skip
@click.option(
    "--prior", type=int, metavar="N", show_default="1000",
    help="[boost] With --from: samples that each number of the model counts for.",
)  # fmt: skip
@click.option(
    "--preset", show_default="cpu-quick", help="[dlc] paper, cpu or cpu-quick, see README.md."
)
@click.option(
    "--steps", type=int, show_default="1000 with cpu-quick, else 8000",
    help="[dlc] Iterations of the autoregressive model.",
)  # fmt: skip
@click.option(
    "--luts", type=int, metavar="N", show_default="256 with cpu-quick, else 1024",
    help="[dlc] LUTs of each layer of each network, for each channel.",
)  # fmt: skip
@click.option(
    "--levels", type=int, show_default="2", help="[dlc] Levels of the pyramid, profile gic-dlc."
)
@click.option(
    "--channels", type=click.IntRange(1, 4), metavar="C", show_default="1, gray",
    help="[dlc] Samples of a pixel of the images, profiles gic-dlc, gic-dlc+ and raster-laplace: 2 "
    "of gray with alpha, 3 of RGB, 4 of RGBA.",
)  # fmt: skip
@click.option(
    "--mapping", type=click.Choice(["counted", "paper"]), show_default="counted",
    help="[dlc] What numbers of ones mean as location and scale: what suits the training images "
    "best, counted after training, or the paper's formulas.",
)  # fmt: skip
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), show_default="cuda where there is",
    help="[dlc] Where to compute.",
)  # fmt: skip
@click.option(
    "--checkpoint", type=OutputFile(), show_default="MODEL.ckpt", help="State to go on from."
)
@click.option(
    "--log", type=OutputFile(), show_default="MODEL.jsonl", help="[dlc] Log, lines of json."
)
@click.option(
    "--orientations", type=int, metavar="N", show_default="1; dlc: 8 with preset paper",
    help="[tree, dlc] Flips and turns of the images that are trained on: 1, 2, 4, or 8, which are "
    "all.  More want more leaves.",
)  # fmt: skip
@click.option(
    "--augment/--no-augment", default=None, show_default="augment",
    help="[boost] Turn or mirror each image by chance.",
)  # fmt: skip
@click.option("--seed", type=int, show_default="0", help="Of all that is drawn by chance.")
@click.option(
    "--licence", default="", metavar="TEXT", show_default="none",
    help="Licence of the data, for the record.",
)  # fmt: skip
@click.option("-o", "--out", required=True, type=OutputFile(), help="Model file, *.lutgen.")
def train(profile, trainer, data, licence, out, **options) -> None:
    """Train a codec model.

    Trainers write their state once a minute, boost after each step: a run that was stopped goes on
    where it was when the same command is given again.  Under torchrun, processes train LUT networks
    together: torchrun --nproc-per-node 2 -m lutgen train ...

    Some whole images are held out, to decide on and to measure with; of a single image its last
    rows, which says less.
    """
    from lutgen.formats.imageio import DEEP_GRAY, GRAY_8
    from lutgen.training.data.datasets import load_images
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
    common = ("seed", "checkpoint")
    own = {
        "tree": ("classes", "leaves", "top_leaves", "stages", "orientations"),
        "dlc": (
            "preset", "steps", "luts", "levels", "channels", "mapping", "orientations", "device",
            "log",
        ),
        "boost": (
            "classes", "predictors", "corrections", "scales", "network", "samples", "start",
            "prior", "augment",
        ),
    }
    options = {name: value for name, value in options.items() if value is not None}
    foreign = [name for name in options if name not in (*own[trainer], *common)]
    if foreign:
        name = {"start": "from"}.get(foreign[0], foreign[0]).replace("_", "-")
        raise click.UsageError(f"--{name} must stand without trainer {trainer}, which has none")
    check_apart({"-o": out, **{f"--{n}": options.get(n) for n in ("checkpoint", "log")}}, [
        *data, options.get("start")
    ])  # fmt: skip
    run = {"tree": _train_tree, "dlc": _train_dlc, "boost": _train_boost}[trainer]
    channels = options.pop("channels", 1)
    limits = DEEP_GRAY if trainer == "boost" else replace(
        GRAY_8, channels=channels, fewest=channels
    )

    def load():
        return [i for name in data for i in load_images(name, split="train", limits=limits)]

    record = {"name": ", ".join(data), "licence": licence}
    run(trainers[trainer], options, load, record, out)


def _train_tree(kind, options, load, record, out) -> None:
    from lutgen.training.tree.train import train_table_model

    checkpoint = run_files(out, options.pop("checkpoint", None), None)["checkpoint"]
    try:
        config = kind(**options)
    except InputError as error:
        raise click.UsageError(str(error)) from error
    with step_progress() as progress:
        model = train_table_model(
            load(), config, checkpoint=checkpoint, progress=progress, **record
        )
    model.save(out)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)  # not before the model is in safety
    figures = model.training["metrics"]
    say(
        f"{out}: {model.network.n_nodes} LUTs, {model.head.classes} classes, ideal bpp "
        f"{figures['final']['integer']:.3f} on training images, "
        f"{figures['held_out']['integer']:.3f} on {figures['split']}, held out"
    )


def _train_boost(kind, options, load, record, out) -> None:
    from lutgen.codec.any_profile import is_predictive
    from lutgen.model.shipped import find_model
    from lutgen.training.predictive.run import train_predictive_model

    checkpoint = run_files(out, options.pop("checkpoint", None), None)["checkpoint"]
    start = options.pop("start", None)
    if start is None and "prior" in options:
        raise click.UsageError("--prior must stand with --from, whose model it is the weight of")
    structure = ("predictors", "corrections", "scales", "network", "classes")
    fixed = [name for name in structure if name in options]
    if start is not None and fixed:
        raise click.UsageError(
            f"--{fixed[0]} must stand without --from, which keeps the structure of its model"
        )
    try:
        config = kind(**options)
    except InputError as error:
        raise click.UsageError(str(error)) from error
    if start is not None:
        name, start = start, find_model(start)
        if not is_predictive(start):
            raise Failure(f"{name}: model must be of profile predictive, not {start.profile}")
    images = load()
    with work_progress() as progress:
        model = train_predictive_model(
            images, config, checkpoint=checkpoint, progress=progress, start=start, **record
        )
    model.save(out)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)  # not before the model is in safety
    figures, counts = model.training["metrics"], model.stats()
    say(
        f"{out}: {counts['predictors']} predictors, {counts['table_luts']} LUTs of trees, "
        f"{counts['classes']} classes, bpp of files {figures['final']:.3f} on training images, "
        f"{figures['held_out']:.3f} on {figures['split']}, held out"
        + (f", where it was {figures['held_out_before']:.3f}" if start is not None else "")
    )


def _train_dlc(kind, options, load, record, out) -> None:
    from lutgen.training.dlc.config import configure

    paths = run_files(out, options.pop("checkpoint", None), options.pop("log", None))
    device = options.pop("device", None)
    try:
        config = configure(kind, **options)
    except InputError as error:
        raise click.UsageError(str(error)) from error
    import torch

    from lutgen.training.dlc.train import train_dlc_model
    from lutgen.training.run.parallel import processes, rank

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with processes(device) as own, step_progress() as progress:
        try:
            model = train_dlc_model(
                load(), config, device=own, progress=progress, checkpoint=paths["checkpoint"],
                log=paths["log"], **record,
            )  # fmt: skip
        except InputError as error:
            raise Failure(str(error)) from error
        if rank():
            return
    model.save(out)
    if checkpoint := paths["checkpoint"]:
        for state in (checkpoint, Path(f"{checkpoint}.tree")):
            state.unlink(missing_ok=True)  # not before the model is in safety
    figures = model.training["metrics"]
    ups = "" if model.upsampler is None else f" + {model.upsampler.network.n_nodes}"
    say(
        f"{out}: {model.network.n_nodes}{ups} LUTs, bpp on {figures['split']}, held out: as "
        f"trained {figures['soft_bpp']:.3f}, hard {figures['hard_bpp']:.3f}, integer tables "
        f"{figures['integer_bpp']:.3f}"
    )


def _images_for(model, data) -> list:
    """Training images of data sets, those that a model takes."""
    from lutgen.formats.rules import limits_of
    from lutgen.training.data.datasets import load_images

    limits = limits_of(model)
    return [i for name in data for i in load_images(name, split="train", limits=limits)]


def _networks(model) -> list:
    """Networks of a model."""
    return [model.network, *([model.upsampler.network] if model.upsampler else [])]


@click.command("polish")
@click.argument("model", metavar="MODEL")
@click.option(
    "--data", multiple=True, required=True, metavar="DATA",
    help="Training images, as in eval; may be repeated.",
)  # fmt: skip
@click.option(
    "--sweeps", type=int, default=40, show_default=True,
    help="Visits to each node of the autoregressive network.",
)  # fmt: skip
@click.option(
    "--ups-sweeps", type=int, default=20, show_default=True, help="Those of the upsampling network."
)
@click.option(
    "--windows", type=(int, int), default=(200_000, 800_000), show_default="200000 800000",
    metavar="FIRST LAST",
    help="Windows that the first and the last sweep judge by; each takes 3 bytes of memory for "
    "each node of a layer.",
)  # fmt: skip
@click.option(
    "--signals", type=int, default=16, show_default=True, metavar="N",
    help="Hidden nodes that an output node tries in a visit.",
)  # fmt: skip
@click.option(
    "--tried", type=int, default=12, show_default=True, metavar="N",
    help="Pixels that a hidden node tries in a visit, with all thresholds.",
)  # fmt: skip
@click.option(
    "--inputs", type=click.Choice(["any", "kept"]), default="any", show_default=True,
    help="Comparators that pins may read: those of MODEL alone keep a slimmed model slim.",
)  # fmt: skip
@click.option(
    "--doubt", type=(float, float), default=(0.0, 1.0), show_default="0 1", metavar="FIRST LAST",
    help="What an entry of a table must save, in standard deviations of that, in the first and in "
    "the last sweep.",
)  # fmt: skip
@click.option(
    "--mapping", type=click.Choice(["kept", "paper", "counted"]), default="kept", show_default=True,
    help="What numbers of ones mean: as in MODEL, by the paper's formulas, or as in MODEL until "
    "they are counted again, last of all.",
)  # fmt: skip
@click.option(
    "--orientations", type=int, default=1, show_default=True, metavar="N",
    help="Flips and turns that an image may be seen in: 1, 2, 4, or 8, which are all.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@click.option(
    "--licence", default="", metavar="TEXT", show_default="none",
    help="Licence of the data, for the record.",
)  # fmt: skip
@click.option("-o", "--out", required=True, type=OutputFile(), help="Model file, *.lutgen.")
def polish_(model, data, licence, out, **options) -> None:
    """Make a trained model of LUT networks better, without gradients.

    Of a model with a Laplace head: one LUT after the other gets the truth table, and the signals on
    its pins, that training images miss least, everything else held still.  Data of another kind
    than the model was trained on make it a model of that kind.
    """
    from lutgen.model.model import Model
    from lutgen.training.polish.polish import Polish, polish_model

    try:
        config = Polish(**options)
    except InputError as error:
        raise click.UsageError(str(error)) from error
    check_apart({"-o": out}, [*data, model])
    found = Model.load(model)
    images = _images_for(found, data)
    with work_progress() as progress:
        polished = polish_model(
            found, images, config, progress=progress, name=", ".join(data), licence=licence
        )
    polished.save(out)
    networks = _networks(polished)
    entry = polished.training["polish"][-1]
    say(
        f"{out}: {' + '.join(str(net.n_nodes) for net in networks)} LUTs, ideal bpp on "
        f"{entry['split']}, held out: {entry['bpp']:.3f}, was {entry['bpp_before']:.3f}"
    )


@click.command("slim")
@click.argument("model", metavar="MODEL")
@click.option(
    "--data", multiple=True, required=True, metavar="DATA",
    help="Training images, as in eval; may be repeated.",
)  # fmt: skip
@click.option(
    "--thresholds", type=int, metavar="N", show_default=_KEEP,
    help="Of a pixel, on average, in each network.",
)  # fmt: skip
@click.option(
    "--output-bits", type=int, metavar="N", show_default=_KEEP,
    help="Of location and of scale, each.",
)  # fmt: skip
@click.option(
    "--ups-bits", type=int, metavar="N", show_default=_KEEP, help="Of each upsampled pixel."
)
@click.option(
    "--scales", type=int, metavar="N", show_default=_KEEP, help="Scale classes of the head."
)
@click.option(
    "--classes", type=int, metavar="N", show_default=_KEEP,
    help="Probability tables of a table head.",
)  # fmt: skip
@click.option("--limit", type=int, default=1000, show_default=True, help="Most images to count on.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the images' choice.")
@click.option(
    "--licence", default="", metavar="TEXT", show_default="none",
    help="Licence of the data, for the record.",
)  # fmt: skip
@click.option("-o", "--out", required=True, type=OutputFile(), help="Model file, *.lutgen.")
def slim_(model, data, licence, out, **options) -> None:
    """Cut a trained model of LUT networks down to a cheaper layout.

    Of a model with a Laplace head thresholds, output bits and scales are given up where training
    images miss them least; of one with a table head, classes are merged.  Tables are counted again;
    no network is trained.
    """
    if all(value is None for name, value in options.items() if name not in ("limit", "seed")):
        raise click.UsageError(
            "at least one of --thresholds, --output-bits, --ups-bits, --scales and --classes must "
            "be given"
        )
    from lutgen.model.model import Model
    from lutgen.training.slim.slim import Slim, slim_model

    try:
        config = Slim(**options)
    except InputError as error:
        raise click.UsageError(str(error)) from error
    check_apart({"-o": out}, [*data, model])
    found = Model.load(model)
    images = _images_for(found, data)
    slim = slim_model(found, images, config, name=", ".join(data), licence=licence)
    slim.save(out)
    networks = _networks(slim)
    luts, bits = (" + ".join(str(n) for n in counts) for counts in (
        [net.n_nodes for net in networks], [net.n_inputs for net in networks]
    ))  # fmt: skip
    entry = slim.training["slim"][-1]
    head = slim.head
    rows = f"{head.scales} scales" if hasattr(head, "scales") else f"{head.classes} classes"
    say(
        f"{out}: {luts} LUTs, {bits} comparators, {rows}, ideal bpp on "
        f"{entry['data']['images']} training images {entry['bpp']:.3f}, was "
        f"{entry['bpp_before']:.3f}"
    )
