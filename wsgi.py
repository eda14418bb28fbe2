"""What gunicorn loads: `gunicorn wsgi:app`."""

from liaison import create_app
from liaison.logs import configure
from liaison.settings import Settings

settings = Settings.from_env()
configure(settings.env)
app = create_app(settings)
