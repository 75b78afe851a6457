"""Transforms of LoC-LIC and the layers that they are made of."""
