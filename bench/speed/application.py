"""Our application as any WSGI server loads it, `bench.speed.application:app`, and as ours does."""

from service import logs
from service import settings as settings_module
from service.app import create_app
from service.db import Database
from service.web.asgi import Asgi

logs.set_up()
_settings = settings_module.read()
app = create_app(_settings, Database(_settings.database_url))
served = Asgi(app, threads=16)
