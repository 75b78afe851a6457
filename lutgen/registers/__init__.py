"""Registers of the IP: their description, compiled and read."""
