"""Boxes drawn around objects in images: where they are read from, and the anchors a detector starts with."""
