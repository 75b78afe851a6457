"""Kinds of measurements: what writes them, the command for a build, and what a page reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .shape import NUMBER, POSITIVE, Each, Maybe, Nullable

__all__ = ["ENERGY", "EVAL", "PROVE", "SIM", "THROUGHPUT", "Kind", "evaluated"]


@dataclass(frozen=True)
class Kind:
    """One kind of measurement.

    Attributes
    ----------
    writer
        The command that writes it, for messages.
    command
        The command that measures a build, with ``{folder}``, ``{model}`` and ``{target}``, and the
        options that `lutgen.report.sheet.Sheet.options` names.
    shape
        What the page reads of it, see `lutgen.report.shape.misfit`.
    models
        Hashes of the models that a measurement is of.
    """

    writer: str
    command: str
    shape: object
    models: Callable[[Mapping], list[str]] = lambda data: [data["model_hash"]]


_HASH = str
_CLOCKS = {
    "steady_clocks_per_pixel": Maybe(POSITIVE), "all_clocks_per_pixel": POSITIVE,
    "latency_clocks": int, "first_image_clocks": int,
}  # fmt: skip
_CHECK = {"problems": [str], "clocks_per_pixel": Maybe(NUMBER)}
_BOTH = {"encode": NUMBER, "decode": NUMBER}
_ENERGY = {
    "nj_per_pixel": POSITIVE, "half": NUMBER, "double": NUMBER, "blocks": Each(NUMBER),
}  # fmt: skip

SIM = Kind(
    "lutgen sim --json", "lutgen sim --build {folder} --stall 0.3 --json > sim.json",
    {
        "ok": bool, "problems": [str], "mismatches": int, "checks": int, "images": int,
        "pixels": int, "changed_since_build": [str], "target": str, "model": _HASH,
        "parameters": dict, "stall": {"p": Nullable(NUMBER), "seed": int},
        "bad_files": Maybe({"problems": [str], "errors": [str]}),
        "runs": Maybe(Each([dict])),
        "sizes": [{
            "width": int, "height": int, "images": int, "pixels": int,
            "encoder": Maybe(_CHECK), "decoder": Maybe(_CHECK),
        }],
    },
    lambda data: [data["model"]],
)  # fmt: skip

PROVE = Kind(
    "lutgen prove", "lutgen prove --build {folder}",
    {
        "ok": bool, "problems": [str], "model": _HASH, "files_sha256": str, "prover": str,
        "networks": [{
            "core": str, "network": str, "seconds": NUMBER, "same_as": Maybe(str),
            "latency": Nullable(Each(int)),
            "parts": [{"name": str, "outputs": int, "state": str, "seconds": NUMBER}],
        }],
        "read_back": Each({"tables": int, "words": int, "luts": int}),
    },
    lambda data: [data["model"]],
)  # fmt: skip


def evaluated(options: str, bpp: tuple[str, ...], layout: Mapping) -> Kind:
    """What ``lutgen eval`` measures of a profile.

    Parameters
    ----------
    options
        Those of the profile, as in `Kind.command`.
    bpp
        Names of its bits per pixel.
    layout
        Shapes of what it says of its files.
    """
    return Kind(
        "lutgen eval --json", f"lutgen eval IMAGES --model {{model}}{options} --json > eval.json",
        Each({
            "images": int, "pixels": int, **layout, "verified": bool, "model": {"hash": _HASH},
            "bpp": dict.fromkeys(bpp, NUMBER), "speed": _BOTH,
            "baselines": Maybe(Each({
                "settings": str, "bpp": Maybe(NUMBER), "reason": Maybe(str),
            })),
        }),
        lambda data: [result["model"]["hash"] for result in data.values()],
    )  # fmt: skip


#: Of the profiles with tiles.
EVAL = evaluated("{tile}{coder}", ("ideal", "payload", "file", "file_each"), {"tile": [int]})

THROUGHPUT = Kind(
    "python -m bench.throughput",
    "python -m bench.throughput --images IMAGES --model {model} --target {target}{coder} "
    "--out throughput.json",
    {
        "images": str, "count": int, "width": int, "height": int, "model_hash": _HASH,
        "target": str, "mismatches": int,
        "encode": _CLOCKS, "decode": _CLOCKS,
        "thumbnails": Maybe(Each({
            "width": int, "height": int, "first_image_clocks": int,
            "clocks_per_image": NUMBER,
        })),
    },
)  # fmt: skip

ENERGY = Kind(
    "python -m bench.energy",
    "python -m bench.energy --images IMAGES --model {model} --target {target} "
    "--out energy.json",
    {
        "images": str, "count": int, "width": int, "height": int, "skipped_images": int,
        "model_hash": _HASH, "target": str, "clock_mhz": POSITIVE, "tool": str,
        "cores": Each({
            "clocks_per_pixel": POSITIVE,
            "window": {"pixels": int, "clocks": int},
            "energy": {"settled": _ENERGY, "unit_delay": _ENERGY},
        }),
        "coefficients": Each({"pj": NUMBER, "per": str, "source": str}),
        "published": Each({"nj": _BOTH, "ns": _BOTH}),
        "png": {
            "cpu": Maybe(str), "watts_assumed": Maybe(_BOTH),
            "runs": [{
                "files": str, "level": str, "ns_per_pixel": _BOTH,
                "nj_per_pixel": Maybe(_BOTH),
            }],
        },
    },
)  # fmt: skip
