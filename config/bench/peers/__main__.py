"""`python -m peers MODULE prepare` and `python -m peers MODULE register ROOMS DUE_AT`."""

import sys
from importlib import import_module

peer = import_module(f".{sys.argv[1]}", __package__)
if sys.argv[2] == "prepare":
    peer.prepare()
else:
    peer.register(int(sys.argv[3]), float(sys.argv[4]))
