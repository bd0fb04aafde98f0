"""The archive: what was sent long ago, in one compressed file for each month of UTC.

    months    which months there are, and which have come to be archived
    files     a month's file: gzip members one after the other; its manifest of checksums
    lines     runs with their deliveries and attempts as lines of JSON, and back
    put       moves a month from the log into its file
    read      one archived run, out of its member
    check     whether the files are what was put into them
    forget    removes the oldest months, as the retention demands

A member is on the disk before the transaction commits that takes its runs out of the log; what a
process wrote and did not live to commit lies behind the last member that the database knows, and
the next one writes over it. So every run is in the log or in the archive, and never in both.
"""
