"""Writes the measured tables of README.md from the json files in bench/results.

    python -m bench.readme

eval.json is what `lutgen eval emnist_digits --json` prints, build.json what
`lutgen build --target zynq7045 --json` prints, throughput-*.json and curve.json are written by
`bench.throughput`, `bench.curve`, `bench.table1`, `bench.luts` and `bench.trainer`.
"""

import json
import re
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_RESULTS = _ROOT / "bench" / "results"


def _load(name: str) -> dict:
    return json.loads((_RESULTS / f"{name}.json").read_text())


def measured() -> str:
    """The table at the top."""
    found = _load("eval")["emnist_digits"]
    others = ", ".join(
        f"{name} {b['bpp']:.2f}"
        for name, b in sorted(found["baselines"].items(), key=lambda item: item[1]["bpp"])
    )
    build, digits, photo = _load("build"), _load("throughput-emnist"), _load("throughput-photo")
    rows = [
        (
            f"EMNIST digits, {found['images']:,} images not trained on, all bytes of the file",
            f"**{found['bpp']['file']:.3f} bit/pixel** ({others})",
            "`lutgen eval emnist_digits`",
        ),
        *(
            (
                f"{core} for {build['target']['part']}, images up to "
                f"{build['parameters']['max_width']} wide",
                "{lut:,} LUT, {ff:,} FF, {bram36:g} BRAM36, {dsp} DSP, ".format(
                    **build["cores"][core]["resources"]["total"]
                )
                + f"at most {build['cores'][core]['resources']['levels']} LUT levels",
                "`lutgen build --target zynq7045`",
            )
            for core in ("encoder", "decoder")
        ),
        *(
            (
                f"clocks per pixel, encode / decode, {what}",
                f"{run['encode']['steady_clocks_per_pixel']:.4f} / "
                f"{run['decode']['steady_clocks_per_pixel']:.4f}",
                f"`python -m bench.throughput {options}`",
            )
            for what, run, options in (
                (f"{digits['count']} digits back to back", digits, "--images emnist_digits"),
                (
                    f"{photo['width']} x {photo['height']} photograph, model trained on "
                    "photographs",
                    photo,
                    "--images kodim01.png --size 512x512 --model photo.lutgen",
                ),
            )
        ),
    ]
    return "\n".join(["| what | measured | command |", "|---|---|---|"]
                     + ["| " + " | ".join(row) + " |" for row in rows])  # fmt: skip


def curve() -> str:
    """What leaves and classes cost and bring."""
    lines = [
        "| leaves | classes | bit/pixel | LUT, encoder + decoder | BRAM36 | LUT levels |",
        "|---|---|---|---|---|---|",
    ]
    for p in _load("curve")["points"]:
        e, d = p["cores"]["encoder"], p["cores"]["decoder"]
        lines.append(
            f"| {p['leaves']:,} | {p['classes']} | {p['bpp']['file']:.3f} | {e['lut']:,} + "
            f"{d['lut']:,} | {e['bram36']:g} + {d['bram36']:g} | {max(e['levels'], d['levels'])} |"
        )
    return "\n".join([*lines, "", "(`python -m bench.curve emnist_digits`)"])


#: What the rows of models in table 1 are.
_MODELS = {
    "gic-dlc": "`gic-dlc`, LUT networks of the paper's size, trained on EMNIST digits",
    "gic-dlc+": "`gic-dlc+`, the same networks, averages not coded twice",
    "raster-table": "`raster-table`, embedded, trained on EMNIST digits",
    "raster-table-three": "`raster-table`, trained on all three",
}
_LEARNED = {
    "ic-mlp": "IC-MLP, multilayer perceptrons in place of LUTs, ideal code length",
    "srec": "small network in the manner of SReC, ideal code length",
}


def table1() -> str:
    """Table 1 of the paper, measured here beside what the paper gives."""
    found = _load("table1")
    rows = found["data"]
    counts = ", ".join(f"{row['images']:,} of {name}" for name, row in rows.items())
    lines = [
        f"Bits per pixel, images not trained on ({counts}); models by all bytes of files, of one "
        "file for all images / of one file per image, other codecs of one file per image; in "
        "brackets what the paper gives:",
        "",
        "| method | " + " | ".join(rows) + " |",
        "|---|" + "---|" * len(rows),
    ]

    def line(label: str, values: list[float | None | str], published: str | None = None) -> None:
        cells = ["-" if v is None else v if isinstance(v, str) else f"{v:.3f}" for v in values]
        if published is not None:
            given = found["published"][published]
            cells = [f"{cell} ({p:.2f})" for cell, p in zip(cells, given, strict=True)]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    for name in next(iter(rows.values()))["codecs"]:
        known = name if name in found["published"] else None
        line(name, [row["codecs"][name]["bpp"] for row in rows.values()], known)
    for name, label in _LEARNED.items():
        if all(name in row["learned"] for row in rows.values()):
            values = [row["learned"][name]["ideal"] for row in rows.values()]
            line(label, values, "IC-MLP" if name == "ic-mlp" else None)
    for name, label in _MODELS.items():
        files = [row["models"][name]["bpp"] for row in rows.values()]
        values = [f"{bpp['file']:.3f} / {bpp['file_each']:.3f}" for bpp in files]
        line(label, values, "GIC-DLC" if name == "gic-dlc" else None)
    return "\n".join([*lines, "", "(`python -m bench.table1`, arguments in its json)"])


def luts() -> str:
    """Models whose netlist decides everything: bpp over LUTs."""
    found = _load("luts")
    lines = [
        "| model | trainer | LUTs | classes | bit/pixel, ideal | file |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p['name']} | {p['trainer']} | {p['luts']:,} | {p['classes'] or '-'} | "
        f"{p['bpp']['ideal']:.3f} | {p['bpp']['file']:.3f} |"
        for p in found["points"]
    ]
    return "\n".join([
        *lines, "", f"({found['data']}, {found['images']:,} images; `python -m bench.luts`; files "
        "in `bench/models`; flat-N is `lutgen train --stages 0 --leaves N --classes 256`)",
    ])  # fmt: skip


def trainer() -> str:
    """What an iteration of the paper's autoregressive model takes."""
    found = _load("trainer")
    names = {
        "iteration: dense": "soft, all thermometer bits multiplied",
        "iteration: ours": "soft, prefix sums (preset `paper`)",
        "iteration: ours, hard, sampled": "hard, drawn candidates (preset `cpu`)",
    }
    runs = {r["contender"]: r for r in found["runs"]}
    lines = [
        "| forward pass | seconds per iteration | 8,000 iterations | memory |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {runs[name]['seconds']:.2f} | {runs[name]['hours']:.1f} h | "
        f"{runs[name]['peak_mib'] / 1024:.1f} GiB |"
        for name, label in names.items()
    ]
    machine = found["machine"]
    return "\n".join([
        *lines, "",
        f"(16 images, two layers of 1,024; {machine['cpu']}, {machine['threads']} thread, "
        f"{machine['clock']}; `python -m bench.trainer`)",
    ])  # fmt: skip


#: Hierarchical pairs: their names in bench/results, and what they are.
_PAIRS = {
    "gic-dlc-plus": "`gic-dlc+`, the paper's size",
    "gic-dlc-plus-slim": "the same, slimmed by `lutgen slim`",
}


def hierarchical() -> str:
    """Pairs of hierarchical models: rate, clocks and resources."""
    rows = []
    for name, label in _PAIRS.items():
        run, build = _load(f"throughput-{name}"), _load(f"build-{name}")
        e, d = (build["cores"][core]["resources"] for core in ("encoder", "decoder"))

        def pair(kind: str, e=e, d=d) -> str:
            return f"{e['total'][kind]:,g} + {d['total'][kind]:,g}"

        thumb = run["thumbnails"][str(run["levels"])]
        rows.append((
            label, f"{run['bpp']:.3f}",
            f"{run['encode']['steady_clocks_per_pixel']:.3f} / "
            f"{run['decode']['steady_clocks_per_pixel']:.3f}",
            pair("lut"), pair("ff"), pair("bram36"), f"{e['levels']} / {d['levels']}",
            f"{thumb['first_image_clocks']:,} / {run['decode']['first_image_clocks']:,}",
        ))  # fmt: skip
    runs = _load(f"throughput-{next(iter(_PAIRS))}")
    lines = [
        "| pair | bit/pixel | clocks per pixel, encode / decode | LUT | FF | BRAM36 | LUT levels | "
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
    build = _load("build-gic-dlc-plus")
    e, d = (build["cores"][core]["resources"]["blocks"] for core in ("encoder", "decoder"))
    lines = [
        "| block | LUT, encoder | decoder | FF | | BRAM36 | | levels | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in e:
        cells = [f"{part[name][kind]:,g}" for kind in ("lut", "ff", "bram36") for part in (e, d)]
        cells += [str(part[name]["levels"] or "-") for part in (e, d)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "(`gic-dlc+`; `lutgen build`, json in `bench/results`)"])


def slim() -> str:
    """What cheaper layouts of the paper's codec cost in rate."""
    found = _load("slim")
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
    names = {
        "energy": ("throughput-emnist", "`raster-table`, embedded"),
        "energy-gic-dlc-plus-slim": ("throughput-gic-dlc-plus-slim", "`gic-dlc+`, slimmed"),
    }
    for name, (run, label) in names.items():
        found, run = _load(name), _load(run)
        times, energies = [], []
        for core, way in (("encoder", "encode"), ("decoder", "decode")):
            core, clocks = found["cores"][core], run[way]["steady_clocks_per_pixel"]
            # Energy of a clock times the clocks of the long run: toggles are counted over fewer
            # images, when an encoder still takes pixels quicker than it codes them.
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
    png = _load("energy")["png"]
    for run in png["runs"]:
        lines.append(
            f"| PNG, {run['level']}, {run['files']}, {png['cpu']} | "
            + " / ".join(f"{run['ns_per_pixel'][way]:.1f}" for way in ("encode", "decode"))
            + " | "
            + " / ".join(f"{run['nj_per_pixel'][way]:,.0f}" for way in ("encode", "decode"))
            + " |"
        )
    return "\n".join(lines)


def fill(text: str) -> str:
    """README text with its tables written anew."""
    tables = (measured, curve, table1, luts, trainer, hierarchical, blocks, slim, table2)
    for make in tables:
        name = make.__name__
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda match, make=make: f"{match[1]}{make()}\n{match[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    path = _ROOT / "README.md"
    path.write_text(fill(path.read_text()))
