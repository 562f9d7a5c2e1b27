"""The checks, a file each, in the folder of the phase they look at."""
