"""What a contact point's case system calls: it drafts and follows orders, and issues none."""

from liaison.api.authority import drafts, following, submitting

__all__ = ["drafts", "following", "submitting"]
