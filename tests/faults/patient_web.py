"""A web process whose desk waits for workers as long, and rests for as short, as the test says.

Spaces are large to it from as many items on as the test says.
"""

import os

from dopeornope import web
from dopeornope.asgi import application
from evaluation.services.slate_desk import desk
from search.engine.navigation import reckoning

__all__ = ["application"]

desk.patience_s = float(os.environ.get("TEST_PATIENCE_S", desk.patience_s))
desk.rest_s = float(os.environ.get("TEST_REST_S", desk.rest_s))
reckoning.LARGE = int(os.environ.get("TEST_LARGE", reckoning.LARGE))

if __name__ == "__main__":
    web.main("tests.faults.patient_web:application")
