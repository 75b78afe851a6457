"""Cores with registers behind AXI4-Lite and an interrupt."""
