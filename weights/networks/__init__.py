"""The generator networks: MobileStyleGAN and StyleGAN2."""
