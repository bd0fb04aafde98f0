"""Takes over what older systems registered and sent. A surface: nobody imports it.

reading/ gives rows as text, whatever they come from; rows.py says what a row means, and
what of it cannot be read; take_*.py write; report.py says what was left out and why.
"""
