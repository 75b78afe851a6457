"""The bench's side of a simulation, inside cocotb."""
