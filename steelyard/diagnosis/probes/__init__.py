"""What single inputs know about the target: alone, together with the others, and too much."""
