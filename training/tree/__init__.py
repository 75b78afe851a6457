"""Context trees: grown, pruned, merged and compiled to netlists."""
