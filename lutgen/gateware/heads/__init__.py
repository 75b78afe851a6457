"""Heads: from the network's outputs to intervals, and from slots to symbols."""
