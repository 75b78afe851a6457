"""What holds for all tests."""

import os

# Before torch is loaded. Its threads wait for each other in a busy loop: with a process of tests on
# each core, trainings that take seconds took minutes. Tests that are about threads ask for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# And numba's: what waits for another thread sleeps, where it took up to a hundred times the work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Tests are of the reference's own loops, and compare the codec in C with them.
os.environ["LUTGEN_CODEC"] = "python"

from amaranth.hdl import Elaboratable  # noqa: E402

# Tests make components only to look at their ports, latencies and errors. That they are never
# elaborated is no mistake here; they are collected at any later time.
Elaboratable._MustUse__silence = True


def pytest_configure(config):
    # xdist would begin with the files of most tests; those of long tests, which have few, would
    # come last, and the last of them would keep one core only.
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Files that have slow tests come first."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
