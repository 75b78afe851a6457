"""What holds for all tests."""

import argparse
import os

import pytest

# Before torch is loaded. Its threads wait for each other in a busy loop: with a process of tests on
# each core, trainings that take seconds took minutes. Tests that are about threads ask for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# And numba's: what waits for another thread sleeps, where it took up to a hundred times the work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Tests are of the reference's own loops, and compare the codec in C with them.
os.environ["LUTGEN_CODEC"] = "python"

from amaranth.hdl import Elaboratable  # noqa: E402

from tests.tiers import group_of, parse_share, split_share  # noqa: E402

# Tests make components only to look at their ports, latencies and errors. That they are never
# elaborated is no mistake here; they are collected at any later time.
Elaboratable._MustUse__silence = True


def pytest_configure(config):
    # xdist would begin with the files of most tests; those of long tests, which have few, would
    # come last, and the last of them would keep one core only.
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_addoption(parser):
    def share(text: str) -> tuple[int, int]:
        try:
            return parse_share(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    parser.addoption(
        "--exhaustive", type=share, metavar="K/N",
        help="of the exhaustive tests that -m chooses, the K-th of N shares alone",
    )  # fmt: skip


def pytest_itemcollected(item):
    """What is exhaustive is slow, so that ``-m "not slow"`` need not know of it."""
    if item.get_closest_marker("exhaustive"):
        item.add_marker(pytest.mark.slow)


def pytest_collection_modifyitems(config, items):
    """Files that have slow tests come first."""
    if share := config.getoption("exhaustive"):
        exhaustive = [item for item in items if item.get_closest_marker("exhaustive")]
        chosen = split_share([group_of(item) for item in exhaustive], share)
        left_out = {item for item in exhaustive if group_of(item) not in chosen}
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
