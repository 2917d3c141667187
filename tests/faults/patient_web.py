"""A web process whose desk waits for workers as long, and rests for as short, as the test says."""

import os

from dopeornope import web
from dopeornope.asgi import application
from evaluation.services.slate_desk import desk

__all__ = ["application"]

desk.patience_s = float(os.environ.get("TEST_PATIENCE_S", desk.patience_s))
desk.rest_s = float(os.environ.get("TEST_REST_S", desk.rest_s))

if __name__ == "__main__":
    web.main("tests.faults.patient_web:application")
