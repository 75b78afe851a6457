"""Gateware: the codec in Amaranth, block by block the mirror of :mod:`lutgen.codec`.

From the ground up: ``fabric``, ``streams``, ``heads`` and ``lanes``, ``coders``, ``files`` and
``network``, ``levels``, ``prediction`` and ``strips``, ``core``, and on top ``bands``, ``engine``,
``ip`` and ``predictive``.  A room imports only those below it.

Blocks without ``valid`` and ``ready`` are pipelines: one result per clock, a fixed latency that the
attribute ``latency`` states, no stall.  Nothing in such a block is reset but what says so, because
what enters during reset is not marked as valid by the control that surrounds it.
"""
