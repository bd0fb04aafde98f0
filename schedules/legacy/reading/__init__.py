"""Reads the rows of older systems: from a database, from a dump, from CSV files."""

from schedules.legacy.reading.open import open_source
from schedules.legacy.reading.record import Record, Source, Unusable

__all__ = ["Record", "Source", "Unusable", "open_source"]
