"""Both entropy coders, and other cores beside ours."""

from .results import LEVELS, deepest, load

__all__ = ["coder_blocks", "coder_blocks_ecp5", "coders", "rivals", "slabs", "token_coders"]


def coders() -> str:
    """rANS and tANS: rate and cost for each number of classes and states."""
    found = load("tans")
    lines = [
        "| classes | coder | bit/pixel | to rANS | LUT, head and coder, encoder + decoder | "
        f"BRAM36 | {LEVELS} | depth of the decoder |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        base = next(r for r in found["rows"] if r["classes"] == row["classes"])
        cells = ["-"] * 4
        if row["resources"]:
            e, d = (row["resources"][core] for core in ("encoder", "decoder"))
            cells = [
                f"{e['lut']:,} + {d['lut']:,}", f"{e['bram36']:g} + {d['bram36']:g}",
                deepest(e, d), f"{row['resources']['decoder_depth']}",
            ]  # fmt: skip
        lines.append(
            f"| {row['classes']} | {row['coder']} | {row['bpp']['file']:.3f} | "
            f"{row['bpp']['file'] / base['bpp']['file'] - 1:+.1%} | " + " | ".join(cells) + " |"
        )
    return "\n".join([
        *lines, "",
        f"({found['images']:,} images of {found['data']}, whole files; fewer classes by "
        "`lutgen slim --classes`; -: not synthesised; 0 DSP; "
        f"`{found['command']}`)",
    ])  # fmt: skip


def coder_blocks() -> str:
    """The pair of `digits` by block on zynq7045, with rANS and with tANS."""
    return _by_block({"rANS": "build", "tANS 9": "build-tans"}, {
        "LUT": lambda part: f"{part['lut']:,}", "FF": lambda part: f"{part['ff']:,}",
        "BRAM36": lambda part: f"{part['bram36']:g}",
    })  # fmt: skip


def coder_blocks_ecp5() -> str:
    """The same on ecp5-45k."""
    return _by_block({"rANS": "build-ecp5", "tANS 9": "build-ecp5-tans"}, {
        "LUT6": lambda part: f"{part['lut']:,}", "FF": lambda part: f"{part['ff']:,}",
        "memory, kbit": lambda part: f"{part['memory_bits'] / 1024:,.0f}",
    })  # fmt: skip


def _by_block(names: dict[str, str], kinds: dict) -> str:
    builds = {name: load(path) for name, path in names.items()}
    first = " | ".join(kinds)
    lines = [
        "| block | " + " | ".join(f"{name}: {first}" for name in builds) + " |",
        "|---|" + "---|" * len(kinds) * len(builds),
    ]
    for block in builds["rANS"]["cores"]["encoder"]["resources"]["blocks"]:
        cells = []
        for build in builds.values():
            cores = (build["cores"][core] for core in ("encoder", "decoder"))
            parts = [core["resources"]["blocks"][block] for core in cores]
            cells += [" + ".join(map(show, parts)) for show in kinds.values()]
        lines.append(f"| {block} | " + " | ".join(cells) + " |")
    totals = [show(build["pair"]["total"]) for build in builds.values() for show in kinds.values()]
    lines.append("| **pair** | " + " | ".join(totals) + " |")
    depths = ", ".join(
        f"{name} {build['cores']['decoder']['depth']} ({build['cores']['decoder']['lanes']} lanes)"
        for name, build in builds.items()
    )
    target = builds["rANS"]["target"]["name"]
    levels = deepest(*(build["pair"] for build in builds.values()))
    return "\n".join([
        *lines, "",
        f"({target}; encoder + decoder; 0 DSP; {LEVELS} at most {levels}; depth of the decoder: "
        f"{depths}; `lutgen build --target {target} --model digits --coder ...`)",
    ])  # fmt: skip


def token_coders() -> str:
    """Both for the tokens of profile ``predictive``."""
    found = load("token-coders")
    base = found["rows"][0]
    lines = [
        "| coder | bits of a state | bpp, one strip | to rANS | bpp, strips of 16 rows | kbit of a "
        "decoder's tables |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        name = {"rans": "rANS", "tans": "tANS"}[row["coder"]]
        lines.append(
            f"| {name} | {row['state_bits']} | {row['bpp']:.4f} | "
            f"{row['bpp'] / base['bpp'] - 1:+.2%} | {row['bpp_strips']:.4f} | "
            f"{row['table_bits'] / 1024:,.0f} |"
        )
    return "\n".join([
        *lines, "", f"(`photo`, {found['images']} images of Kodak gray, whole files; "
        f"`{found['command']}`)",
    ])  # fmt: skip


def slabs() -> str:
    """What cutting images for several cores costs."""
    found = load("slabs")
    least = found["rows"][0]["bpp"][0]
    strips = ["one strip" if rows is None else f"strips of {rows} rows" for rows in found["strips"]]
    return "\n".join([
        f"| slabs | {' | '.join(strips)} |", "|---|" + "---|" * len(strips),
        *(f"| {row['slabs']} | {' | '.join(f'{value - least:+.3f}' for value in row['bpp'])} |"
          for row in found["rows"]),
        "", f"(bits per pixel more than {least:.3f}; `photo`, {found['images']} images of Kodak "
        f"gray, whole files; `{found['command']}`)",
    ])  # fmt: skip


def rivals() -> str:
    """Rate per area beside what others published."""
    from lutgen.report.rivals import RIVALS

    lines = [
        "| core | part | direction | LUT | Mpx/s | Mpx/s per 1,000 LUT | clock |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = []
    # A pixel of RGB is three samples.
    for what, build, run, samples in (
        ("`photo`", "build-predictive", "predictive-cores", 1),
        ("`photo-rgb`, pixels of RGB", "build-photo-rgb", "predictive-cores-rgb", 3),
        ("`photo-bayer`, 12 bits", "build-photo-bayer", "predictive-cores-bayer", 1),
    ):
        simulated = load(run)
        rows += [
            (what, load(build), core, samples * simulated[core]["clocks_per_sample"])
            for core in ("encoder", "decoder")
        ]
    for name, run in (("build", "throughput-emnist"), ("build-tans", "throughput-tans")):
        build, run = load(name), load(run)
        coder = {"rans": "rANS", "tans": "tANS"}[build["parameters"].get("coder", "rans")]
        rows += [
            (f"`digits`, {coder}", build, core, run[way]["steady_clocks_per_pixel"])
            for core, way in (("encoder", "encode"), ("decoder", "decode"))
        ]
    for what, build, core, clocks in rows:
        clock = build["target"]["clock_mhz"]
        luts = build["cores"][core]["resources"]["total"]["lut"]
        rate = clock / clocks
        lines.append(
            f"| lutgen, {what} | {build['target']['part']} | {core} | {luts:,} | "
            f"{rate:.0f} | {1000 * rate / luts:.0f} | {clock:g} MHz, a constraint, not routed |"
        )
    for rival in RIVALS:
        luts = "-" if rival.luts is None else f"{rival.luts:,}"
        per = "-" if rival.mpx_per_klut is None else f"{rival.mpx_per_klut:.0f}"
        lines.append(
            f"| {rival.name} | {rival.part} | {rival.direction} | {luts} | {rival.mpx:.0f} | "
            f"{per} | {rival.clock} |"
        )
    return "\n".join([
        *lines, "",
        "(rivals as their authors published them, sources in `lutgen/report/rivals.py`; they code "
        "with other models, so rates per LUT are all that is compared: JPEG-LS, LOCO-ANS, FELICS "
        "and CCSDS-123 need no training and code photographs and other natural pictures, as "
        "`photo` does, on which `digits` expands; FPGA-QOI codes colour, as `photo-rgb` does; "
        "clocks of `photo-bayer` are those of images of 866 columns and 14 bits)",
    ])  # fmt: skip
