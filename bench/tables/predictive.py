"""Tables of the predictive cores: in simulation, and what those of colour take."""

from .results import load

__all__ = [
    "colour_builds", "colour_cores", "deep_cores", "first_image", "mosaic_cores", "near_cores",
    "predictive_cores",
]  # fmt: skip


def predictive_cores() -> str:
    """What went through both cores, and how fast."""
    return _through(load("predictive-cores"))


def first_image() -> str:
    """When the first of some images comes out: what a stream of them does not show."""
    found = load("throughput-predictive")
    samples = found["width"] * found["height"]
    lines = [
        f"| the first image, of {found['width']} x {found['height']} | first output, clocks | "
        "last sample, clocks | clocks a sample until then |",
        "|---|---|---|---|",
    ]
    for core, port in (("encode", "taken"), ("decode", "given")):
        run = found[core]
        lines.append(
            f"| {core}r | {run['latency_clocks']:,} | {port} after "
            f"{run['first_image_clocks']:,} | {run['first_image_clocks'] / samples:.4f} |"
        )
    return "\n".join([*lines, "", f"(behind the first input; `{found['command']}`)"])


def deep_cores() -> str:
    """The same of deep gray images."""
    found = load("predictive-cores-16")
    return _through(found, f", {found['depth']} bits", "bits a sample")


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


def colour_builds() -> str:
    """What cores of gray, RGB and filter arrays take of a device."""
    lines = [
        "| 1,920 x 1,080, zynq7045 | core | LUT | FF | BRAM36 | DSP | LUTs in a row | command |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for what, name, options in (
        ("gray, 8 bits", "build-predictive", ""),
        ("RGB, 8 bits", "build-photo-rgb", " --model photo-rgb"),
        ("filter arrays, 12 bits", "build-photo-bayer", " --model photo-bayer --depth 12"),
    ):
        for core, record in load(name)["cores"].items():
            total = record["resources"]["total"]
            lines.append(
                f"| {what} | {core} | {total['lut']:,} | {total['ff']:,} | {total['bram36']:g} | "
                f"{total['dsp']} | {record['resources']['levels']} | "
                f"`lutgen build --target zynq7045{options}` |"
            )
    return "\n".join(lines)


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
