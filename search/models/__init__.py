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
from search.models.revisions import Revision
from search.models.roles import Role
from search.models.sightings import Sighting
from search.models.trainings import Training

__all__ = [
    "Aspect",
    "Attribute",
    "BuildState",
    "Catalogue",
    "CatalogueState",
    "EmbeddingSpace",
    "Index",
    "Item",
    "Job",
    "JobState",
    "Label",
    "Metric",
    "Queue",
    "RejectedRow",
    "Revision",
    "Role",
    "Sighting",
    "Split",
    "Training",
]
