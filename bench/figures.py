"""Plots of what the other programs of this folder measured: from json alone, into bench/plots.

    python -m bench.figures

Figure 2 of the GIC-DLC paper (bits of each level; error of upsampling) and figure 3 (easiest and
hardest images) from table1.json, the discretisation gap over training from gap-*.jsonl, bpp over
LUTs from luts.json, bpp of each kind of images from domains.json and bpp of Kodak over LUTs of the
networks from networks.json.  What was not measured is left out, and said.
"""

import json
from pathlib import Path

import click
import numpy as np

from bench.axes import INK, axes_of, label_points, save
from bench.sets import images_of
from lutgen.commands import Command

_OURS, _OTHER = "#1f6f8b", "#c0792a"


def _legend(axis) -> None:
    """A legend above the highest mark: it hides nothing."""
    low, high = axis.get_ylim()
    axis.set_ylim(low, low + 1.25 * (high - low))
    axis.legend(frameon=False, loc="upper center", ncols=2, fontsize=8)


def levels(table: dict, plots: Path) -> None:
    """Figure 2: bits of each level, and error of learned and bicubic upsampling."""
    for data, row in table["data"].items():
        found = {k: m["levels"] for k, m in row["models"].items() if len(m["levels"]) > 1}
        if not found:
            continue
        where = f"{data}, {row['images']} images"
        figure, (left, right) = axes_of(
            [f"Bits of each level\n{where}", f"Error of upsampling\n{where}"],
            ["level (0 is the image)"] * 2, ["bits per pixel of level 0", "RMSE, gray values"], 2,
        )  # fmt: skip
        width = 0.8 / len(found)
        for i, (name, parts) in enumerate(found.items()):
            at = np.array([p["level"] for p in parts]) + (i - (len(found) - 1) / 2) * width
            left.bar(at, [p["bpp"] for p in parts], width, label=name)
        left.set_xticks([p["level"] for p in parts])
        _legend(left)
        parts = [p for p in next(iter(found.values())) if "rmse" in p]
        at = np.array([p["level"] for p in parts])
        label = f"learned, {next(iter(found))}"
        right.bar(at - 0.2, [p["rmse"] for p in parts], 0.4, label=label, color=_OURS)
        right.bar(
            at + 0.2, [p["bicubic_rmse"] for p in parts], 0.4, label="bicubic", color=_OTHER
        )
        right.set_xticks(at)
        _legend(right)
        save(figure, plots / f"figure2-{data}.svg")


def images(table: dict, plots: Path) -> None:
    """Figure 3 of each set: images that take the fewest and the most bits."""
    for k, (data, row) in enumerate(table["data"].items()):
        if "per_image" in row:
            _extremes(data, row, plots / (f"figure3-{data}.svg" if k else "figure3.svg"))


def _extremes(data: str, row: dict, path: Path) -> None:
    from lutgen.training.data.datasets import DatasetError, data_hash

    try:
        stack = images_of(row.get("source", data))[: row["images"]]
    except (DatasetError, OSError) as error:
        click.echo(f"figure 3 is left out: {error}")
        return
    if len(stack) != len(row["per_image"]) or row.get("sha256") not in (None, data_hash(stack)):
        click.echo(f"figure 3 is left out: {data} is not the images that were measured")
        return
    if len(stack) < 2:
        click.echo("figure 3 is left out: it takes two images at least")
        return
    bits = np.array(row["per_image"]) / [image.size for image in stack]
    order = np.argsort(bits, kind="stable")
    figure, _ = axes_of("", "", "", 1)
    figure.clear()
    figure.set_size_inches(6.4, 2.3)
    each = min(8, len(stack) // 2)
    axes = figure.subplots(2, each)
    figure.suptitle(
        f"Easiest and hardest of {row['images']} images, {data}: ideal bits per pixel, "
        f"{next(iter(row['models']))}", fontsize=10, color=INK,
    )  # fmt: skip
    for axis, i in zip(axes.flat, [*order[:each], *order[-each:]], strict=True):
        axis.imshow(stack[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(f"{bits[i]:.2f}", fontsize=8)
        axis.axis("off")
    save(figure, path)


def gap(results: Path, plots: Path) -> None:
    """Soft and hard code length over training, and what is between them.

    Once the forward pass is hard, the log repeats the hard code length as the soft one: there is
    no gap to measure any more, and none is drawn.
    """
    logs = {}
    for path in sorted(results.glob("gap-*.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        log = [line for line in lines if line["phase"] == "arm" and "hard_bpp" in line]
        if log:
            logs[path.stem.removeprefix("gap-")] = log
    if not logs:
        click.echo("the gap over training is left out: run bench.gap first")
        return
    count = len(logs)
    titles = [f"{name}: {log[-1]['hard_bpp']:.3f} bpp at the end, hard" for name, log in
              logs.items()]  # fmt: skip
    for log in logs.values():
        soft = [line for line in log if not line["hard"]]
        titles.append(
            f"last measured: {100 * soft[-1]['gap']:.2f} % at step {soft[-1]['step']:,}" if soft
            else "hard from the start: nothing to measure"
        )  # fmt: skip
    figure, axes = axes_of(
        titles, ["step"] * 2 * count,
        ["bits per pixel, held-out"] * count + ["(hard - soft) / soft, %"] * count, count, 2,
    )  # fmt: skip
    for k, log in enumerate(logs.values()):
        top, bottom = np.ravel(axes)[[k, count + k]]
        soft = [line for line in log if not line["hard"]]
        at = [line["step"] for line in soft]
        top.plot(at, [line["soft_bpp"] for line in soft], color=_OURS, label="soft")
        top.plot(
            [line["step"] for line in log], [line["hard_bpp"] for line in log], color=_OTHER,
            label="hard", ls="--",
        )  # fmt: skip
        late = [line["hard_bpp"] for line in log]
        top.set_ylim(0.95 * min(late), 1.3 * np.median(late))
        gaps = [100 * line["gap"] for line in soft]
        bottom.plot(at, gaps, color=INK, lw=1)
        most = 2 * max([1.0, *np.abs(gaps[len(gaps) // 2 :])])  # noise of the start is cut off
        bottom.set_ylim(-most, most)
        bottom.axhline(0, color=INK, lw=0.5)
        for axis in (top, bottom):
            axis.set_xlim(0, log[-1]["step"])
            if len(soft) < len(log):
                # The switch lies between the last evaluation before and the first one after it.
                start = at[-1] if at else 0
                first = log[len(soft)]["step"]
                axis.axvline((start + first) / 2, color=INK, lw=0.8, ls=":")
                axis.axvspan(
                    start, first, color=INK, alpha=0.12, lw=0, label="forward pass becomes hard"
                )
        top.legend(frameon=False, fontsize=8)
    save(figure, plots / "gap.svg")


def luts(results: Path, plots: Path) -> None:
    """Compression against size."""
    path = results / "luts.json"
    if not path.exists():
        click.echo("bpp over LUTs is left out: run bench.luts first")
        return
    found = json.loads(path.read_text())
    figure, axis = axes_of(
        f"Compression against size\n{found['data']}, {found['images']} images", "LUT6 of the model",
        "bits per pixel, ideal",
    )  # fmt: skip
    for trainer, colour in (("tree", _OURS), ("dlc", _OTHER)):
        points = [p for p in found["points"] if p["trainer"] == trainer]
        axis.scatter(
            [p["luts"] for p in points], [p["bpp"]["ideal"] for p in points], color=colour,
            label=trainer,
        )  # fmt: skip
    axis.set_xlim(0, 1.6 * max(p["luts"] for p in found["points"]))
    low, high = axis.get_ylim()
    axis.set_ylim(low - 0.25 * (high - low), high)
    label_points(axis, [(p["luts"], p["bpp"]["ideal"], p["name"]) for p in found["points"]])
    axis.legend(frameon=False, loc="center right")
    save(figure, plots / "luts.svg")


#: Of those of domains.json, codecs that are drawn, and how.
_MARKS = {"PNG": ("|", INK), "JPEG-LS": ("s", _OTHER), "JPEG XL e7": ("^", _OTHER),
          "JPEG XL e9": ("v", _OTHER), "lutgen": ("o", _OURS)}  # fmt: skip


def _bpp(row: dict, name: str) -> float:
    """Bits per pixel of files of one image each, not a number if there are none."""
    if name == "lutgen":
        return row.get("bpp", {}).get("file_each", np.nan)
    return row["baselines"][name]["bpp"] or np.nan


def domains(results: Path, plots: Path) -> None:
    """Bits per pixel of each kind of images, and of one kind against the size of a model."""
    path = results / "domains.json"
    if not path.exists():
        click.echo("bpp by kind of images is left out: run bench.domains first")
        return
    found = json.loads(path.read_text())
    figure, axes = axes_of(
        ["Files of one image each", "Beside JPEG-LS"],
        ["bits per pixel", "size in % of JPEG-LS"], "", 2,
        figsize=(8.4, 1.4 + 0.25 * len(found)), sharey=True,
    )  # fmt: skip
    at = np.arange(len(found))[::-1]
    usual = np.array([_bpp(row, "JPEG-LS") for row in found.values()])
    for axis, unit in zip(axes, (1, usual / 100), strict=True):
        axis.hlines(at, 0, 1, transform=axis.get_yaxis_transform(), color=INK, lw=0.3, alpha=0.4)
        for name, (marker, colour) in _MARKS.items():
            bpp = np.array([_bpp(row, name) for row in found.values()])
            if not np.isnan(bpp).all():
                axis.scatter(bpp / unit, at, marker=marker, color=colour, label=name, s=20)
        axis.tick_params(axis="y", labelsize=8, length=0)
    depths = [", ".join(row["depths"]) for row in found.values()]
    axes[0].set_yticks(at, [f"{name}, {d} bits" for name, d in zip(found, depths, strict=True)])
    axes[0].set_xlim(left=0)
    figure.legend(
        *axes[0].get_legend_handles_labels(), frameon=False, fontsize=8, ncols=5,
        loc="outside lower center",
    )  # fmt: skip
    save(figure, plots / "domains.svg")


def networks(results: Path, plots: Path) -> None:
    """Bits per pixel of Kodak over LUTs of the networks, by what made them, and the codecs."""
    paths = [results / f"{name}.json" for name in ("networks", "domains")]
    if not all(path.exists() for path in paths):
        click.echo("bpp over LUTs of networks is left out: run bench.networks and bench.domains")
        return
    found, kinds = (json.loads(path.read_text()) for path in paths)
    points = found["points"]
    figure, axis = axes_of(
        f"Compression against size of the networks\nKodak, gray, {found['images']} images",
        "LUT6 of comparators and tables", "bits per pixel, all bytes of files",
        figsize=(6.0, 3.6),
    )  # fmt: skip
    for network, colour in (("trees", _OURS), ("gradient", _OTHER)):
        own = [p for p in points if p["network"] == network or not p["scales"]]
        axis.plot(
            [p["luts"] for p in own], [p["bpp"] for p in own], color=colour, marker="o", ms=4,
            lw=1, label={"trees": "boosted trees", "gradient": "by gradients"}[network],
        )  # fmt: skip
    axis.set_xlim(0, 1.15 * max(p["luts"] for p in points))
    lines = []
    for name in ("JPEG XL e7", "JPEG XL e9"):  # JPEG-LS is far above
        bpp = kinds["kodak"]["baselines"][name]["bpp"]
        axis.axhline(bpp, color=INK, lw=0.6, ls=":")
        axis.annotate(name, (axis.get_xlim()[1], bpp), fontsize=7, ha="right", va="bottom",
                      color=INK)  # fmt: skip
        lines += [(x, bpp) for x in np.linspace(*axis.get_xlim(), 30)]
    axis.legend(frameon=False, fontsize=8)
    label_points(axis, [
        (p["luts"], p["bpp"], f"{p['corrections']} + {p['scales']}") for p in points
    ], lines)  # fmt: skip
    save(figure, plots / "networks.svg")


@click.command(cls=Command)
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
    domains(where, to)
    networks(where, to)


if __name__ == "__main__":
    main()
