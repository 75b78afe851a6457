"""Learned methods to compare with.

`lutgen.training.baselines.ic_mlp` is the IC-MLP of the GIC-DLC paper, ``srec`` a small network in
the manner of SReC; both are trained by ``python -m lutgen.training.baselines`` and read back by
`lutgen.training.baselines.files.load`.
"""
