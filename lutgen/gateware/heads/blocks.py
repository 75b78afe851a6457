"""What belongs to the gateware of one kind of head."""

from dataclasses import dataclass

from .exponents import Exponents
from .head import HeadDecoder, HeadEncoder

__all__ = ["HeadBlocks"]


@dataclass(frozen=True)
class HeadBlocks:
    """The gateware of one kind of head.

    Parameters
    ----------
    encoder, decoder:
        Classes below `.head.HeadEncoder` and `.head.HeadDecoder`.
    exponents:
        Class below `.exponents.Exponents`, of which the pooling constraint has the candidates'
        frequencies.
    """

    encoder: type[HeadEncoder]
    decoder: type[HeadDecoder]
    exponents: type[Exponents]
