from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "search"

    def ready(self) -> None:
        # Services need the models, which are loaded only now.
        from search.events import subscribe_index_built
        from search.models import Queue
        from search.services import (
            builds,
            calibrating,
            delivering,
            embedding,
            extending,
            imports,
            indexing,
            mapping,
            photo_vectors,
            photos,
            removing,
            tokens,
            training,
            training_leftovers,
            uploads,
            vectors_server,
        )
        from search.services.jobs import JobKind, register_kind
        from search.services.sweeping import register_sweep

        register_kind(JobKind(imports.KIND, Queue.IO, imports.run_import))
        register_kind(JobKind("build", Queue.IO, builds.run_build))
        register_kind(JobKind("embed", Queue.ML, embedding.run_embedding))
        register_kind(JobKind(extending.KIND, Queue.ML, extending.run_extension))
        register_kind(JobKind(removing.KIND, Queue.IO, removing.run_removal))
        register_kind(JobKind("index", Queue.IO, indexing.run_indexing))
        register_kind(JobKind(photo_vectors.KIND, Queue.ML, photo_vectors.run_look))
        register_kind(JobKind(calibrating.KIND, Queue.ML, calibrating.run_calibration))
        register_kind(JobKind(mapping.KIND, Queue.ML, mapping.run_mapping))
        register_kind(JobKind(training.KIND, Queue.ML, training.run_training))
        register_kind(JobKind(vectors_server.KIND, Queue.IO, vectors_server.run_loading))
        subscribe_index_built(calibrating.hear_of_index)
        register_sweep("leftover uploads", uploads.drop_leftovers)
        register_sweep("old photos", photos.drop_old_photos)
        register_sweep("old looks", photo_vectors.drop_old_looks)
        register_sweep("leftover checkpoints", training_leftovers.drop_leftovers)
        register_sweep("server of vectors", vectors_server.keep_loaded)
        register_sweep("webhook deliveries", delivering.deliver_due)
        register_sweep("old deliveries", delivering.drop_old)
        register_sweep("old API tokens", tokens.drop_ended)
