"""Makes runs: `freeze` decides what one would send, `store` writes it with its deliveries.

Used by the planner for an occurrence and by people's "run now"; always inside their transaction.
"""
