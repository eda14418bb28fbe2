"""For `flask --app app`."""

from liaison import create_app
from liaison.settings import Settings

app = create_app(Settings.from_env())
