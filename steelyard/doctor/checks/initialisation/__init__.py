"""Checks of initialisation."""
