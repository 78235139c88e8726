"""What every stage shares: errors, files written whole, Adam, names imported on first use."""
