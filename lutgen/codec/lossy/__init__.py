"""The integer parts of the lossy codec: escapes, interleaved rANS, its files."""
