"""The chain of the history: each sealed entry's digest holds the digest of the one before.

seal     workers, every few seconds: entries whose transactions have ended, in order of id
verify   finds what was altered, removed, slipped in; nothing is taken on trust but the head
prune    removes the oldest entries, and notes where the chain begins from then on
guard    the database itself refuses to change entries and seals, but for prune
"""
