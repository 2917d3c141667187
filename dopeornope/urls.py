"""Addresses of the whole site: each app brings its own."""

from django.urls import include, path

from dopeornope import api, views

urlpatterns = [
    path("sw.js", views.service_worker, name="service-worker"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("offline/", views.offline, name="offline"),
    path("about/", views.about, name="about"),
    path("api/", api.describe_api, name="api-page"),
    path("api/", api.api.urls),
    path("", include("evaluation.urls")),
    path("", include("search.urls")),
]

handler400 = "dopeornope.views.bad_request"
handler403 = "dopeornope.views.permission_denied"
handler404 = "dopeornope.views.page_not_found"
handler500 = "dopeornope.views.server_error"
