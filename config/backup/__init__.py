"""Backs an installation up into one encrypted file, and puts it back.

making.py and restoring.py do it; archive.py is the file's inside, sealing.py its outside;
postgresql.py and sqlite.py know the databases.
"""
