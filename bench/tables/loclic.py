"""The lossy codec: what it multiplies, its points on Kodak, and other codecs beside it."""

import json
from pathlib import Path

from bench.tables.loclic_curves import Curve, ahead, difference, measured, models, published
from lutgen.training.loclic.measure.complexity import codec_layers, count
from lutgen.training.loclic.measure.published import KMAC
from lutgen.training.loclic.measure.reference import REFERENCES
from lutgen.training.loclic.networks.config import PRESETS

from .results import LEVELS, ROOT, deepest, load

__all__ = [
    "loclic_ahead", "loclic_bd", "loclic_coding", "loclic_complexity", "loclic_engine",
    "loclic_memory", "loclic_photographs", "loclic_points", "loclic_references", "loclic_start",
]  # fmt: skip

_RESULTS = ROOT / "bench" / "results"

#: Published curves to compare with.
_ANCHORS = ("factorized", "hyperprior")

_ENDS = ("analysis", "synthesis")

#: Settings of a point, if its file has them.
_SETTINGS = ("quality", "lambda", "step")


def loclic_complexity() -> str:
    """kMAC per pixel of our configurations and MLIC++'s by block, both rules for the sum."""
    counts = [count(codec_layers(config)) for config in PRESETS.values()]
    printed = [count(codec_layers(config), "torchinfo") for config in PRESETS.values()]
    lines = [
        "| kMAC per pixel | " + " | ".join(f"`{name}`" for name in PRESETS) + " |",
        "|---|" + "---|" * len(PRESETS),
    ]

    def row(title: str, values, form: str = ".2f") -> None:
        lines.append(f"| {title} | " + " | ".join(format(v, form) for v in values) + " |")

    for block in dict.fromkeys(block for c in counts for block in c.blocks):
        row(block, [c.blocks.get(block, 0.0) for c in counts])
    row("**convolutions + linear, true MACs**", [c.total for c in counts])
    row("GDN", [sum(c.gdn.values()) for c in counts])
    row("attention products", [sum(c.attention.values()) for c in counts])
    row("all", [c.all_in for c in counts])
    row("**by torchinfo's rule**", [c.total for c in printed])
    paper = {"loc-lic": KMAC["loc-lic"], "mlic++-old": KMAC["mlic++"]}
    row("the paper's, published", [str(paper.get(name, "-")) for name in PRESETS], "")
    row("parameters, million", [c.parameters / 1e6 for c in counts])
    return "\n".join([*lines, "", "(`lutgen loclic complexity`, `--rule torchinfo`)"])


def loclic_references() -> str:
    """kMAC per pixel of the codecs that ours is compared with, by both rules."""
    lines = [
        "| kMAC per pixel, low / high qualities | analysis | synthesis | rest | "
        "**true MACs** | by torchinfo's rule | the paper's, published |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in REFERENCES:
        sizes = models(name, "macs").values()
        cells = [
            *([found.blocks[block] for found in sizes] for block in _ENDS),
            [sum(v for block, v in found.blocks.items() if block not in _ENDS)
             for found in sizes],
            [found.total for found in sizes],
            [found.total for found in models(name, "torchinfo").values()],
        ]
        lines.append(
            f"| {name} | " + " | ".join(" / ".join(f"{v:.1f}" for v in cell) for cell in cells)
            + f" | {KMAC.get(name, '-')} |"
        )  # fmt: skip
    return "\n".join([
        *lines, "", "(counted from the layers, `training/loclic/measure/reference.py`)",
    ])  # fmt: skip


#: What the beginnings of `bench.loclic_start` are.
_BEGINNINGS = {
    "before": "version 0.1.0: dead hyperprior, wide prior, its rates",
    "before, new rates": "the same, warm-up and cosine",
    "now": "hyperprior and prior of unit variance, warm-up and cosine",
}


def loclic_start() -> str:
    """What the first steps of a training reach."""
    found = load("loclic-start")
    lines = [
        "| beginning | highest rate | loss before the first step | loss | bit/pixel | of these z | "
        "PSNR, dB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, run in found["beginnings"].items():
        last = run["last"]
        lines.append(
            f"| {_BEGINNINGS[name]} | {run['rate']:g} | {run['first']['loss']:.3f} | "
            f"{last['loss']:.3f} | {last['bpp']:.3f} | {last['z_bpp']:.3f} | {last['psnr']:.2f} |"
        )
    crops = found["crop_ms"]
    return "\n".join([
        *lines, "",
        f"({found['steps']} steps without contexts, {found['batch']} crops of {found['crop']} x "
        f"{found['crop']} each; loss of the middle 256 x 256 pixels of {found['images']} images of "
        f"Kodak, estimated bits; `python -m bench.loclic_start`; 16 crops take {crops['kept']:.1f} "
        f"ms of CPU time, {crops['read']:.0f} where each picture is read again, as it was)",
    ])  # fmt: skip


def loclic_points(folder: Path = _RESULTS) -> str:
    """All points that were measured."""
    lines = [
        "| codec | setting | bit/pixel | PSNR, dB | MS-SSIM | MS-SSIM, dB | "
        "ms per image, encode / decode |",
        "|---|---|---|---|---|---|---|",
    ]
    curves = measured(folder)
    for curve in curves:
        found = curve.results.results
        for i in sorted(range(len(curve.rates)), key=curve.rates.__getitem__):
            setting = ", ".join(
                f"{name} {found[name][i]:.3g}" for name in _SETTINGS if name in found
            )
            lines.append(
                f"| {curve.name} | {setting or '-'} | {curve.rates[i]:.4f} | "
                f"{curve.qualities['psnr'][i]:.2f} | {found['ms-ssim-rgb'][i]:.4f} | "
                f"{curve.qualities['ms-ssim'][i]:.2f} | "
                + " / ".join(
                    f"{1000 * found[name][i]:,.1f}" for name in ("encoding_time", "decoding_time")
                )
                + " |"
            )
    about = "; ".join(f"{curve.name}: {curve.results.description}" for curve in curves)
    return "\n".join([*lines, "", f"({about}; {_commands(curves)})"])


def loclic_ahead(folder: Path = _RESULTS) -> str:
    """Rates at which one codec is better than another."""
    curves = measured(folder)
    anchors = [curve for curve in curves if models(curve.name, "macs") == {}]
    anchors += [curve for curve in published() if curve.name in _ANCHORS]
    lines = [
        "| codec | against | rates of both | better by PSNR | by MS-SSIM |",
        "|---|---|---|---|---|",
    ]
    for curve in curves:
        for anchor in anchors:
            if anchor is curve or curve in anchors:
                continue
            found = [ahead(anchor, curve, quality) for quality in ("psnr", "ms-ssim")]
            cells = [
                ", ".join(f"{low:.3f} to {high:.3f}" for low, high in one) or "nowhere"
                for one in found
            ]
            both = [(min(c.best("psnr")[0]), max(c.best("psnr")[0])) for c in (anchor, curve)]
            low, high = max(b[0] for b in both), min(b[1] for b in both)
            lines.append(
                f"| {curve.label} | {anchor.label} | {low:.3f} to {high:.3f} | "
                + " | ".join(cells) + " |"
            )
    return "\n".join([
        *lines, "", "(bit/pixel; between points, straight lines over the logarithm of the rate; "
        f"{_commands(curves)})",
    ])  # fmt: skip


def loclic_photographs(folder: Path = _RESULTS / "rgb_photo") -> str:
    """Points and differences to JPEG on pictures of another source."""
    curves = {curve.name: curve for curve in measured(folder)}
    jpeg = curves["jpeg"]
    lines = [
        "| codec | bit/pixel: PSNR, dB | against JPEG: BD-rate, PSNR | BD-rate, MS-SSIM |",
        "|---|---|---|---|",
    ]
    for curve in curves.values():
        points = "; ".join(
            f"{rate:.3f}: {value:.2f}" for rate, value in zip(*curve.best("psnr"), strict=True)
        )
        cells = ["", ""]
        if curve is not jpeg:
            found = [difference(jpeg, curve, quality) for quality in ("psnr", "ms-ssim")]
            cells = [_cell(one.rate, " %", one.rate_over, " dB", 1) for one in found]
        lines.append(f"| {curve.name} | {points} | " + " | ".join(cells) + " |")
    about = "; ".join(f"{name}: {curve.results.description}" for name, curve in curves.items())
    more = f"domains2/{folder.name} --out bench/results/{folder.name}"
    return "\n".join([
        *lines, "",
        f"({about}; in brackets as below; `python -m bench.loclic_baselines {more}`, "
        f"`python -m bench.loclic TRAINED CODEC --folder {more}`)",
    ])  # fmt: skip


def loclic_coding(folder: Path = _RESULTS) -> str:
    """What integers cost against the float networks, and how long the entropy coder takes."""
    lines = [
        "| model | trained | integers / floats: bit/pixel | PSNR, dB | cost of integers | "
        "ms of the entropy coder, encode / decode | its share of all | values that differ |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for path in sorted(folder.glob("loclic-*-coding.json")):
        found = json.loads(path.read_text())
        whole, floats = found["integers"], found["floats"]
        counts = ", ".join(map(str, found["thread_counts"]))
        seconds, share = found["coding_seconds"], found["coding_share"]
        name = path.stem.removeprefix("loclic-").removesuffix("-coding")
        lines.append(
            f"| loc-lic-{name}, {found['model_hash'][:16]} | "
            f"{found['trained_steps']:,} steps, {found['trained_seconds'] / 60:,.0f} min, "
            f"{found['device']} | {whole['bpp']:.4f} / {floats['bpp']:.4f} | "
            f"{whole['psnr-rgb']:.2f} / {floats['psnr-rgb']:.2f} | {found['integer_cost']:+.2%} | "
            + " / ".join(f"{1000 * seconds[way]:,.1f}" for way in ("encode", "decode")) + " | "
            + " / ".join(f"{share[way]:.1%}" for way in ("encode", "decode"))
            + f" | {found['differing_values']:,} with {counts} threads |"
        )  # fmt: skip
    if len(lines) == 2:
        return "(not measured yet: `python -m bench.loclic TRAINED CODEC`)"
    return "\n".join([
        *lines, "",
        f"({found['images']} images, {found['threads']} thread{'s' * (found['threads'] > 1)}, a "
        "rounding step of one, CPU time; trained on from another codec, as said above; "
        "`python -m bench.loclic TRAINED CODEC`)",
    ])  # fmt: skip


def loclic_memory() -> str:
    """Most memory of processes that code and decode an image."""
    found = load("loclic-memory")
    lines = [
        "| image | pixels | MiB to compress | MiB to decompress | CPU seconds, both ways |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["images"].items():
        ways = [row[way] for way in ("compress", "decompress")]
        lines.append(
            f"| {name} | {row['width']} x {row['height']} | "
            + " | ".join(f"{way['mib']:,.0f}" for way in ways)
            + " | " + " / ".join(f"{way['seconds']:.1f}" for way in ways) + " |"
        )
    return "\n".join([
        *lines, "",
        f"(a model of {found['bytes'] / 1e6:.1f} MB, weights of {found['weight_bits']} bits; whole "
        f"processes, Python and torch among it; OMP_NUM_THREADS {found['threads']}; "
        "`python -m bench.loclic_memory CODEC IMAGE...`)",
    ])  # fmt: skip


def loclic_engine(folder: Path = _RESULTS) -> str:
    """Resources of the entropy engine by its tables."""
    lines = [
        f"| tables | core | LUT | FF | BRAM36 | DSP | {LEVELS} |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in sorted(folder.glob("build-entropy-engine*.json")):
        record = json.loads(path.read_text())
        for name, core in record["cores"].items():
            found = core["resources"]["total"]
            lines.append(
                f"| {record['model']['classes']} classes | {name} | {found['lut']:,} | "
                f"{found['ff']:,} | {found['bram36']:g} | {found['dsp']} | "
                f"{deepest(core['resources'])} |"
            )
    return "\n".join([
        *lines, "", "(`lutgen build --top entropy-engine --target zynq7045 [--model CODEC] --json`)"
    ])  # fmt: skip


def loclic_bd(folder: Path = _RESULTS) -> str:
    """Every measured curve against JPEG and two published codecs."""
    curves = measured(folder)
    anchors = [curve for curve in curves if curve.name == "jpeg"]
    anchors += [curve for curve in published() if curve.name in _ANCHORS]
    lines = [
        "| codec | against | BD-rate, PSNR | BD-PSNR | BD-rate, MS-SSIM | BD-MS-SSIM |",
        "|---|---|---|---|---|---|",
    ]
    for curve in curves:
        for anchor in anchors:
            if anchor is curve:
                continue
            cells = []
            for quality in ("psnr", "ms-ssim"):
                found = difference(anchor, curve, quality)
                cells += [
                    _cell(found.rate, " %", found.rate_over, " dB", 1),
                    _cell(found.quality, " dB", found.quality_over, " bit/pixel", 2),
                ]
            lines.append(f"| {curve.label} | {anchor.label} | " + " | ".join(cells) + " |")
    return "\n".join([
        *lines, "",
        "(in brackets the range that both curves have, where the mean is taken; "
        f"{_commands(curves)}, published numbers in `training/loclic/measure/published.py`)",
    ])  # fmt: skip


def _cell(value: float | None, unit: str, over, of: str, digits: int) -> str:
    if value is None:
        return str(over)
    return f"{value:+.{digits}f}{unit} ({over[0]:.2f} to {over[1]:.2f}{of})"


def _commands(curves: list[Curve]) -> str:
    """The programs that measured."""
    networks = [bool(models(curve.name, "macs")) for curve in curves]
    commands = []
    if not all(networks):
        commands.append("`python -m bench.loclic_baselines`")
    if any(networks):
        commands.append("`python -m bench.loclic TRAINED CODEC`")
    return ", ".join(commands)
