"""The questions: every read, always scoped to the asker."""
