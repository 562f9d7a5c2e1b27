"""Techniques that act on the rows."""
