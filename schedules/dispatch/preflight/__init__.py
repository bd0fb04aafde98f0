"""Pre-flight: looks at a run some minutes before its time, so that what would fail is told before
the hour and not after it.

take → look (tables) → ask (channels, outside any transaction) → write. Nothing waits for it.
"""
