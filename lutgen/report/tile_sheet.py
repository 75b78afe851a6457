"""Pages of the profiles with tiles: ``gic-dlc`` and what is made of it."""

from collections.abc import Mapping

from .blocks import Blocks
from .chain import Chain
from .kinds import ENERGY, EVAL, PROVE, SIM, THROUGHPUT
from .sheet import Files, Sheet
from .text import count, quantity
from .tile_diagram import tile_chain

__all__ = ["TileSheet"]


class TileSheet(Sheet):
    """See `.sheet.Sheet`."""

    kinds = {
        "sim": SIM, "prove": PROVE, "eval": EVAL, "throughput": THROUGHPUT, "energy": ENERGY,
    }  # fmt: skip
    blocks = Blocks({
        "memories": ("tile and payload buffers", "raster to tiles or back, packets of the file"),
        "levels": ("pyramid and priors", "levels of the pyramid, upsampled pixels, their memories"),
        "ups comparators": ("upsampler, comparators", "pixel > threshold"),
        "ups layers": ("upsampler, LUT layers", "trained truth tables"),
        "ups popcounts": ("upsampler, popcounts", "bits that are set"),
        "lanes": ("lanes and window", "rotation of the lanes, neighbours of each pixel"),
        "comparators": ("comparators", "pixel > threshold"),
        "layers": ("LUT layers", "trained truth tables, delay lines beside them"),
        "popcounts": ("popcounts", "bits that are set"),
        "walker": ("walker", "the rest of the context tree, in memories"),
        "head": ("head", "class to probabilities"),
        "constraint": ("constraint", "what a known average leaves"),
        "coder": ("entropy coder", "ANS state, bits and words"),
        "registers": ("registers", "AXI4-Lite slave, settings, counters, interrupt"),
        "rest": ("rest", "ports, queues, control"),
    })
    captions = {
        "encoder": "Pixels enter on top, the file leaves below. Each tile is walked backwards, so "
        "every pixel’s neighbours are known.",
        "decoder": "The file enters below, pixels leave on top. A decoded pixel goes back to the "
        "window of its lane before the lane’s next turn.",
    }
    files = {
        "file": Files("this model, one file of all images",
                      "whole files; images of one size share one", "one file of all"),
        "file_each": Files("this model, one file per image", "whole files, as the codecs above",
                           "file per image"),
        "payload": Files("coded tiles alone", "without headers and lengths"),
        "ideal": Files("ideal code length", "sum of −log₂ p"),
    }  # fmt: skip

    @property
    def heading(self) -> str:
        return self.model["profile"]

    def facts(self) -> list[tuple[str, str]]:
        parameters, model = self.parameters, self.model
        lanes = [f"{name} {core['lanes']}" for name, core in self.record["cores"].items()]
        bits = parameters.get("tans_bits")
        coder = "tANS" if parameters.get("coder") == "tans" else "rANS"
        return [
            ("tile", f"{parameters['tile_width']} × {parameters['tile_height']} pixels"),
            ("largest image",
             f"{count(parameters['max_width'])} × {count(parameters['max_height'])}"),
            ("lanes", ", ".join(lanes)),
            ("pipelines", f"{parameters.get('cores', 1)} per direction"),
            ("entropy coder", coder + (f", {bits} bits" if bits else "")),
            ("control",
             "AXI4-Lite registers" if parameters.get("registers") else "plain ports"),
            ("stream", f"{quantity(parameters['stream_bytes'], 'bytes')} per beat"),
            ("network", f"{count(model['nodes'])} nodes, {model['depth']} deep, "
             f"{count(model['inputs'])} bits in"),
            ("head", f"{model['head']}, {count(model['classes'])} classes"),
            ("primitive", f"{parameters['primitive'] or 'plain logic'}, "
             f"{parameters['levels_per_stage']} nodes in a row per stage"),
        ]  # fmt: skip

    @property
    def remark(self) -> str:
        if (cores := self.parameters.get("cores", 1)) == 1:
            return ""
        return (
            f"{cores} such pipelines stand behind one pair of ports, and give their output in "
            "order."
        )

    def chain(self, core: str) -> Chain:
        return tile_chain(self.record, core)

    def set_note(self, result: Mapping) -> str:
        return f", tiles of {' × '.join(map(str, result['tile']))}"

    def options(self) -> dict[str, str]:
        tile = f"{self.parameters['tile_width']}x{self.parameters['tile_height']}"
        tans = self.parameters.get("coder") == "tans"
        return {
            "tile": "" if tile == "32x32" else f" --tile {tile}",
            "coder": f" --coder tans --tans-bits {self.parameters['tans_bits']}" if tans else "",
        }

    def built_files(self) -> dict:
        parameters = self.parameters
        return {
            "tile": _tile(parameters["tile_width"], parameters["tile_height"]),
            "coder": _coder(parameters.get("coder"), parameters.get("tans_bits")),
        }

    def given_files(self, found: Mapping) -> dict:
        return {
            "tile": _tile(*found["tile"]) if "tile" in found else None,
            "coder": _given_coder(found),
        }


def _tile(width: int, height: int) -> str:
    return f"{width} × {height}"


def _coder(name: str | None, bits: int | None) -> str:
    return f"tANS of {bits} bits" if name == "tans" else "rANS"


def _given_coder(found: Mapping) -> str:
    """The coder as a measurement names it: in an object, by two keys, or not, which is rANS."""
    coder = found.get("coder")
    if isinstance(coder, Mapping):
        return _coder(coder.get("name"), coder.get("state_bits"))
    return _coder(coder, found.get("state_bits"))
