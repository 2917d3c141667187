"""Addresses of `search`: the operator's work. The page that shows it all belongs to `evaluation`."""

from django.urls import URLPattern, URLResolver, path, re_path

from search.selectors.table_files import FORMATS
from search.views import images, map_data, maps, operations, tokens, trainings, webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^images/(?P<sha256>[0-9a-f]{64})\.webp$", images.serve_image, name="image"),
    path("maps/", maps.maps, name="maps"),
    path("maps/rows/", maps.rows, name="maps-rows"),
    path("maps/<int:pk>/", maps.page, name="map"),
    path("maps/<int:pk>/points.bin", map_data.points, name="map-points"),
    path("maps/<int:pk>/colours/", map_data.colours, name="map-colours"),
    path("maps/<int:pk>/items/", map_data.items, name="map-items"),
    path("maps/<int:pk>/list/", maps.listed, name="map-list"),
    *(
        path(f"maps/<int:pk>/list.{suffix}", maps.export, {"suffix": suffix}, name=f"map-list-{suffix}")
        for suffix in FORMATS
    ),
    path("operations/catalogues/", operations.operations_catalogues, name="operations-catalogues"),
    path("operations/encoders/", operations.operations_encoders, name="operations-encoders"),
    path("operations/jobs/", operations.operations_jobs, name="operations-jobs"),
    path("operations/import/", operations.operations_import, name="operations-import"),
    path("operations/jobs/<uuid:pk>/cancel/", operations.job_cancel, name="job-cancel"),
    path("operations/jobs/<uuid:pk>/retry/", operations.job_retry, name="job-retry"),
    path("operations/jobs/<uuid:pk>/report/", operations.job_report, name="job-report"),
    path("operations/catalogues/<slug:slug>/build/", operations.catalogue_build, name="catalogue-build"),
    path("operations/catalogues/<slug:slug>/items/", operations.catalogue_items, name="catalogue-items"),
    path("operations/tokens/", tokens.tokens, name="api-tokens"),
    path("operations/tokens/<int:pk>/revoke/", tokens.token_revoke, name="api-token-revoke"),
    path("operations/webhooks/", webhooks.webhooks, name="webhooks"),
    path("operations/webhooks/<int:pk>/", webhooks.webhook_change, name="webhook-change"),
    path("operations/webhooks/deliveries/<uuid:pk>/", webhooks.delivery_replay, name="delivery-replay"),
    path("operations/trainings/", trainings.trainings, name="trainings"),
    path("operations/trainings/list/", trainings.trainings_list, name="trainings-list"),
    path("operations/trainings/new/", trainings.training_new, name="training-new"),
    path("operations/trainings/<int:pk>/", trainings.training, name="training"),
    path("operations/trainings/<int:pk>/standing/", trainings.training_standing, name="training-standing"),
    path("operations/trainings/<int:pk>/card.json", trainings.training_card, name="training-card"),
]
