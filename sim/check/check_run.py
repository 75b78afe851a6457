"""The simulations of one check: every size through both cores, bad files, and all phases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lutgen.build.options import BuildOptions
from lutgen.codec.codec import Codec
from lutgen.codec.coder import Coder
from lutgen.codec.container import CorruptStreamError, CorruptTileError, Header
from lutgen.errors import InputError
from lutgen.sim.check.judge import first_lines
from lutgen.sim.check.judge_decoder import DecoderJudge
from lutgen.sim.check.judge_encoder import EncoderJudge
from lutgen.sim.check.judge_pictures import Pictures
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.drive.stall import Stall
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["CheckRun"]

#: Share of clocks with random stalls where nobody says.
_SHARE = 0.3


class CheckRun:
    """The simulations of one check.

    Members
    -------
    record : ``build.json`` of the build
    """

    def __init__(self, record, model, groups, stall, seed, progress, quick=False) -> None:
        self.record, self._folder = record, Path(record["folder"])
        options = BuildOptions.of_record(record["parameters"])
        self._config = options.core_config(model)
        self._bytes, self._cores = options.stream_bytes, options.cores
        self._registers = options.registers
        self._groups, self._seed, self._tell = groups, seed, progress
        self._stall = {
            name: Stall(p=stall or 0.0, seed=seed + k)
            for k, name in enumerate(("bytes", "pixels"))
        }
        tile = options.tile
        self._codec = codec = Codec(model)
        self._files = [
            codec.encode(images, tile=tile, coder=self._config.coder).data for _, images in groups
        ]
        self._bad = _bad_files(codec, groups, tile, self._config.coder, seed)
        #: Share of class-symbol pairs in the pictures of the phases, None if not known.
        self.visited: float | None = None
        self._judges = {}
        if not quick:
            pictures = Pictures(codec, options, seed)
            self.visited = pictures.visited()
            share = _SHARE if stall is None else stall
            for judge in (EncoderJudge, DecoderJudge):
                if judge.core in record["cores"]:
                    self._judges[judge.core] = judge(
                        record, self._config, self._design(judge.core), pictures.again(), codec,
                        share=share, seed=seed,
                    )  # fmt: skip

    def expected_checks(self, cores) -> int:
        """How many checks there must be in the end: of groups and cores, bad files, and runs."""
        runs = sum(len(judge.runs()) for judge in self._judges.values())
        return len(cores) * len(self._groups) + ("decoder" in cores) + runs

    def _design(self, core: str) -> Design:
        module = self.record["cores"][core]["module"]
        return Design.of(self._folder / f"{module}.v", module)

    def _simulator(self, core: str):
        design = self._design(core)
        if self._registers:
            ip = {"encoder": RtlEncoderIp, "decoder": RtlDecoderIp}[core]
            return ip(self._config, design, stream_bytes=self._bytes)
        top = {"encoder": RtlEncoder, "decoder": RtlDecoder}[core]
        return top(self._config, design, stream_bytes=self._bytes, cores=self._cores)

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
        checks = [self._encodes(rtl, *size) for size in self._sizes("encoder")]
        found = {"checks": checks} | self._runs("encoder")
        self._tell("encoder", "done")
        return found

    def decoder(self) -> dict:
        """Files to images, and the files that must be refused."""
        rtl = self._simulator("decoder")
        checks = [self._decodes(rtl, *size) for size in self._sizes("decoder")]
        self._tell("decoder", "damaged files")
        found = {"checks": checks, "refused": self._refuses(rtl)} | self._runs("decoder")
        self._tell("decoder", "done")
        return found

    def _runs(self, core: str) -> dict:
        """The phases, if there shall be any."""
        if core not in self._judges:
            return {}
        runs, _ = self._judges[core].judge(lambda name: self._tell(core, name))
        return {"runs": runs}

    def trace(self, core: str, **options) -> None:
        """The size with the most pixels once more; SimulationError if anything is wrong.

        ``options`` are those of `lutgen.sim.drive.stream.rtl_stream`.
        """
        (names, images), file = max(
            zip(self._groups, self._files, strict=True), key=lambda item: item[0][1].size
        )
        run = {"encoder": self._encodes, "decoder": self._decodes}[core]
        found = run(self._simulator(core), names, images, file, **options)
        if found["problems"]:
            raise SimulationError(f"{core}: {found['problems'][0]}")

    def _encodes(self, rtl, names, images: np.ndarray, file: bytes, **options) -> dict:
        problems, clocks = [], None
        try:
            found = rtl(images, stall=self._stall, **options)
        except (SimulationError, ValueError) as error:
            problems.append(first_lines(error))
        else:
            clocks = found.clocks_per_pixel
            problems += [f"error bit {name} is set" for name in found.errors]
            if len(found.files) != 1 or found.rest:
                problems.append(f"gave {len(found.files)} files and {len(found.rest)} bytes")
            problems += _count_differences(found.counters, images, file)
            given = b"".join(found.files) + found.rest
            if given != file:
                problems.append(_first_difference(given, file))
        return {"problems": problems, "clocks_per_pixel": clocks}

    def _decodes(self, rtl, names, images: np.ndarray, file: bytes, **options) -> dict:
        problems, clocks = [], None
        try:
            found = rtl(file, stall=self._stall, **options)
        except (SimulationError, ValueError) as error:
            problems.append(first_lines(error))
        else:
            clocks = found.clocks_per_pixel if found.frames else None
            problems += [f"error bit {name} is set" for name in found.errors]
            problems += _count_differences(found.counters, images, file)
            problems += _frame_differences(found.frames, images, names)
        return {"problems": problems, "clocks_per_pixel": clocks}

    def _refuses(self, rtl: RtlDecoder) -> dict:
        image, good, corrupt, foreign = self._bad
        problems, errors = [], ()
        try:
            found = rtl([corrupt, foreign, good], stall=self._stall)
        except (SimulationError, ValueError) as error:
            problems.append(first_lines(error))
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
    table = Header.unpack(good).table
    foreign = bytearray(good)
    foreign[table["model hash"].offset] ^= 1
    # Behind header and length; the first payload byte says where the payload begins.
    bits = np.arange(8 * (table.size + 3), 8 * len(good))
    for bit in np.random.default_rng(seed).permutation(bits).tolist():
        corrupt = bytearray(good)
        corrupt[bit // 8] ^= 1 << bit % 8
        try:
            codec.decode(bytes(corrupt))
        except CorruptTileError:
            return image, good, bytes(corrupt), bytes(foreign)
        except CorruptStreamError:
            continue
    raise InputError(
        f"images must include one whose file can be damaged, not only {image.shape[1]} x "
        f"{image.shape[0]} pixels: add a larger one"
    )


def _count_differences(counters, images: np.ndarray, file: bytes) -> list[str]:
    """What the counters of an IP tell wrong."""
    expected = {"pixels": images.size, "bytes": len(file), "frames": len(images), "files": 1}
    return [
        f"counter {name} reads {counters[name]} instead of {value}"
        for name, value in expected.items()
        if counters is not None and counters[name] != value
    ]


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
