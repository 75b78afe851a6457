"""The paper's own form of colour beside the predictive codec."""

from .results import load

__all__ = ["channels"]

_TITLES = {
    "gic-dlc": "`gic-dlc`, three channels in parallel, as in the paper",
    "gic-dlc+": "`gic-dlc+`, the same networks, averages not coded twice",
    "photo-rgb": "`photo-rgb`, each plane knows those before it",
}


def channels() -> str:
    """Bits per pixel of Kodak in colour."""
    found = load("channels")
    lines = [
        "| model | bits per pixel | ideal, level 0 | level 1 | level 2 |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["codecs"].items():
        levels = [f"{level['bpp']:.3f}" for level in row.get("levels", ())] or ["-"] * 3
        lines.append(
            f"| {_TITLES[name]} | {row['bpp']['file_each']:.3f} | {' | '.join(levels)} |"
        )
    images = next(iter(found["codecs"].values()))["images"]
    return "\n".join([
        *lines, "", f"({images} images of Kodak in colour, of each the middle "
        f"{found['data']['side']} x {found['data']['side']} pixels, files of one each; "
        "`python -m bench.channels --train`)",
    ])  # fmt: skip
