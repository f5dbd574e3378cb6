"""Training pictures: reading archives, packing, cropping and augmenting them, and labels as arrays."""
