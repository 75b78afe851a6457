"""Lanes: the walk over tiles, their windows, and what each keeps."""
