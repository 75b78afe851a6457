"""Images of many kinds: what the usual codecs take, and lutgen where it was measured."""

from .results import load

__all__ = ["colour", "domains", "further", "growth", "held_out", "raw"]

_CODECS = ("PNG", "QOI", "WebP", "JPEG 2000", "JPEG-LS", "JPEG XL e3", "JPEG XL e7", "JPEG XL e9")
#: Of the four planes of a colour filter array.
_PLANES = tuple(f"{name}, four planes" for name in ("JPEG-LS", "JPEG XL e3", "JPEG XL e7"))


def _cell(bpp: float | None) -> str:
    return "-" if bpp is None else f"{bpp:.3f}"


def domains() -> str:
    """Bits per pixel of each kind of gray images."""
    return _kinds(load("domains"), "`python -m bench.domains`")


def colour() -> str:
    """The same of colour."""
    command = "python -m bench.domains --model photo-rgb --out bench/results/colour.json"
    return _kinds(load("colour"), f"`{command}`")


def raw() -> str:
    """The same of colour filter arrays, as one plane and as four."""
    command = "python -m bench.domains --cfa RGGB --model photo-bayer --out bench/results/raw.json"
    return _kinds(load("raw"), f"`{command}`", (*_CODECS, *_PLANES))


def _kinds(found: dict, command: str, codecs: tuple[str, ...] = _CODECS) -> str:
    ours = any("bpp" in row for row in found.values())
    names = [*codecs, *["lutgen"] * ours]
    lines = [
        f"| images | depth | {' | '.join(names)} |",
        "|---|---|" + "---|" * len(names),
    ]
    for name, row in found.items():
        cells = [_cell(row["baselines"][codec]["bpp"]) for codec in codecs]
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


def held_out() -> str:
    """Bits per pixel of instruments' images that the models were not trained on."""
    names = ("JPEG-LS", "JPEG XL e7", "lutgen")
    lines = [f"| images | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    found = load("held-out")
    for kinds in found.values():
        lines += [
            f"| {kind}, {row['images']} | {' | '.join(_cell(row[name]) for name in names)} |"
            for kind, row in kinds.items()
        ]  # fmt: skip
    return "\n".join([
        *lines, "", f"(`python -m bench.photo NAME --half -o half.lutgen` of {', '.join(found)})",
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


def growth() -> str:
    """How files grow beyond the samples' plain bits, at the worst."""
    found = load("growth")
    kinds = [kind for kind in found["rows"][0] if kind != "side"]
    lines = [
        f"| side of a square | {' | '.join(kinds)} |", "|---|" + "---|" * len(kinds),
        *(
            f"| {row['side']} | {' | '.join(f'{100 * (row[kind] - 1):+.2f} %' for kind in kinds)} |"
            for row in found["rows"]
        ),
    ]  # fmt: skip
    worst = max(found["real"], key=found["real"].get)
    depths = ", ".join(map(str, found["depths"]))
    return "\n".join([
        *lines, "", f"(the worst of {depths} bits; of all real images the worst is one of {worst}, "
        f"{100 * (found['real'][worst] - 1):+.2f} %; `{found['command']}`)",
    ])  # fmt: skip
