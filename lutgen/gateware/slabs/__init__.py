"""Several cores of profile ``predictive`` side by side, each for a slab of every image."""
