"""The trained network: comparisons, LUT layers, counts, the walk of a tree."""
