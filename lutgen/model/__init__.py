"""What a codec is: networks, windows, heads and levels, in a model and its file."""
