"""Testbench of a build: SystemVerilog for any simulator, and the beats that it reads."""
