from search.models.calibrations import Asking, Calibration
from search.models.catalogues import (
    Aspect,
    Attribute,
    Catalogue,
    CatalogueState,
    Item,
    Label,
    RejectedRow,
    Split,
)
from search.models.embeddings import BuildState, EmbeddingSpace, Index, Metric
from search.models.jobs import Job, JobState, Queue
from search.models.layouts import Layout, Method
from search.models.photos import Photo
from search.models.revisions import Revision
from search.models.roles import Role
from search.models.sightings import Sighting
from search.models.tokens import ApiToken, Scope
from search.models.trainings import Training
from search.models.webhooks import Delivery, Topic, Webhook

__all__ = [
    "ApiToken",
    "Asking",
    "Aspect",
    "Attribute",
    "BuildState",
    "Calibration",
    "Catalogue",
    "CatalogueState",
    "Delivery",
    "EmbeddingSpace",
    "Index",
    "Item",
    "Job",
    "JobState",
    "Label",
    "Layout",
    "Method",
    "Metric",
    "Photo",
    "Queue",
    "RejectedRow",
    "Revision",
    "Role",
    "Scope",
    "Sighting",
    "Split",
    "Topic",
    "Training",
    "Webhook",
]
