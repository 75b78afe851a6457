# @MODULE@ on its own, out of context. Read lutgen.xdc first. Not run in Vivado by its
# makers.
#
# Ports are false paths, not set_input_delay and set_output_delay: what drives and loads
# them is known only in the design around, and any delay would be made up. So out of
# context only paths between registers count. Never read this file in the design around:
# there the ports, the reset's fan-out among them, are paths like any other.

@CONSTRAINTS@
