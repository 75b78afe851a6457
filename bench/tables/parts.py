"""What the profile ``predictive`` is made of: what each part brings, and what it costs."""

from bench.counted import luts

from .results import load

__all__ = [
    "coefficients", "ladder", "layouts", "near_lossless", "networks", "reference", "training",
]  # fmt: skip


def ladder() -> str:
    """What each part of the profile ``predictive`` brings on Kodak gray."""
    found = load("ladder")
    lines = [
        "| model | bpp | comparators | LUT6 of tables | LUT6 in all | classes | training, s |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['step']} | {row['bpp']:.4f} | {row['comparisons']} | {row['table_luts']} | "
            f"{luts(row)} | {row['classes']} | {row['seconds']} |"
            for row in found["steps"]
        ),
    ]  # fmt: skip
    return "\n".join([*lines, "", f"(`python -m bench.ladder --samples {found['samples']}`)"])


def layouts() -> str:
    """What layouts cost, lossless and near-lossless."""
    found = load("layouts")
    nears = found["nears"]
    (name, first), *others = found["layouts"].items()
    titles = [f"near {near}" if near else "lossless" for near in nears]
    lines = [
        f"| images cut into | {' | '.join(titles)} |",
        "|---|" + "---|" * len(nears),
        f"| {name} | {' | '.join(f'{bpp:.4f}' for bpp in first)} |",
        *(
            f"| {other} | {' | '.join(f'{b - a:+.4f}' for a, b in zip(first, row, strict=True))} |"
            for other, row in others
        ),
    ]  # fmt: skip
    return "\n".join([
        *lines, "", f"(bits per pixel, and differences to the first row; `photo`, "
        f"{found['images']} images of Kodak gray, whole files; `{found['command']}`)",
    ])  # fmt: skip


def near_lossless() -> str:
    """Bits per pixel with samples that may be off, beside JPEG-LS."""
    found = load("layouts")
    shown = {"groups of rows, one strip": "lutgen", "one tile": "as one tile"}
    rows = {title: found["layouts"][layout] for layout, title in shown.items()}
    lines = [
        f"| near | JPEG-LS | {' | '.join(f'{name} | to JPEG-LS' for name in rows)} |",
        "|---|---|" + "---|---|" * len(rows),
    ]
    for k, near in enumerate(found["nears"]):
        if near:
            usual = found["JPEG-LS"][k]
            cells = [f"{bpp[k]:.4f} | {100 * (bpp[k] / usual - 1):+.2f} %" for bpp in rows.values()]
            lines.append(f"| {near} | {usual:.4f} | {' | '.join(cells)} |")
    return "\n".join([
        *lines, "", f"(bits per pixel, `photo`, {found['images']} images of Kodak gray, "
        f"whole files; `{found['command']}`)",
    ])  # fmt: skip


def coefficients() -> str:
    """What narrower coefficients cost."""
    found = load("coefficients")
    first = found["rows"][0]["bpp"]
    lines = [
        "| bits of a coefficient, its sign included | unit | bpp | |", "|---|---|---|---|",
        *(
            f"| {row['bits']} | 1/{1 << row['fraction']} | {row['bpp']:.4f} | "
            f"{row['bpp'] - first:+.4f} |"
            for row in found["rows"]
        ),
    ]  # fmt: skip
    return "\n".join([
        *lines, "", f"(`photo`, {found['images']} images of Kodak gray; `{found['command']}`)",
    ])  # fmt: skip


def reference() -> str:
    """Speed of the reference codec's loops."""
    found = load("reference")
    lines = ["| images | codec | bpp | encode, Mpx/s | decode, Mpx/s |", "|---|---|---|---|---|"]
    for name, row in found["sets"].items():
        lines += [
            f"| {name}, {row['images']}, `{row['model']}` | {codec} | {speed['bpp']:.3f} | "
            f"{speed['encode_mpx_s']:.1f} | {speed['decode_mpx_s']:.1f} |"
            for codec, speed in row["codecs"].items()
        ]  # fmt: skip
    return "\n".join([
        *lines, "", f"(one thread, processor time, {found['processor']}; `{found['command']}`)",
    ])  # fmt: skip


def training() -> str:
    """How long a training takes."""
    found = load("training")
    return "\n".join([
        "| Mpx | images | samples drawn | processor, s | clock, s | cores | bpp, held out |",
        "|---|---|---|---|---|---|---|",
        f"| {found['pixels'] / 1e6:.1f} | {found['images']} | {found['samples']:,} | "
        f"{found['processor_seconds']:.0f} | {found['seconds']:.0f} | {found['cores']} | "
        f"{found['metrics']['held_out']:.3f} of {found['metrics']['split']} |",
        "", f"(`{found['command']}`)",
    ])  # fmt: skip


def networks() -> str:
    """Boosted trees beside LUT networks by gradients."""
    found = load("networks")
    lines = [
        "| corrections + scale trees | made by | bpp | comparators | LUT6 of tables | "
        "LUT6 in all | training, s of CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["points"]:
        none = not row["corrections"] + row["scales"]
        lines.append(
            f"| {row['corrections']} + {row['scales']} | {'-' if none else row['network']} | "
            f"{row['bpp']:.4f} | {row['comparisons']} | {row['table_luts']} | {row['luts']} | "
            f"{'-' if none else row['seconds']} |"
        )
    return "\n".join([*lines, "", f"(`{found['command']}`)"])
