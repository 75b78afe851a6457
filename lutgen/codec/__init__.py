"""Reference codec: integers only, the golden model of the gateware.

What is computed here, the gateware computes in blocks made from the same parameter objects, those
of :mod:`lutgen.model`.  Nothing in this package imports the gateware.
"""
