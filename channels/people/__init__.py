"""People from files, and into files: read, map the columns, check every row, write at once."""
