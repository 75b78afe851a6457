"""Levels of a pyramid: averages, coarse pixels, priors and their upsampling."""
