"""Other schedulers that do the same work, each set up as its documents advise.

Each is one file with a PEER (see base.py) and `register(rooms, due_at)`. Its processes know
this folder as `peers` and nothing else of Teiji: whoever imports `config` loads Django. Hence
the relative imports.
"""
