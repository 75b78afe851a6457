"""Tables of the predictive cores' memories and of the clocks of their loops."""

from .results import load

__all__ = ["memories", "stages"]

#: What memories of a decoder hold, by module and name; a memory that is not here is an error.
_HOLD = {
    "out: samples": "samples of groups, in blocks of columns",
    "out: blocks": "block of each row's columns",
    "out: latest": "block that each row is at",
    "out.pool: ring": "free blocks",
    "out.groups: words": "complete groups",
    "out.queue: words": "samples that leave",
    "strips.ring: even": "payloads, even words",
    "strips.ring: odd": "payloads, odd words",
    "strips.queue: memory": "payloads that wait for a lane",
    "strips.lanes: ends": "end of each lane's payload",
    "strips.lanes: kinds": "its kind",
    "strips.lanes: positions": "next bit of it",
    "strips.lanes: states": "state of each lane's coder",
    "strips.lanes.search: first": "bounds of tokens, first step of the search",
    "strips.lanes.search: second": "second step",
    "strips.lanes.search: third": "third step",
    "loop: between": "records of the groups' last rows",
    "loop: latest": "latest record of each row",
    "loop: kept": "window of each row",
    "loop.prediction: coefficients_0": "coefficients, first chain's",
    "loop.prediction: coefficients_1": "second",
    "loop.prediction: coefficients_2": "third",
    "loop.prediction: coefficients_3": "fourth",
    "loop.prediction: coefficients_4": "fifth",
    "walk: states": "where each row is",
    "walk: records": "what each lane's group is of",
}


def _several(numbers: list[int]) -> str:
    return " / ".join(f"{n:,}" for n in (numbers if len({*numbers}) > 1 else numbers[:1]))


def memories() -> str:
    """Words x bits of each memory of a decoder, of three widths, by depth; and all block memories.
    """
    found = load("memories")
    builds: dict[int, list[dict]] = {}
    for build in found["builds"]:
        builds.setdefault(build["depth"], []).append(build)
    names = {name for build in found["builds"] for name in build["memories"]}
    if names != {*_HOLD}:
        raise ValueError(f"memories must be those that are told of, not {names ^ {*_HOLD}}")
    lines = [
        f"| memory | holds | {' | '.join(f'{depth} bits' for depth in builds)} |",
        "|---|---|" + "---|" * len(builds),
    ]
    order = sorted(_HOLD, key=lambda name: all(
        build["memories"][name]["halves"] is None for build in found["builds"]
    ))  # fmt: skip
    for name in order:
        cells = []
        for row in builds.values():
            one = [build["memories"][name] for build in row]
            cells.append(f"{_several([m['words'] for m in one])} x "
                         f"{_several([m['bits'] for m in one])}")  # fmt: skip
        in_luts = all(b["memories"][name]["halves"] is None for b in found["builds"])
        where = f"`{name}`" + (", in LUTs" if in_luts else "")
        lines.append(f"| {where} | {_HOLD[name]} | {' | '.join(cells)} |")
    totals = [
        " / ".join(f"{sum(m['halves'] or 0 for m in b['memories'].values()) / 2:g}" for b in row)
        for row in builds.values()
    ]
    lines.append(f"| **BRAM36 in all** | | {' | '.join(totals)} |")
    sizes = " / ".join(f"{b['width']:,} x {b['height']:,}" for b in next(iter(builds.values())))
    lanes = found["builds"][0]["lanes"]
    return "\n".join([
        *lines, "", f"(words x bits of decoders for {sizes}, {lanes} lanes; one number: all three; "
        f"`{found['command']}`)",
    ])  # fmt: skip


def stages() -> str:
    """Clocks from a visit to what is there then, of both cores."""
    found = load("stages")
    cores = {core: found["cores"][0][core] for core in ("encoder", "decoder")}
    names = sorted(cores["decoder"]["clocks"], key=lambda name: cores["decoder"]["clocks"][name])
    lines = [
        f"| core | images | {' | '.join(names)} | lanes; clocks of a period |",
        "|---|---|" + "---|" * (len(names) + 1),
    ]
    for core in cores:
        rows: dict[tuple, list[str]] = {}
        for entry in found["cores"]:
            one = entry[core]
            cells = (*(one["clocks"].get(name, "-") for name in names), one["lanes"], one["period"])
            near = f" with nears up to {entry['near']}" if entry["near"] else ""
            rows.setdefault(cells, []).append(f"`{entry['model']}`, {entry['depth']} bits{near}")
        lines += [
            f"| {core} | {'; '.join(images)} | {' | '.join(map(str, cells))}; {period} |"
            for (*cells, period), images in rows.items()
        ]  # fmt: skip
    return "\n".join([*lines, "", f"(`{found['command']}`)"])
