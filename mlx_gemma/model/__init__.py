"""Gemma 3: its sizes, decoder, masks, caches, the join with the vision tower, and how weights get in."""
