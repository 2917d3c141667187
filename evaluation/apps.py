from django.apps import AppConfig
from django.db.models.signals import post_migrate

# What follows /play/ in addresses of the game, where else a catalogue's slug stands.
PLAY_WORDS = ("deals", "forget", "rounds", "undo", "votes")


class EvaluationConfig(AppConfig):
    name = "evaluation"

    def ready(self) -> None:
        # Services need the models, which are loaded only now.
        from evaluation.services import append_only, expiry, seals
        from evaluation.services.contenders import enter_built_index
        from evaluation.services.deals import delete_abandoned_rounds
        from evaluation.services.players import finish_forgetting
        from search.events import subscribe_index_built
        from search.services.imports import reserve_slugs
        from search.services.sweeping import register_sweep

        subscribe_index_built(enter_built_index)
        reserve_slugs(PLAY_WORDS)
        register_sweep("ended sessions", expiry.delete_ended_sessions)
        register_sweep("abandoned rounds", delete_abandoned_rounds)
        register_sweep("deals of forgotten players", finish_forgetting)
        register_sweep("unsealed hours", seals.seal_settled)
        post_migrate.connect(append_only.forbid_changes, sender=self)
