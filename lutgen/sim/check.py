"""``lutgen sim``: the Verilog of a build against the reference codec, image by image.

The encoder's files must equal the reference's byte for byte, the decoder's pixels the images.  The
decoder is also given a damaged file and another model's, and must flag both and then decode a good
one: a check that cannot fail proves nothing.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import lutgen
from lutgen.build import build, load_build
from lutgen.build_core import core_config
from lutgen.codec.codec import Codec
from lutgen.codec.coder import Coder
from lutgen.codec.container import HEADER_BYTES, CorruptStreamError
from lutgen.model import Model
from lutgen.sim.codec import RtlDecoder, RtlEncoder
from lutgen.sim.design import Design
from lutgen.sim.stall import Stall
from lutgen.sim.verilator import SimulationError, _tools

__all__ = ["SCHEMA", "check", "check_build", "synthetic_images", "table"]

#: Version of the result.
SCHEMA = 1
#: Sizes beside the glyphs': one pixel, one line, one column, more than a tile by one.
_ODD_SIZES = ((1, 1), (37, 1), (1, 19), (33, 34), (70, 9))


def synthetic_images(count: int = 48, seed: int = 0) -> list[tuple[str, np.ndarray]]:
    """Named images: ``count`` glyphs of 28 x 28, parts of many glyphs at odd sizes, and noise.

    Returns
    -------
    list of (str, uint8 (H, W))
    """
    made = _glyphs(count, seed)
    images = [(f"glyph {k}", glyph) for k, glyph in enumerate(made)]
    page = np.concatenate([made[k % count] for k in range(6)], axis=1)
    page = np.concatenate([page, np.roll(page, 28, axis=1)], axis=0)
    images += [(f"glyphs {w}x{h}", np.ascontiguousarray(page[7 : 7 + h, 5 : 5 + w]))
               for w, h in _ODD_SIZES]  # fmt: skip
    # The largest payloads there are: nothing is predictable.
    noise = np.random.default_rng(seed).integers(256, size=(30, 41), dtype=np.uint8)
    return [*images, ("noise 41x30", noise)]


def _glyphs(count: int, seed: int) -> np.ndarray:
    try:
        from lutgen.training.glyphs import glyphs
    except ModuleNotFoundError:  # Pillow is the trainer's; rings look enough like digits
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:28, :28][..., None]
        at = rng.uniform(9, 19, (2, count))
        radius = np.hypot((x - at[0]) / rng.uniform(0.6, 1.2, count), y - at[1])
        ring = 380 - 120 * np.abs(radius - rng.uniform(3, 8, count))
        return np.moveaxis(ring.clip(0, 255), -1, 0).astype(np.uint8)
    return glyphs(count, seed)


def check(
    model: Model | str | None,
    images: Iterable[tuple[str, np.ndarray]],
    *,
    target: str = "zynq7045",
    stall: float = 0.0,
    seed: int = 0,
    progress: Callable[[str, str], None] | None = None,
    **parameters,
) -> dict:
    """Build both cores of a model for a moment, and check them.

    Parameters
    ----------
    model, target:
        See `lutgen.build.build`; so for ``parameters``, of which the largest image grows to hold
        all ``images``.
    images, stall, seed, progress:
        See `check_build`.

    Returns
    -------
    dict
        See `check_build`, and what is raised.
    """
    _tools()  # before the work
    images = [(name, np.asarray(image)) for name, image in images]
    for side, axis, least in (("max_width", 1, 512), ("max_height", 0, 4096)):
        largest = max((image.shape[axis] for _, image in images if image.ndim == 2), default=1)
        parameters.setdefault(side, max(least, largest))
    with tempfile.TemporaryDirectory(prefix="lutgen-check-") as folder:
        build(target, model, out=Path(folder, "build"), estimate=False, progress=progress,
              **parameters)  # fmt: skip
        return check_build(
            Path(folder, "build"), images, stall=stall, seed=seed, progress=progress
        )


def check_build(
    folder: Path | str,
    images: Iterable[tuple[str, np.ndarray]],
    *,
    stall: float = 0.0,
    seed: int = 0,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Simulate the cores of a build and compare them with the reference codec.

    Parameters
    ----------
    folder:
        What `lutgen.build.build` has written.
    images:
        Names and uint8 (H, W) arrays, of any sizes that the build allows.
    stall:
        Share of clocks in which each port stalls, 0 to 0.9.
    seed:
        Of the stalls and of the damage.
    progress:
        Called with a core and what it is doing, from several threads.

    Returns
    -------
    dict
        Ready for json: ``ok``, ``problems`` (empty if ok), what was run and the clocks it took.

    Raises
    ------
    ValueError
        If there are no images, one is larger than the build allows, or the folder is no build.
    SimulationError
        If a tool is missing; a core that does not compile, or hangs, is a problem instead.
    """
    began = time.perf_counter()
    record = load_build(folder)
    if not 0 <= stall <= 0.9:
        raise ValueError(f"share of stalled clocks must be 0 to 0.9, not {stall!r}")
    _tools()
    model = Model.load(Path(folder) / record["model"]["file"])
    if model.hash != record["model"]["hash"]:
        raise ValueError(
            f"model of the build must have the hash {record['model']['hash'][:16]}, not "
            f"{model.hash[:16]}: build again"
        )
    groups = _groups(images, record["parameters"])
    run = _Run(record, model, groups, stall, seed, progress or (lambda core, step: None))
    cores = [core for core in ("encoder", "decoder") if core in record["cores"]]
    with ThreadPoolExecutor(len(cores)) as pool:
        jobs = {core: pool.submit(getattr(run, core)) for core in cores}
        found = {core: job.result() for core, job in jobs.items()}
    return _result(record, groups, found, run.expected_checks(cores)) | {
        "stall": {"p": stall, "seed": seed},
        "seconds": round(time.perf_counter() - began, 2),
    }


def _groups(images, parameters: Mapping) -> list[tuple[list[str], np.ndarray]]:
    """Images by size, in order of appearance."""
    widest, highest = parameters["max_width"], parameters["max_height"]
    groups: dict[tuple[int, int], tuple[list[str], list[np.ndarray]]] = {}
    for name, image in images:
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 2 or not image.size:
            raise ValueError(
                f"image {name!r} must be 8-bit grayscale of shape (H, W), "
                f"not {image.dtype} of shape {image.shape}"
            )
        height, width = image.shape
        if width > widest or height > highest:
            raise ValueError(
                f"image {name!r} must be at most {widest} x {highest} pixels, "
                f"not {width} x {height}: build with --max-width and --max-height"
            )
        names, arrays = groups.setdefault((width, height), ([], []))
        names.append(str(name))
        arrays.append(image)
    if not groups:
        raise ValueError("images must be at least one, not none")
    return [(names, np.stack(arrays)) for names, arrays in groups.values()]


class _Run:
    """The simulations of one check."""

    def __init__(self, record, model, groups, stall, seed, progress) -> None:
        self._folder = Path(record["folder"])
        parameters = record["parameters"]
        self._config = core_config(model, parameters)
        self._bytes = parameters["stream_bytes"]
        self._groups, self._seed, self._tell = groups, seed, progress
        self._stall = {
            name: Stall(p=stall, seed=seed + k) for k, name in enumerate(("bytes", "pixels"))
        }
        tile = (parameters["tile_width"], parameters["tile_height"])
        codec = Codec(model)
        self._files = [
            codec.encode(images, tile=tile, coder=self._config.coder).data for _, images in groups
        ]
        self._bad = _bad_files(codec, groups, tile, self._config.coder, seed)

    def expected_checks(self, cores) -> int:
        """How many checks there must be in the end: one per group and core, and the bad files."""
        return len(cores) * len(self._groups) + ("decoder" in cores)

    def _simulator(self, core: str):
        design = Design.of(self._folder / f"lutgen_{core}.v", f"lutgen_{core}")
        rtl = {"encoder": RtlEncoder, "decoder": RtlDecoder}[core]
        return rtl(self._config, design, stream_bytes=self._bytes)

    def _sizes(self, core: str):
        """Each group and its file; a list of what was found is filled in beside it."""
        for k, ((names, images), file) in enumerate(zip(self._groups, self._files, strict=True)):
            height, width = images.shape[1:]
            what = f"size {k + 1} of {len(self._groups)}: {len(images)} x {width}x{height}"
            self._tell(core, what if k else f"compiling, then {what}")
            yield names, images, file

    def encoder(self) -> dict:
        """Images to files."""
        rtl = self._simulator("encoder")
        checks = []
        for _, images, file in self._sizes("encoder"):
            problems, clocks = [], None
            try:
                found = rtl(images, stall=self._stall)
            except (SimulationError, ValueError) as error:
                problems.append(_first_lines(error))
            else:
                clocks = found.clocks_per_pixel
                problems += [f"error bit {name} is set" for name in found.errors]
                if len(found.files) != 1 or found.rest:
                    problems.append(f"gave {len(found.files)} files and {len(found.rest)} bytes")
                given = b"".join(found.files) + found.rest
                if given != file:
                    problems.append(_first_difference(given, file))
            checks.append({"problems": problems, "clocks_per_pixel": clocks})
        self._tell("encoder", "done")
        return {"checks": checks}

    def decoder(self) -> dict:
        """Files to images, and the files that must be refused."""
        rtl = self._simulator("decoder")
        checks = []
        for names, images, file in self._sizes("decoder"):
            problems, clocks = [], None
            try:
                found = rtl(file, stall=self._stall)
            except (SimulationError, ValueError) as error:
                problems.append(_first_lines(error))
            else:
                clocks = found.clocks_per_pixel if found.frames else None
                problems += [f"error bit {name} is set" for name in found.errors]
                problems += _frame_differences(found.frames, images, names)
            checks.append({"problems": problems, "clocks_per_pixel": clocks})
        self._tell("decoder", "damaged files")
        refused = self._refuses(rtl)
        self._tell("decoder", "done")
        return {"checks": checks, "refused": refused}

    def _refuses(self, rtl: RtlDecoder) -> dict:
        image, good, corrupt, foreign = self._bad
        problems, errors = [], ()
        try:
            found = rtl([corrupt, foreign, good], stall=self._stall)
        except (SimulationError, ValueError) as error:
            problems.append(_first_lines(error))
        else:
            errors = found.errors
            problems += [
                f"{what} is not flagged: error bit {bit} is not set"
                for bit, what in (("bad_tile", "damaged file"), ("bad_model", "other model's file"))
                if bit not in errors
            ]
            # The damaged file gives a frame, too, and the other model's none.
            if len(found.frames) != 2 or not np.array_equal(found.frames[-1], image):
                problems.append("a good file after bad ones is not decoded")
        return {"problems": problems, "errors": list(errors)}


def _bad_files(
    codec: Codec, groups, tile, coder: Coder, seed: int
) -> tuple[np.ndarray, bytes, bytes, bytes]:
    """An image, its file, the file with one bit of its payload turned, and another model's."""
    # Short ones simulate quickly; a dozen pixels leave enough bits to turn.
    images = [images[0] for _, images in groups]
    image = min((i for i in images if i.size >= 12), key=lambda i: i.size, default=images[0])
    good = codec.encode(image, tile=tile, coder=coder).data
    foreign = bytearray(good)
    foreign[4] ^= 1
    # Behind header and length; the first payload byte says where the payload begins.
    bits = np.arange(8 * (HEADER_BYTES + 3), 8 * len(good))
    for bit in np.random.default_rng(seed).permutation(bits).tolist():
        corrupt = bytearray(good)
        corrupt[bit // 8] ^= 1 << bit % 8
        try:
            codec.decode(bytes(corrupt))
        except CorruptStreamError as error:
            if "check state" in str(error):
                return image, good, bytes(corrupt), bytes(foreign)
    raise ValueError(
        f"images must include one whose file can be damaged, not only {image.shape[1]} x "
        f"{image.shape[0]} pixels: add a larger one"
    )


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:3])


def _first_difference(given: bytes, file: bytes) -> str:
    if len(given) != len(file):
        size = f", {len(given)} bytes instead of {len(file)}"
    else:
        size = ""
    common = min(len(given), len(file))
    a, b = (np.frombuffer(data[:common], np.uint8) for data in (given, file))
    at = np.flatnonzero(a != b)
    where = f"byte {at[0]}" if len(at) else f"byte {common}"
    return f"file differs from the reference's from {where} on{size}"


def _frame_differences(frames: Sequence[np.ndarray], images: np.ndarray, names) -> list[str]:
    problems = []
    if len(frames) != len(images):
        problems.append(f"gave {len(frames)} frames instead of {len(images)}")
    for frame, image, name in zip(frames, images, names, strict=False):
        if frame.shape != image.shape:
            problems.append(f"{name}: frame of {frame.shape[1]} x {frame.shape[0]} pixels")
        elif not np.array_equal(frame, image):
            y, x = np.argwhere(frame != image)[0]
            problems.append(
                f"{name}: {np.count_nonzero(frame != image)} pixels differ, the first at "
                f"column {x}, row {y}"
            )
    return problems


def _result(record: Mapping, groups, found: Mapping, expected: int) -> dict:
    sizes, problems, done = [], [], 0
    for k, (_, images) in enumerate(groups):
        height, width = images.shape[1:]
        size = {"width": width, "height": height, "images": len(images), "pixels": images.size}
        for core, part in found.items():
            size[core] = part["checks"][k]
            done += 1
            where = f"{core}, {width}x{height}: "
            problems += [where + text for text in size[core]["problems"]]
        sizes.append(size)
    refused = found["decoder"]["refused"] if "decoder" in found else None
    if refused is not None:
        done += 1
        problems += [f"decoder, bad files: {text}" for text in refused["problems"]]
    if done != expected:
        problems.append(f"{done} of {expected} checks were run")
    folder = Path(record["folder"])
    changed = [
        name for name, file in record["files"].items()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != file["sha256"]
    ]  # fmt: skip
    parameters = record["parameters"]
    return {
        "schema": SCHEMA,
        "generator": {"name": "lutgen", "version": lutgen.__version__},
        "ok": not problems,
        "problems": problems,
        "mismatches": len(problems),
        "checks": done,
        "images": sum(size["images"] for size in sizes),
        "pixels": sum(size["pixels"] for size in sizes),
        "sizes": sizes,
        "bad_files": refused,
        "changed_since_build": changed,
        "target": record["target"]["name"],
        "model": record["model"]["hash"],
        "parameters": parameters,
    }


def table(result: Mapping):
    """A rich table of a result: a row per image size."""
    from rich.box import SIMPLE
    from rich.table import Table

    parameters = result["parameters"]
    cores = [core for core in ("encoder", "decoder") if core in result["sizes"][0]]
    grid = Table("size", box=SIMPLE, title_justify="left", caption_justify="left")
    grid.title = (
        f"{parameters['top']} for {result['target']}, model {result['model'][:16]}, tile "
        f"{parameters['tile_width']}x{parameters['tile_height']}"
    )
    for name in ("images", "pixels"):
        grid.add_column(name, justify="right")
    for core in cores:
        lanes = parameters["encoder_lanes" if core == "encoder" else "lanes"]
        grid.add_column(f"{core}\n{lanes} lanes")
        grid.add_column("clocks\nper pixel", justify="right")

    def cells(check: Mapping | None) -> list[str]:
        clocks = check["clocks_per_pixel"]
        verdict = "[red]DIFFERS[/red]" if check["problems"] else "[green]equal[/green]"
        return [verdict, "-" if clocks is None else f"{clocks:.3f}"]

    for size in result["sizes"]:
        row = [f"{size['width']}x{size['height']}", f"{size['images']}", f"{size['pixels']}"]
        grid.add_row(*row, *(cell for core in cores for cell in cells(size[core])))
    if result["bad_files"] is not None:
        grid.add_section()
        good = not result["bad_files"]["problems"]
        verdict = "[green]flagged[/green]" if good else "[red]NOT FLAGGED[/red]"
        grid.add_row("bad files", *[""] * (2 * len(cores)), verdict, "")
    return grid
