"""Rates, and what models and trainers cost."""

import json

from lutgen.targets.fit import depths

from .results import COUNTED, LEVELS, ROOT, deepest, load

__all__ = [
    "measured", "curve", "fine", "registers", "table1", "polish", "soft_run", "luts", "trainer",
]  # fmt: skip


def measured() -> str:
    """The table at the top."""
    rates = load("eval")["emnist_digits"]

    def others(key: str, baselines: dict = rates["baselines"]) -> str:
        found = {name: b[key] for name, b in baselines.items()}
        return ", ".join(f"{n} {r:.2f}" for n, r in sorted(found.items(), key=lambda i: i[1]))

    cores = load("cores")
    four = cores["rows"]["4"]["rates"]
    routes = [load(f"route-ecp5-{core}") for core in ("encoder", "decoder")]
    build, digits, photo = load("build"), load("throughput-emnist"), load("throughput-photo")
    photos, simulated = load("build-predictive"), load("predictive-cores")
    kodak = load("domains")["kodak"]
    rows = [
        (
            f"Kodak, {kodak['images']} photographs in gray, model `photo`, one file per image, "
            "all bytes of the files",
            f"**{kodak['bpp']['file_each']:.3f} bit/pixel** "
            f"({others('bpp', kodak['baselines'])})",
            "`python -m bench.domains --gray kodak=kodak --model photo`",
        ),
        (
            f"EMNIST digits, {rates['images']:,} images not trained on, model `digits`, one file "
            "per image",
            f"**{rates['bpp']['file_each']:.3f} bit/pixel** ({others('bpp')})",
            "`lutgen eval emnist_digits --model digits`",
        ),
        (
            "the same images in one file, the others on one page",
            f"**{rates['bpp']['file']:.3f} bit/pixel** ({others('bpp_page')})",
            "`lutgen eval emnist_digits --model digits`",
        ),
        *(
            (
                f"{core} of {what.format(**found['parameters'])}, for {found['target']['part']}",
                "{lut:,} LUT, {ff:,} FF, {bram36:g} BRAM36, {dsp} DSP, ".format(
                    **found["cores"][core]["resources"]["total"]
                )
                + f"at most {depths(found['cores'][core]['resources'])} ([how they are counted]"
                + f"(docs/results.md{COUNTED}))",
                f"`lutgen build --target zynq7045{model}`",
            )
            for what, found, model in (
                ("`photo`, gray of {depth} bits up to {max_width:,} x {max_height:,}", photos, ""),
                ("`digits`, images up to {max_width} wide", build, " --model digits"),
            )
            for core in ("encoder", "decoder")
        ),
        (
            f"clocks per sample, encode / decode, {simulated['images']} Kodak landscapes in a "
            "stream, model `photo`",
            " / ".join(
                f"{simulated[core]['clocks_per_sample']:.4f}" for core in ("encoder", "decoder")
            ),
            f"`python -m bench.predictive_cores kodak --count {simulated['images']}`",
        ),
        *(
            (
                f"the same of `digits` or tiles, {what}",
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
                    "--images photo.png --size 512x512 --model photo.lutgen",
                ),
            )
        ),
        (
            f"four of `digits` behind one pair of ports, at the {cores['clock_mhz']:g} MHz of the "
            "constraint, encode / decode",
            " / ".join(f"{four[core]['mpx_per_s']:,.0f}" for core in ("encoder", "decoder"))
            + " Mpx/s",
            "`lutgen build --model digits --cores 4`, "
            "`python -m bench.cores --images emnist_digits`",
        ),
        (
            f"those of `digits` placed and routed on {routes[0]['target']['part']} by nextpnr, "
            "encode / decode",
            " / ".join(f"{route['runs'][0]['fmax_mhz']:.0f}" for route in routes) + " MHz",
            "`lutgen route --target ecp5-45k --model digits`",
        ),
    ]
    return "\n".join(["| what | measured | command |", "|---|---|---|"]
                     + ["| " + " | ".join(row) + " |" for row in rows])  # fmt: skip


def registers() -> str:
    """What AXI4-Lite registers cost, of the whole of each core."""
    without, with_them = load("build"), load("build-registers")
    more = []
    for core in ("encoder", "decoder"):
        before, after = (found["cores"][core]["resources"] for found in (without, with_them))
        lut, ff = (after["total"][kind] - before["total"][kind] for kind in ("lut", "ff"))
        block = after["blocks"]["registers"]["lut"]
        more.append(
            f"the {core} {lut:,} LUT ({block:,} in the register block itself) and {ff:,} FF more"
        )
    deep = depths(with_them["pair"])
    return (
        f"Registers cost {' and '.join(more)}, of all that each core takes; at most {deep}\n"
        f"([how they are counted](docs/results.md{COUNTED}); `lutgen build --target zynq7045 "
        "--model digits --registers` beside the same without)."
    )


def fine() -> str:
    """The shipped model of digits, and one with more leaves, classes and training pictures."""
    lines = [
        f"| model | classes | bit/pixel, one file | one file per image | LUT, encoder + decoder | "
        f"BRAM36 | {LEVELS} |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, kind in (
        ("`digits`, shipped", ""), ("`bench/models/raster-table-fine.lutgen`", "-fine"),
        ("`bench/models/raster-table-finer.lutgen`", "-finer"),
    ):  # fmt: skip
        rates, record = load(f"eval{kind}")["emnist_digits"]["bpp"], load(f"build{kind}")
        totals = [record["cores"][core]["resources"]["total"] for core in ("encoder", "decoder")]
        most = dict.fromkeys(deepest(core["resources"]) for core in record["cores"].values())
        lines.append(
            f"| {name} | {record['model']['classes']} | {rates['file']:.3f} | "
            f"{rates['file_each']:.3f} | " + " + ".join(f"{t['lut']:,}" for t in totals) + " | "
            + " + ".join(f"{t['bram36']:g}" for t in totals) + f" | {', '.join(most)} |"
        )
    return "\n".join([
        *lines, "", "(`lutgen eval emnist_digits --model MODEL`, `lutgen build --target zynq7045 "
        "--model MODEL`)",
    ])  # fmt: skip


def curve() -> str:
    """What leaves and classes cost and bring."""
    lines = [
        "| leaves | classes | bit/pixel | LUT, encoder + decoder | BRAM36 | "
        f"{LEVELS} |",
        "|---|---|---|---|---|---|",
    ]
    for p in load("curve")["points"]:
        e, d = p["cores"]["encoder"], p["cores"]["decoder"]
        lines.append(
            f"| {p['leaves']:,} | {p['classes']} | {p['bpp']['file']:.3f} | {e['lut']:,} + "
            f"{d['lut']:,} | {e['bram36']:g} + {d['bram36']:g} | {deepest(e, d)} |"
        )
    return "\n".join([*lines, "", "(`python -m bench.curve emnist_digits`)"])


#: What the rows of models in table 1 are.
_MODELS = {
    "gic-dlc, paper": "`gic-dlc`, LUT networks of the paper's size, trained on EMNIST digits, "
    "`--mapping paper`",
    "gic-dlc": "the same networks, `--mapping counted`",
    "gic-dlc+, paper": "`gic-dlc+`, averages not coded twice, `--mapping paper`",
    "gic-dlc+": "the same networks, `--mapping counted`",
    "gic-dlc-polished, paper": "`gic-dlc`, [polished](#polished-networks), trained on EMNIST "
    "digits, `--mapping paper`",
    "gic-dlc-polished": "the same networks, `--mapping counted`",
    "gic-dlc+-polished, paper": "`gic-dlc+`, polished, `--mapping paper`",
    "gic-dlc-kmnist, paper": "`gic-dlc`, polished on KMNIST, `--mapping paper`",
    "gic-dlc+-kmnist, paper": "`gic-dlc+`, polished on KMNIST, `--mapping paper`",
    "gic-dlc-fashion, paper": "`gic-dlc`, polished on Fashion-MNIST, `--mapping paper`",
    "gic-dlc+-fashion, paper": "`gic-dlc+`, polished on Fashion-MNIST, `--mapping paper`",
    "raster-table": "`raster-table`, embedded, trained on EMNIST digits",
    "raster-table-three": "`raster-table`, trained on all three",
}
_LEARNED = {
    "ic-mlp": "IC-MLP, multilayer perceptrons in place of LUTs, ideal code length",
    "srec": "small network in the manner of SReC, ideal code length",
}


def table1() -> str:
    """Table 1 of the paper, measured here beside what the paper gives."""
    found = load("table1")
    rows = found["data"]
    counts = ", ".join(f"{row['images']:,} of {name}" for name, row in rows.items())
    lines = [
        f"Bits per pixel, images not trained on ({counts}), by all bytes of files: of one file per "
        "image / of one file for all images, which for other codecs is all images side by side on "
        "one page; in brackets what the paper gives, of one file per image:",
        "",
        "| method | " + " | ".join(rows) + " |",
        "|---|" + "---|" * len(rows),
    ]

    def line(label: str, values: list[float | None | str], published: str | None = None) -> None:
        cells = ["-" if v is None else v if isinstance(v, str) else f"{v:.3f}" for v in values]
        if published is not None:
            given = dict(zip(found["published_data"], found["published"][published], strict=True))
            cells = [
                f"{cell} ({given[data]:.2f})" for cell, data in zip(cells, rows, strict=True)
            ]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    for name in next(iter(rows.values()))["codecs"]:
        known = name if name in found["published"] else None
        values = [
            f"{row['codecs'][name]['bpp']:.3f} / {row['codecs'][name]['bpp_page']:.3f}"
            for row in rows.values()
        ]
        line(name, values, known)
    for name, label in _LEARNED.items():
        if all(name in row["learned"] for row in rows.values()):
            values = [row["learned"][name]["ideal"] for row in rows.values()]
            line(label, values, "IC-MLP" if name == "ic-mlp" else None)
    for name, label in _MODELS.items():
        if not all(name in row["models"] for row in rows.values()):
            continue
        files = [row["models"][name]["bpp"] for row in rows.values()]
        values = [f"{bpp['file_each']:.3f} / {bpp['file']:.3f}" for bpp in files]
        line(label, values, "GIC-DLC" if name.split(",")[0] == "gic-dlc" else None)
    return "\n".join([
        *lines, "", "(`python -m bench.table1`, arguments in its json)",
    ])  # fmt: skip


def polish() -> str:
    """What each part of polishing brings."""
    found = load("polish")
    sweeps, ups_sweeps = found["sweeps"]
    lines = ["| what changes | bit/pixel | LUTs | seconds |", "|---|---|---|---|"]
    lines += [
        f"| {c['name']} | {c['file']:.3f} | {' + '.join(f'{n:,}' for n in c['luts'])} | "
        f"{c['seconds']:.0f} |"
        for c in found["choices"]
    ]
    return "\n".join([
        *lines, "", f"({found['images']:,} images of {found['data']} in one file, not trained on; "
        f"`{found['model']}`, `--mapping paper`, {sweeps} sweeps of the autoregressive and "
        f"{ups_sweeps} of the upsampling network, {found['windows']:,} windows each; processor "
        "time of one thread; `python -m bench.polish emnist_digits`)",
    ])  # fmt: skip


def soft_run() -> str:
    """Soft and hard code length of a pyramid over a soft run."""
    log = ROOT / "bench" / "results" / "pyramid-soft.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [line for line in lines if line["phase"] == "arm"]
    rows = [
        f"| {s['step']:,} | {s['tau_connections']:.4f} | {s['tau_nodes']:.2f} | "
        f"{s['soft_bpp']:.3f} | {s['hard_bpp']:.3f} | {s['gap']:+.2%} | {s['seconds'] / 60:.0f} |"
        for s in [*steps[1::4], steps[-1]]
    ]
    return "\n".join([
        "| step | temperature of connections | of nodes | soft, bit/pixel | made hard | gap | "
        "minutes |",
        "|---|---|---|---|---|---|---|",
        *rows, "",
        "(ideal code lengths of held-out digits; `python -m bench.gap emnist_digits --profile "
        "gic-dlc --only soft --luts 512 --thresholds 255 --steps 1600 --images 8000 --name "
        "pyramid`)",
    ])  # fmt: skip


def luts() -> str:
    """Models whose netlist decides everything: bpp over LUTs."""
    found = load("luts")
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
    found = load("trainer")
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
