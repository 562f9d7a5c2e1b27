"""From a recipe and arrays to a trained model: losses, optimizers, averaging, the loop."""
