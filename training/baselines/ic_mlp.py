"""IC-MLP: the codec of GIC-DLC with perceptrons in place of LUT networks."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lutgen.errors import InputError
from lutgen.model.pyramid import MAX_LEVELS, pyramid
from lutgen.model.window import Window
from lutgen.training.baselines.baseline import Baseline, Phase
from lutgen.training.baselines.density import code_length, laplace_cdf
from lutgen.training.run.modules import bias_of, layer_of

__all__ = ["ICMLP", "ICMLPConfig"]


@dataclass(frozen=True, kw_only=True)
class ICMLPConfig:
    """Size of an `ICMLP`.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    # L: the paper's; 0 is a raster codec, whose window has no prior and which upsamples nothing.
    levels: int = 2
    # K of both networks: the paper's.
    window: int = 5
    # Of each network, at most.  "Comparable parameter count" is all that the paper says; this is
    # what its LUT networks hold once they are trained, 2 x 1,024 tables of 64 bits.
    parameters: int = 2 * 1024 * 64

    def __post_init__(self) -> None:
        if not 0 <= self.levels <= MAX_LEVELS:
            raise InputError(f"levels must be 0 to {MAX_LEVELS}, not {self.levels!r}")
        if self.window not in (3, 5, 7):
            raise InputError(f"window must be 3, 5 or 7, not {self.window!r}")
        if not 1000 <= self.parameters <= 1 << 24:
            raise InputError(f"parameters must be 1000 to {1 << 24}, not {self.parameters!r}")


def _width(inputs: int, outputs: int, parameters: int) -> int:
    """Most units in each of two hidden layers of a network of at most so many parameters.

    Whole vectors of 16 units, which are a sixth quicker.
    """
    b = inputs + outputs + 2  # h * h + b * h + outputs
    return int((-b + math.sqrt(b * b + 4 * (parameters - outputs))) / 2) // 16 * 16


def _mlp(inputs: int, outputs: int, parameters: int) -> nn.Sequential:
    """As many layers of units as the paper has layers of LUTs, and one that adds them up."""
    width = _width(inputs, outputs, parameters)
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(),
        nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, outputs),
    )  # fmt: skip


def _scaled(features: np.ndarray) -> Tensor:
    """uint8 (F, M) to float32 (M, F) within 0 .. 2: background, which is most, is nothing."""
    return torch.from_numpy(np.ascontiguousarray(features.T)).float() * (2 / 255)


class ICMLP(Baseline):
    """IC-MLP of GIC-DLC (Aczel et al., section 5 and appendix A.2).

    ::

        level l + 1 --> 5 x 5 --> UPS --> 2 x 2 pixels, rounded --+
                                                                  v
        level l, what is coded --------------------> 5 x 5 with prior --> ARM --> mu, log sigma

    One upsampling model and one autoregressive model serve all levels.  UPS is trained with the
    squared error, then ARM with the code length of its Laplace densities, given what UPS makes
    of the levels above.  Both are perceptrons with two hidden layers of ReLU units.

    Parameters
    ----------
    config:
        Size, `ICMLPConfig()` unless told.
    """

    kind = "ic-mlp"
    # The paper's.  With clipped gradients it learns three times as fast as with the usual 0.001.
    rate = 0.01

    def __init__(self, config: ICMLPConfig | None = None) -> None:
        super().__init__(ICMLPConfig() if config is None else config)
        c = self.config
        self.window = Window(c.window, prior=c.levels > 0)
        self.square = Window(c.window, prior=True)
        self.arm = _mlp(self.window.features, 2, c.parameters)
        self.ups = _mlp(self.square.features, 4, c.parameters) if c.levels else None
        with torch.no_grad():
            # Wide at first, log sigma = 4: where probabilities are at their floor the loss is flat,
            # and a network that finds itself there learns no more.
            bias_of(layer_of(nn.Linear, self.arm, -1))[1] = math.log(4)

    def phases(self) -> list[Phase]:
        arm = Phase("arm", 0.9 if self.ups else 1.0, self.arm, self._arm_loss, "bpp")
        return [Phase("ups", 0.1, self.ups, self._ups_loss, "mse"), arm] if self.ups else [arm]

    def _blocks(self, low: np.ndarray) -> Tensor:
        """float32 (N, h, w, 2, 2) of uint8 (N, h, w): blocks of upsampled pixels, not rounded."""
        if self.ups is None:
            raise InputError("levels must be above 0 for upsampled pixels")
        # With the image as its own prior the window is the whole square.
        features = self.square.extract(low, low).reshape(self.square.features, -1)
        distinct, index = _merge(features)
        blocks = self.ups(_scaled(distinct)) * 127.5 + 127.5
        return blocks.index_select(0, index).reshape(*low.shape, 2, 2)

    def upsample(self, low: np.ndarray, height: int, width: int) -> np.ndarray:
        """Upsampled pixels as the autoregressive model reads them.

        Parameters
        ----------
        low:
            uint8, shape (N, h, w).
        height, width:
            Sides of the result: twice those of ``low``, or one less.

        Returns
        -------
        numpy.ndarray
            uint8, shape (N, height, width).
        """
        with torch.no_grad():
            blocks = self._blocks(low).round().clamp(0, 255).to(torch.uint8).numpy()
        count, h, w = low.shape
        high = blocks.transpose(0, 1, 3, 2, 4).reshape(count, 2 * h, 2 * w)
        return high[:, :height, :width]

    def _ups_loss(self, images: np.ndarray) -> Tensor:
        planes = pyramid(images, self.config.levels)
        loss = torch.zeros(())
        for high, low in zip(planes, planes[1:], strict=False):
            count, height, width = high.shape
            blocks = self._blocks(low).transpose(2, 3).flatten(3, 4).flatten(1, 2)
            want = torch.from_numpy(high).float()
            loss = loss + (blocks[:, :height, :width] - want).square().sum()
        return loss / sum(plane[0].size for plane in planes[:-1]) * images[0].size

    def _features(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        """uint8 (F, N, h, w) of each level."""
        if self.ups is None:
            return [self.window.extract(planes[0])]
        priors = [
            self.upsample(low, *high.shape[1:])
            for high, low in zip(planes, planes[1:], strict=False)
        ]
        return [
            self.window.extract(plane, prior)
            for plane, prior in zip(planes, [*priors, None], strict=True)
        ]

    def _density(self, features: np.ndarray) -> tuple[Tensor, Tensor]:
        """mu and log sigma, float32 (M,) each, of uint8 (F, M)."""
        mu, log_scale = self.arm(_scaled(features)).unbind(1)
        # With e ** -4 nothing is left beyond half a pixel; e ** 6 is as good as uniform.
        return 255 * torch.sigmoid(2 * mu), 10 * torch.sigmoid(log_scale) - 4

    def _arm_loss(self, images: np.ndarray) -> Tensor:
        planes = pyramid(images, self.config.levels)
        features = [f.reshape(self.window.features, -1) for f in self._features(planes)]
        # Most windows of a glyph are empty: one row of the batch stands for them all.
        distinct, index = _merge(np.concatenate(features, axis=1))
        mu, log_scale = self._density(distinct)
        mu, log_scale = mu.index_select(0, index), log_scale.index_select(0, index)
        symbols = torch.from_numpy(np.concatenate([p.reshape(-1) for p in planes])).float()
        return code_length(symbols, lambda x: laplace_cdf(x, mu, log_scale)).sum()

    @torch.no_grad()
    def code_lengths(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        out = []
        for plane, features in zip(planes, self._features(planes), strict=True):
            distinct, index = _merge(features.reshape(self.window.features, -1))
            mu, log_scale = (p[index] for p in self._density(distinct))
            symbols = torch.from_numpy(plane.reshape(-1)).float()
            bits = code_length(symbols, lambda x, mu=mu, s=log_scale: laplace_cdf(x, mu, s))
            out.append(bits.numpy().reshape(plane.shape))
        return out

    @torch.no_grad()
    def pmfs(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        out = []
        for plane, features in zip(planes, self._features(planes), strict=True):
            density = self._density(features.reshape(self.window.features, -1))
            mu, log_scale = (p[:, None] for p in density)
            x = torch.arange(256.0)
            bits = code_length(x, lambda x, mu=mu, s=log_scale: laplace_cdf(x, mu, s))
            out.append(torch.exp2(-bits).numpy().reshape(*plane.shape, 256))
        return out


def _merge(features: np.ndarray) -> tuple[np.ndarray, Tensor]:
    """The columns of uint8 (F, M) with all empty ones merged, and the new number of each."""
    filled = features.any(axis=0)
    index = np.where(filled, np.cumsum(filled), 0)
    first = np.zeros((features.shape[0], 1), dtype=np.uint8)
    return np.concatenate([first, features[:, filled]], axis=1), torch.from_numpy(index)
