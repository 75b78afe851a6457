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
        "| model | bits per pixel | of it level 0 | 1 | 2 | encode, decode, Mpixel/s of a core |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in found["codecs"].items():
        levels = [f"{level['bpp']:.3f}" for level in row.get("levels", ())] or ["-"] * 3
        speed = ", ".join(f"{row['speed'][step]:.2f}" for step in ("encode", "decode"))
        lines.append(
            f"| {_TITLES[name]} | {row['bpp']['file_each']:.3f} | {' | '.join(levels)} | {speed} |"
        )
    images = next(iter(found["codecs"].values()))["images"]
    return "\n".join([
        *lines, "", f"({images} images of Kodak in colour, files of one each; "
        "`python -m bench.channels`)",
    ])  # fmt: skip
