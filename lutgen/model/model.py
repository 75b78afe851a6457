"""The codec model file ``.lutgen``: all that encoder, decoder and gateware are made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lutgen.errors import InputError
from lutgen.files.archive import ArchiveError, canonical_hash, read_archive, write_archive

from .channels import channel_groups, channel_network
from .head import HEADS, Head, LaplaceHead
from .netlist import Netlist, NetlistError
from .packaged import packaged
from .pyramid import MAX_LEVELS, pyramid
from .upsample import Upsampler
from .walker import Walker, WalkerStage
from .window import Window

__all__ = ["FORMAT_VERSION", "KIND", "Model", "ModelError", "load_parts"]

FORMAT_VERSION = 1
KIND = "codec-model"
_DEFAULT = "raster-table-emnist.lutgen"
#: What the codec and the gateware are built for; keeps a hostile file from costing minutes.
_MAX_NODES = 1 << 16


class ModelError(InputError):
    """A model that is malformed, or whose parts do not fit together."""


def load_parts(
    path, kind: str, version: int, make: Callable[[dict, dict[str, np.ndarray]], object]
):
    """What ``make`` makes of the json object and the arrays of a model file.

    Raises
    ------
    ModelError
        If the file is malformed in any way.
    OSError
        If it cannot be read.
    """
    try:
        return make(*read_archive(path, kind, version))
    except ArchiveError as error:
        raise ModelError(str(error)) from None  # it names the file
    except (ModelError, NetlistError) as error:
        raise ModelError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: malformed model: {error}") from None


@dataclass(frozen=True, eq=False)
class Model:
    """A codec model.

    Parameters
    ----------
    profile:
        Name of the parameter set, e.g. ``raster-table``.
    window:
        Shape of the window, and how many channels a pixel has.
    network:
        LUT netlist on the window's features; with a table head its output group ``index`` is the
        number of a class, or of the walker's first record; with a Laplace head its groups ``mu``
        and ``sigma`` are counted.  Of several channels it has these groups of each
        (`lutgen.model.channels`), and predicts all of them in parallel: with a Laplace head only.
    walker:
        Tree walker that refines the index, or None.
    head:
        Probability tables, the same for all channels.
    training:
        Training record, json: data, date, metrics, licence of the data.
    levels:
        Levels of the pyramid above the image, 0 to 3.  The network is one for all of them.
    upsampler:
        Upsampling model of a pyramid, which is the window's prior; None without levels.
    constraint:
        Whether the last pixel of a 2 x 2 block is coded among the values that its known average
        leaves; only with levels.

    Raises
    ------
    ModelError
        If the parts do not fit together.
    """

    profile: str
    window: Window
    network: Netlist
    walker: Walker | None
    head: Head
    training: Mapping = field(default_factory=dict)
    levels: int = 0
    upsampler: Upsampler | None = None
    constraint: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.profile, str) or not 1 <= len(self.profile) <= 64:
            raise ModelError(f"profile must be a name of 1 to 64 characters, not {self.profile!r}")
        if not isinstance(self.training, Mapping):
            raise ModelError(
                f"training record must be a mapping, not a {type(self.training).__name__}"
            )
        self._check_levels()
        net, outputs = self.network, self.network.outputs
        if net.features != self.window.features:
            raise ModelError(
                f"network must read the window's {self.window.features} features, "
                f"not {net.features}"
            )
        if net.n_nodes > _MAX_NODES:
            raise ModelError(f"network must have at most {_MAX_NODES} nodes, not {net.n_nodes}")
        if self.channels > 1 and not isinstance(self.head, LaplaceHead):
            raise ModelError(
                f"head must be laplace in a model of {self.channels} channels, not {self.head.kind}"
            )
        groups = [name for names in channel_groups(self.head.groups, self.channels)
                  for name in names]  # fmt: skip
        if set(outputs) != set(groups):
            raise ModelError(
                f"network must have the output groups {sorted(groups)}, not {sorted(outputs)}"
            )
        try:
            for network in self.channel_networks:
                self.head.check(network, self.walker)
        except ValueError as error:
            raise ModelError(str(error)) from None

    def _check_levels(self) -> None:
        levels = self.levels
        if not isinstance(levels, int) or isinstance(levels, bool) or not (
            0 <= levels <= MAX_LEVELS
        ):
            raise ModelError(f"levels must be 0 to {MAX_LEVELS}, not {levels!r}")
        if self.window.prior != (levels > 0):
            raise ModelError(
                f"prior of the window must be {levels > 0} with {levels} levels, "
                f"not {self.window.prior}"
            )
        if not isinstance(self.constraint, bool):
            raise ModelError(f"constraint must be True or False, not {self.constraint!r}")
        if self.constraint and levels == 0:
            raise ModelError("constraint must be False with 0 levels, not True")
        if levels == 0:
            if self.upsampler is not None:
                raise ModelError("upsampler must be absent from a model with 0 levels")
        elif not isinstance(self.upsampler, Upsampler):
            raise ModelError(
                f"upsampler must be an Upsampler in a model with {levels} levels, "
                f"not {self.upsampler!r}"
            )
        elif self.upsampler.channels != self.channels:
            raise ModelError(
                f"channels of the upsampler must be the window's {self.channels}, "
                f"not {self.upsampler.channels}"
            )
        elif self.upsampler.network.n_nodes > _MAX_NODES:
            raise ModelError(
                f"network of the upsampler must have at most {_MAX_NODES} nodes, "
                f"not {self.upsampler.network.n_nodes}"
            )

    @property
    def channels(self) -> int:
        """C, samples of a pixel."""
        return self.window.channels

    @cached_property
    def channel_networks(self) -> tuple[Netlist, ...]:
        """The network as each channel's head sees it: with the groups of that channel alone."""
        return tuple(
            channel_network(self.network, self.head.groups, self.channels, channel)
            for channel in range(self.channels)
        )

    def level_features(self, tiles: np.ndarray) -> list[np.ndarray]:
        """Features of every pixel of equally sized tiles, all of whose pixels are known.

        Parameters
        ----------
        tiles:
            uint8, shape (..., H, W), or (..., C, H, W) of several channels.

        Returns
        -------
        list of numpy.ndarray
            Element l is of level l: uint8, shape (F, ..., h, w).
        """
        pixels = pyramid(tiles, self.levels)
        priors: list[np.ndarray | None] = []
        if self.upsampler is not None:
            priors += [
                self.upsampler.upsample(low, *high.shape[-2:])
                for high, low in zip(pixels, pixels[1:], strict=False)
            ]
        priors.append(None)  # nothing is known before the coarsest level
        return [self.window.extract(*both) for both in zip(pixels, priors, strict=True)]

    def classify(self, features: np.ndarray, channel: int = 0) -> np.ndarray:
        """Class of a channel of each pixel, int64 (P,), from uint8 ``features`` of (F, P)."""
        return self.head.classes_of(self.channel_networks[channel], self.walker, features)

    def _parts(self) -> tuple[dict, dict[str, np.ndarray]]:
        meta, arrays = self.network.to_arrays("network.")
        meta = {"network": meta, "window": self.window.size, "stages": 0}
        if self.walker is not None:
            meta["stages"] = len(self.walker.stages)
            for i, stage in enumerate(self.walker.stages):
                for name in ("feature", "threshold", "child"):
                    arrays[f"walker.{i}.{name}"] = getattr(stage, name)
        meta["head"] = self.head.kind
        arrays |= {f"head.{name}": getattr(self.head, name) for name in self.head.arrays}
        if self.upsampler is not None:
            upsampler, more = self.upsampler.network.to_arrays("upsampler.")
            meta["levels"] = self.levels
            meta["upsampler"] = {"network": upsampler, "size": self.upsampler.size}
            arrays |= more
        if self.constraint:
            meta["constraint"] = True
        if self.channels > 1:
            meta["channels"] = self.channels
        return meta, arrays

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of all that decoding depends on; not of profile or training record."""
        return canonical_hash(*self._parts())

    def with_training(self, training: Mapping) -> "Model":
        """The same model with another training record."""
        return replace(self, training=training)

    def save(self, path) -> None:
        """Write the model file."""
        meta, arrays = self._parts()
        meta = {"model": meta, "profile": self.profile, "training": dict(self.training)}
        write_archive(path, KIND, FORMAT_VERSION, meta, arrays)

    @classmethod
    def load(cls, path) -> "Model":
        """Read a model file.

        Raises
        ------
        ModelError
            If the file is malformed in any way.
        OSError
            If it cannot be read.
        """
        return load_parts(path, KIND, FORMAT_VERSION, cls._from_parts)

    @classmethod
    def _from_parts(cls, meta: dict, arrays: dict) -> "Model":
        parts = meta["model"]
        network = Netlist.from_arrays(parts["network"], arrays, "network.")
        count = parts["stages"]
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 16:
            raise ModelError(f"number of walker stages must be 0 to 16, not {count!r}")
        stages = [
            WalkerStage(*(arrays[f"walker.{i}.{k}"] for k in ("feature", "threshold", "child")))
            for i in range(count)
        ]
        if parts["head"] not in HEADS:
            known = " or ".join(map(repr, HEADS))
            raise ModelError(f"head must be {known}, not {parts['head']!r}")
        kind = HEADS[parts["head"]]
        head = kind(*(arrays[f"head.{name}"] for name in kind.arrays))
        channels = parts.get("channels", 1)
        if "channels" in parts and channels == 1:  # such a model has another hash, as below
            raise ModelError("channels must be 2 or more where they are named, not 1")
        levels, upsampler = 0, None
        if "levels" in parts:
            levels = parts["levels"]
            if levels == 0:  # such a model has another file, and another hash
                raise ModelError("levels must be 1 or more where they are named, not 0")
            upsampler = Upsampler(
                parts["upsampler"]["size"],
                Netlist.from_arrays(parts["upsampler"]["network"], arrays, "upsampler."),
                channels,
            )
        window = Window(parts["window"], upsampler is not None, channels)
        return cls(
            meta["profile"], window, network, Walker(stages) if stages else None, head,
            meta["training"], levels, upsampler, parts.get("constraint", False),
        )  # fmt: skip

    @classmethod
    def default(cls) -> "Model":
        """The embedded model, trained on EMNIST digits."""
        with packaged(_DEFAULT) as path:
            return cls.load(path)
