"""Verilog and reference codec compared, as `lutgen sim` does."""
