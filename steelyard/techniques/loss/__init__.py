"""Techniques that act on the loss."""
