"""What StyleGAN is used for beside drags: random pictures and walks between them, two photos fused or mixed."""
