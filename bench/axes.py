"""Axes, labels and files of plots: equal json, equal plots."""

from pathlib import Path

import click
import numpy as np

__all__ = ["INK", "axes_of", "label_points", "save"]

INK = "#222222"


def axes_of(title, x, y, count: int = 1, rows: int = 1, **sizes):
    """A figure and its axes; titles and names one for each of them, or one for all.

    ``sizes``: ``figsize`` and what else ``pyplot.subplots`` takes.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # Names in the file must not depend on the moment: equal json, equal plots.
    matplotlib.rcParams["svg.hashsalt"] = "lutgen"
    matplotlib.rcParams["svg.fonttype"] = "none"  # letters, not outlines: less than half the size
    sizes = {"figsize": (4.6 * count, 0.8 + 2.4 * rows), "layout": "constrained"} | sizes
    figure, grid = pyplot.subplots(rows, count, **sizes)
    texts = (np.broadcast_to(text, rows * count) for text in (title, x, y))
    for axis, title_, x_, y_ in zip(np.ravel(grid), *texts, strict=True):
        axis.set_title(title_, fontsize=10, color=INK)
        axis.set_xlabel(x_)
        axis.set_ylabel(y_)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, grid


def save(figure, path: Path) -> None:
    """Write a figure, in the format that its name ends in, and say so."""
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    dated = {"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 110}
    figure.savefig(path, **dated)
    pyplot.close(figure)
    click.echo(str(path))


def label_points(axis, points: list[tuple[float, float, str]], taken=(), size: float = 7) -> None:
    """A name near each point, with a line to it, where it covers no mark, line or other name.

    Call it when limits and scales are final.  ``taken``: further points that names must not cover.
    """
    figure = axis.figure
    figure.canvas.draw()  # the layout decides where points lie
    figure.set_layout_engine("none")
    pixel = figure.dpi / 72
    frame = axis.get_window_extent()
    transform = axis.transData
    marks = [transform.transform(point[:2]) for point in (*points, *taken)]
    boxes = [_box(mark, 8 * pixel, 8 * pixel) for mark in marks]
    names: list = []
    high = 1.35 * size * pixel
    order = sorted(range(len(points)), key=lambda i: (-marks[i][1], marks[i][0]))
    for i in order:
        mark, name = marks[i], points[i][2]
        # A viewer has letters of its own: some room to spare.
        wide = 0.62 * size * pixel * len(name)
        for place in _places(mark, wide, pixel):
            box = _box(place, wide, high)
            line = [_box(at, 1, 1) for at in _line(mark, box)]
            inside = (
                frame.x0 <= box[0] and box[2] <= frame.x1
                and frame.y0 <= box[1] and box[3] <= frame.y1
            )  # fmt: skip
            if inside and not any(_overlap(box, other) for other in boxes) and not any(
                _overlap(part, other) for part in line for other in names
            ):  # fmt: skip
                break
        boxes += [box, *line]
        names.append(box)
        axis.annotate(
            name, points[i][:2], transform.inverted().transform(place), fontsize=size,
            ha="center", va="center", color=INK,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": INK, "shrinkA": 1},
        )  # fmt: skip


def _places(mark, wide: float, pixel: float):
    """Middles of names, near ones first."""
    for far in (7, 12, 18, 26, 36, 48, 64, 80):
        for angle in np.radians([0, 180, 30, -30, 150, -150, 60, -60, 120, -120, 90, -90]):
            side = np.sign(round(np.cos(angle), 3))
            x = mark[0] + far * pixel * np.cos(angle) + side * wide / 2
            yield x, mark[1] + far * pixel * np.sin(angle)


def _line(mark, box) -> np.ndarray:
    """Points between a mark and its name, without those in the mark itself."""
    end = np.clip(mark, box[:2], box[2:])
    way = np.linspace(mark, end, 24)
    return way[np.hypot(*(way - mark).T) > 6 * np.sqrt(2)]


def _box(middle, wide: float, high: float) -> tuple[float, float, float, float]:
    x, y = middle
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _overlap(a, b) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
