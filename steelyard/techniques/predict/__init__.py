"""Techniques that act on what is predicted."""
