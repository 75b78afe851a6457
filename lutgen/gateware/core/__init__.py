"""One encoder and one decoder: parameters, cores, and the tops with their ports."""
