from django.apps import AppConfig
from django.db.models.signals import post_migrate

# What follows /play/ in addresses of the game, where else a catalogue's slug stands.
PLAY_WORDS = ("deals", "forget", "rounds", "undo", "votes")


class EvaluationConfig(AppConfig):
    name = "evaluation"

    def ready(self) -> None:
        # Services need the models, which are loaded only now.
        from evaluation.selectors.promotions import find_index_in_charge
        from evaluation.services import (
            append_only,
            challenges,
            expiry,
            extras,
            rankings,
            retrainings,
            seals,
            taste_run,
            tastes,
        )
        from evaluation.services.contenders import enter_built_index
        from evaluation.services.deals import delete_abandoned_rounds
        from evaluation.services.players import finish_forgetting
        from evaluation.services.races import delete_abandoned_rooms, end_late
        from evaluation.views.judged_items import keep_blind
        from search.events import subscribe_index_built, subscribe_items_changed
        from search.models import Queue
        from search.selectors.searchable import register_preference
        from search.services.imports import reserve_slugs
        from search.services.jobs import JobKind, register_kind
        from search.services.sweeping import register_sweep
        from search.views.embargoes import register_embargo

        subscribe_index_built(enter_built_index)
        subscribe_items_changed(extras.deal_anew)
        register_preference(find_index_in_charge)
        register_embargo(keep_blind)
        reserve_slugs(PLAY_WORDS)
        register_sweep("ended sessions", expiry.delete_ended_sessions)
        register_sweep("abandoned rounds", delete_abandoned_rounds)
        register_sweep("deals of forgotten players", finish_forgetting)
        register_sweep("races out of time", end_late)
        register_sweep("abandoned races", delete_abandoned_rooms)
        register_sweep("lessons and checks to be made", extras.make_missing_extras)
        register_sweep("unsealed hours", seals.seal_settled)
        register_kind(JobKind(rankings.KIND, Queue.IO, rankings.run_ranking))
        register_sweep("rankings due", rankings.request_due)
        register_kind(JobKind(retrainings.KIND, Queue.IO, retrainings.run_queue))
        register_sweep("retrainings due", retrainings.request_due)
        register_kind(JobKind(challenges.KIND, Queue.IO, challenges.run_challenge))
        register_sweep("comparisons due", challenges.request_due)
        register_kind(JobKind(tastes.KIND, Queue.IO, taste_run.run_taste))
        register_sweep("private encoders nobody uses", tastes.delete_unused)
        register_sweep("pairs of deleted private encoders", tastes.delete_spare_pairs)
        register_sweep("jobs of private encoders of earlier days", tastes.delete_old_jobs)
        post_migrate.connect(append_only.forbid_changes, sender=self)
