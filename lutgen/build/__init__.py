"""Builds: from a model to a folder of Verilog, constraints and figures."""
