"""Reference codec of profile ``predictive``: groups of rows or tiles to payloads and back."""
