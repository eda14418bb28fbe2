"""The rules of the field: pure functions and frozen values.

Nothing here knows of the web, the database, the clock or a file.
"""
