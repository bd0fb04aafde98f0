"""The calendar: what went and what is to go in a range of days, within a person's reach."""
