"""The networks: their layers, variants, weights, and how their raw outputs are decoded."""
