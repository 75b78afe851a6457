"""The testbench that a build holds: the reference's bytes of a picture, or of symbols, as beats.

Neither is an option of the cores: another picture leaves their Verilog as it is.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lutgen.formats.rules import ImageError
from lutgen.handoff.testbench.bench import Session, make_testbench, module_of_testbench
from lutgen.registers.register_map import RegisterMap

from .picture import draw_colour, draw_picture, read_picture

__all__ = ["Picture", "engine_testbench", "picture_testbench"]

#: Of a drawn picture: Icarus Verilog needs half a minute for both cores of the embedded model.
_WIDTH, _HEIGHT = 64, 8
#: Width for several cores, which share out rows of tiles: tiles this narrow are soon done, and the
#: last beat of a line is filled in part.
_NARROW = 9
#: Clocks that a pipeline and its buffers may take on top of what is computed.
_SLACK = 4096
_SYMBOLS = 600


@dataclass(frozen=True, eq=False)
class Picture:
    """What a testbench sends to an encoder.

    Parameters
    ----------
    samples:
        uint8 or uint16, (H, W), of colour (H, W, 3), no larger than the build's largest image.
    source:
        Name of its file, or ``drawn``.
    cropped_from:
        Width and height of the file's, if that is larger.
    """

    samples: np.ndarray
    source: str
    cropped_from: tuple[int, int] | None = None

    @classmethod
    def of(
        cls, path: str | os.PathLike | None, largest: tuple[int, int], *, depth: int = 8,
        cores: int = 1, tile_height: int = 0, colour: bool = False, even: bool = False,
        least: int = 1,
    ) -> "Picture":  # fmt: skip
        """The upper left of a file's image, or a drawn one, within the ``largest`` image.

        It is RGB if ``colour``; its sides are made ``even`` if told.  A drawn one has ``least``
        columns at least.

        Raises
        ------
        ImageError, OSError
            See `.picture.read_picture`.
        """
        width, height = largest
        if path is None:
            wanted = (max(_WIDTH, least), _HEIGHT)
            if cores > 1:
                wanted = (_NARROW, (cores - 1) * tile_height + _HEIGHT)
            draw = draw_colour if colour else draw_picture
            return cls(draw(min(width, wanted[0]), min(height, wanted[1]), depth), "drawn")
        whole = read_picture(path, depth, colour=colour)
        if even:
            width, height = (
                min(most, side) & ~1
                for most, side in zip(largest, whole.shape[1::-1], strict=True)
            )
        samples = np.ascontiguousarray(whole[:height, :width])
        if not samples.size:
            raise ImageError(
                f"{path}: sides of a picture must be at least 2 of a colour filter array, "
                f"not {whole.shape[1]} x {whole.shape[0]}"
            )
        cropped = samples.shape != whole.shape
        return cls(samples, Path(path).name, whole.shape[1::-1] if cropped else None)


def picture_testbench(
    record: dict, picture: Picture, file: bytes, decoded: np.ndarray, *, stream_bytes: int,
    quiet: Mapping[str, int], settings: Mapping[str, int], cores: int = 1,
    maps: Mapping[str, RegisterMap] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Texts by file name, for an encoder, a decoder or both; ``record`` gets ``testbench``.

    Parameters
    ----------
    record:
        ``build.json`` with its cores.
    picture, file, decoded:
        What an encoder is sent, the reference's file of it, which a decoder is sent, and the
        samples that it gives.
    stream_bytes, cores:
        Of the build.
    quiet:
        By core, the clocks in which no beat may move: more than any pipeline or tile takes.
    settings:
        What an encoder is told besides sizes, by port or register.
    maps:
        Registers by core, of cores that have them.
    """
    from lutgen.gateware.streams.beats import colour_beats, file_words, filled, raster_beats

    def beats(samples: np.ndarray) -> dict[str, np.ndarray]:
        if samples.ndim > 2:
            return colour_beats(samples[None], record["parameters"]["depth"], cores)
        return raster_beats(samples[None], cores)

    height, width = picture.samples.shape[:2]
    sent, given = beats(picture.samples), beats(decoded)
    if cores > 1:
        bits = record["parameters"].get("depth", 8) * decoded[0, 0].size
        given |= {"keep": np.tile((1 << -(-bits // 8) * filled(width, cores)) - 1, height)}
    words = file_words(file, stream_bytes)
    pixels, coded = ("pixels", width * height), ("bytes", len(file))
    sides = {"width": width, "height": height, "images": 1, "level": 0, **settings}
    made: dict[str, tuple[dict, tuple[str, int], tuple[str, int]]] = {
        "encoder": ({"s_axis_video": sent, "m_axis_stream": words}, pixels, coded),
        "decoder": ({"s_axis_stream": words, "m_axis_video": given}, coded, pixels),
    }
    sessions = {}
    for core in record["cores"]:
        streams, taken, gives = made[core]
        sessions[core] = Session(
            streams=streams, taken=taken, given=gives, settings=sides,
            quiet=quiet[core] + _SLACK, registers=(maps or {}).get(core),
        )  # fmt: skip
    record["testbench"] = {
        "module": module_of_testbench(record),
        "picture": picture.source,
        "width": width,
        "height": height,
        "cropped_from": picture.cropped_from and list(picture.cropped_from),
        "bytes": len(file),
    }
    return make_testbench(record, sessions)


def engine_testbench(record: dict, tables, stream_bytes: int) -> dict[str, str]:
    """Texts by file name, for both cores of the entropy engine; ``record`` gets ``testbench``.

    The symbols are as likely as the tables say, in all classes.
    """
    from lutgen.codec.lossy.interleaved import encode_interleaved
    from lutgen.gateware.engine.beats import symbol_beats
    from lutgen.gateware.streams.beats import file_words, sequence_beats

    number = np.arange(_SYMBOLS)
    classes = (number * 7 % tables.classes).astype(np.uint16)
    symbols = tables.slots[classes, number * 40503 % tables.slots.shape[1]]
    payload = encode_interleaved(tables, classes, symbols)
    taken, given = ("symbols", _SYMBOLS), ("bytes", len(payload))
    streams = {
        "encoder": {
            "s_axis_symbols": symbol_beats([classes], [symbols]),
            "m_axis_stream": file_words(payload[::-1], stream_bytes),
        },
        "decoder": {
            "s_axis_classes": sequence_beats([classes]),
            "s_axis_stream": file_words(payload, stream_bytes),
            "m_axis_symbols": sequence_beats([symbols]),
        },
    }
    counts = {"encoder": (taken, given), "decoder": (given, taken)}
    record["testbench"] = {
        "module": module_of_testbench(record), "symbols": _SYMBOLS, "bytes": len(payload),
    }  # fmt: skip
    return make_testbench(record, {
        core: Session(
            streams=streams[core], taken=counts[core][0], given=counts[core][1], settings={},
            quiet=_SLACK,
        )
        for core in record["cores"]
    })  # fmt: skip
