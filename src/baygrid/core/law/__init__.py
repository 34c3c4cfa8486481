"""The rule engine: dated parameters, facts that may be unknown, clauses and what they come to. It knows no
law.

Nothing is promised: what a clause may give at most is a `ceiling`, with every step that led to it.
"""
