"""Profile ``predictive``: from the samples around a sample to its prediction and token table."""
