"""The HTTP floor: one module per audience, and what they share."""
