"""Small training programs of many styles, each with faults that can be planted into it."""
