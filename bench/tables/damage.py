"""Damage that a decoder does not notice."""

from .results import load

__all__ = ["damage"]

_CODERS = {"rans": "rANS", **{f"tans{n}": f"tANS {n}" for n in range(8, 13)}}


def damage() -> str:
    """Single changed bytes that are missed, by data and coder."""
    lines = [
        "| images | bit/pixel | coder | changes | missed | one in | 95 % |",
        "|---|---|---|---|---|---|---|",
    ]
    found = load("damage")
    for row in sorted(found["rows"].values(), key=lambda row: (row["coder"], row["bpp"])):
        low, high = row["missed_95"]
        one_in = f"{row['one_in']:,}" if row["missed"] else "-"
        lines.append(
            f"| {row['data'].removesuffix('.npz')} | {row['bpp']:.2f} | {_CODERS[row['coder']]} | "
            f"{row['changes']:,} | {row['missed']} | {one_in} | "
            f"1 in {1 / high:,.0f} to {1 / low:,.0f} |"
        )
    return "\n".join([
        *lines, "", "(embedded model, one tile per file, each change another byte behind the "
        "header; `python -m bench.damage DATA:CODER...`)",
    ])  # fmt: skip
