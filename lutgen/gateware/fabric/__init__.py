"""What every block stands on: LUTs, memories, delays, instances, Verilog."""
