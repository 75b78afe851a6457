"""Images of many kinds: what the usual codecs take, and lutgen where it was measured."""

from .results import load

__all__ = ["colour", "domains", "further", "held_out", "ladder", "near_lossless", "networks"]

_CODECS = ("PNG", "QOI", "WebP", "JPEG 2000", "JPEG-LS", "JPEG XL e3", "JPEG XL e7", "JPEG XL e9")


def _cell(bpp: float | None) -> str:
    return "-" if bpp is None else f"{bpp:.3f}"


def domains() -> str:
    """Bits per pixel of each kind of gray images."""
    return _kinds(load("domains"), "`python -m bench.domains`")


def colour() -> str:
    """The same of colour."""
    command = "python -m bench.domains --model photo-rgb --out bench/results/colour.json"
    return _kinds(load("colour"), f"`{command}`")


def _kinds(found: dict, command: str) -> str:
    ours = any("bpp" in row for row in found.values())
    names = [*_CODECS, *["lutgen"] * ours]
    lines = [
        f"| images | depth | {' | '.join(names)} |",
        "|---|---|" + "---|" * len(names),
    ]
    for name, row in found.items():
        cells = [_cell(row["baselines"][codec]["bpp"]) for codec in _CODECS]
        if ours:
            cells.append(_cell(row.get("bpp", {}).get("file_each")))
        depths = ", ".join(row["depths"])
        lines.append(f"| {name}, {row['images']} | {depths} | {' | '.join(cells)} |")
    cuts: dict[int, list[str]] = {}
    for name, row in found.items():
        if row["crop"]:
            cuts.setdefault(row["crop"], []).append(name)
    notes = [
        f"; of {', '.join(names)} the middle {side} x {side} pixels" for side, names in cuts.items()
    ]
    return "\n".join([
        *lines, "", f"({command}, arguments in its json{''.join(notes)})",
    ])  # fmt: skip


def near_lossless() -> str:
    """Bits per pixel with samples that may be off."""
    lines = ["| images | near | JPEG-LS | lutgen |", "|---|---|---|---|"]
    for name, row in load("domains").items():
        for point in row.get("near_lossless", ()):
            cells = [_cell(point.get(codec, {}).get("bpp")) for codec in ("JPEG-LS", "lutgen")]
            lines.append(f"| {name}, {row['images']} | {point['near']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "(`python -m bench.domains --near 1 --near 2 ...`)"])


def held_out() -> str:
    """Bits per pixel of instruments' images that the models were not trained on."""
    names = ("JPEG-LS", "JPEG XL e7", "lutgen")
    lines = [f"| images | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for kinds in load("held-out").values():
        lines += [
            f"| {kind}, {row['images']} | {' | '.join(_cell(row[name]) for name in names)} |"
            for kind, row in kinds.items()
        ]  # fmt: skip
    return "\n".join([
        *lines, "", "(`python -m bench.photo photo-16 --half -o half.lutgen`, and `photo`)",
    ])  # fmt: skip


def further() -> str:
    """The model `photo` alone, and trained further on images of a kind."""
    found = load("further")
    names = ("JPEG-LS", "JPEG XL e7")
    priors = list(next(iter(found["kinds"].values()))["further"])
    titles = [f"further, prior {int(prior):,}" for prior in priors]
    lines = [
        f"| images | {' | '.join(names)} | `photo` | {' | '.join(titles)} | on images |",
        "|---|" + "---|" * (len(names) + len(priors) + 2),
    ]
    for kind, row in found["kinds"].items():
        bpp = [*(row[name] for name in (*names, "alone")), *row["further"].values()]
        cells = " | ".join(map(_cell, bpp))
        lines.append(f"| {kind}, {row['measured']} | {cells} | {row['trained']} |")
    seconds = max(row["seconds"] for row in found["kinds"].values())
    return "\n".join([
        *lines, "", f"(training at most {seconds} s of CPU each; `{found['command']}`)",
    ])  # fmt: skip


def ladder() -> str:
    """What each part of the profile ``predictive`` brings on Kodak gray."""
    found = load("ladder")
    lines = [
        "| model | bpp | comparators | LUT6 of tables | classes | training, s |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['step']} | {row['bpp']:.4f} | {row['comparisons']} | {row['table_luts']} | "
            f"{row['classes']} | {row['seconds']} |"
            for row in found["steps"]
        ),
        "", "| images cut into | bpp |", "|---|---|",
        *(f"| {name} | {bpp:.4f} |" for name, bpp in found["layouts"].items()),
        "", "| bits of a coefficient's fraction | bpp |", "|---|---|",
        *(f"| {bits} | {bpp:.4f} |" for bits, bpp in found["coefficient_bits"].items()),
        "", f"(`python -m bench.ladder --samples {found['samples']}`)",
    ]  # fmt: skip
    return "\n".join(lines)


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
