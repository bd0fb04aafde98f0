"""A unit moves in the tree, with all that is written of it.

copies    which tables hold paths by value, and how they follow
figures   what the units above have counted of it: taken from the old ones, given to the new
losses    what it can no longer use, and what holds for it instead
late      copies that are written with the old path after the move

Reach is a comparison of paths. It is right in the moment in which the move commits, since nothing
but the tables knows a path; and no path is ever given to another unit.
"""
