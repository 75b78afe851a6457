"""Several cores behind one pair of ports, and cores placed and routed."""

from .results import LEVELS, deepest, load

__all__ = ["cores", "hierarchical_cores", "routed"]

#: Cores that were routed: their models, and records.
_ROUTED = (
    ("digits", "route-ecp5-encoder"), ("digits", "route-ecp5-decoder"),
    ("photo", "route-photo-encoder"), ("photo", "route-photo-decoder"),
)
#: Cells that are counted, in the order of the columns.
_CELLS = ("LUT4", "TRELLIS_FF", "DP16KD", "MULT18X18D")


def cores() -> str:
    """Rate and resources for each number of cores."""
    return _several("cores", "--images emnist_digits")


def hierarchical_cores() -> str:
    """The same of the hierarchical codec."""
    name = "gic-dlc-plus-slim-polished"
    return _several(
        f"cores-{name}", f"--images emnist_digits --model bench/models/{name}-emnist.lutgen "
        f"--cores 2 --per-core 400 --out bench/results/cores-{name}.json",
    )  # fmt: skip


def _several(record: str, arguments: str) -> str:
    """Rows of a record of `bench.cores`, which was run with these arguments."""
    found = load(record)
    lines = [
        "| cores | Mpx/s, encode / decode | ns per pixel | clocks per pixel | "
        f"LUT, encoder + decoder | FF | BRAM36 | {LEVELS} | fits |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for count, row in found["rows"].items():
        e, d = (row["rates"][core] for core in ("encoder", "decoder"))
        cells = ["-"] * 5  # not counted
        if "resources" in row:
            used = [row["resources"][core] for core in ("encoder", "decoder")]
            cells = [
                *(" + ".join(f"{u[kind]:,g}" for u in used) for kind in ("lut", "ff", "bram36")),
                deepest(row["pair"]), "yes" if row["pair"]["fits"] else "no",
            ]  # fmt: skip
        lines.append(
            f"| {count} | {e['mpx_per_s']:,.0f} / {d['mpx_per_s']:,.0f} | "
            f"{1000 / e['mpx_per_s']:.2f} / {1000 / d['mpx_per_s']:.2f} | "
            f"{e['steady_clocks_per_pixel']:.4f} / {d['steady_clocks_per_pixel']:.4f} | "
            + " | ".join(cells) + " |"
        )  # fmt: skip
    return "\n".join([
        *lines, "",
        f"(`{found['profile']}`, {found['images']}, images of {found['width']} x "
        f"{found['height']}, {found['stream_bytes']} bytes of file per beat; Mpx/s at the "
        f"{found['clock_mhz']:g} MHz that {found['target']} is constrained to; one core counted "
        "and multiplied, what stands around the cores counted with their ports; "
        f"`python -m bench.cores {arguments}`)",
    ])  # fmt: skip


def routed() -> str:
    """Clocks of cores placed and routed on an ECP5."""
    records = [(model, load(name)) for model, name in _ROUTED]
    lines = [
        "| model | core | device | MHz, routed | LUT4 | FF | EBR (18 kbit) | 18 x 18 multipliers | "
        "worst path | its cells | logic + routing, ns |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for model, record in records:
        (run,) = record["runs"]
        used, path = run["cells"], run["critical_path"]
        logic = path["clk_to_q_ns"] + path["logic_ns"] + path["setup_ns"]
        lines.append(
            f"| `{model}` | {run['core']} | {record['target']['name']} | {run['fmax_mhz']:.1f} | "
            + " | ".join(f"{used.get(kind, 0):,}" for kind in _CELLS)
            + f" | {path['from_block']} to {path['to_block']} | {path['levels']} | "
            f"{logic:.2f} + {path['routing_ns']:.2f} |"
        )
    parts = {record["target"]["name"]: record["target"] for _, record in records}.values()
    return "\n".join([
        *lines, "",
        "(each core routed on its own by nextpnr for "
        + ", ".join(f"{part['name']}, {part['part']}" for part in parts)
        + f", at {records[0][1]['target']['clock_mhz']:g} MHz if it can be; cells of the worst "
        "path count a carry chain as one; "
        + ", ".join(f"`{record['command']}`" for _, record in records) + ")",
    ])  # fmt: skip
