"""Every figure. lateness and figures are pure; tally counts attempts; punctuality reads."""
