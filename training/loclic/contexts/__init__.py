"""Context networks and entropy parameters of LoC-LIC."""
