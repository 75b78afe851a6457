"""Profile ``predictive``: the cores, from pictures to files and back."""
