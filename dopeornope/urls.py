"""Addresses of the whole site: each app brings its own."""

from django.urls import include, path

urlpatterns = [
    path("", include("evaluation.urls")),
    path("", include("search.urls")),
]
