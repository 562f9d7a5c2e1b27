"""What holds a model back, read from stored predictions."""
