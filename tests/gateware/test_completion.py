"""Completion bits against a set of finished tiles."""

import numpy as np
import pytest

from lutgen.gateware.lanes.completion import Completion
from tests.gateware.bundle import Pipelines

DEPTH = 8


def test_tiles_finish_out_of_order():
    rng = np.random.default_rng(7)
    numbers = 2 * DEPTH
    columns: dict[str, list[int]] = {
        name: [] for name in ("clear", "clear_at", "mark", "marked", "query__0", "query__1")
    }
    expected: list[tuple[bool, bool]] = []

    def clock(done, oldest, *, clear=0, clear_at=0, mark=None) -> None:
        queries = [int(q) for q in oldest + rng.integers(DEPTH, size=2)]
        row = (clear, clear_at, mark is not None, (mark or 0) % numbers,
               *(q % numbers for q in queries))  # fmt: skip
        for column, value in zip(columns.values(), row, strict=True):
            column.append(int(value))
        expected.append(tuple(q in done for q in queries))

    for at in range(DEPTH):
        clock(set(), 0, clear=1, clear_at=at)
    expected.clear()
    done: set[int] = set()
    oldest = 0
    while oldest < 20 * numbers:  # through all meanings of the bits, many times
        waiting = sorted(set(range(oldest, oldest + DEPTH)) - done)
        mark = int(rng.choice(waiting)) if waiting and rng.random() < 0.6 else None
        clock(done, oldest, mark=mark)
        if mark is not None:
            done.add(mark)
        if oldest in done and rng.random() < 0.7:
            oldest += 1

    pipelines = Pipelines({"c": Completion(DEPTH, queries=2)})
    found = pipelines({f"c_{name}": np.array(values) for name, values in columns.items()})
    for k in range(2):
        np.testing.assert_array_equal(
            found[f"c_done__{k}"][DEPTH:], [row[k] for row in expected], err_msg=f"query {k}"
        )


@pytest.mark.parametrize("depth", [0, 1, 3, 12])
def test_depth_must_be_a_power_of_two(depth):
    with pytest.raises(ValueError, match=f"at least 2, not {depth}"):
        Completion(depth)
