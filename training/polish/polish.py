"""Trained models of LUT networks made better by coordinate descent, without gradients.

The upsampling network comes first, for its pixels are what the other one reads.
"""

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from lutgen.errors import InputError
from lutgen.formats.rules import limits_of
from lutgen.model.channels import channel_groups
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.upsample import Upsampler
from lutgen.model.window import Window
from lutgen.training.data.datasets import check_images, data_hash
from lutgen.training.data.holdout import hold_out
from lutgen.training.data.samples import collect_levels, orientations, upsampling_samples
from lutgen.training.dlc.mapping import with_paper_mapping
from lutgen.training.dlc.train import integer_bpp
from lutgen.training.polish.costs import Costs, laplace_costs, square_costs
from lutgen.training.polish.descent import Descent, Windows
from lutgen.training.polish.layers import TwoLayers
from lutgen.training.slim.scales import Recount

__all__ = ["MEANINGS", "Polish", "polish_model"]

#: What numbers of ones mean.
MEANINGS = {
    "kept": "as in the model",
    "paper": "by the paper's formulas",
    "counted": "as in the model while it is polished, then counted again",
}
#: Tiles that models are trained for.
_TILE = 32
#: Images held out, of all, and most of them: those that the trainer of these networks holds out.
_HELD_OUT, _HELD_OUT_MOST = 0.05, 200


@dataclass(frozen=True, kw_only=True)
class Polish:
    """How a model is polished.

    Parameters
    ----------
    sweeps, ups_sweeps:
        Times that each node of the autoregressive and of the upsampling network is visited.
    windows:
        About how many windows the first sweep judges by, and the last; each takes 3 bytes for each
        node of a layer.  Few are quick, and their chance leads out of dead ends; many tell what is
        best.
    signals:
        Hidden nodes that an output node tries on its pins in a sweep.
    tried:
        Features that a hidden node tries on its pins in a sweep, with all 255 thresholds.
    inputs:
        ``any``, or ``kept``: pins read thermometer bits alone that the network has.
    doubt:
        What an entry of a table must save by the windows of a sweep, in standard deviations of
        that, in the first sweep and in the last: the more, the less is learned of windows by heart.
    mapping:
        One of `MEANINGS`.
    orientations:
        Flips and turns that an image may be seen in: 1, 2, 4 or 8.
    seed:
        Of all that is drawn by chance, and of the choice of images held out.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    sweeps: int = 40
    ups_sweeps: int = 20
    windows: tuple[int, int] = (200_000, 800_000)
    signals: int = 16
    tried: int = 12
    inputs: str = "any"
    doubt: tuple[float, float] = (0.0, 1.0)
    mapping: str = "kept"
    orientations: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (
            ("sweeps", 0, 10_000), ("ups_sweeps", 0, 10_000), ("signals", 0, 1 << 14),
            ("tried", 0, 1024), ("seed", 0, 1 << 62),
        ):  # fmt: skip
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(
                    f"{name.replace('_', ' ')} must be {least} to {most}, not {value!r}"
                )
        if len(self.windows) != 2 or not all(1 <= count <= 1 << 26 for count in self.windows):
            raise InputError(
                f"windows must be two numbers from 1 to {1 << 26}, not {self.windows!r}"
            )
        if len(self.doubt) != 2 or not all(0 <= doubt < 100 for doubt in self.doubt):
            raise InputError(f"doubt must be two numbers from 0 to 100, not {self.doubt!r}")
        if self.inputs not in ("any", "kept"):
            raise InputError(f"inputs must be any or kept, not {self.inputs!r}")
        if self.mapping not in MEANINGS:
            raise InputError(f"mapping must be {', '.join(MEANINGS)}, not {self.mapping!r}")
        if self.orientations not in (1, 2, 4, 8):
            raise InputError(f"orientations must be 1, 2, 4 or 8, not {self.orientations!r}")


def polish_model(
    model: Model,
    images: Sequence[np.ndarray],
    config: Polish,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    name: str = "unnamed images",
    licence: str = "",
    date: str | None = None,
) -> Model:
    """Polish a model.  The same arguments give the same model.

    Parameters
    ----------
    model:
        A model with a Laplace head, whose networks are at most two LUTs deep.
    images:
        Training images, uint8 arrays of shape (H, W), or (H, W, C) for a model of C channels;
        sizes may differ.  Whole ones are held out; of a single one, its last rows.
    config:
        How.
    progress:
        Called with step, work done and all work of the step.
    name, licence, date:
        For the training record.

    Returns
    -------
    Model
        Its training record is that of ``model`` without the metrics, which are not true any more,
        and one more entry in the list ``polish``: the hash of ``model``, the configuration, the
        images, ``bpp_before`` and ``bpp``, ideal, of both models on the images held out, and what
        the windows of each sweep paid before and after it: squared errors of the upsampling
        network, bits per symbol of the other one.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    InputError
        If the model cannot be polished.
    """
    start = with_paper_mapping(model) if config.mapping == "paper" else model
    head = start.head
    if not isinstance(head, LaplaceHead):
        raise InputError(f"model to be polished must have a Laplace head, not {head.kind}")
    images = check_images(images, limits=limits_of(model))
    split = hold_out(images, _HELD_OUT, config.seed, _HELD_OUT_MOST)
    progress = (lambda step, done, total: None) if progress is None else progress
    before = sum(integer_bpp(model, split.held, _TILE))
    polisher = _Polisher(start, head, split.kept, config, progress)
    polished = polisher.polished()
    entry = {
        "of": model.hash,
        "config": json.loads(json.dumps(asdict(config))),  # lists, no tuples
        "data": {
            "name": name, "images": len(images), "sha256": data_hash(images), "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "split": split.how,
        "bpp_before": before,
        "bpp": sum(integer_bpp(polished, split.held, _TILE)),
        "sweeps": polisher.paid,
    }  # fmt: skip
    record = {key: value for key, value in start.training.items() if key != "metrics"}
    return polished.with_training(record | {"polish": [*record.get("polish", []), entry]})


class _Polisher:
    def __init__(
        self, model: Model, head: LaplaceHead, images: list[np.ndarray], config: Polish,
        progress: Callable[[str, int, int], None],
    ) -> None:  # fmt: skip
        self.model = model
        self.head = head
        self.images = images
        self.config = config
        self.progress = progress
        #: By network, what windows paid before and after each sweep.
        self.paid: dict[str, list[list[float]]] = {}

    def polished(self) -> Model:
        model, config = self.model, self.config
        upsampler = model.upsampler
        if upsampler is not None and config.ups_sweeps:
            square = Window(upsampler.size, prior=True, channels=model.channels)

            def blocks(images: list[np.ndarray]) -> Windows:
                return Windows(*upsampling_samples(images, square, _TILE, model.levels))

            bits = {len(ids) for ids in upsampler.network.outputs.values()}
            if len(bits) > 1:
                raise InputError("pixels of the upsampler must have equal numbers of bits")
            network = self._descend(
                "ups", upsampler.network, square_costs(bits.pop()),
                [(output, 0) for output in range(len(upsampler.network.outputs))],
                blocks, config.ups_sweeps,
            )  # fmt: skip
            upsampler = Upsampler(upsampler.size, network, upsampler.channels)

        def windows(images: list[np.ndarray]) -> Windows:
            levels = collect_levels(
                images, model.window, _TILE, levels=model.levels,
                upsample=None if upsampler is None else upsampler.upsample,
            )  # fmt: skip
            symbols, weights = (
                np.concatenate([getattr(s, part).reshape(len(s.symbols), -1) for s in levels]).T
                for part in ("symbols", "weights")
            )
            features = np.concatenate([s.features for s in levels], axis=1)
            return Windows(features, symbols, weights)

        network, head = model.network, self.head
        if config.sweeps:
            network = self._descend(
                "arm", network, laplace_costs(head),
                [(channel, role) for channel in range(model.channels) for role in (0, 1)],
                windows, config.sweeps,
            )  # fmt: skip
        if config.mapping == "counted":
            rng = np.random.default_rng([self.config.seed, 2])
            seen = self._drawn(windows, config.windows[1], rng)
            head = self._recounted(head, network, seen)
        return replace(model, upsampler=upsampler, network=network, head=head)

    def _drawn(
        self, windows: Callable[[list[np.ndarray]], Windows], most: int, rng: np.random.Generator
    ) -> Windows:
        """About so many windows of images drawn and turned by chance.

        Weights are in shares of all.
        """
        turns = self.config.orientations
        parts: list[Windows] = []
        batch: list[np.ndarray] = []
        found = pixels = 0
        order = rng.permutation(len(self.images))
        for i in order:
            batch.append(orientations([self.images[i]], turns)[rng.integers(turns)])
            pixels += batch[-1].shape[0] * batch[-1].shape[1]
            if pixels >= most or i == order[-1]:
                parts.append(windows(batch))
                found += parts[-1].features.shape[1]
                batch, pixels = [], 0
                if found >= most:
                    break
        features, targets, weights = (
            np.concatenate([getattr(part, name) for part in parts], axis=1)
            for name in ("features", "targets", "weights")
        )
        shares = weights / weights.sum()
        return _fewer(Windows(features, targets, shares), most, rng)

    def _descend(
        self, name: str, network: Netlist, costs: Costs, groups: list[tuple[int, int]],
        windows: Callable[[list[np.ndarray]], Windows], sweeps: int,
    ) -> Netlist:  # fmt: skip
        config = self.config
        rng = np.random.default_rng([config.seed, len(self.paid)])
        layers = TwoLayers.of(network, rng, same_inputs=config.inputs == "kept")
        descent = Descent(
            layers, costs, groups, rng, signals=config.signals, tried=config.tried
        )
        doubts = np.linspace(*config.doubt, sweeps)
        counts = np.geomspace(*config.windows, sweeps).astype(int)
        paid = self.paid[name] = []
        for sweep, (doubt, count) in enumerate(zip(doubts, counts, strict=True)):
            self.progress(f"polishing {name}", sweep, sweeps)
            descent.load(self._drawn(windows, int(count), rng))
            before = descent.cost()
            descent.sweep(float(doubt))
            paid.append([before, descent.cost()])
        self.progress(f"polishing {name}", sweeps, sweeps)
        return descent.layers.netlist()

    def _recounted(self, head: LaplaceHead, network: Netlist, windows: Windows) -> LaplaceHead:
        names = channel_groups(LaplaceHead.groups, self.model.channels)
        mu, sigma = (
            np.stack([network.evaluate_count(pair[role], windows.features) for pair in names])
            for role in (0, 1)
        )
        return Recount(head).recounted(
            mu.ravel(), sigma.ravel(), windows.targets.ravel(), windows.weights.ravel()
        )


def _fewer(windows: Windows, most: int, rng: np.random.Generator) -> Windows:
    """At most so many of the windows: those that stand for many first, of the others some."""
    light = (windows.weights <= 2 * np.median(windows.weights)).all(axis=0)
    heavy = np.flatnonzero(~light)
    drawn = rng.permutation(np.flatnonzero(light))[: max(1, most - len(heavy))]
    kept = np.append(heavy, drawn)
    weights = windows.weights[:, kept]
    weights[:, len(heavy) :] *= light.sum() / max(1, len(drawn))
    return Windows(
        np.ascontiguousarray(windows.features[:, kept]),
        np.ascontiguousarray(windows.targets[:, kept]),
        np.ascontiguousarray(weights, dtype=np.float32),
    )
