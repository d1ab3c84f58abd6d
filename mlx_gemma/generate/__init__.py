"""From a prompt's ids to an answer's: prefill, decode, sample, and what is kept between turns."""
