"""The hierarchical codec."""

from .results import LEVELS, deepest, load

__all__ = ["hierarchical", "blocks", "slim", "speed", "table2"]

#: Cores and what they do.
_WAYS = {"encoder": "encode", "decoder": "decode"}
#: Hierarchical pairs: their names in bench/results, and what they are.
_PAIRS = {
    "gic-dlc": "`gic-dlc`, the paper's size",
    "gic-dlc-polished": "the same, [polished](#polished-networks)",
    "gic-dlc-plus": "`gic-dlc+`, the paper's size",
    "gic-dlc-plus-slim": "`gic-dlc+`, slimmed by `lutgen slim`",
    "gic-dlc-plus-slim-polished": "the same, polished before and after",
}


def hierarchical() -> str:
    """Pairs of hierarchical models: rate, clocks and resources."""
    rows = []
    for name, label in _PAIRS.items():
        run, build = load(f"throughput-{name}"), load(f"build-{name}")
        e, d = (build["cores"][core]["resources"] for core in ("encoder", "decoder"))

        def pair(kind: str, e=e, d=d) -> str:
            return f"{e['total'][kind]:,g} + {d['total'][kind]:,g}"

        thumb = run["thumbnails"][str(run["levels"])]
        rows.append((
            label, f"{run['bpp']:.3f}",
            f"{run['encode']['steady_clocks_per_pixel']:.3f} / "
            f"{run['decode']['steady_clocks_per_pixel']:.3f}",
            pair("lut"), pair("ff"), pair("bram36"), f"{deepest(e)}, {deepest(d)}",
            f"{thumb['first_image_clocks']:,} / {run['decode']['first_image_clocks']:,}",
        ))  # fmt: skip
    runs = load(f"throughput-{next(iter(_PAIRS))}")
    lines = [
        "| pair | bit/pixel | clocks per pixel, encode / decode | LUT | FF | BRAM36 | "
        f"{LEVELS}, encoder, decoder | "
        "clocks to the first thumbnail / image |",
        "|---|---|---|---|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        f"({runs['count']} EMNIST digits in one file; thumbnail: level {runs['levels']}, 7 x 7 "
        "pixels; encoder + decoder; 0 DSP; `lutgen build --target zynq7045 --model M`, "
        "`python -m bench.throughput --images emnist_digits --model M`, models in `bench/models`)",
    ]
    return "\n".join(lines)


def blocks() -> str:
    """Where the resources of a hierarchical pair of the paper's size are."""
    build = load("build-gic-dlc-plus")
    e, d = (build["cores"][core]["resources"]["blocks"] for core in ("encoder", "decoder"))
    lines = [
        "| block | LUT, encoder | decoder | FF | | BRAM36 | | "
        f"{LEVELS} | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in e:
        cells = [f"{part[name][kind]:,g}" for kind in ("lut", "ff", "bram36") for part in (e, d)]
        cells += [deepest(part[name]) if part[name]["levels"] else "-" for part in (e, d)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "(`gic-dlc+`; `lutgen build`, json in `bench/results`)"])


def slim() -> str:
    """What cheaper layouts of the paper's codec cost in rate."""
    found = load("slim")
    lines = [
        "| choice | bit/pixel | with the constraint | comparators | LUT, ARM + UPS | "
        "scale classes |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {c['name']} | {c['bpp']['file']:.3f} | {c['bpp_constrained']['file']:.3f} | "
        f"{c['network']['comparators']:,} + {c['upsampler']['comparators']:,} | "
        f"{c['network']['total']['lut']:,} + {c['upsampler']['total']['lut']:,} | {c['scales']} |"
        for c in found["choices"]
    ]
    return "\n".join([
        *lines, "",
        f"({found['images']:,} {found['data']}, networks not trained again; "
        "`python -m bench.slim`)",
    ])  # fmt: skip


def table2() -> str:
    """Table 2 of the paper: time and energy per pixel."""
    lines = [
        "| what | ns per pixel, encode / decode | nJ per pixel, encode / decode |",
        "|---|---|---|",
    ]
    runs = {
        name: {core: load(run)[way]["steady_clocks_per_pixel"] for core, way in _WAYS.items()}
        for name, run in (("energy", "throughput-emnist"),
                          ("energy-gic-dlc-plus-slim", "throughput-gic-dlc-plus-slim"))
    }  # fmt: skip
    runs["energy-predictive"] = {
        core: load("predictive-cores")[core]["clocks_per_sample"] for core in _WAYS
    }
    for name, label in (
        ("energy", "`raster-table`, embedded"), ("energy-gic-dlc-plus-slim", "`gic-dlc+`, slimmed"),
        ("energy-predictive", "`photo`, on photographs"),
    ):  # fmt: skip
        found, run = load(name), runs[name]
        times, energies = [], []
        for way, clocks in run.items():
            core = found["cores"][way]
            # Energy of a clock times the clocks of the long run: toggles are counted over fewer
            # or smaller images, when an encoder still takes pixels quicker than it codes them.
            scale = clocks / core["clocks_per_pixel"]
            settled, glitches = core["energy"]["settled"], core["energy"]["unit_delay"]
            times.append(f"{1000 * clocks / found['clock_mhz']:.2f}")
            energies.append(
                f"{glitches['nj_per_pixel'] * scale:.2f} ({settled['half'] * scale:.1f} to "
                f"{glitches['double'] * scale:.1f})"
            )
        lines.append(
            f"| {label}, at {found['clock_mhz']:g} MHz | {' / '.join(times)} | "
            f"{' / '.join(energies)} |"
        )
    png = load("energy")["png"]
    for run in png["runs"]:
        lines.append(
            f"| PNG, {run['level']}, {run['files']}, {png['cpu']} | "
            + " / ".join(f"{run['ns_per_pixel'][way]:.1f}" for way in ("encode", "decode"))
            + " | "
            + " / ".join(f"{run['nj_per_pixel'][way]:,.0f}" for way in ("encode", "decode"))
            + " |"
        )
    return "\n".join(lines)


def speed() -> str:
    """What a pixel costs a processor."""
    found = load("speed")
    names = {
        "ic-mlp": "IC-MLP, one pass of its networks",
        "srec": "small network in the manner of SReC, one pass",
        "gic-dlc": "`gic-dlc`, polished, in software",
        "gic-dlc+, slimmed": "`gic-dlc+`, slimmed and polished, in software",
    }
    lines = [
        "| what | ns per pixel, encode / decode | bit/pixel |",
        "|---|---|---|",
    ]
    lines += [
        f"| {names.get(name, name)} | {row['encode']:,.0f} / "
        f"{'-' if row['decode'] is None else format(row['decode'], ',.0f')} | {row['bpp']:.3f} |"
        for name, row in found["rows"].items()
    ]
    return "\n".join([
        *lines, "",
        f"({found['digits']['images']} digits, and {found['large']['images']} gray images of "
        f"1,024 x 1,024; {found['machine']}, processor time of one thread; `{found['command']}`)",
    ])  # fmt: skip
