"""Techniques that act on prediction."""
