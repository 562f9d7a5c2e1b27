"""What makes one good model out of what was learnt: ensembles of winners."""
