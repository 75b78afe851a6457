"""Reference codec of profile ``predictive``: rows or tiles of samples to payloads and back."""
