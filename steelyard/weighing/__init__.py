"""From outcomes to decisions: is one arm better than another?"""
