"""Our application as any WSGI server loads it: `bench.speed.application:app`."""

from service import logs
from service import settings as settings_module
from service.app import create_app
from service.db import Database

logs.set_up()
_settings = settings_module.read()
app = create_app(_settings, Database(_settings.database_url))
