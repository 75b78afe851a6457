"""Contracts of streams and buses, proven of the Verilog: see `bench.formal.__main__`."""
