"""Addresses of `search`: the operator's work. The page that shows it all belongs to `evaluation`."""

from django.urls import URLPattern, URLResolver, path

from search.views import operations

urlpatterns: list[URLPattern | URLResolver] = [
    path("operations/catalogues/", operations.operations_catalogues, name="operations-catalogues"),
    path("operations/encoders/", operations.operations_encoders, name="operations-encoders"),
    path("operations/jobs/", operations.operations_jobs, name="operations-jobs"),
    path("operations/import/", operations.operations_import, name="operations-import"),
    path("operations/jobs/<uuid:pk>/cancel/", operations.job_cancel, name="job-cancel"),
    path("operations/jobs/<uuid:pk>/retry/", operations.job_retry, name="job-retry"),
    path("operations/jobs/<uuid:pk>/report/", operations.job_report, name="job-report"),
    path("operations/catalogues/<slug:slug>/build/", operations.catalogue_build, name="catalogue-build"),
]
