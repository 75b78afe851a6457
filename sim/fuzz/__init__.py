"""Damaged files and random traffic through Verilated cores, by a driver in C++."""
