"""Entry point of the web server: `wsgi:app`."""

from console import create_app
from console.assets import wrap

flask_app = create_app()
app = wrap(flask_app)
