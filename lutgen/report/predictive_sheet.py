"""Pages of profile ``predictive``."""

from collections.abc import Mapping

from .blocks import Blocks
from .chain import Chain
from .kinds import ENERGY, PROVE, SIM, THROUGHPUT, Kind, evaluated
from .predictive_diagram import predictive_chain
from .shape import Each, Maybe
from .sheet import Files, Sheet
from .text import count, join, quantity

__all__ = ["PredictiveSheet"]

_WHOLE = "one of an image"


class PredictiveSheet(Sheet):
    """See `.sheet.Sheet`."""

    kinds: Mapping[str, Kind] = {
        "sim": SIM,
        "prove": PROVE,
        "eval": evaluated("{strips}", ("file_each",), {
            "depths": Maybe(Each(int)), "strip_height": Maybe(int), "tile_width": Maybe(int),
        }),
    }  # fmt: skip
    blocks = Blocks({
        "pictures": ("picture memory", "groups of four rows, from or to the raster"),
        "walk": ("walk", "staggered rows, group after group"),
        "loop": ("windows", "samples, errors and energies around each sample, from turn to turn"),
        "prediction": ("prediction", "scale, features, predictor, LUT trees, class"),
        "strips": ("strips", "token tables, symbol stacks or payload ring, rANS, packets, CRC"),
        "registers": ("registers", "AXI4-Lite slave, settings, counters, interrupt"),
        "distribution": ("distribution", "rasters to slabs and back, strips to files and back"),
        "rest": ("rest", "fold of residuals, ports, queues, control"),
    })
    captions = {
        "encoder": "Pixels enter on top, the file leaves below. Rows are walked staggered, four to "
        "a group and several groups side by side; a group’s symbols are coded backwards when it "
        "is complete.",
        "decoder": "The file enters below, pixels leave on top. Rows are walked staggered, as in "
        "the encoder; a decoded sample goes back to the windows before its row’s next turn.",
    }
    files = {
        "file_each": Files("this model, one file per image", "whole files, as the codecs above",
                           "file per image"),
    }  # fmt: skip

    def __init__(self, record: Mapping) -> None:
        super().__init__(record)
        if self._measurable:
            self.kinds = {**self.kinds, "throughput": THROUGHPUT, "energy": ENERGY}

    @property
    def _measurable(self) -> bool:
        """Whether benchmarks measure clocks and energy: of one core each, for gray images."""
        return "planes" not in self.model and self.parameters.get("cores", 1) == 1

    @property
    def heading(self) -> str:
        return self.model["name"]

    @property
    def raw_bits(self) -> int:
        # A pixel of RGB has three samples; of a filter array, whose planes are places, one.
        samples = 1 if self.model.get("mosaic") else self.model.get("planes", 1)
        return samples * self.parameters["depth"]

    def facts(self) -> list[tuple[str, str]]:
        parameters, model = self.parameters, self.model
        near = parameters.get("near")  # which builds of the first versions do not name

        def cores(key: str) -> str:
            return ", ".join(f"{name} {core[key]}" for name, core in self.record["cores"].items())

        return [
            ("profile", model["profile"]),
            *([("images", "colour filter arrays" if model["mosaic"] else "RGB")]
              if "planes" in model else []),
            ("samples", quantity(parameters["depth"], "bits")),
            ("largest image", _sides(parameters)),
            ("strips", _strips(parameters["strip_height"])),
            *([("greatest error, of each image", f"0 to {near}")] if near else []),
            ("groups of four rows side by side", cores("lanes")),
            ("clocks of a period", cores("period")),
            ("columns that keep all groups busy", cores("narrowest")),
            *([("cores per direction, a slab of each image each", str(cores_))]
              if (cores_ := parameters.get("cores", 1)) > 1 else []),
            ("entropy coder", "rANS"),
            ("control",
             "AXI4-Lite registers" if parameters.get("registers") else "plain ports"),
            ("stream", f"{quantity(parameters['stream_bytes'], 'bytes')} per beat"),
            ("features", count(model["features"])),
            ("predictors", count(model["leaves"])),
            ("LUT trees", count(model["trees"])),
            ("classes", count(model["classes"])),
        ]  # fmt: skip

    @property
    def losses(self) -> str:
        return "lossless and near-lossless" if self.parameters.get("near") else "lossless"

    def chain(self, core: str) -> Chain:
        return predictive_chain(self.record, core)

    @property
    def calculated(self) -> dict:
        rate = self.record["rate"]
        return {
            "clocks": rate["clocks_per_pixel"], "mpx": rate["mpx_per_s"],
            "of": f"a stream of images of {count(self.parameters['max_width'])} columns",
        }  # fmt: skip

    def unmeasured(self) -> list[str]:
        return [] if self._measurable else [
            "Clocks per pixel at full speed are calculated, and energy is not known: no command "
            "measures them of such a build yet."
        ]  # fmt: skip

    def set_note(self, result: Mapping) -> str:
        return f", strips: {_strips(result.get('strip_height'))}"

    def options(self) -> dict[str, str]:
        height = self.parameters["strip_height"]
        strips = "" if height is None else f" --strip-height {height}"
        pattern = " --cfa PATTERN" if self.model.get("mosaic") else ""
        return {"strips": pattern + strips, "coder": ""}

    def built_files(self) -> dict:
        return {
            "depth": f"{self.parameters['depth']} bits",
            "strips": _strips(self.parameters["strip_height"]),
            "tile width": "the image’s",
            "models": 1,
            "greatest error": str(self.parameters.get("near", 0)),
            "largest image": _sides(self.parameters),
        }

    def given_files(self, found: Mapping) -> dict:
        depths, width = found.get("depths"), found.get("tile_width")
        return {
            "depth": f"{join(list(depths))} bits" if depths else None,
            "strips": _strips(found["strip_height"]) if "strip_height" in found else None,
            "tile width": count(width) if width else None,
            # Without --model, deep and colour images are coded by models of their own.
            "models": 1 + sum(name in found for name in ("deep_model", "colour_model")),
            "greatest error": str(found["near"]) if "near" in found else None,
            "largest image": _sides(found) if "max_width" in found else None,
        }


def _sides(found: Mapping) -> str:
    return f"{count(found['max_width'])} × {count(found['max_height'])}"


def _strips(height: int | None) -> str:
    return _WHOLE if height is None else f"{count(height)} rows each"
