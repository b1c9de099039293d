"""KA Facility OS: the application factory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from flask_openapi3.models.info import Info
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
from sqlalchemy.orm import sessionmaker

from console import blueprints, cli
from console.core import logs
from console.core.clock import Clock, SystemClock
from console.core.config import Config, database_url
from console.core.database import engine_options, prepare
from console.core.discovery import import_submodules
from console.core.process import ProcessRuntime
from console.core.secret_key import secret_key
from console.ui import errors, navigation, once, reader, templating
from console.web import (
    api_view,
    assets,
    bounds,
    conditional,
    converters,
    durations,
    metrics,
    ratelimit,
    request,
    security,
    timing,
)
from console.web.api_blueprint import DescribedLater
from console.web.entry import EnteredRequest
from console.web.extensions import babel, compress, csrf, db, htmx

__version__ = "1.0.0"
ROOT = Path(__file__).parent


class ConsoleApp(DescribedLater):
    """Flask with the OpenAPI document and one transaction around each view."""

    jinja_environment = templating.Templates

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view and finish its transaction while errors can still become a proper answer."""
        response: Response = self.make_response(super().dispatch_request())
        once.keep(response)
        request.finish(response)
        return response


class _Migrations:
    """Stands for Flask-Migrate until somebody migrates: a server needs nothing of its ten megabytes."""

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        from flask_migrate import Migrate

        options = {"render_as_batch": True, "compare_type": True, "compare_server_default": True}
        Migrate().init_app(self._app, db, directory=str(ROOT.parent / "migrations"), **options)
        return getattr(self._app.extensions["migrate"], name)


def create_app(config: Config | None = None, clock: Clock | None = None) -> ConsoleApp:
    """Return the application.

    Raises ConfigError for a wrong variable and RuntimeError when the preflight forbids the start.
    """
    config, clock = config or Config.load(), clock or SystemClock()
    logs.configure(config["LOG_LEVEL"])
    app = ConsoleApp(
        __name__,
        info=Info(title="KA Facility OS", version=__version__),
        doc_ui=False,
        validation_error_status=422,
        validation_error_callback=errors.validation_response,
        static_folder=None,
    )
    app.extensions["console_config"] = config
    app.extensions["console_clock"] = clock
    _flask_settings(app, config)
    _templates(app)
    db.init_app(app)
    app.extensions["migrate"] = _Migrations(app)
    compress.init_app(app)
    htmx.init_app(app)
    app.request_class = EnteredRequest
    csrf.init_app(app)
    errors.init_app(app)
    with app.app_context():
        engine = prepare(db.engine)
    app.extensions["console_runtime"] = ProcessRuntime(config, clock, engine, sessionmaker(engine))
    _hooks(app)
    _doors(app)
    return app


def _flask_settings(app: ConsoleApp, config: Config) -> None:
    url = database_url(config)
    pool = max(config["DATABASE_POOL_SIZE"], config["WEB_THREADS"] + 2)
    if url.startswith("sqlite:///"):
        config.path("DATA_DIR").mkdir(parents=True, exist_ok=True)
    app.config.update(
        SECRET_KEY=secret_key(config),
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url, pool_size=pool),
        MAX_CONTENT_LENGTH=config["MAX_BODY_BYTES"],
        # No page of another origin may call us, so there is nothing to agree on beforehand: 405 like any other method.
        PROVIDE_AUTOMATIC_OPTIONS=False,
        TESTING=config["ENV"] == "test",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        COMPRESS_ALGORITHM=["br", "gzip"],
        # The other one gives nothing out before it has seen a megabyte.
        COMPRESS_ALGORITHM_STREAMING=["gzip"],
        # A page fits four times; the usual four megabytes would be taken for every answer.
        COMPRESS_BR_WINDOW=19,
        COMPRESS_MIMETYPES=["text/html", "text/csv", "text/plain", "application/json"],
        BABEL_DEFAULT_LOCALE="ko",
        BABEL_DEFAULT_TIMEZONE=config["BUSINESS_TIME_ZONE"],
    )
    provider = DefaultJSONProvider(app)
    provider.sort_keys = provider.ensure_ascii = False
    app.json = provider


def _templates(app: ConsoleApp) -> None:
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(ROOT / "templates"), PrefixLoader({"partials": FileSystemLoader(ROOT / "partials")})]
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")


def _hooks(app: ConsoleApp) -> None:
    """Attach what stands around every request, from outside in: headers, latency, rate limit, credential."""
    babel.init_app(app, locale_selector=reader.select_locale)
    bounds.init_app(app)
    security.init_headers(app)
    durations.init_app(app)
    timing.init_app(app)
    metrics.init_app(app)
    ratelimit.init_app(app)
    security.init_app(app)
    conditional.init_app(app)
    templating.init_app(app)
    once.init_app(app)
    api_view.init_app(app)
    assets.init_app(app)


def _doors(app: ConsoleApp) -> None:
    """Register every blueprint module's `api` and `pages`, and every command module's `commands`."""
    app.url_map.converters.update(converters.ALL)
    # An address is itself or unknown; a client that doubles a slash is not sent on with its token.
    app.url_map.merge_slashes = False
    modules = import_submodules(blueprints.__name__, blueprints.__path__)
    app.extensions["console_nav"] = navigation.collect(modules)
    for module in modules:
        if api := getattr(module, "api", None):
            app.register_api(api)
        if pages := getattr(module, "pages", None):
            app.register_blueprint(pages)
    for module in import_submodules(cli.__name__, cli.__path__):
        commands = getattr(module, "commands", ())
        for command in commands if isinstance(commands, (list, tuple)) else (commands,):
            app.cli.add_command(command)
