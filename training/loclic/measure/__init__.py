"""Measures of LoC-LIC: complexity, quality, curves, published figures."""
