"""Checkpoints in, checkpoints out."""
