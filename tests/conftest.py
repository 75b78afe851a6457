"""Tests make components only to look at their ports, latencies and errors."""

from amaranth.hdl import Elaboratable

# Components that are never elaborated are no mistake here; they are collected at any later time.
Elaboratable._MustUse__silence = True
