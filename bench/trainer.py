"""Speed and memory of training a LUT layer: prefix sums, the dense form, other libraries.

    python -m bench.trainer --seconds 10 --out bench/results/trainer.json

One training step (soft forward, backward, Adam) of one layer of 1,024 LUT6 that reads 25 features
through 255 thresholds each, on windows of drawn glyphs, each contender in a process of its own:

ours, dense
    The same module but for one method: pins are rows of prefix sums, or the product of all 6,375
    thermometer bits with the softmax weights.  NeuraLUT nodes as in the paper, then plain tables.
    "product": this alone, without softmax, nodes and Adam, which both have in common.
torchlogix
    Its `LogicDense` on the same bits, rank 6, "light": sigmoids of 64 entries interpolated as in
    our soft tables.  Its learnable connections are always hard forward, with gradients for all
    candidates, so it is given less to do than ours.  It holds an array of batch x candidates x
    pins, hence batches of 8.
sampled
    Hard forward, soft backward, 16 drawn candidates for each pin; torchlogix has soft nodes then
    too, and 245 thresholds, as it refuses more inputs than a layer has pins.
2-input gates
    What torchlogix took over from difflogic, and difflogic itself: 16 functions mixed, fixed
    connections.  3,200 gates have as many pins as 1,024 LUT6 have, and are a fifth of a LUT6 each.

Then whole iterations of the paper: 16 images with two levels above them, two such layers, the
loss a code length, equal windows without content merged; 8,000 of them are projected.

torchlogix and difflogic are optional.  With one thread times are CPU times of the process, which
other load on the machine disturbs least.
"""

import importlib.metadata
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file

_LUTS = 1024
_THRESHOLDS = 255
_RATE = 0.01
# As the trainer's preset for CPUs has it.
_SAMPLED = 16
# 16 images and 8,000 iterations: appendix A.3 of the paper.
_IMAGES = 16
_ITERATIONS = 8000

# --- data


def _levels(images: int):
    """Windows of an autoregressive model with two levels above glyphs, 25 features."""
    from lutgen.model.window import Window
    from lutgen.training.data.glyphs import glyphs
    from lutgen.training.data.samples import collect_levels

    def repeat(low: np.ndarray, height: int, width: int) -> np.ndarray:
        return low.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]

    return collect_levels(
        glyphs(images, seed=1), Window(5, prior=True), 32, levels=2, upsample=repeat
    )


def _windows(batch: int):
    """Features uint8 (B, 25) with content, and targets float32 (B, 1024)."""
    import torch

    features = np.concatenate([s.features.T for s in _levels(8 + batch // 300)])
    features = features[features.any(axis=1)]
    rng = np.random.default_rng(0)
    drawn = features[rng.permutation(len(features))[:batch]]
    target = rng.integers(2, size=(batch, _LUTS)).astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(drawn)), torch.from_numpy(target)


# --- contenders: a function that takes one step


def _steps(parameters, loss: Callable) -> Callable[[], None]:
    import torch

    optimizer = torch.optim.Adam(list(parameters), lr=_RATE, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def _dense(connection):
    """The same connection as a product with all bits."""
    import torch

    def forward(features, tau, hard=False):
        thresholds = connection.thresholds.to(torch.uint8)
        bits = features[:, None, :] > thresholds[None, :, None]
        return bits.flatten(1).float() @ connection.weights(tau)

    connection.forward = forward
    return connection


def _own(batch: int, nodes: str, dtype: str = "float32", dense: bool = False):
    import torch

    from lutgen.training.dlc.connect import ThermometerConnection
    from lutgen.training.dlc.node import FANIN, NeuraLutNodes, TableNodes

    features, target = _windows(batch)
    connection = ThermometerConnection(
        features.shape[1], FANIN * _LUTS, range(_THRESHOLDS), dtype=getattr(torch, dtype)
    )
    if dense:
        _dense(connection)
    layer = {"neuralut": NeuraLutNodes, "table": TableNodes}[nodes](_LUTS)

    def loss():
        return (layer(connection(features, 1.0), 1.0) - target).square().mean()

    return _steps([*connection.parameters(), *layer.parameters()], loss)


def _product(batch: int, dense: bool):
    """Pins of given weights, and the gradient of the weights."""
    import torch

    from lutgen.training.dlc.connect import prefix_lookup

    features, _ = _windows(batch)
    count = features.shape[1]
    weights = torch.rand(_THRESHOLDS, count, 6 * _LUTS, requires_grad=True)
    upstream = torch.rand(batch, 6 * _LUTS)

    def step():
        if dense:
            pins = _bits(features, _THRESHOLDS) @ weights.flatten(0, 1)
        else:
            # The thresholds 0, 1, ... 254 that a value exceeds are as many as the value.
            pins = prefix_lookup(weights, features.long() * count + torch.arange(count))
        weights.grad = None
        pins.backward(upstream)

    return step


def _own_sampled(batch: int):
    import torch

    from lutgen.training.dlc.connect import ThermometerConnection
    from lutgen.training.dlc.fast import hard_layer
    from lutgen.training.dlc.node import FANIN, TableNodes
    from lutgen.training.dlc.wiring import stratified

    features, target = _windows(batch)
    pins, candidates = FANIN * _LUTS, features.shape[1] * _THRESHOLDS
    chosen = stratified(candidates, pins, _SAMPLED, torch.Generator().manual_seed(0))
    connection = ThermometerConnection(features.shape[1], pins, range(_THRESHOLDS), chosen=chosen)
    layer = TableNodes(_LUTS)
    candidate, bound = connection.candidate_bits()

    def loss():
        x = features.T.contiguous()
        bits = hard_layer(x, connection.logits, layer.entries, candidate, bound, 1.0, 1.0)
        return (bits - target.T).square().mean()

    return _steps([connection.logits, layer.entries], loss)


def _bits(features, thresholds: int):
    import torch

    levels = torch.linspace(0, 254, thresholds).round().to(torch.uint8)
    return (features[:, None, :] > levels[None, :, None]).flatten(1).float()


def _torchlogix(batch: int, sampled: int | None = None):
    from torchlogix.layers import LogicDense

    features, target = _windows(batch)
    pins = 6 * _LUTS
    thresholds = _THRESHOLDS if sampled is None else min(_THRESHOLDS, pins // features.shape[1])
    layer = LogicDense(
        features.shape[1] * thresholds, _LUTS, lut_rank=6, parametrization="light",
        connections="learnable", connections_kwargs={"num_candidates": sampled or -1},
    )  # fmt: skip

    def loss():
        return (layer(_bits(features, thresholds)) - target).square().mean()

    return _steps(layer.parameters(), loss)


def _gates(batch: int, library: str):
    features, target = _windows(batch)
    # As many pins as 1,024 LUT6 have, and no fewer than inputs.
    inputs, gates = features.shape[1] * _THRESHOLDS, 3200
    if library == "torchlogix":
        from torchlogix.layers import LogicDense

        layer = LogicDense(inputs, gates)
    else:
        from difflogic import LogicLayer

        layer = LogicLayer(inputs, gates, device="cpu", implementation="python")

    def loss():
        return (layer(_bits(features, _THRESHOLDS))[:, :_LUTS] - target).square().mean()

    return _steps(layer.parameters(), loss)


def _iteration(form: str):
    """Steps of the paper's autoregressive model on 16 images, and how many windows these are."""
    import torch

    from lutgen.model.window import Window
    from lutgen.training.dlc.config import Hardness, NetworkConfig
    from lutgen.training.dlc.layouts import arm_layout
    from lutgen.training.dlc.network import LutNetwork
    from lutgen.training.dlc.output import LaplaceOutput

    options = {
        "bfloat16": {"dtype": "bfloat16"},
        "sampled": {"nodes": "table", "sampled": _SAMPLED, "aligned": True},
    }
    network = LutNetwork(
        arm_layout(Window(5, prior=True), _LUTS),
        NetworkConfig(layers=(_LUTS, _LUTS), **options.get(form, {})),
    )
    if form == "dense":
        _dense(network.connections[0])
    how = Hardness(hard=True) if form == "sampled" else Hardness(noise=True)
    output = LaplaceOutput(_LUTS // 2, _LUTS // 2)
    levels = _levels(_IMAGES)
    features = torch.from_numpy(np.concatenate([s.features.T for s in levels]))
    symbols = torch.from_numpy(np.concatenate([s.symbols for s in levels]))
    weights = torch.from_numpy(np.concatenate([s.weights for s in levels]))

    def loss():
        length = output.code_length(network(features, how), symbols)
        return (length * weights).sum() / levels[0].pixels

    sizes = {"windows": int(weights.sum()), "merged": len(symbols)}
    return _steps(network.parameters(), loss), sizes


_LAYERS = {
    "product: prefix sums": lambda b: _product(b, False),
    "product: dense": lambda b: _product(b, True),
    "ours": lambda b: _own(b, "neuralut"),
    "ours, bfloat16": lambda b: _own(b, "neuralut", "bfloat16"),
    "dense": lambda b: _own(b, "neuralut", dense=True),
    "ours, tables": lambda b: _own(b, "table"),
    "dense, tables": lambda b: _own(b, "table", dense=True),
    "torchlogix": lambda b: _torchlogix(b),
    "ours, hard, sampled": _own_sampled,
    "torchlogix, sampled": lambda b: _torchlogix(b, _SAMPLED),
    "torchlogix, 2-input gates": lambda b: _gates(b, "torchlogix"),
    "difflogic, 2-input gates": lambda b: _gates(b, "difflogic"),
}
_PAPER = {
    "iteration: ours": "float32",
    "iteration: ours, bfloat16": "bfloat16",
    "iteration: dense": "dense",
    "iteration: ours, hard, sampled": "sampled",
}
#: Pairs to divide: the first of the second.
_RATIOS = [
    ("product: prefix sums", "product: dense"),
    ("ours", "dense"),
    ("ours, bfloat16", "dense"),
    ("ours, tables", "dense, tables"),
    ("ours, tables", "torchlogix"),
    ("ours, hard, sampled", "torchlogix, sampled"),
    ("ours, hard, sampled", "ours, tables"),
    ("ours, hard, sampled", "dense, tables"),
    ("iteration: ours", "iteration: dense"),
    ("iteration: ours, bfloat16", "iteration: dense"),
    ("iteration: ours, hard, sampled", "iteration: dense"),
    ("iteration: ours, hard, sampled", "iteration: ours"),
]

# --- one contender, in its own process


def _peak() -> float:
    """Most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(step: Callable[[], None], clock: Callable[[], float]) -> float:
    start = clock()
    step()
    return clock() - start


def _measure(name: str, batch: int, seconds: float, threads: int, memory: int) -> dict:
    import numba
    import torch

    torch.set_num_threads(threads)
    numba.set_num_threads(threads)
    torch.manual_seed(0)
    torch.ones(1, requires_grad=True).sum().backward()
    limit = memory << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    clock = time.process_time if threads == 1 else time.perf_counter
    before, sizes = _peak(), {}
    try:
        if name in _PAPER:
            step, sizes = _iteration(_PAPER[name])
        else:
            step = _LAYERS[name](batch)
        times, end = [_timed(step, clock)], time.monotonic() + seconds
        # The first step allocates, or compiles what is hard: it counts where others take too long.
        if times[0] < 10 * seconds or "hard" in name:
            times.clear()
        while not times or time.monotonic() < end:
            times.append(_timed(step, clock))
    except ImportError as error:
        return {"error": f"not installed: {error.name}"}
    except SyntaxError:
        return {"error": "needs a newer Python"}
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return {"error": f"needs more than {memory} GiB"}
    each = statistics.median(times)
    return sizes | {
        "steps": len(times), "seconds": each, "per_second": 1 / each,
        "peak_mib": _peak(), "libraries_mib": before,
    }  # fmt: skip


def _run(name: str, batch: int, **options) -> dict:
    command = [sys.executable, "-m", "bench.trainer", "--one", name, "--batches", str(batch)]
    for key, value in options.items():
        command += [f"--{key}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        result = {"error": lines[-1]}
    else:
        result = json.loads(done.stdout.splitlines()[-1])
    return {"contender": name, "batch": batch} | result


# --- all of them


def _ratios(runs: list[dict]) -> list[dict]:
    found = {(r["contender"], r["batch"]): r for r in runs if "error" not in r}
    out = []
    for ours, other in _RATIOS:
        for name, batch in list(found):
            if name == ours and (other, batch) in found:
                a, b = found[ours, batch], found[other, batch]
                out.append({
                    "contender": ours, "other": other, "batch": batch,
                    "speed": b["seconds"] / a["seconds"], "memory": a["peak_mib"] / b["peak_mib"],
                })  # fmt: skip
    return out


def _machine(threads: int) -> dict:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = {}
    for package in ("torch", "numba", "torchlogix", "difflogic"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "cpu": names[0] if names else None, "threads": threads, "versions": versions,
        "clock": "CPU time" if threads == 1 else "wall time",
    }  # fmt: skip


def _table(runs: list[dict]):
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE)
    for title in ("", "batch", "steps/s", "windows/s", "peak MiB", ""):
        table.add_column(title, justify="left" if not title else "right")
    for run in runs:
        batch = str(run["batch"])
        if "error" in run:
            table.add_row(run["contender"], batch, "", "", "", run["error"])
            continue
        windows = run["batch"] * run["per_second"]
        table.add_row(
            run["contender"], batch, f"{run['per_second']:.3g}",
            f"{windows:,.0f}" if windows >= 10 else f"{windows:.2f}", f"{run['peak_mib']:,.0f}",
            f"{_ITERATIONS:,} in {run['hours']:.2f} h" if "hours" in run else "",
        )  # fmt: skip
    return table


@click.command(cls=Command)
@click.option("--seconds", default=5.0, show_default=True, help="Of measurement, per contender.")
@click.option("--batches", default="8,256,2048", show_default=True, help="Windows per step.")
@click.option("--only", help="Contenders, separated by semicolons; by default all.")
@click.option("--threads", default=1, show_default=True)
@click.option("--memory", default=12, show_default=True, help="GiB that a contender may take.")
@click.option("--one", hidden=True, help="Measure this one here.")
@click.option("--out", type=OutputFile(), help="Json file to write.")
def main(seconds, batches, only, threads, memory, one, out) -> None:
    """Measure all contenders, one after the other."""
    sizes = [int(b) for b in batches.split(",")]
    options = {"seconds": seconds, "threads": threads, "memory": memory}
    if one:
        click.echo(json.dumps(_measure(one, sizes[0], **options)))
        return
    from rich.console import Console

    console = Console()
    chosen = only.split(";") if only else [*_LAYERS, *_PAPER]
    for name in chosen:
        if name not in _LAYERS and name not in _PAPER:
            raise click.UsageError(f"contender must be one of {[*_LAYERS, *_PAPER]}, not {name!r}")
    result = {
        "machine": _machine(threads),
        "layer": {"luts": _LUTS, "features": 25, "thresholds": _THRESHOLDS, "sampled": _SAMPLED},
        "runs": [], "ratios": [],
    }  # fmt: skip
    for name in chosen:
        for batch in [0] if name in _PAPER else sizes:
            with console.status(f"{name}, {batch}"):
                run = _run(name, batch, **options)
            if "merged" in run:
                run |= {"batch": run["merged"], "hours": run["seconds"] * _ITERATIONS / 3600}
            result["runs"].append(run)
            result["ratios"] = _ratios(result["runs"])
            if out:
                write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    console.print(_table(result["runs"]))
    for r in result["ratios"]:
        console.print(
            f"{r['contender']} / {r['other']}, batch {r['batch']}: {r['speed']:.2f} times the "
            f"speed, {r['memory']:.2f} times the memory"
        )


if __name__ == "__main__":
    main()
