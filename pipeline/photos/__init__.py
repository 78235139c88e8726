"""Photo files in and out: reading, writing whole, metadata, deep and odd samples, masks, pictures for pages and notebooks."""
