"""Weights of the default generative models of Transpose; data only, read by the model cards that name this package."""
