"""Techniques that act on the precision of numbers."""
