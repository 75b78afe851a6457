"""Several cores behind one pair of ports: images cut into bands and joined again."""
