"""How good a generator's latent space is, by the published measures: path length, linear separability."""
