"""Checks of wiring."""
