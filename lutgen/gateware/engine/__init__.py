"""The entropy coder of the lossy codec."""
