"""Techniques that act on the batch."""
