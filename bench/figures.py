"""Plots of what the other programs of this folder measured: from json alone, into bench/plots.

    python -m bench.figures

Figure 2 of the GIC-DLC paper (bits of each level; error of upsampling) and figure 3 (easiest and
hardest images) from table1.json, the discretisation gap over training from gap-*.jsonl, and bpp
over LUTs from luts.json.  What was not measured is left out, and said.
"""

import json
from pathlib import Path

import click
import numpy as np

_INK, _OURS, _OTHER = "#222222", "#1f6f8b", "#c0792a"


def _axes(title: str, x: str, y: str, count: int = 1):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # Names in the file must not depend on the moment: equal json, equal plots.
    matplotlib.rcParams["svg.hashsalt"] = "lutgen"
    figure, axes = pyplot.subplots(1, count, figsize=(4.6 * count, 3.2), layout="constrained")
    for axis, title_, x_, y_ in zip(
        np.atleast_1d(axes), np.atleast_1d(title), np.atleast_1d(x), np.atleast_1d(y), strict=True
    ):
        axis.set_title(title_, fontsize=10, color=_INK)
        axis.set_xlabel(x_)
        axis.set_ylabel(y_)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure, path: Path) -> None:
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    click.echo(str(path))


def levels(table: dict, plots: Path) -> None:
    """Figure 2: bits of each level, and error of learned and bicubic upsampling."""
    for data, row in table["data"].items():
        found = {k: m["levels"] for k, m in row["models"].items() if len(m["levels"]) > 1}
        if not found:
            continue
        where = f"{data}, {row['images']} images"
        figure, (left, right) = _axes(
            [f"Bits of each level\n{where}", f"Error of upsampling\n{where}"],
            ["level (0 is the image)"] * 2, ["bits per pixel of level 0", "RMSE, gray values"], 2,
        )  # fmt: skip
        width = 0.8 / len(found)
        for i, (name, parts) in enumerate(found.items()):
            at = np.array([p["level"] for p in parts]) + (i - (len(found) - 1) / 2) * width
            left.bar(at, [p["bpp"] for p in parts], width, label=name)
        left.set_xticks([p["level"] for p in parts])
        left.legend(frameon=False)
        parts = [p for p in next(iter(found.values())) if "rmse" in p]
        at = np.array([p["level"] for p in parts])
        right.bar(at - 0.2, [p["rmse"] for p in parts], 0.4, label="learned", color=_OURS)
        right.bar(
            at + 0.2, [p["bicubic_rmse"] for p in parts], 0.4, label="bicubic", color=_OTHER
        )
        right.set_xticks(at)
        right.legend(frameon=False)
        _save(figure, plots / f"figure2-{data}.svg")


def images(table: dict, plots: Path) -> None:
    """Figure 3: images that take the fewest and the most bits."""
    from lutgen.training.datasets import DatasetError, load_images

    data, row = next(iter(table["data"].items()))
    if "per_image" not in row:
        return
    try:
        stack = load_images(data, split="val")[: row["images"]]
    except (DatasetError, OSError) as error:
        click.echo(f"figure 3 is left out: {error}")
        return
    bits = np.array(row["per_image"]) / [image.size for image in stack]
    order = np.argsort(bits, kind="stable")
    figure, _ = _axes("", "", "", 1)
    figure.clear()
    each = min(8, len(stack) // 2)
    axes = figure.subplots(2, each)
    figure.suptitle(
        f"Easiest and hardest of {row['images']} images, {data}: bits per pixel, "
        f"{next(iter(row['models']))}", fontsize=9,
    )  # fmt: skip
    for axis, i in zip(axes.flat, [*order[:each], *order[-each:]], strict=True):
        axis.imshow(stack[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(f"{bits[i]:.2f}", fontsize=8)
        axis.axis("off")
    _save(figure, plots / "figure3.svg")


def gap(results: Path, plots: Path) -> None:
    """Soft and hard code length over training."""
    logs = {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted(results.glob("gap-*.jsonl"))
    }
    if not logs:
        click.echo("the gap over training is left out: run bench.gap first")
        return
    titles = [f"{name}: gap at the end {100 * log[-1]['gap']:.2f} %" for name, log in logs.items()]
    figure, axes = _axes(
        titles, ["step"] * len(logs), ["bits per pixel, held-out"] * len(logs), len(logs)
    )
    for axis, log in zip(np.atleast_1d(axes), logs.values(), strict=True):
        steps = [line["step"] for line in log]
        axis.plot(steps, [line["soft_bpp"] for line in log], color=_OURS, label="as trained")
        axis.plot(steps, [line["hard_bpp"] for line in log], color=_OTHER, label="hard", ls="--")
        hard = [line["step"] for line in log if line["hard"]]
        if hard:
            axis.axvline(hard[0], color=_INK, lw=0.8, ls=":")
        axis.set_ylim(top=1.6 * log[-1]["hard_bpp"], bottom=0.95 * log[-1]["soft_bpp"])
        axis.legend(frameon=False)
    _save(figure, plots / "gap.svg")


def luts(results: Path, plots: Path) -> None:
    """Compression against size."""
    path = results / "luts.json"
    if not path.exists():
        click.echo("bpp over LUTs is left out: run bench.luts first")
        return
    found = json.loads(path.read_text())
    figure, axis = _axes(
        f"Compression against size\n{found['data']}, {found['images']} images", "LUT6 of the model",
        "bits per pixel, ideal",
    )  # fmt: skip
    for trainer, colour in (("tree", _OURS), ("dlc", _OTHER)):
        points = [p for p in found["points"] if p["trainer"] == trainer]
        axis.scatter(
            [p["luts"] for p in points], [p["bpp"]["ideal"] for p in points], color=colour,
            label=trainer,
        )  # fmt: skip
        for p in points:
            axis.annotate(
                p["name"], (p["luts"], p["bpp"]["ideal"]), fontsize=6, xytext=(4, 3),
                textcoords="offset points",
            )  # fmt: skip
    axis.set_xlim(left=0)
    axis.legend(frameon=False)
    _save(figure, plots / "luts.svg")


@click.command()
@click.option("--results", default="bench/results", show_default=True)
@click.option("--plots", default="bench/plots", show_default=True)
def main(results: str, plots: str) -> None:
    """Make all plots."""
    where, to = Path(results), Path(plots)
    table = where / "table1.json"
    if table.exists():
        content = json.loads(table.read_text())
        levels(content, to)
        images(content, to)
    else:
        click.echo("figures 2 and 3 are left out: run bench.table1 first")
    gap(where, to)
    luts(where, to)


if __name__ == "__main__":
    main()
