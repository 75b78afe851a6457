"""What models and builds call the profile ``predictive``; quick to import."""

__all__ = ["PROFILE"]

PROFILE = "predictive"
