from django.apps import AppConfig


class DopeOrNopeConfig(AppConfig):
    name = "dopeornope"
