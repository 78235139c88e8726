"""Whitened spaces of latent codes: fitted, kept in the cache, and the axes along which pictures differ most."""
