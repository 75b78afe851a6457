"""Threads of torch and of compiled loops, which share a processor."""

from typing import Any

import numba
import torch

__all__ = ["share_threads"]


def share_threads() -> None:
    """Let compiled loops of this thread use as many threads as torch does.

    Both may run on one library of threads: numba's first loop would set torch's number, too, to
    that of all processors, and on a busy machine threads that wait for each other take all of its
    time.
    """
    count = torch.get_num_threads()
    settings: Any = numba.config
    numba.set_num_threads(min(count, settings.NUMBA_NUM_THREADS))
    torch.set_num_threads(count)
