"""Helm, as far as it can be told without running it: pasted commands and their values."""
