"""Techniques that act on the inputs."""
