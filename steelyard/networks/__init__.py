"""Parts that build networks: a network encodes its inputs to features and maps features to outputs."""
