"""Streams and bus transactions driven into a simulation."""
