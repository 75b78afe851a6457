"""Verilator and cocotb: builds of simulations, kept, and their runs."""
