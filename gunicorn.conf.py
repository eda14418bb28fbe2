"""Gunicorn's settings: threads that share connections, limits on what a client may send."""

from pathlib import Path

from liaison.domain import listening
from liaison.settings import Settings

_settings = Settings.from_env()
# The checkout, wherever this was started: `wsgi` lies beside this file. The working directory stays
# as it is, since the settings' paths count from there.
pythonpath = str(Path(__file__).resolve().parent)
wsgi_app = "wsgi:app"
bind = listening.places(_settings.bind)
workers = listening.processes(_settings.processes)
worker_class = "gthread"
threads = 16
timeout = 60
# Longer than a long poll lasts.
graceful_timeout = 30
keepalive = 5
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
max_requests = 20000
max_requests_jitter = 2000
# Our own log says more, and nothing personal.
accesslog = None
