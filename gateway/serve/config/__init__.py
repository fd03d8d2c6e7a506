"""The configuration (docs/configuration.md): `load(path, environ)` -> `Loaded`, or `ConfigErrors` with every mistake."""

from gateway.serve.config.load import load
from gateway.serve.config.places import ConfigErrors, Problem
from gateway.serve.config.texts import Listen
from gateway.serve.config.values import Admin, JournalAt, Loaded, Retention, Server, Tls

__all__ = ["Admin", "ConfigErrors", "JournalAt", "Listen", "Loaded", "Problem", "Retention", "Server", "Tls", "load"]
