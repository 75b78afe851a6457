"""Profile ``predictive``: folded residuals to the strips of a file, and back."""
