from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "evaluation"

    def ready(self) -> None:
        # Services need the models, which are loaded only now.
        from evaluation.services import expiry
        from evaluation.services.contenders import enter_built_index
        from search.events import subscribe_index_built
        from search.services.sweeping import register_sweep

        subscribe_index_built(enter_built_index)
        register_sweep("ended sessions", expiry.delete_ended_sessions)
