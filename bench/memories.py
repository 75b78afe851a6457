"""Memories of the predictive decoder, by samples' bits and by width.

    python -m bench.memories

All of it is what the gateware makes of its configuration: the core is elaborated, as for a build,
and its memories are read from the RTLIL that Amaranth writes.  `photo` is for 8 bits, `photo-16`
for more, as `lutgen encode` takes them.  Block memories are counted as the fabric counts them,
pieces of 18 kbit as halves.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import click
from amaranth.back import rtlil

from bench.asked import command_of
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.gateware.fabric.fabric import Fabric
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.decoder import PredictiveDecoder
from lutgen.model.default import DEEP, DEFAULT
from lutgen.model.shipped import shipped

DEPTHS = (8, 10, 12, 14, 16)
SIZES = ((512, 512), (1920, 1080), (4096, 2160))
_MODULE = re.compile(r"module \\core(?:\.(\S+))?")
_MEMORY = re.compile(r"memory width (\d+) size (\d+) \\(\S+)")
#: Pieces of a buffer that is cut by its words, those of a table by the bits of a word, and the
#: tables of coefficients, which are read one after the other.
_BUFFER = re.compile(r"(?P<name>.+?)_(?P<bank>\d+)_\d+")
_TABLE = re.compile(r"(?P<name>.+?)_\d+")
_TABLES = re.compile(r"(?P<name>coefficients_\d+)_\d+")


class Piece(NamedTuple):
    """A memory of the RTLIL: its module below the core, its name there, and what it holds."""

    module: str
    name: str
    words: int
    bits: int
    block: bool


def pieces(text: str) -> Iterator[Piece]:
    """All memories of a core in RTLIL."""
    module, block = "", False
    for line in map(str.strip, text.splitlines()):
        if match := _MODULE.match(line):
            module = match[1] or ""
        elif match := _MEMORY.match(line):
            yield Piece(module, match[3], int(match[2]), int(match[1]), block)
        block = line.startswith("attribute") and (block or '\\ram_style "block"' in line)


def memories(text: str, fabric: Fabric) -> dict[str, dict]:
    """Memories of a core by module and name, their pieces put together.

    ``words`` and ``bits`` of a word, and ``halves`` of block memories, None of what stands in LUTs.
    """
    found: dict[str, dict] = {}
    for piece in pieces(text):
        match = _TABLES.fullmatch(piece.name) or (
            (_BUFFER.fullmatch(piece.name) or _TABLE.fullmatch(piece.name)) if piece.block else None
        )  # fmt: skip
        parts = match.groupdict() if match else {}
        name, bank = parts.get("name", piece.name), parts.get("bank", "0")
        memory = found.setdefault(f"{piece.module}: {name}", {"banks": {}, "halves": None})
        words, bits = memory["banks"].get(bank, (piece.words, 0))
        if words != piece.words:
            raise ValueError(
                f"pieces of {name} must be equally long, not {words} and {piece.words}"
            )
        memory["banks"][bank] = words, bits + piece.bits
        if piece.block:
            cost = fabric.block_cost(piece.words, piece.bits)
            memory["halves"] = (memory["halves"] or 0) + cost
    for memory in found.values():
        banks = memory.pop("banks").values()
        (bits,) = {bits for _, bits in banks}
        memory |= {"words": sum(words for words, _ in banks), "bits": bits}
    return found


def measured(depth: int, width: int, height: int) -> dict:
    """Memories of a decoder."""
    model = shipped(DEFAULT if depth == 8 else DEEP[DEFAULT])
    config = PredictiveConfig(model, depth=depth, max_width=width, max_height=height)
    core = PredictiveDecoder(**config.of_decoder)
    text = rtlil.convert(core, name="core", platform=config.cells, emit_src=False)
    return {
        "depth": depth, "width": width, "height": height, "model": model.hash,
        "lanes": config.lanes, "memories": memories(text, config.cells),
    }  # fmt: skip


@click.command(cls=Command)
@click.option("--depth", type=click.IntRange(8, 16), multiple=True, default=DEPTHS,
              show_default=True)  # fmt: skip
@click.option("--out", default="bench/results/memories.json", show_default=True, type=OutputFile())
def main(depth, out) -> None:
    """Elaborate decoders and read their memories."""
    builds = []
    for bits in depth:
        for width, height in SIZES:
            builds.append(measured(bits, width, height))
            say(f"{bits} bits, {width} x {height}: {len(builds[-1]['memories'])} memories")
    record = {
        "command": command_of("bench.memories"), "builds": builds,
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
