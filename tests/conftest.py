"""What holds for all tests."""

import gc
import os

# Before torch is loaded. Its threads wait for each other in a busy loop: with a process of tests on
# each core, trainings that take seconds took minutes. Tests that are about threads ask for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from amaranth.hdl import Elaboratable  # noqa: E402

# Tests make components only to look at their ports, latencies and errors. That they are never
# elaborated is no mistake here; they are collected at any later time.
Elaboratable._MustUse__silence = True

# Elaboration makes millions of objects that live until it ends; looking through them every 700
# allocations is a third of its time.
gc.set_threshold(100_000, 20, 20)
