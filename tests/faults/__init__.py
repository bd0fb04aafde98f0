"""Exactly once, whatever dies: real workers, beats and servers, killed, stopped and restarted.

    pytest -m faults tests/faults                                    all of it
    pytest -m faults tests/faults -n 3                               the same, three at once
    CHAOS_SECONDS=1800 pytest -m faults tests/faults/test_chaos.py   half an hour of chaos
    CHAOS_SEED=7 pytest -m faults tests/faults/test_chaos.py         the faults of one seed again
    OUTAGE_SECONDS=60 pytest -m faults tests/faults/test_outages.py  broker and database away longer

Without `-m faults` nothing here is chosen. On SQLite a few of the tests run; with
TEIJI_DATABASE_URL on PostgreSQL all of them, on a server of their own that they may crash.

nursery.py forks workers and beats; failpoints.py, loaded in them, dies or stands still at a named
step; naive.py makes a sender that is worse than ours; checker.py holds what the channels accepted
against what the database says; chaos.py is the seeded controller.
"""
