"""Checks of learning."""
