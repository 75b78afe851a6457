"""Compiled loops use torch's number of threads, and leave it alone."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import numba, torch

@numba.njit(parallel=True)
def added(count):
    total = 0
    for k in numba.prange(count):
        total += k
    return total

from lutgen.training.run.threads import share_threads
torch.set_num_threads(1)
share_threads()
assert added(5) == 10
print(torch.get_num_threads(), numba.get_num_threads())
"""


@pytest.mark.slow
def test_threads_are_shared():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True,
                         env={**os.environ, "NUMBA_NUM_THREADS": "3"})  # fmt: skip
    assert (run.stdout, run.returncode) == ("1 1\n", 0), run.stderr
