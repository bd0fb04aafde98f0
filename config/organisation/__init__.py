"""The organisation as a person sees it: the chart, and why somebody may or may not."""
