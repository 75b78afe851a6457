"""Measured tables of the pages, each a function of the json files in bench/results."""
