"""Techniques that act on the weights."""
