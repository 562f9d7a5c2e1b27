"""Techniques that act on the optimizer."""
