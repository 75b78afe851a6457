"""Mapped netlists simulated gate by gate, with the toggles of every net."""
