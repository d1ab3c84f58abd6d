"""What it costs, beside mlx-lm on the same machine: every figure is a pair of alternating runs."""
