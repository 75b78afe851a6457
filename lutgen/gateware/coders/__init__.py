"""Entropy coders of the lanes: rANS, tANS and their payload."""
