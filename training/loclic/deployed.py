"""The lossy codec as it is used: real bytes, the same everywhere."""

from collections.abc import Mapping
from typing import TypeGuard

import numpy as np
import torch
from torch import nn

from lutgen.codec.lossy.model import FAR_CLASS, PRIOR_CLASS, RAW_CLASS, SCALES, LossyModelFile
from lutgen.codec.lossy.residuals import GREATEST, ResidualReader, ResidualTables, ResidualWriter
from lutgen.errors import InputError
from lutgen.training.loclic.contexts.entropy_model import Coder
from lutgen.training.loclic.fixed.affine import FixedConv, FixedLinear
from lutgen.training.loclic.fixed.convert import fixed_network
from lutgen.training.loclic.fixed.functions import FunctionTables
from lutgen.training.loclic.fixed.number import UNIT, to_fixed
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.rounding import THRIFT, residual_bits, thrifty_residuals
from lutgen.training.loclic.skeleton import check_finite, check_shapes, skeleton

__all__ = ["DeployedCodec", "is_affine", "shared", "transforms"]


def transforms(config: CodecConfig) -> tuple[str, ...]:
    """Parts of a codec that only one side computes, and that may be of floats."""
    more = ("remainder_analysis", "remainder_synthesis") if config.remainder else ()
    return ("analysis", "synthesis", "hyper_analysis", *more)


def shared(config: CodecConfig) -> tuple[str, ...]:
    """Parts that both sides must agree in."""
    more = ("remainder_parameters",) if config.remainder else ()
    return ("hyper_synthesis", "entropy_model", *more)


def is_affine(layer: nn.Module) -> TypeGuard[FixedConv | FixedLinear]:
    """Whether a layer of a shared network has integer weights, biases and shifts."""
    return isinstance(layer, FixedConv | FixedLinear)


class DeployedCodec:
    """Images to bytes and back with the content of a model file.

    Parameters
    ----------
    file:
        Model.
    device:
        Of torch.

    Raises
    ------
    InputError
        If the file's arrays are not those of its configuration.
    """

    # By the names that `transforms` and `shared` give; those of a remainder where there is one.
    analysis: nn.Module
    synthesis: nn.Module
    hyper_analysis: nn.Module
    hyper_synthesis: nn.Module
    entropy_model: nn.Module
    remainder_analysis: nn.Module
    remainder_synthesis: nn.Module
    remainder_parameters: nn.Module

    def __init__(self, file: LossyModelFile, device: str = "cpu") -> None:
        self.file = file
        self.device = torch.device(device)
        self.hash = bytes.fromhex(file.hash)[:8]
        try:
            self.config = CodecConfig(**file.meta["config"])
            arrays = file.arrays
            functions = FunctionTables(**{
                name: arrays[f"functions.{name}"] for name in ("gelu", "half_tanh", "exp")
            })  # fmt: skip
            tables = file.tables
            self.tables = ResidualTables(tables, far=FAR_CLASS, raw=RAW_CLASS)
            thresholds, medians = arrays["scales.thresholds"], arrays["prior.medians"]
            if tables.classes != PRIOR_CLASS + len(medians):
                raise InputError(f"{len(medians)} medians and {tables.classes} tables")
            steps = np.diff(thresholds.astype(np.int64))
            if thresholds.shape != (SCALES - 1,) or (steps < 0).any():
                raise InputError(f"thresholds must be {SCALES - 1}, never decreasing")
            if medians.shape != (self.config.hyper_width,):
                raise InputError(f"medians must be {self.config.hyper_width}, one of each channel")
            _check_arrays(self.config, arrays, functions)
            network = Codec(self.config).eval()
            self.shared = shared(self.config)
            for part in transforms(self.config):
                module = getattr(network, part)
                weights = _weights(arrays, part, "<f4")
                check_finite(weights, f"{part}.")
                module.load_state_dict(weights)
                setattr(self, part, module.to(self.device))
            for part in self.shared:
                module = fixed_network(getattr(network, part), functions, None)
                module.load_state_dict(_weights(arrays, part, None))
                for layer in module.modules():
                    if is_affine(layer):
                        layer.check()
                setattr(self, part, module.to(self.device))
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise InputError(f"model must hold the arrays of its configuration: {error}") from None
        self.unit = UNIT
        self._bits = residual_bits(self.tables)
        self.thresholds = torch.from_numpy(thresholds.astype(np.float64)).to(self.device)
        self.medians = torch.from_numpy(medians.astype(np.float64)).to(self.device)

    def fixed(self, x: torch.Tensor) -> torch.Tensor:
        """Latents as numbers that the shared networks take."""
        return to_fixed(x)

    @torch.no_grad()
    def compress(self, x: torch.Tensor, step: int = UNIT, thrift: float = THRIFT) -> dict:
        """Code an image.

        Parameters
        ----------
        x:
            In [0, 1], (1, 3, H, W), sides multiples of 64.
        step:
            Rounding step of y in units of 2**-12.
        thrift:
            How much a bit counts against error when a residual is rounded, see `.rounding`; 0
            rounds to the nearest.

        Returns
        -------
        dict
            ``strings``, a list of one payload, and ``shape``, cells of z, (H / 64, W / 64).
        """
        writer = ResidualWriter(self.tables)
        shape = self.analyse(x, writer, step, thrift)
        return {"strings": [writer.payload()], "shape": shape}

    @torch.no_grad()
    def decompress(
        self, strings: list[bytes], shape: tuple[int, int], step: int = UNIT
    ) -> dict:
        """Decode what `compress` gave with this step: ``x_hat``, (1, 3, H, W), not clipped.

        Raises
        ------
        CorruptStreamError
            If the payload is damaged.
        """
        return {"x_hat": self._image(self.decode_latent(strings, shape, step))}

    @torch.no_grad()
    def decode_latent(
        self, strings: list[bytes], shape: tuple[int, int], step: int = UNIT
    ) -> torch.Tensor:
        """Decoded y, (1, M, H / 16, W / 16), the same on all machines; as `decompress`.

        Channels of the remainder, where there is one, come behind: (1, M + r, H / 16, W / 16).
        """
        reader = ResidualReader(self.tables, strings[0])

        def code(
            index: int, cells: torch.Tensor, scales: torch.Tensor, means: torch.Tensor
        ) -> torch.Tensor:
            residuals = reader.code(self._classes(scales, cells, step))
            return self._placed(residuals, cells, means) * self._own(step) + means

        residuals = reader.code(self._prior_classes(*shape))
        z = residuals.reshape(1, -1, *shape) * self.unit
        y_hat, scales, means = self._walk(self._tensor(z), code)
        if self.config.remainder:
            everywhere = torch.ones_like(y_hat[0, 0], dtype=torch.bool)
            y_hat = torch.cat([y_hat, code(self.config.slices, everywhere, scales, means)], 1)
        reader.finish()
        return y_hat

    @torch.no_grad()
    def analyse(
        self, x: torch.Tensor, sink, step: int = UNIT, thrift: float = THRIFT
    ) -> tuple[int, int]:
        """Residuals of an image in the order of coding.

        Parameters
        ----------
        x, step, thrift:
            As for `compress`.
        sink:
            Its method ``code`` gets classes and residuals of each batch, int64, (n,); see
            `lutgen.codec.lossy.residuals`.

        Returns
        -------
        tuple of int
            Cells of z, (H / 64, W / 64).
        """
        c = self.config.channels
        y = self.analysis(x.to(self.device))
        z = self.hyper_analysis(y)
        y = self.fixed(y)

        def chosen(
            values: torch.Tensor, cells: torch.Tensor, scales: torch.Tensor, means: torch.Tensor
        ) -> torch.Tensor:
            classes = self._classes(scales, cells, step)
            exact = (values - means)[0][:, cells].flatten() / self._own(step)
            residuals = thrifty_residuals(exact.cpu().numpy(), classes, self._bits, thrift)
            sink.code(classes, residuals)
            return self._placed(residuals, cells, means) * self._own(step) + means

        def code(
            index: int, cells: torch.Tensor, scales: torch.Tensor, means: torch.Tensor
        ) -> torch.Tensor:
            return chosen(y[:, index * c : (index + 1) * c], cells, scales, means)

        shape = tuple(z.shape[2:])
        residuals = torch.floor((self.fixed(z) - self.medians[:, None, None]) / self.unit + 0.5)
        residuals = residuals.clamp(-GREATEST, GREATEST)
        flat = residuals.flatten().cpu().numpy().astype(np.int64)
        sink.code(self._prior_classes(*shape), flat)
        y_hat, scales, means = self._walk(residuals * self.unit, code)
        if self.config.remainder:
            left = self.fixed(self.remainder_analysis(x.to(self.device) - self._image(y_hat)))
            everywhere = torch.ones_like(y_hat[0, 0], dtype=torch.bool)
            chosen(left, everywhere, scales, means)
        return shape

    def _walk(
        self, z: torch.Tensor, code: Coder
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Decoded y of the rounded z, less its medians; scales and means of the remainder.

        These are of no channels where there is none.
        """
        hyper = self.hyper_synthesis(z + self.medians[:, None, None])
        y_hat = self.entropy_model(*hyper, code)[0]
        if not self.config.remainder:
            return y_hat, y_hat[:, :0], y_hat[:, :0]
        return y_hat, *self.remainder_parameters(*hyper, y_hat)

    def _image(self, decoded: torch.Tensor) -> torch.Tensor:
        """The image of decoded y, with the remainder behind it or without."""
        y_hat, left = (decoded / self.unit).float().split(
            [self.config.latent, decoded.shape[1] - self.config.latent], 1
        )
        image = self.synthesis(y_hat)
        return image + self.remainder_synthesis(left) if left.shape[1] else image

    def _own(self, step: int) -> float:
        """A step in units of the shared networks."""
        return step * self.unit / UNIT

    def _classes(self, scales: torch.Tensor, cells: torch.Tensor, step: int) -> np.ndarray:
        flat = scales[0][:, cells].flatten().contiguous()
        # A scale of so many steps; products of integers with powers of two are exact.
        thresholds = self.thresholds * (step / UNIT)
        return torch.searchsorted(thresholds, flat, right=True).cpu().numpy()

    def _prior_classes(self, height: int, width: int) -> np.ndarray:
        return np.repeat(PRIOR_CLASS + np.arange(len(self.medians)), height * width)

    def _placed(
        self, residuals: np.ndarray, cells: torch.Tensor, like: torch.Tensor
    ) -> torch.Tensor:
        out = torch.zeros_like(like)
        out[0, :, cells] = self._tensor(residuals.reshape(like.shape[1], -1))
        return out

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float64)).to(self.device)


def _check_arrays(
    config: CodecConfig, arrays: Mapping[str, np.ndarray], functions: FunctionTables
) -> None:
    """Compare the arrays of all networks with the configuration, before a network is made."""
    bare = skeleton(config, len(arrays))
    for part in (*transforms(config), *shared(config)):
        network = getattr(bare, part)
        if part in shared(config):
            with torch.device("meta"):
                network = fixed_network(network, functions, None)
        found = {
            name[len(part) + 1 :]: value.shape for name, value in arrays.items()
            if name.startswith(f"{part}.")
        }  # fmt: skip
        check_shapes(network.state_dict(), found, f"{part}.")


def _weights(
    arrays: Mapping[str, np.ndarray], part: str, form: str | None
) -> dict[str, torch.Tensor]:
    """State of a network: floats of their bits, all or the upper half, or integers as float64."""
    found = {}
    for name, value in arrays.items():
        if name.startswith(f"{part}."):
            whole = value.astype("<u4") << (16 if value.dtype.itemsize == 2 else 0)
            values = whole.view(form).copy() if form else value.astype(np.float64)
            found[name[len(part) + 1 :]] = torch.from_numpy(values)
    return found
