"""The hyper-synthesis and context networks in integers.

What a decoder computes before it can read a symbol must be the same everywhere: floats are not,
their sums depend on order, and so on threads, devices and libraries.  Here every value is an
integer in units of 2**-12, carried in float64 tensors because torch multiplies and convolves these
fast on any device.  No sum exceeds 2**53, below which float64 holds every integer: each partial sum
is exact in whatever order it is taken.  Functions are tables of the model file.
"""
