"""Cheaper layouts of trained LUT networks: fewer thresholds, narrower outputs, fewer scales.

The paper spends 255 thresholds on each pixel and 512 bits on each average (GIC-DLC, section 3.1).
Here a trained model gives some of that up, and no network is trained again:

1. Of each output group the bits stay whose average follows the group's target best.
2. What no output reads any more goes (`lutgen.model.optimise`).
3. The thresholds stay that let the fewest bits change on training images.
4. What counts of ones mean is counted again (`LaplaceOutput.recounted`).
5. Of the scales those stay that the code length misses most.

The upsampling network comes first, for its pixels are what the other one reads.
"""

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from lutgen.errors import InputError
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.optimise import optimise
from lutgen.model.upsample import GROUPS, Upsampler
from lutgen.model.window import Window
from lutgen.training.data.datasets import check_images, data_hash
from lutgen.training.data.samples import collect_levels, upsampling_samples
from lutgen.training.dlc.train import integer_bpp
from lutgen.training.slim.output_bits import fewer_bits
from lutgen.training.slim.scales import Recount, carried, fewer_scales
from lutgen.training.slim.thresholds import fewer_thresholds
from lutgen.training.tree.classes import fewer_classes

__all__ = ["Slim", "slim_model"]

#: Tiles that models are trained for.
_TILE = 32


@dataclass(frozen=True, kw_only=True)
class Slim:
    """What a model is to be cut down to; None leaves a part as it is.

    Parameters
    ----------
    thresholds:
        Thresholds of a pixel, on average over the window, in both networks: 1 to 254.  Pixels get
        as many as they need, so near ones have more.
    output_bits:
        Bits of ``mu`` and of ``sigma``, each.
    ups_bits:
        Bits of each of the four pixels of the upsampling model.
    scales:
        Scale classes of the head.
    classes:
        Classes of a table head; of a model that has one, nothing else can be cut.
    limit:
        Most training images to choose and count on.
    seed:
        Of the choice of these images.
    """

    thresholds: int | None = None
    output_bits: int | None = None
    ups_bits: int | None = None
    scales: int | None = None
    classes: int | None = None
    limit: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name, most in (
            ("thresholds", 254), ("output_bits", 4096), ("ups_bits", 4096), ("scales", 4096),
            ("classes", 4096), ("limit", 1 << 30),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise InputError(f"{name.replace('_', ' ')} must be 1 to {most}, not {value!r}")


def slim_model(
    model: Model,
    images: Sequence[np.ndarray],
    config: Slim,
    *,
    name: str = "unnamed images",
    licence: str = "",
    date: str | None = None,
) -> Model:
    """Cut a trained model down.  The same arguments give the same model.

    Parameters
    ----------
    model:
        A model of one channel with a Laplace head, with or without levels, or with a table head
        and a walker.
    images:
        Training images, uint8 arrays of shape (H, W), sizes may differ.
    config:
        What to cut.
    name, licence, date:
        For the training record.

    Returns
    -------
    Model
        Its training record is that of ``model`` without the metrics, which are not true any more,
        and one more entry in the list ``slim``: the hash of ``model``, the configuration, the
        images, and ``bpp_before`` and ``bpp``, ideal, of both models on these images.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    InputError
        If the model has not what is to be cut.
    """
    if model.channels > 1:
        raise InputError(f"model to be cut down must have one channel, not {model.channels}")
    table = model.head.kind == "table"
    for part in ("thresholds", "output_bits", "scales", "classes"):
        value = getattr(config, part)
        if value is not None and table != (part == "classes"):
            raise InputError(
                f"{part.replace('_', ' ')} must be absent for a model with a {model.head.title} "
                f"head, not {value}"
            )
    if config.ups_bits is not None and model.upsampler is None:
        raise InputError(f"ups bits must be absent for a model of 0 levels, not {config.ups_bits}")
    images = check_images(images)
    order = np.random.default_rng(config.seed).permutation(len(images))
    images = [images[i] for i in order[: config.limit]]

    upsampler = model.upsampler
    if upsampler is not None:
        upsampler = _slim_upsampler(upsampler, images, model.levels, config)
    if isinstance(model.head, LaplaceHead):
        network, head = _slim_network(model, model.head, upsampler, images, config)
        slim = replace(model, upsampler=upsampler, network=network, head=head)
    else:
        slim = replace(model, upsampler=upsampler)
        if config.classes is not None:
            slim = fewer_classes(slim, images, config.classes, tile=_TILE)
    entry = {
        "of": model.hash,
        "config": asdict(config),
        "data": {
            "name": name, "images": len(images), "sha256": data_hash(images), "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "bpp_before": sum(integer_bpp(model, images, _TILE)),
        "bpp": sum(integer_bpp(slim, images, _TILE)),
    }  # fmt: skip
    record = {key: value for key, value in model.training.items() if key != "metrics"}
    return slim.with_training(record | {"slim": [*record.get("slim", []), entry]})


def _slim_upsampler(
    upsampler: Upsampler, images: Sequence[np.ndarray], levels: int, config: Slim
) -> Upsampler:
    network = upsampler.network
    window = Window(upsampler.size, prior=True)
    features, targets, weights = upsampling_samples(images, window, _TILE, levels)
    if config.ups_bits is not None:
        groups = {group: (targets[k], weights[k], 255) for k, group in enumerate(GROUPS)}
        network = optimise(fewer_bits(network, features, groups, config.ups_bits))
    if config.thresholds is not None:
        # Of a block the top left pixel always exists: its weight is the window's.
        most = config.thresholds * network.features
        network = fewer_thresholds(network, features, weights[0], most)
    return Upsampler(upsampler.size, optimise(network))


def _slim_network(
    model: Model, head: LaplaceHead, upsampler: Upsampler | None, images: Sequence[np.ndarray],
    config: Slim,
) -> tuple[Netlist, LaplaceHead]:  # fmt: skip
    network = model.network
    levels = collect_levels(
        images, model.window, _TILE, levels=model.levels,
        upsample=None if upsampler is None else upsampler.upsample,
    )  # fmt: skip
    features = np.concatenate([s.features for s in levels], axis=1)
    symbols = np.concatenate([s.symbols for s in levels])
    weights = np.concatenate([s.weights for s in levels])
    location = head.mu[network.evaluate_count("mu", features)]
    scale = head.sigma[network.evaluate_count("sigma", features)]
    if config.output_bits is not None:
        # A location must be the more exact, the narrower the distribution: the probability of
        # the pixel at its centre tells.
        narrow = (head.cdf[:, 513] - head.cdf[:, 511]) >> 6
        groups = {
            "mu": (location, weights * np.maximum(1, narrow[scale]), None),
            "sigma": (scale, weights, None),
        }
        network = optimise(fewer_bits(network, features, groups, config.output_bits))
    if config.thresholds is not None:
        network = fewer_thresholds(network, features, weights, config.thresholds * network.features)
    network = optimise(network)
    mu, sigma = (network.evaluate_count(group, features) for group in ("mu", "sigma"))
    start = LaplaceHead(
        carried(location, mu, weights, len(network.outputs["mu"])),
        carried(scale, sigma, weights, len(network.outputs["sigma"])),
        head.cdf,
    )
    head = Recount(start).recounted(mu, sigma, symbols, weights)
    if config.scales is not None and config.scales < head.scales:
        start = fewer_scales(head, mu, sigma, symbols, weights, config.scales)
        head = Recount(start).recounted(mu, sigma, symbols, weights)
    return network, head
