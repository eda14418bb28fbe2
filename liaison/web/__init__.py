"""Plumbing of the two web doors, portal and endpoint: what a request carries along."""

from liaison.web.context import (
    Liaison,
    address,
    commit,
    core,
    db,
    now,
    request_id,
    settings,
    signer,
    vault,
    write,
)
from liaison.web.signin import actor, is_signed_in

__all__ = [
    "Liaison",
    "actor",
    "address",
    "commit",
    "core",
    "db",
    "is_signed_in",
    "now",
    "request_id",
    "settings",
    "signer",
    "vault",
    "write",
]
