"""Table of the predictive cores in simulation."""

from .results import load

__all__ = ["colour_cores", "mosaic_cores", "near_cores", "predictive_cores"]


def predictive_cores() -> str:
    """What went through both cores, and how fast."""
    return _through(load("predictive-cores"))


def near_cores() -> str:
    """The same of near-lossless files."""
    found = load("near-cores")
    return _through(found, f", near {found['near']}")


def colour_cores() -> str:
    """The same of RGB, whose pixels are three samples."""
    return _through(load("predictive-cores-rgb"), " in RGB", "bits a sample")


def mosaic_cores() -> str:
    """The same of a colour filter array."""
    found = load("predictive-cores-bayer")
    return _through(found, f" of a filter array, {found['depth']} bits", "bits a sample")


def _through(found: dict, more: str = "", rate: str = "bpp") -> str:
    size = f"{found['images']} images of {found['width']} x {found['height']}{more}"
    return "\n".join([
        f"| {size}, {found['samples']:,} samples, {found['bpp']:.3f} {rate} | clocks in all | "
        "clocks a sample in a stream | bytes or pixels that differ |",
        "|---|---|---|---|",
        *(
            f"| {core} | {found[core]['clocks']:,} | {found[core]['clocks_per_sample']:.4f} | "
            f"{found['mismatches']} |"
            for core in ("encoder", "decoder")
        ),
    ])  # fmt: skip
