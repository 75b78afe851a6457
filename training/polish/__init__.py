"""Trained LUT networks made better bit by bit, without gradients."""
