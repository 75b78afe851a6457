"""First weights from data: the transforms begin as linear block transforms."""

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from lutgen.training.loclic.contexts.entropy_parameters import EntropyParameters
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.block_transform import BLOCK
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.gaussian import LEAST_SCALE
from lutgen.training.loclic.networks.gdn import GDN
from lutgen.training.loclic.networks.residual_block import ResidualBlock
from lutgen.training.loclic.networks.residual_down import ResidualDown
from lutgen.training.loclic.networks.residual_up import ResidualUp
from lutgen.training.run.modules import bias_of, layer_of

__all__ = ["begin_linear", "begin_remainder"]

#: Little enough that normalisation begins as almost none, and enough to have a gradient.
_GAMMA = 0.01
#: Of scales and means, in spreads of their channel, what the hyper-synthesis begins to say.  Shares
#: of 0.03, 0.1 and 0.3 reach losses of 1.906, 1.902 and 1.930 as in `bench.loclic_start`.
_SHARE = 0.1
#: Constant pictures have no deviation to divide by.
_LEAST_DEVIATION = 1e-3


def begin_linear(network: Codec, x: torch.Tensor, weight: float) -> None:
    """Let a codec begin as a transform by principal components with a fixed Gaussian for each.

    With usual first weights y is a fraction of a rounding step, and thousands of steps go by until
    much of the image passes.  Here each halving of the resolution begins as the principal
    components of 2 x 2 blocks of the features before, as far as the channels of both transforms
    reach: through the convolutions of the analysis, where ``GELU(x) - GELU(-x) = x`` takes two
    channels for one, and back through the skip connections of the synthesis, beside which nothing
    is added yet.  Steps of y are those that the loss wants at high rates, and the hyper-synthesis
    begins with the spread of each channel.  The context networks begin by passing on what it says.
    All layers of the hyperprior begin with unit variance: with usual first weights z is a fraction
    of a rounding step too, all of it rounds to zero, and nothing of it is heard of.

    Parameters
    ----------
    network:
        Codec to change in place; layers that have no part in this keep their weights.
    x:
        Images in [0, 1], (B, 3, H, W), sides multiples of 64.
    weight:
        Of the squared error in the loss, see `.schedule.TrainConfig`.
    """
    step = _step(weight)
    with torch.no_grad():
        components, means, scales = _pyramid(x, _kept(network.config), step)
        _analysis(network, components, means, scales)
        _synthesis(network, components, means, scales)
        y = network.analysis(x)
        spread = y.std((0, 2, 3)).clamp(min=LEAST_SCALE)
        _hyperprior(network, y, torch.cat([spread, spread]))
        said = layer_of(nn.Conv2d, network.hyper_synthesis.stages, -1)
        bias_of(said).copy_(torch.cat([spread, y.mean((0, 2, 3))]))
        for index, part in enumerate(network.entropy_model.slices):
            for parameters in (part.anchor_parameters, part.other_parameters):
                _pass_on(parameters, index, network.config)


def begin_remainder(network: Codec, x: torch.Tensor, weight: float, rounding: float) -> None:
    """Let the remainder begin as principal components of what the rest of a codec leaves.

    Parameters
    ----------
    network:
        Codec to change in place, with weights for all but the remainder.
    x:
        Images in [0, 1], (B, 3, H, W), sides multiples of 64.
    weight:
        Of the squared error in the loss, see `.schedule.TrainConfig`.
    rounding:
        Step of y where the remainder is needed most: the least.
    """
    with torch.no_grad():
        y = network.analysis(x)
        y_hat = torch.round(y / rounding) * rounding
        left = x - network.synthesis(y_hat)
        block = functional.pixel_unshuffle(left, BLOCK).transpose(0, 1).flatten(1)
        part = _components(block, network.config.remainder)
        scale = 1 / _step(weight)
        first = layer_of(nn.Conv2d, network.remainder_analysis.stages, 1)
        last = layer_of(nn.Conv2d, network.remainder_synthesis.stages, 0)
        first.weight.copy_(part[:, :, None, None] * scale)
        last.weight.copy_(part.T[:, :, None, None] / scale)
        bias_of(first).zero_()
        bias_of(last).zero_()
        spread = network.remainder_analysis(left).std((0, 2, 3)).clamp(min=LEAST_SCALE)
        hyper = network.hyper_synthesis(torch.round(network.hyper_analysis(y)))
        stages = network.remainder_parameters.stages
        _unit_variance(stages, torch.cat([*hyper, y_hat], 1))
        said = layer_of(nn.Conv2d, stages, -1)
        said.weight *= _SHARE * torch.cat([spread, spread])[:, None, None, None]
        bias_of(said).copy_(torch.cat([spread, torch.zeros_like(spread)]))


def _step(weight: float) -> float:
    """Step, of pixels 0 to 1, that is one of y."""
    # dD/dR of uniform steps: weight * step^2 / 18 = 1 / ln 2, in pixels 0..255.
    return math.sqrt(18 / (weight * math.log(2))) / 255


def _components(blocks: torch.Tensor, count: int) -> torch.Tensor:
    """Principal components of columns of no mean: (count, rows) of (rows, columns)."""
    blocks = blocks.double()
    _, vectors = torch.linalg.eigh(blocks @ blocks.T / blocks.shape[1])
    return vectors.flip(1)[:, :count].T.float()


def _kept(config: CodecConfig) -> list[int]:
    """Components at a half, quarter, eighth and sixteenth of the resolution."""
    n0, n1, n2 = config.widths
    kept, before = [], 3
    for limit in (n0 // 2, min(n0, n1 // 2), min(n1, n2 // 2), config.latent):
        before = min(4 * before, limit)
        kept.append(before)
    return kept


def _blocks(x: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) -> (B, 4 C, H / 2, W / 2), the order of nn.PixelShuffle."""
    return functional.pixel_unshuffle(x, 2)


def _pyramid(
    x: torch.Tensor, kept: list[int], step: float
) -> tuple[list[torch.Tensor], list[torch.Tensor], list[float]]:
    """Components (kept, 4 before), means (4 before,) and scale of each level.

    Scales keep the features of a level small; together they make one unit of y a step of pixels.
    """
    components: list[torch.Tensor] = []
    means: list[torch.Tensor] = []
    scales: list[float] = []
    whole = 1.0
    for count in kept:
        blocks = _blocks(x).transpose(0, 1).flatten(1)
        mean = blocks.mean(1)
        part = _components(blocks - mean[:, None], count)
        x = functional.conv2d(_blocks(x) - mean[:, None, None], part[:, :, None, None])
        if len(scales) + 1 < len(kept):
            # Constant pictures have no spread: any scale will do.
            scale = 0.5 / (x.std((0, 2, 3)).max().item() or 0.5)
        else:
            scale = 1 / (step * whole)
        x, whole = x * scale, whole * scale
        components.append(part)
        means.append(mean)
        scales.append(scale)
    return components, means, scales


def _spread(part: torch.Tensor) -> torch.Tensor:
    """(n, 4 c) -> (n, c, 2, 2)."""
    return part.reshape(part.shape[0], -1, 2, 2)


def _analysis(
    network: Codec, components: Sequence[torch.Tensor], means: Sequence[torch.Tensor],
    scales: Sequence[float],
) -> None:  # fmt: skip
    stages = network.analysis.stages
    for level, part in enumerate(components):
        rows, across = part.shape[0], part.shape[1] // 4
        kernel = _spread(part) * scales[level]
        offset = -(part @ means[level]) * scales[level]
        stage = stages[2 * level]
        # Of a kernel of 3 x 3 with stride 2, the 2 x 2 block of the output cell.
        if isinstance(stage, ResidualDown):
            first, second = (layer_of(nn.Conv2d, stage.body, place) for place in (0, 2))
            first.weight.zero_()
            second.weight[:rows].zero_()
            bias_of(second)[:rows] = 0
            for k, sign in enumerate((1, -1)):
                first.weight[k : 2 * rows : 2, :across, 1:, 1:] = sign * kernel
                bias_of(first)[k : 2 * rows : 2] = sign * offset
                for row in range(rows):
                    second.weight[row, 2 * row + k, 1, 1] = sign
            _little_gdn(layer_of(GDN, stage.body, 3))
            stage.skip.weight[:rows].zero_()
            bias_of(stage.skip)[:rows] = 0
            block = layer_of(ResidualBlock, stages, 2 * level + 1)
            _nothing(layer_of(nn.Conv2d, block.body, 2))
        else:
            last = layer_of(nn.Conv2d, stages, 2 * level)
            last.weight.zero_()
            last.weight[:rows, :across, 1:, 1:] = kernel
            bias_of(last)[:rows] = offset


def _synthesis(
    network: Codec, components: Sequence[torch.Tensor], means: Sequence[torch.Tensor],
    scales: Sequence[float],
) -> None:  # fmt: skip
    # All stages share the scale of y: one in which errors of a step are far below the steps of
    # the optimizer would not survive them.
    share = math.prod(scales) ** (1 / len(components))
    level = len(components)
    for place, stage in enumerate(network.synthesis.stages):
        if isinstance(stage, ResidualBlock):
            _little(layer_of(nn.Conv2d, stage.body, 0))
            _nothing(layer_of(nn.Conv2d, stage.body, 2))
            if isinstance(stage.skip, nn.Conv2d):
                _nothing(stage.skip)
                for k in range(min(stage.skip.weight.shape[:2])):
                    stage.skip.weight[k, k] = 1.0
            continue
        level -= 1
        if isinstance(stage, ResidualUp):
            _little(layer_of(nn.Conv2d, layer_of(nn.Sequential, stage.body, 0), 0))
            _nothing(layer_of(nn.Conv2d, stage.body, 2))
            _little_gdn(layer_of(GDN, stage.body, 3))
            up = stage.skip
        else:
            up = layer_of(nn.Sequential, network.synthesis.stages, place)
        conv = layer_of(nn.Conv2d, up, 0)
        part = components[level]
        rows, across = part.shape
        _nothing(conv)
        conv.weight[:across, :rows, 1, 1] = part.T / share
        bias_of(conv)[:across] = means[level] * (share**level / math.prod(scales[:level]))


def _hyperprior(network: Codec, y: torch.Tensor, spread: torch.Tensor) -> None:
    z = _unit_variance(network.hyper_analysis.stages, y)
    last = layer_of(nn.Conv2d, network.hyper_analysis.stages, -1)
    deviation = z.std((0, 2, 3)).clamp(min=_LEAST_DEVIATION)
    last.weight /= deviation[:, None, None, None]
    bias = bias_of(last)
    bias.copy_((bias - z.mean((0, 2, 3))) / deviation)
    z = torch.round(network.hyper_analysis(y))
    _unit_variance(network.hyper_synthesis.stages, z)
    said = layer_of(nn.Conv2d, network.hyper_synthesis.stages, -1)
    said.weight *= _SHARE * spread[:, None, None, None]


def _unit_variance(stages: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    """Scale each convolution so that what it gives has unit variance; the output."""
    for stage in stages:
        conv = stage[0] if isinstance(stage, nn.Sequential) else stage
        if isinstance(conv, nn.Conv2d):
            deviation = stage(x).std().clamp(min=_LEAST_DEVIATION)
            conv.weight /= deviation
            bias_of(conv).div_(deviation)
        x = stage(x)
    return x


def _pass_on(parameters: EntropyParameters, index: int, config: CodecConfig) -> None:
    """Scales and means of a slice from the end of the input, two channels for one as above."""
    c, m = config.channels, config.latent
    layers = [layer for layer in parameters.stages if isinstance(layer, nn.Conv2d)]
    rows = torch.arange(2 * c)
    if any(4 * c > layer.out_channels for layer in layers[:-1]):
        return  # too wide a slice: learnt from nothing
    from_ = layers[0].in_channels - 2 * m + index * c + rows % c + m * (rows // c)
    for k, layer in enumerate(layers):
        first, last = k == 0, k == len(layers) - 1
        used = rows if last else torch.arange(4 * c)
        layer.weight[used] = 0
        bias_of(layer)[used] = 0
        for out, out_sign in ((rows, 1),) if last else ((2 * rows, 1), (2 * rows + 1, -1)):
            if first:
                layer.weight[out, from_] = out_sign
            else:
                layer.weight[out, 2 * rows] = out_sign
                layer.weight[out, 2 * rows + 1] = -out_sign


def _nothing(layer: nn.Conv2d) -> None:
    layer.weight.zero_()
    bias_of(layer).zero_()


def _little(layer: nn.Conv2d) -> None:
    layer.weight *= 0.1


def _little_gdn(layer: GDN) -> None:
    eye = torch.eye(len(layer.beta), dtype=torch.bool)
    layer.gamma[eye] = math.sqrt(_GAMMA)
