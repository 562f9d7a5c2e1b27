"""Techniques that act on the schedule."""
