"""Plots of the lossy codec beside others on Kodak: from json and published numbers alone.

    python -m bench.loclic_plots

After the LoC-LIC paper, whose figure 2 is a diagram, and figures 6 and 7 are crops of pictures
(`bench.loclic_crops`):

figure 1
    BD-PSNR against cheng2020-anchor over kMAC per pixel.
figure 3
    The same of MS-SSIM.
figure 4
    kMAC per pixel of each codec, by part.
figure 5
    Rate-distortion curves of PSNR and MS-SSIM; (c), PSNR on CLIC, was not measured.

and BD-rate over kMAC per pixel, against JPEG as measured and the hyperprior as published.  What was
measured here is drawn solid and filled, what is published dashed and hollow.  Complexity is counted
from the layers of each codec, for published ones, too.
"""

from pathlib import Path

import click
import numpy as np

from bench.axes import INK, axes_of, label_points, save
from bench.tables.loclic_curves import Curve, difference, measured, models, published
from lutgen.commands import Command
from lutgen.training.loclic.measure.published import KMAC
from lutgen.training.loclic.measure.reference import REFERENCES
from lutgen.training.loclic.networks.config import PRESETS

# Colours that the colour-blind tell apart (Okabe and Ito; Tol's wine, olive, indigo), and a mark.
_STYLES = {
    "factorized": ("#e69f00", "^"), "hyperprior": ("#56b4e9", "s"),
    "mbt2018-mean": ("#009e73", "D"), "mbt2018": ("#0072b2", "v"),
    "cheng2020-anchor": ("#cc79a7", "o"), "mlic++": ("#999933", "P"),
    "loc-lic": ("#882255", "X"), "jpeg": ("#222222", "<"), "webp": ("#888888", ">"),
}  # fmt: skip
_OURS = ("#d55e00", "#332288", "#b8860b", "#44aa99")
_OUR_MARKS = "oDs*"

#: Counting rules as axes say them.
_AXIS = {
    "macs": "kMAC per pixel: convolutions + linear, true MACs",
    "torchinfo": "kMAC per pixel: by torchinfo's rule",
}
_QUALITY = {"psnr": "PSNR, dB", "ms-ssim": "MS-SSIM, dB: -10 log10(1 - x)"}

#: Parts of a codec and their blocks.
_PARTS = {
    "analysis": ("analysis",),
    "synthesis": ("synthesis",),
    "hyperprior": ("hyper-analysis", "hyper-synthesis"),
    "contexts and entropy parameters": None,
    "latent residual prediction": ("latent residual",),
    "remainder": ("remainder",),
}
_PART_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7", "#999933")


def _style(curve: Curve, curves: list[Curve]) -> dict:
    """How a curve is drawn."""
    if curve.name in _STYLES:
        colour, mark = _STYLES[curve.name]
    else:
        own = [c.name for c in curves if c.name not in _STYLES].index(curve.name)
        colour, mark = _OURS[own % len(_OURS)], _OUR_MARKS[own % len(_OUR_MARKS)]
    if curve.source == "measured":
        return {"color": colour, "marker": mark, "ls": "-", "lw": 1.6, "ms": 5}
    line = ":" if "plot" in curve.source else "--"
    return {"color": colour, "marker": mark, "ls": line, "lw": 1, "ms": 5, "mfc": "white"}


def rates(curves: list[Curve], path: Path) -> None:
    """Figure 5: quality over rate."""
    figure, (left, right) = axes_of(
        "", "bits per pixel, Kodak, mean of 24 images", list(_QUALITY.values()), 2,
        figsize=(10.5, 5.6),
    )  # fmt: skip
    for axis, quality in ((left, "psnr"), (right, "ms-ssim")):
        for curve in curves:
            if quality not in curve.qualities:
                continue
            style = _style(curve, curves)
            rates, values = curve.best(quality)
            axis.plot(rates, values, label=curve.label, **style)
            best = set(zip(rates, values, strict=True))
            rest = [p for p in zip(curve.rates, curve.qualities[quality], strict=True)
                    if p not in best]  # fmt: skip
            if rest:  # points that another one beats belong to no curve
                axis.plot(*zip(*rest, strict=True), **(style | {"ls": "", "ms": 3}))
        # Beyond the last published rate there is nothing to compare with.
        axis.set_xlim(0, 2)
        axis.grid(color="#dddddd", lw=0.5)
    _trim(left, curves, "psnr")
    _trim(right, curves, "ms-ssim")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False,
        fontsize=8, handlelength=3.5,
    )  # fmt: skip
    save(figure, path)


def _trim(axis, curves: list[Curve], quality: str) -> None:
    """Limits by the points that are in sight."""
    right = axis.get_xlim()[1]
    values = [
        value
        for curve in curves
        if quality in curve.qualities
        for rate, value in zip(curve.rates, curve.qualities[quality], strict=True)
        if rate <= right
    ]
    axis.set_ylim(np.floor(min(values)) - 0.5, np.ceil(max(values)) + 0.5)


def _middle(curve: Curve, rule: str) -> tuple[float, float, float] | None:
    """kMAC per pixel of the smallest and the largest model of a curve, and their mean."""
    totals = [found.total for found in models(curve.name, rule).values()]
    return (min(totals), sum(totals) / len(totals), max(totals)) if totals else None


def _over_complexity(axis, curves: list[Curve], values: dict[str, float], rule: str) -> None:
    """A mark for each network, and a line across for a codec that is none."""
    axis.set_xscale("log")
    axis.set_xlim(40, 2500)
    axis.set_xticks([50, 100, 200, 500, 1000, 2000], ["50", "100", "200", "500", "1000", "2000"])
    axis.minorticks_off()
    axis.grid(color="#dddddd", lw=0.5)
    axis.axhline(0, color=INK, lw=0.6)
    span = max([*values.values(), 0.0]) - min([*values.values(), 0.0]) or 1.0
    axis.set_ylim(
        min([*values.values(), 0.0]) - 0.12 * span, max([*values.values(), 0.0]) + 0.12 * span
    )
    points, taken = [], [(x, 0) for x in np.geomspace(40, 2500, 120)]
    for curve in curves:
        if curve.label not in values:
            continue
        value, style = values[curve.label], _style(curve, curves)
        sizes = _middle(curve, rule)
        if sizes is None:
            axis.axhline(value, color=style["color"], lw=1.2)
            axis.annotate(
                f"{curve.label}, no network", (2400, value), (0, 2), ha="right", va="bottom",
                textcoords="offset points", fontsize=7, color=INK,
            )  # fmt: skip
            taken += [(x, value) for x in np.geomspace(40, 2500, 120)]
            continue
        low, middle, high = sizes
        axis.plot([low, high], [value, value], color=style["color"], lw=1.2, ls=style["ls"])
        axis.plot([middle], [value], **(style | {"ls": "", "ms": 6}))
        taken += [(x, value) for x in np.geomspace(low, high, 20)]
        points.append((middle, value, curve.label))
    label_points(axis, points, taken)


def complexity(curves: list[Curve], quality: str, path: Path) -> None:
    """Figures 1 and 3: BD-PSNR or BD-MS-SSIM against cheng2020-anchor, over complexity."""
    anchor = next(curve for curve in curves if curve.name == "cheng2020-anchor")
    # JPEG and WebP are no networks, and many dB away.
    found = {
        curve.label: difference(anchor, curve, quality).quality
        for curve in curves
        if quality in curve.qualities and models(curve.name, "macs")
    }
    values = {label: value for label, value in found.items() if value is not None}
    name = {"psnr": "BD-PSNR", "ms-ssim": "BD-MS-SSIM"}[quality]
    figure, axes = axes_of(
        f"{name} on Kodak against {anchor.label}", list(_AXIS.values()),
        f"{name}, dB (better above 0)", 2, figsize=(10.5, 4.6),
    )  # fmt: skip
    _note(figure, [label for label, value in found.items() if value is None])
    for axis, rule in zip(axes, _AXIS, strict=True):
        _over_complexity(axis, curves, values, rule)
    save(figure, path)


def saved_rate(curves: list[Curve], path: Path) -> None:
    """BD-rate against JPEG and the hyperprior, over complexity."""
    anchors = [c for c in curves if c.label in ("jpeg, measured", "hyperprior, published")]
    if len(anchors) < 2:
        click.echo("BD-rate is left out: run bench.loclic_baselines first")
        return
    anchors.sort(key=lambda curve: curve.source)
    figure, axes = axes_of(
        [f"BD-rate on Kodak against {anchor.label}" for anchor in anchors], _AXIS["macs"],
        "BD-rate of PSNR, % (better below 0)", 2, figsize=(10.5, 4.6),
    )  # fmt: skip
    missing, values = [], []
    for anchor in anchors:
        found = {c.label: difference(anchor, c).rate for c in curves if c is not anchor}
        if anchor.label != "jpeg, measured":
            # More than twice the rate: it would press the others together.
            found.pop("jpeg, measured", None)
        missing += [f"{label} against {anchor.name}" for label, v in found.items() if v is None]
        values.append({label: value for label, value in found.items() if value is not None})
    _note(figure, missing)
    for axis, of_anchor in zip(axes, values, strict=True):
        _over_complexity(axis, curves, of_anchor, "macs")
    save(figure, path)


def _note(figure, missing: list[str]) -> None:
    """What marks are, and what has none."""
    text = (
        "mark: mean of the smallest and the largest model of a name, line: from one to the other; "
        "counted, for published codecs, too"
    )
    if missing:
        text += "\nundefined, no overlap or too few points: " + ", ".join(missing)
    figure.supxlabel(text, fontsize=7, color=INK)


def parts(path: Path) -> None:
    """Figure 4: complexity of each codec, by part and by both rules."""
    names = [name for name in PRESETS if not name.startswith("mlic")]
    names += [name for name in PRESETS if name.startswith("mlic")] + list(REFERENCES)
    figure, axes = axes_of(
        ["Complexity by part, counted: true MACs", "The same by torchinfo's rule"],
        list(_AXIS.values()), "", 2, figsize=(11, 5.6), sharey=True,
    )  # fmt: skip
    for axis, rule in zip(axes, _AXIS, strict=True):
        rows = [
            (f"{name}, {size}" if name in REFERENCES else name, name, size, found)
            for name in names
            for size, found in models(name, rule).items()
            if name in REFERENCES or size == name
        ]
        for at, (_, name, size, found) in enumerate(rows):
            start = 0.0
            for (part, blocks), colour in zip(_PARTS.items(), _PART_COLOURS, strict=True):
                width = sum(
                    value for block, value in found.blocks.items()
                    if (block in blocks if blocks else _is_context(block))
                )  # fmt: skip
                axis.barh(at, width, 0.7, start, color=colour, label=None if at else part)
                start += width
            label = f"{found.total:.1f}"
            paper = {"mlic++-old": "mlic++", "loc-lic": "loc-lic"}.get(name)
            if name == "cheng2020-anchor" and size == "high":
                paper = name
            if rule == "torchinfo" and paper:
                label += f" (published: {KMAC[paper]})"
            axis.text(start + 12, at, label, va="center", fontsize=7, color=INK)
        axis.set_xlim(0, 1700 if rule == "torchinfo" else 1400)
    axes[0].set_yticks(range(len(rows)), [label for label, *_ in rows], fontsize=8)
    axes[0].invert_yaxis()
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False,
        fontsize=8,
    )  # fmt: skip
    save(figure, path)


def _is_context(block: str) -> bool:
    return not any(block in blocks for blocks in _PARTS.values() if blocks)


@click.command(cls=Command)
@click.option("--results", default="bench/results", show_default=True, metavar="FOLDER")
@click.option("--out", default="bench/plots", show_default=True, metavar="FOLDER")
@click.option("--format", "kind", default="svg", show_default=True, help="svg, png, ...")
def main(results: str, out: str, kind: str) -> None:
    """Make all plots."""
    curves = [*measured(Path(results)), *published()]
    complexity(curves, "psnr", Path(out, f"loclic-figure1.{kind}"))
    complexity(curves, "ms-ssim", Path(out, f"loclic-figure3.{kind}"))
    parts(Path(out, f"loclic-figure4.{kind}"))
    rates(curves, Path(out, f"loclic-figure5.{kind}"))
    saved_rate(curves, Path(out, f"loclic-bd-rate.{kind}"))


if __name__ == "__main__":
    main()
