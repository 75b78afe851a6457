"""Reference codec: integers only, the golden model of the gateware.

Every module here has a namesake in :mod:`lutgen.gateware` that is built from the same parameter
object.  Nothing in this package imports the gateware.
"""
