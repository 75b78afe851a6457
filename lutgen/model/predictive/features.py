"""Features of a sample as data: what each is made of, and how all are brought to one scale.

A feature is a sum of differences of quantities (:mod:`.neighbourhood`), or of their absolute
values.  Divided by the *scale* that the errors nearby have, and clamped to a byte, it means the
same for 8 bits and for 16, in noise and in smooth parts; the division is a shift by whole octaves.

The scale is a weighted sum S of absolute differences, mostly errors, plus a constant: about 256
times the spread to be expected of the error, in 1/8 of a sample.  Its logarithm is linear between
powers of two, as everywhere in this profile: 16 times the exponent plus the four bits below the
leading one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lutgen.errors import InputError
from lutgen.files.compiled import njit

from .neighbourhood import FRACTION_BITS, PREDICTION, QUANTITIES, ZERO, changes
from .reference import ALL_QUANTITIES, LETTERS, level_of

__all__ = [
    "LEAST_SCALE", "OCTAVE", "STANDARD", "STANDARD_TERMS", "Feature", "Scale", "difference",
    "early_features", "feature_order", "fill_features", "log2", "scale_of", "standard_features",
    "standard_terms",
]  # fmt: skip

#: Steps of a logarithm in an octave.
OCTAVE = 16
#: Exponent of the least S: what is below it does not matter to any feature.
LEAST_EXPONENT = 7
LEAST_SCALE = 1 << LEAST_EXPONENT
#: Bits of a feature, an unsigned number.
FEATURE_BITS = 8
#: Term of the feature that counts changes between neighbours.
CHANGES = "changes"
_MOST_GAIN = 7
_MOST_TERMS = 8
_MOST_WEIGHT = 255
_P = QUANTITIES[PREDICTION]


def difference(text: str) -> tuple[int, int]:
    """Numbers of the two quantities of ``a-b``, or of ``a`` and zero.

    Raises
    ------
    InputError
        If one of them is none.
    """
    a, _, b = text.partition("-")
    pair = (a, b or ZERO)
    for name in pair:
        if name not in ALL_QUANTITIES:
            raise InputError(f"quantity must be one of {', '.join(ALL_QUANTITIES)}, not {name!r}")
    return ALL_QUANTITIES[pair[0]], ALL_QUANTITIES[pair[1]]


@dataclass(frozen=True)
class Feature:
    """One feature, a byte.

    Parameters
    ----------
    terms:
        Differences ``a-b`` of quantities, or quantities ``a``, 1 to 8; the feature ``scale`` has
        none: it is half the logarithm of S above its least value.  The term ``P`` alone is the
        level of the first prediction, its seven most significant bits; ``changes`` alone is how
        many of eight differences between neighbours are not zero.
    absolute:
        Whether the terms' absolute values are added up.
    gain:
        The sum is multiplied by ``2 ** gain``, 0 to 7, before it is divided by the scale.

    A signed feature has 128 added, so that all are numbers from 0 to 255.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    terms: tuple[str, ...]
    absolute: bool = False
    gain: int = 3

    def __post_init__(self) -> None:
        if len(self.terms) > _MOST_TERMS:
            raise InputError(f"a feature must have at most {_MOST_TERMS} terms, not {self.terms!r}")
        if not self.is_changes:
            for term in self.terms:
                difference(term)
        if not isinstance(self.absolute, bool):
            raise InputError(f"absolute must be True or False, not {self.absolute!r}")
        if type(self.gain) is not int or not 0 <= self.gain <= _MOST_GAIN:
            raise InputError(f"gain must be 0 to {_MOST_GAIN}, not {self.gain!r}")

    @property
    def name(self) -> str:
        """As reports and netlists call it."""
        if not self.terms:
            return "scale"
        text = "+".join(f"|{term}|" if self.absolute else term for term in self.terms)
        return f"{text}<<{self.gain}"

    @property
    def is_level(self) -> bool:
        """Whether it is the level of the prediction, which no scale divides."""
        return self.terms == (PREDICTION,)

    @property
    def is_changes(self) -> bool:
        """Whether it counts changes between neighbours."""
        return self.terms == (CHANGES,)

    @property
    def special(self) -> bool:
        """Whether it is no sum of differences."""
        return not self.terms or self.is_level or self.is_changes

    @property
    def late(self) -> bool:
        """Whether it needs the first prediction."""
        return any(PREDICTION in term.split("-") for term in self.terms)


@dataclass(frozen=True)
class Scale:
    """The weighted sum S.

    Parameters
    ----------
    weights:
        Weight of each absolute difference, 0 to 255.
    least:
        What S is where all of them are 0: 128 to 65,535.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    weights: Mapping[str, int]
    least: int

    def __post_init__(self) -> None:
        for term, weight in self.weights.items():
            if PREDICTION in term.split("-"):
                raise InputError(f"scale must have terms known before P, not {term!r}")
            difference(term)
            if type(weight) is not int or not 0 <= weight <= _MOST_WEIGHT:
                raise InputError(f"weight of {term} must be 0 to {_MOST_WEIGHT}, not {weight!r}")
        if type(self.least) is not int or not LEAST_SCALE <= self.least < 1 << 16:
            raise InputError(f"least scale must be {LEAST_SCALE} to 65535, not {self.least!r}")


#: What a scale's weights may stand on.
STANDARD_TERMS = (
    "eW", "eN", "eNE", "eNW", "eWW", "eNN", "eNEE", "EW", "ENE", "ENEEE",
    "W-NW", "N-NE", "N-NW", "W-WW", "N-NN",
)  # fmt: skip

#: Features that trainers offer to trees, those known before the prediction first.
STANDARD = (
    Feature(()),
    Feature((CHANGES,)),
    *(Feature((pair,)) for pair in (
        "W-NW", "NW-N", "N-NE", "W-N", "N-NN", "W-WW", "NE-NEE", "W-NE", "NW-NNW", "NE-NNE",
    )),
    *(Feature((error,), gain=4) for error in ("eW", "eN", "eNE", "eNW")),
    *(Feature((error,), absolute=True, gain=4) for error in ("eW", "eN", "eNE", "eNW", "eWW", "eNN",
                                                            "eNEE")),
    Feature(("EW",), absolute=True), Feature(("ENE",), absolute=True),
    Feature(("ENEEE",), absolute=True),
    Feature(("W-WW", "N-NW", "N-NE"), absolute=True, gain=2),
    Feature(("W-NW", "N-NN", "NE-NNE"), absolute=True, gain=2),
    Feature(("W-WW", "N-NW", "N-NE", "W-NW", "N-NN", "NE-NNE"), absolute=True, gain=1),
    Feature(("W-NW", "NW-N", "N-NE"), absolute=True, gain=2),
    Feature(("eW", "eN", "eNE", "eNW"), absolute=True, gain=2),
    *(Feature((pair,)) for pair in ("P-W", "P-N", "P-NE", "P-NW", "P-NN", "P-MED")),
    Feature((PREDICTION,)),
)  # fmt: skip


#: What is added to `STANDARD_TERMS` for each reference plane, ``a`` standing for its letter.
_TERMS_OF_REFERENCE = ("aeX", "aeW", "aeE", "aEX", "aX-aW", "aX-aN", "aX-aE")
#: What is added to `STANDARD`, likewise, and for the nearest reference plane only.
_OF_REFERENCE = (
    *(Feature((pair,)) for pair in ("aX-aW", "aX-aN", "aX-aE")),
    Feature(("aeX",), gain=4), Feature(("aeX",), absolute=True, gain=4),
    Feature(("aeE",), absolute=True, gain=4),
    Feature(("aX-aW", "aX-aN", "aX-aE"), absolute=True, gain=2),
)  # fmt: skip
_OF_NEAREST = (
    *(Feature((pair,)) for pair in ("aX-aNE", "aX-aNW")),
    Feature(("aeE",), gain=4), Feature(("aeEE",), absolute=True, gain=4),
    Feature(("aEX",), absolute=True), Feature(("aEEE",), absolute=True),
)  # fmt: skip


def standard_terms(references: int) -> tuple[str, ...]:
    """What the weights of S may stand on with so many reference planes."""
    return STANDARD_TERMS + tuple(
        _of_letter(term, letter) for letter in LETTERS[:references] for term in _TERMS_OF_REFERENCE
    )


def standard_features(references: int) -> tuple[Feature, ...]:
    """Features that trainers offer to trees with so many reference planes."""
    more = tuple(
        replace(f, terms=tuple(_of_letter(term, letter) for term in f.terms))
        for letter in LETTERS[:references] for f in _OF_REFERENCE
    )
    found = STANDARD + more + (_OF_NEAREST if references else ())
    return early_features(found) + tuple(f for f in found if f.late)


def _of_letter(term: str, letter: str) -> str:
    """A term of the reference plane ``a`` as that of another one."""
    return "-".join(letter + name[1:] if name[0] == "a" else name for name in term.split("-"))


def early_features(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """Those that are known before the first prediction."""
    return tuple(f for f in features if not f.late)


@njit(nogil=True, forceinline=True)
def log2(value):
    """16 times the logarithm of a number from 16 to 2 ** 32 - 1, linear between powers of two."""
    exponent = 0
    for step in (16, 8, 4, 2, 1):
        if value >> (exponent + step):
            exponent += step
    return (exponent << 4) + ((value >> (exponent - 4)) & 15)


@njit(nogil=True, forceinline=True)
def scale_of(kernel, quantity):
    """S of a sample."""
    scale = kernel.least
    for k in range(len(kernel.weight)):
        d = quantity[kernel.weighted[k, 0]] - quantity[kernel.weighted[k, 1]]
        scale += kernel.weight[k] * abs(d)
    return scale


@njit(nogil=True, forceinline=True)
def fill_features(kernel, late, quantity, logarithm, depth, feature, references=0):
    """Fill in the features known before the first prediction, or, if ``late``, the others.

    ``logarithm`` is that of S; ``feature``, uint8, has a place for each of the kernel's features.
    Indices are unsigned, so that none has to be looked at for being negative.
    """
    shift = (logarithm >> 4) - LEAST_EXPONENT
    part = 2 if late else 0
    begin, end = kernel.part[part], kernel.part[part + 1]
    k = np.uint64(kernel.first[begin])
    for number in range(begin, end):
        j = np.uint64(number)
        total = 0
        more = True
        # Not counted: gathering so few numbers by vector instructions takes longer.
        while more:
            d = quantity[kernel.minuend[k]] - quantity[kernel.subtrahend[k]]
            sign = (d >> 63) & kernel.absolute[j]
            total += (d ^ sign) - sign
            more = kernel.more[k]
            k += np.uint64(1)
        value = (total << kernel.gain[j]) >> shift
        feature[j] = min(max(value, kernel.low[j]), kernel.high[j]) + kernel.added[j]
    for j in range(end, kernel.part[part + 2]):
        if late:
            level = quantity[_P]
            if references:
                level += level_of(quantity, references)
            feature[j] = (level << 7) >> (depth + FRACTION_BITS)
        elif kernel.gain[j] < 0:
            feature[j] = changes(quantity)
        else:
            feature[j] = min((logarithm - LEAST_EXPONENT * OCTAVE) >> 1, 255)


def feature_order(features: tuple[Feature, ...], used) -> tuple[list[int], np.ndarray]:
    """Numbers of used features in the order that `fill_features` wants, and where its parts begin.

    The parts are early features of differences, scale and changes, late ones of differences, and
    the level.
    """
    def place(f: Feature) -> int:
        return 2 * f.late + f.special

    order = sorted(used, key=lambda k: (place(features[k]), k))
    places = [place(features[k]) for k in order]
    return order, np.searchsorted(places, np.arange(5)).astype(np.int64)


def pairs(terms) -> np.ndarray:
    """Numbers of the quantities of many differences: int64, shape (n, 2)."""
    return np.array([difference(term) for term in terms], dtype=np.int64).reshape(-1, 2)
