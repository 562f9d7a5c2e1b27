"""Techniques that act on the network."""
