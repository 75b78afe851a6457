"""Trained models with the paper's meaning of numbers of ones."""

from dataclasses import replace

from lutgen.errors import InputError
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.training.dlc.output import LaplaceOutput

__all__ = ["with_paper_mapping"]


def with_paper_mapping(model: Model) -> Model:
    """The same networks, with location and scale by the paper's formulas again.

    It is what training with ``mapping="paper"`` would have given: counting comes behind all of it.

    Parameters
    ----------
    model:
        A model with a Laplace head.

    Returns
    -------
    Model
        Its training record has no metrics, which are not true any more.

    Raises
    ------
    InputError
        If it has another head.
    """
    head = model.head
    if not isinstance(head, LaplaceHead):
        raise InputError(f"model must have a Laplace head for the paper's mapping, not {head.kind}")
    head = LaplaceOutput(head.mu.size - 1, head.sigma.size - 1).head()
    record = {key: value for key, value in model.training.items() if key != "metrics"}
    if "config" in record:
        record["config"] = {**record["config"], "mapping": "paper"}
    return replace(model, head=head).with_training(record)
