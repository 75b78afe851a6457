"""A small convolutional codec in the manner of SReC."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lutgen.errors import InputError
from lutgen.model.pyramid import MAX_LEVELS, pyramid
from lutgen.training.baselines.baseline import Baseline, Phase
from lutgen.training.baselines.density import code_length, logistic_mixture_cdf
from lutgen.training.run.modules import ListOf

__all__ = ["SReC", "SReCConfig"]


@dataclass(frozen=True, kw_only=True)
class SReCConfig:
    """Size of an `SReC`.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    # As in the paper: the coarsest of a 28 x 28 image is 4 x 4.
    levels: int = 3
    # The paper has 64; half of them train on one processor core in minutes.
    channels: int = 32
    # Residual blocks for each pixel of a block; the paper has 3.
    blocks: int = 2
    # Logistics per mixture: the paper's.
    components: int = 10

    def __post_init__(self) -> None:
        for name, low, high in (
            ("levels", 1, MAX_LEVELS), ("channels", 1, 256), ("blocks", 0, 16),
            ("components", 2, 64),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} must be {low} to {high}, not {getattr(self, name)!r}")


class _Residual(nn.Module):
    """Block of EDSR, as in the paper: no normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(torch.relu(self.first(x)))


class _Pixel(nn.Module):
    """Features and densities of one of the four pixels of every block."""

    def __init__(self, known: int, config: SReCConfig) -> None:
        super().__init__()
        c, k = config.channels, config.components
        self.head = nn.Conv2d(known + c, c, 3, padding=1)
        self.body = nn.Sequential(*[_Residual(c) for _ in range(config.blocks)])
        self.tail = nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 1), nn.ReLU(), nn.Conv2d(c, 3 * k, 1))

    def forward(self, planes: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Context (N, channels, h, w) and parameters (N, h, w, 3, components) of known planes."""
        features = self.body(self.head(torch.cat([planes, context], dim=1)))
        out = self.tail(features).movedim(1, -1)
        return features, out.unflatten(-1, (3, -1))


class SReC(Baseline):
    """Lossless compression through super-resolution (Cao, Wu, Kraehenbuehl, arXiv 2004.02872).

    ::

        features of level l + 1 --> net 0 --> net 1 --> net 2 --> net 3 --> features for level l - 1
                                    ^  |      ^  |      ^  |      ^  |
        level l + 1 ----------------+--|------+--|------+--|------+  |
                                       v      |  v      |  v      |  v
                                       p0 ----+  p1 ----+  p2 ----+  p3  level l, a quarter each

    Each pixel of a coarser level is the rounded average of a 2 x 2 block.  The top left pixels of
    all blocks are coded first, then the top right, bottom left and bottom right ones, each given
    all that was coded before, as mixtures of logistics.  What the average leaves possible bounds
    every pixel: the last has four values at most.  (In the paper the remainder of the average,
    which decides the last pixel, is stored with two bits; here its probabilities are learned.)
    The coarsest level is stored, with eight bits per pixel, as in the paper.  Every level has
    networks of its own.

    Parameters
    ----------
    config:
        Size, `SReCConfig()` unless told.
    """

    kind = "srec"
    # With 0.005 it learns less, with 0.01 nothing.
    rate = 0.003

    spread: Tensor

    def __init__(self, config: SReCConfig | None = None) -> None:
        super().__init__(SReCConfig() if config is None else config)
        c = self.config
        self.nets = ListOf(
            ListOf(_Pixel(known, c) for known in range(1, 5)) for _ in range(c.levels)
        )
        # Parameters of a pixel lie together.  Types of torch lack the argument.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # One half of the components starts at what is left of the average, as a correction; the
        # other, spread over the grey values, finds those that are common whatever is around.
        spread = torch.linspace(0, 255, c.components // 2)
        self.register_buffer("spread", spread, persistent=False)

    def phases(self) -> list[Phase]:
        return [Phase("srec", 1.0, self, self._loss, "bpp")]

    def _steps(self, planes: list[np.ndarray]) -> Iterator[tuple]:
        """What is coded, in order: level, pixel of its block, values, bounds and distribution.

        Values and bounds are float32 (N, h, w), one for each block, those beyond an odd side
        included; the last one is a function.
        """
        context = None
        for level in range(self.config.levels - 1, -1, -1):
            low = torch.from_numpy(planes[level + 1]).float()
            high = _padded(planes[level])
            if context is None:
                context = low.new_zeros(low.shape[0], self.config.channels, *low.shape[1:])
            else:
                context = functional.interpolate(context, scale_factor=2)
                context = context[..., : low.shape[1], : low.shape[2]]
            known = low[:, None]
            # Sums that round to the average, see `lutgen.model.pyramid.pool`.
            least, most = 4 * low - 2, 4 * low + 1
            for place, net in enumerate(self.nets[level]):
                x = high[:, place // 2 :: 2, place % 2 :: 2]
                rest = 3 - place
                lower = (least - 255 * rest).clamp(min=0)
                upper = most.clamp(max=255)
                context, parameters = net(known / 255, context)
                logits, offset, log_scale = parameters.unbind(-2)
                start = ((least + most) / 2 / (rest + 1)).clamp(0, 255)[..., None]
                count = self.config.components - len(self.spread)
                centre = torch.cat([
                    start.expand(*start.shape[:-1], count),
                    self.spread.expand(*start.shape[:-1], -1),
                ], dim=-1)  # fmt: skip
                mu = centre + 32 * offset
                log_scale = (log_scale + 3).clamp(-3, 6)
                mixture = torch.softmax(logits, dim=-1), mu, log_scale

                def cdf(
                    values: Tensor, mixture: tuple[Tensor, Tensor, Tensor] = mixture
                ) -> Tensor:
                    return logistic_mixture_cdf(values, *mixture)

                yield level, place, x, lower, upper, cdf
                known = torch.cat([known, x[:, None]], dim=1)
                least, most = least - x, most - x

    def _loss(self, images: np.ndarray) -> Tensor:
        planes = pyramid(images, self.config.levels)
        loss = torch.zeros(())
        for level, place, x, lower, upper, cdf in self._steps(planes):
            height, width = _sides(planes[level], place)
            bits = code_length(x, cdf, lower, upper)
            loss = loss + bits[:, :height, :width].sum()
        return loss + 8 * planes[-1].size

    @torch.no_grad()
    def code_lengths(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        out = [np.full(plane.shape, 8, dtype=np.float32) for plane in planes]
        for level, place, x, lower, upper, cdf in self._steps(planes):
            height, width = _sides(planes[level], place)
            bits = code_length(x, cdf, lower, upper)[:, :height, :width].numpy()
            out[level][:, place // 2 :: 2, place % 2 :: 2] = bits
        return out

    @torch.no_grad()
    def pmfs(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        out = [np.full((*plane.shape, 256), 1 / 256, dtype=np.float32) for plane in planes]
        for level, place, _, lower, upper, cdf in self._steps(planes):
            height, width = _sides(planes[level], place)
            for value in range(256):
                x = torch.full_like(lower, value)
                bits = code_length(x, cdf, lower, upper)
                pmf = torch.exp2(-bits).where((lower <= x) & (x <= upper), 0.0)
                out[level][:, place // 2 :: 2, place % 2 :: 2, value] = pmf[:, :height, :width]
        return out


def _padded(plane: np.ndarray) -> Tensor:
    """float32, odd sides made even as pooling does; what is repeated has been coded before."""
    sides = [(0, 0), *((0, side % 2) for side in plane.shape[1:])]
    return torch.from_numpy(np.pad(plane, sides, mode="edge")).float()


def _sides(plane: np.ndarray, place: int) -> tuple[int, int]:
    """How many blocks have a pixel at this place, in rows and columns."""
    return (plane.shape[1] + 1 - place // 2) // 2, (plane.shape[2] + 1 - place % 2) // 2
