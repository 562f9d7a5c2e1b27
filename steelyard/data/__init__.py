"""Data in: any source to a `Dataset`, its split, its preparation."""
