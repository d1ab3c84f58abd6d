"""What it costs, beside mlx-lm on the same machine: every figure is a pair of alternating runs."""

import vision as _vision  # its backend goes before mlx, so it is imported first

del _vision
