"""Rounding steps of the lossy codec: eight to an octave, as integers.

A model is trained for steps of one; a coarser or finer step takes its images to lower or higher
rates.
"""

import math

from lutgen.errors import InputError

__all__ = ["STEPS", "STEP_UNIT", "nearest_step", "step_of"]

#: Steps are in units of ``1 / STEP_UNIT``.
STEP_UNIT = 1 << 12
#: Number of steps, from 1/4 to 8.
STEPS = 41
# round(2**12 * 2**(k / 8))
_OCTAVE = (4096, 4467, 4871, 5312, 5793, 6317, 6889, 7512)


def step_of(number: int) -> int:
    """Step 0..40 in units of ``1 / STEP_UNIT``; 16 is a step of one.

    Raises
    ------
    InputError
        If there is no such step.
    """
    if isinstance(number, bool) or number not in range(STEPS):
        raise InputError(f"step must be 0 to {STEPS - 1}, not {number!r}")
    octave, rest = divmod(number, 8)
    return (_OCTAVE[rest] << octave) >> 2


def nearest_step(factor: float) -> int:
    """Number of the step nearest to a factor of 1/4 to 8.

    Raises
    ------
    InputError
        If it is outside.
    """
    if not 0.25 <= factor <= 8:
        raise InputError(f"step must be 0.25 to 8, not {factor!r}")
    return round(16 + 8 * math.log2(factor))
