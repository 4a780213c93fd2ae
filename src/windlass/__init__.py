"""Windlass: takes code to production on machines people own."""

__version__ = "0.1.0"
