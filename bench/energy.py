"""Table 2 of the GIC-DLC paper: energy and time per pixel, encoder and decoder beside PNG.

    python -m bench.energy --images emnist_digits
    python -m bench.energy --images kodak --model photo --count 3 --size 272x16+200+250 --out ...

Method
------
Both cores are mapped to the cells of the device by the project's Yosys flow, memories with their
contents, and the mapped cells are simulated on real images through the ports of the tops
(`lutgen.sim.gates.gates`).  The bytes and pixels must equal the reference codec's, and the clock of
every beat that of the Verilog in Verilator.  Transitions of all nets, accesses of memories and
clock pins, counted while the pipeline is full, times the energies of `lutgen.synth.energy` are
dynamic energy; its coefficients, with their sources, go into the result.

Two counts are given: ``settled`` without glitches and ``unit_delay`` with them, each glitch in
full.  Coefficients are good to a factor of two at best, so the result has half and double of the
energy, and by how much the doubling of each coefficient alone raises it.  Left out: static power,
pins, clock generation, and all that placement and routing decide.  Ports of block memories count in
every clock in which they are enabled; ``idle_write_ports_nj_per_pixel`` is what those that only
write take in clocks in which they do not, which vendor tools can save by their enable.

A run of one core, ``--top``, keeps what the file has of the other, if it is of the same images,
model, target and coefficients.

PNG is encoded and decoded in the same run on this CPU by imagecodecs (libpng), one file per image
and one file of all of them, in CPU time, which other processes lengthen little.  Its energy is that
time times power, and the power is an assumption: what the paper measured on its own CPU over idle
(appendix C.1), not this CPU's.
"""

import importlib.metadata
import json
import platform
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.pairs import STREAM_BYTES, Pair, pair_of, read_stack
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.formats.imageio import png_bytes
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.words import files_of
from lutgen.sim.gates.gates import GateSimulation, Snapshot, Stream
from lutgen.synth.cells import cost
from lutgen.synth.energy import CLASSES, COEFFICIENTS, energy
from lutgen.synth.mapped import map_design
from lutgen.targets import get_target
from lutgen.training.data.datasets import data_hash

#: Watts over idle that the paper measured on its CPU, appendix C.1: 12.38 - 5.21 and 12.79 - 5.21.
CPU_WATTS = {"encode": 7.17, "decode": 7.58}
#: nJ and ns per pixel that the paper estimates in its table 2.
PUBLISHED = {
    "PNG": {"nj": {"encode": 322.58, "decode": 39.19}, "ns": {"encode": 44.99, "decode": 5.17}},
    "GIC-DLC": {"nj": {"encode": 4.0, "decode": 4.0}, "ns": {"encode": 5.0, "decode": 5.0}},
}
_REPEATS = 5
_MAX_CLOCKS_PER_PIXEL = 40
_SLACK_CLOCKS = 200_000
_PORTS = {
    "encoder": ("s_axis_video", ("data", "user", "last"), "m_axis_stream",
                ("data", "keep", "last")),
    "decoder": ("s_axis_stream", ("data", "keep", "last"), "m_axis_video",
                ("data", "user", "last")),
}  # fmt: skip
_WIDTHS = {"video": {"data": 8, "user": 1, "last": 1},
           "stream": {"data": 8 * STREAM_BYTES, "keep": STREAM_BYTES, "last": 1}}  # fmt: skip


class Core:
    """One core, mapped and ready to be run on images of one file.

    Parameters
    ----------
    name : "encoder" or "decoder"
    pair : Pair
    family : Xilinx family that Yosys maps to
    """

    def __init__(self, name: str, pair: Pair, family: str) -> None:
        self.name, self.pair = name, pair
        module = f"lutgen_{name}"
        self.design = map_design(to_verilog(pair.top(name), module), module, family)
        self.blocks = pair.blocks(name)

    def run(self) -> dict:
        """Simulate, compare with the reference, and count from when the pipeline is full.

        Returns
        -------
        dict
            Results, ready for json but for ``in_clocks`` and ``out_clocks`` of all beats.
        """
        began = time.perf_counter()
        pair, images = self.pair, self.pair.images
        encodes = self.name == "encoder"
        source, fields, sink, out_fields = _PORTS[self.name]
        words = pair.words()
        beats = raster_beats(images) if encodes else words
        sizes, out_sizes = _WIDTHS[source.split("_")[2]], _WIDTHS[sink.split("_")[2]]
        bits = np.concatenate([_bits(beats[name], sizes[name]) for name in fields], axis=1)
        config = {"clear_error": 0}
        if encodes:
            config |= pair.settings
        simulation = GateSimulation(
            self.design, _stream(source, fields), _stream(sink, out_fields), config
        )
        pixels = images.size
        marks = [pair.lead * images[0].size, pixels]
        goals = [{"taken": n, "given": 0} if encodes else {"taken": 0, "given": n} for n in marks]
        goals.append({"taken": len(bits), "given": len(words["data"]) if encodes else pixels})
        limit = _MAX_CLOCKS_PER_PIXEL * pixels + _SLACK_CLOCKS
        parts = [simulation.run(bits, max_clocks=limit, **goal) for goal in goals]
        given = np.concatenate([part[1] for part in parts])
        ends = np.cumsum([out_sizes[name] for name in out_fields])[:-1]
        values = dict(zip(out_fields, map(_integers, np.split(given, ends, axis=1)), strict=True))
        if encodes:
            files, rest = files_of(values["data"], values["keep"], values["last"], STREAM_BYTES)
            if files != pair.files or rest:
                raise SystemExit("error: the mapped encoder's bytes differ from the reference's")
        elif not np.array_equal(values["data"], images.ravel()):
            raise SystemExit("error: the mapped decoder's pixels differ from the images")
        window = parts[1][0] - parts[0][0]
        idle = sum(
            cost(port.cell)["bram36"] * n * COEFFICIENTS["bram"].picojoules
            for port, n in zip(simulation.ports, window.idle_writes.tolist(), strict=True)
        )
        return {
            "cells": len(self.design.cells),
            "window": {"pixels": marks[1] - marks[0], "clocks": window.clocks},
            "clocks_per_pixel": window.clocks / (marks[1] - marks[0]),
            "idle_write_ports_nj_per_pixel": 1e-3 * idle / (marks[1] - marks[0]),
            "energy": {
                what: self._energy(simulation, window, what, marks[1] - marks[0])
                for what in ("settled", "unit_delay")
            },
            "simulation_seconds": round(time.perf_counter() - began, 1),
            "in_clocks": np.concatenate([part[2] for part in parts]),
            "out_clocks": np.concatenate([part[3] for part in parts]),
        }

    def _energy(self, simulation: GateSimulation, window: Snapshot, what: str, pixels: int) -> dict:
        """nJ per pixel."""
        changes = window.settled if what == "settled" else window.unit
        found = energy(
            self.design, self.blocks,
            transitions=lambda net: int(changes[simulation.net[net]]) if net in simulation.net
            else 0,
            shifts=zip(simulation.shift_registers, window.shifts.tolist(), strict=True),
            writes=zip(simulation.lut_memories, window.writes.tolist(), strict=True),
            accesses=((port.cell, n) for port, n in
                      zip(simulation.ports, window.accesses.tolist(), strict=True)),
            products=zip(simulation.multipliers, window.products.tolist(), strict=True),
            clocks=window.clocks,
        )  # fmt: skip
        scale = 1e-3 / pixels
        return {
            "nj_per_pixel": found["total"] * scale,
            "half": found["total"] * scale / 2,
            "double": found["total"] * scale * 2,
            "classes": {
                name: {
                    "cells": entry["cells"] * scale, "wires": entry["wires"] * scale,
                    "events_per_clock": entry["events"] / window.clocks,
                }
                for name, entry in found["classes"].items()
            },
            "blocks": {name: value * scale for name, value in found["blocks"].items()},
            "raised_by_doubling": {
                name: value / found["total"] for name, value in found["coefficients"].items()
            },
        }  # fmt: skip


def _stream(name: str, fields: tuple[str, ...]) -> Stream:
    return Stream(f"{name}_tvalid", f"{name}_tready", tuple(f"{name}_t{f}" for f in fields))


def _bits(values: np.ndarray, width: int) -> np.ndarray:
    values = np.asarray(values).astype(np.uint64)[:, None]
    return (values >> np.arange(width, dtype=np.uint64) & np.uint64(1)).astype(np.uint8)


def _integers(bits: np.ndarray) -> np.ndarray:
    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[1], dtype=np.int64))


def _check_clocks(core: str, pair: Pair, found) -> None:
    """Beats of the mapped cells must fall in the clocks in which those of the Verilog do."""
    trace = (pair.encode(pair.images) if core == "encoder" else pair.decode(pair.files)).trace
    source, _, sink, _ = _PORTS[core]
    for name, expected in (("in", trace.input_clocks[source]), ("out", trace.output_clocks[sink])):
        if not np.array_equal(found.pop(f"{name}_clocks"), expected):
            raise SystemExit(f"error: {name}put clocks of the mapped {core} are not the Verilog's")


def measure_png(images: np.ndarray, cpu: str | None) -> dict:
    """CPU time of PNG, the median of some runs, and its energy if the CPU is known."""
    import imagecodecs

    result: dict = {"imagecodecs": importlib.metadata.version("imagecodecs"), "cpu": cpu,
                    "repeats": _REPEATS, "watts_assumed": CPU_WATTS if cpu else None}  # fmt: skip
    each = [np.ascontiguousarray(image) for image in images]
    kinds = {"one file per image": each, "one file of all": [np.concatenate(each)]}
    coders: dict[str, Callable] = {
        "level 9": png_bytes,
        "level 1": lambda a: imagecodecs.png_encode(a, level=1, out=2 * a.size + 4096),
    }
    result["runs"] = []
    for kind, arrays in kinds.items():
        for level, encode in coders.items():
            files = [encode(array) for array in arrays]
            if not all(
                np.array_equal(imagecodecs.png_decode(f), a)
                for f, a in zip(files, arrays, strict=True)
            ):
                raise SystemExit("error: PNG does not give the images back")
            ns = {
                "encode": _median_ns(encode, arrays) / images.size,
                "decode": _median_ns(imagecodecs.png_decode, files) / images.size,
            }
            result["runs"].append({
                "files": kind, "level": level, "ns_per_pixel": ns,
                "bpp": 8 * sum(map(len, files)) / images.size,
                "nj_per_pixel": {k: v * CPU_WATTS[k] for k, v in ns.items()} if cpu else None,
            })  # fmt: skip
    return result


def _median_ns(function: Callable, items: list) -> float:
    times = []
    for _ in range(_REPEATS):
        began = time.process_time_ns()
        for item in items:
            function(item)
        times.append(time.process_time_ns() - began)
    return float(np.median(times))


def processor() -> str | None:
    """This CPU's name, None if the system does not say."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else None


@click.command(cls=Command)
@click.option("--images", required=True,
              help="Data set (its val part) or folder, images of one size; or one image file.")
@click.option("--count", default=96, show_default=True, help="First images of it.")
@click.option("--size", help="WIDTHxHEIGHT to cut of each image, from the upper left or +X+Y.")
@click.option("--model", help="Name or file of a model; by default the embedded one of digits.")
@click.option("--target", default="zynq7045", show_default=True)
@click.option("--top", default="both", show_default=True,
              type=click.Choice(["both", *_PORTS]), help="One core, or both.")
@click.option("--out", default="bench/results/energy.json", show_default=True, type=OutputFile())
def main(images, count, size, model, target, top, out) -> None:
    """Measure both cores and PNG."""
    began = time.perf_counter()
    stack = read_stack(images, count, size)
    pair = pair_of(model, stack, target)
    target, model = get_target(target), pair.model
    if target.yosys_family is None:
        raise click.UsageError(f"target must be one with cells to map to, not {target.name!r}")
    count = len(stack)
    result = {
        "date": date.today().isoformat(),
        "command": command_of("bench.energy"),
        "images": Path(images).name, "sha256": data_hash(list(stack)),
        "count": count, "width": stack.shape[2], "height": stack.shape[1],
        "skipped_images": pair.lead, "bpp": pair.bpp, **pair.facts,
        "model_hash": model.hash, "profile": model.profile,
        "target": target.name, "clock_mhz": target.clock_mhz,
        "coefficients": {
            name: {"pj": c.picojoules, "per": c.event, "source": c.source}
            for name, c in COEFFICIENTS.items()
        },
        "published": PUBLISHED,
        "cores": {},
    }  # fmt: skip
    for name in _PORTS if top == "both" else [top]:
        click.echo(f"{name}: mapping", err=True)
        core = Core(name, pair, target.yosys_family)
        click.echo(f"{name}: simulating {len(core.design.cells):,} cells", err=True)
        found = core.run()
        click.echo(f"{name}: simulating the Verilog", err=True)
        _check_clocks(name, pair, found)
        found["ns_per_pixel"] = found["clocks_per_pixel"] * target.period_ns
        found["watts_at_clock"] = {
            what: e["nj_per_pixel"] / found["ns_per_pixel"] for what, e in found["energy"].items()
        }
        result["tool"] = core.design.tool
        result["cores"][name] = found
    cores = _kept(out, result) | result["cores"]
    result["cores"] = {name: cores[name] for name in _PORTS if name in cores}
    result["png"] = measure_png(stack, processor())
    result["machine"] = {"cpu": processor(), "python": platform.python_version()}
    result["seconds"] = round(time.perf_counter() - began, 1)
    write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    _show(result)


def _kept(out: str, result: dict) -> dict:
    """Cores of an earlier run of the same images, model and target, for a run of one core."""
    if not (path := Path(out)).exists():
        return {}
    found = json.loads(path.read_text())
    same = all(
        found.get(key) == result[key]
        for key in ("sha256", "width", "height", "model_hash", "target", "coefficients")
    )
    return found["cores"] if same else {}


def _show(result: dict) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    cores, console = result["cores"], Console()
    table = Table(
        title=f"{result['images']}, {result['count']} images of {result['width']} x "
        f"{result['height']},\n{result['target']} at {result['clock_mhz']:g} MHz: dynamic energy",
        title_justify="left", box=SIMPLE,
    )  # fmt: skip
    table.add_column("method")
    for head in ("nJ/pixel\nencode", "decode", "ns/pixel\nencode", "decode"):
        table.add_column(head, justify="right")

    def line(label: str, nj: list, ns: list) -> None:
        cells = ["-" if v is None else f"{v:.2f}" for v in (*nj, *ns)]
        table.add_row(label, *cells)

    ns = [core["ns_per_pixel"] for core in cores.values()]
    for what, label in (("settled", "without glitches"), ("unit_delay", "with glitches")):
        line(f"this codec, {label}",
             [core["energy"][what]["nj_per_pixel"] for core in cores.values()], ns)  # fmt: skip
    for key, what in (("half", "settled"), ("double", "unit_delay")):
        label = {"half": "half of it, without", "double": "double, with"}[key]
        line(f"  {label} glitches",
             [core["energy"][what][key] for core in cores.values()], ns)  # fmt: skip
    table.add_section()
    for run in result["png"]["runs"]:
        nj = run["nj_per_pixel"] or {"encode": None, "decode": None}
        line(f"PNG {run['level']}, {run['files']}", [*nj.values()],
             [*run["ns_per_pixel"].values()])  # fmt: skip
    table.add_section()
    for name, given in result["published"].items():
        line(f"{name}, published", [*given["nj"].values()], [*given["ns"].values()])
    console.print(table)
    console.print("nJ of PNG: CPU time at the watts that the paper measured on its CPU\n")

    table = Table(title="nJ/pixel, with glitches", title_justify="left", box=SIMPLE)
    table.add_column("")
    for name in cores:
        for column in ("cells", "wires", "per clock"):
            table.add_column(f"{name if column == 'cells' else ''}\n{column}", justify="right")
    for key, label in CLASSES.items():
        cells = []
        for core in cores.values():
            entry = core["energy"]["unit_delay"]["classes"][key]
            cells += [f"{entry['cells']:.3f}", f"{entry['wires']:.3f}",
                      f"{entry['events_per_clock']:.1f}"]  # fmt: skip
        table.add_row(label, *cells)
    table.add_section()
    blocks = [core["energy"]["unit_delay"]["blocks"] for core in cores.values()]
    for name in dict.fromkeys(name for found in blocks for name in found):
        cells = [
            cell
            for found in blocks
            for cell in ((f"{found[name]:.3f}" if name in found else "-"), "", "")
        ]
        table.add_row(f"block {name}", *cells)
    console.print(table)


if __name__ == "__main__":
    main()
