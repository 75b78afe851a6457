"""Simulated encoders, decoders and engines, with the calls of the codec."""
