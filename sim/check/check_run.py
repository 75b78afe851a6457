"""The simulations of one check: every size through both cores, bad files, and all phases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lutgen.sim.check.checked import CheckedBuild, Groups
from lutgen.sim.check.judge import first_lines
from lutgen.sim.drive.stall import Stall
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

    def __init__(
        self, build: CheckedBuild, groups: Groups,
        stall: float | None, seed: int, progress: Callable[[str, str], None],
        quick: bool = False,
    ) -> None:  # fmt: skip
        self.record, self._build = build.record, build
        self._groups, self._tell = groups, progress
        self._stall = {
            name: Stall(p=stall or 0.0, seed=seed + k)
            for k, name in enumerate(("bytes", "pixels"))
        }
        self._files = [build.files(images) for _, images in groups]
        self._bad = build.bad_files(groups, seed)
        #: Share of class-symbol pairs in the pictures of the phases, None if not known.
        self.visited: float | None = None
        self._judges = {}
        if not quick:
            pictures = build.pictures(seed)
            self.visited = pictures.visited()
            share = _SHARE if stall is None else stall
            self._judges = {
                core: build.judge(core, pictures.again(), share=share, seed=seed)
                for core in self.record["cores"]
            }

    def expected_checks(self, cores) -> int:
        """How many checks there must be in the end: of groups and cores, bad files, and runs."""
        runs = sum(len(judge.runs()) for judge in self._judges.values())
        return len(cores) * len(self._groups) + ("decoder" in cores) + runs

    def _sizes(self, core: str):
        """Each group and its files."""
        for k, ((names, images), files) in enumerate(zip(self._groups, self._files, strict=True)):
            height, width = images.shape[1:]
            what = f"size {k + 1} of {len(self._groups)}: {len(images)} x {width}x{height}"
            self._tell(core, what if k else f"compiling, then {what}")
            yield names, images, files

    def encoder(self) -> dict:
        """Images to files."""
        rtl = self._build.simulator("encoder")
        checks = [self._encodes(rtl, *size) for size in self._sizes("encoder")]
        found = {"checks": checks} | self._runs("encoder")
        self._tell("encoder", "done")
        return found

    def decoder(self) -> dict:
        """Files to images, and the files that must be refused."""
        rtl = self._build.simulator("decoder")
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
        (names, images), files = max(
            zip(self._groups, self._files, strict=True), key=lambda item: item[0][1].size
        )
        run = {"encoder": self._encodes, "decoder": self._decodes}[core]
        found = run(self._build.simulator(core), names, images, files, **options)
        if found["problems"]:
            raise SimulationError(f"{core}: {found['problems'][0]}")

    def _encodes(self, rtl, names, images: np.ndarray, files: list[bytes], **options) -> dict:
        problems, clocks = [], None
        try:
            found = rtl(images, stall=self._stall, **options)
        except (SimulationError, ValueError) as error:
            problems.append(first_lines(error))
        else:
            clocks = found.clocks_per_pixel
            problems += [f"error bit {name} is set" for name in found.errors]
            if len(found.files) != len(files) or found.rest:
                problems.append(f"gave {len(found.files)} files and {len(found.rest)} bytes")
            problems += _count_differences(found.counters, images, files)
            given, wanted = b"".join(found.files) + found.rest, b"".join(files)
            if given != wanted:
                problems.append(_first_difference(given, wanted))
        return {"problems": problems, "clocks_per_pixel": clocks}

    def _decodes(self, rtl, names, images: np.ndarray, files: list[bytes], **options) -> dict:
        problems, clocks = [], None
        try:
            found = rtl(files, stall=self._stall, **options)
        except (SimulationError, ValueError) as error:
            problems.append(first_lines(error))
        else:
            clocks = found.clocks_per_pixel if found.frames else None
            problems += [f"error bit {name} is set" for name in found.errors]
            problems += _count_differences(found.counters, images, files)
            problems += _frame_differences(found.frames, images, names)
        return {"problems": problems, "clocks_per_pixel": clocks}

    def _refuses(self, rtl) -> dict:
        problems, errors = [], ()
        try:
            found = rtl(self._bad.files, stall=self._stall)
        except (SimulationError, ValueError) as error:
            problems.append(first_lines(error))
        else:
            errors = found.errors
            problems += [
                f"{what} is not flagged: error bit {bit} is not set"
                for bit, what in self._bad.errors if bit not in errors
            ]  # fmt: skip
            # The damaged file gives a frame, too, and the other model's none.
            if len(found.frames) != 2 or not np.array_equal(found.frames[-1], self._bad.image):
                problems.append("a good file after bad ones is not decoded")
        return {"problems": problems, "errors": list(errors)}


def _count_differences(counters, images: np.ndarray, files: list[bytes]) -> list[str]:
    """What the counters of an IP tell wrong."""
    expected = {
        "pixels": images.size, "bytes": sum(map(len, files)), "frames": len(images),
        "files": len(files),
    }  # fmt: skip
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
