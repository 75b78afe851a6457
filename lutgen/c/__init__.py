"""The codec in C: sources, and the tables that are generated from a model."""
