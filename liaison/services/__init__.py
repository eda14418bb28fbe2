"""The verbs: one function is one thing a person or program does, in one transaction.

A verb guards, changes, plans, records, in that order. It flushes; its caller commits.
"""
