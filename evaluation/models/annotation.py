"""The annotator's work: projects of questions, and the answers, which can be added and never changed."""

from django.db import models


class AnnotationKind(models.TextChoices):
    PICK = "pick"
    UNSURE = "unsure", "cannot tell"
    SKIP = "skip"
    FLAG = "flag"


class AnnotationProject(models.Model):
    """Questions about one catalogue, each to be answered by ``overlap`` people who do not see each other."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    catalogue = models.ForeignKey(
        "search.Catalogue", on_delete=models.PROTECT, related_name="annotation_projects"
    )
    overlap = models.PositiveSmallIntegerField(default=2, help_text="How many people answer each question.")
    repeat_every = models.PositiveSmallIntegerField(
        default=20, help_text="After so many answers one of a person's own is asked again; 0 for never."
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.slug


class AnnotationQuestion(models.Model):
    """Which of the options looks most like the target? Items are named by `Item.position`."""

    project = models.ForeignKey(AnnotationProject, on_delete=models.CASCADE, related_name="questions")
    place = models.PositiveIntegerField(help_text="In the order in which they are asked, from 1.")
    target = models.PositiveIntegerField()
    options = models.JSONField(help_text="Two items or more, in no order that people see.")
    source = models.CharField(max_length=60, help_text="random, imported, or the policy whose slate it was.")
    gold = models.PositiveSmallIntegerField(
        null=True, help_text="Which option is right, where that is known; everybody is asked."
    )

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["project", "place"], name="annotation_place_once"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id}, {self.place}"


class Annotation(models.Model):
    """One answer. ``turn`` 2 is the same question asked again; ``attempt`` goes up with each undo."""

    question = models.ForeignKey(AnnotationQuestion, on_delete=models.PROTECT, related_name="annotations")
    player = models.ForeignKey("evaluation.Player", on_delete=models.PROTECT, related_name="annotations")
    turn = models.PositiveSmallIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=6, choices=AnnotationKind.choices)
    option = models.PositiveSmallIntegerField(null=True, help_text="Of the question's, for a pick.")
    shown = models.JSONField(help_text="The options in the order in which they were shown.")
    note = models.CharField(max_length=300, blank=True, help_text="What is wrong with a flagged question.")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["question", "player", "turn", "attempt"], name="annotation_attempt_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="pick", option__isnull=False)
                | (~models.Q(kind="pick") & models.Q(option__isnull=True)),
                name="annotation_option_of_a_pick",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.question_id}"


class AnnotationRetraction(models.Model):
    """An undone answer: it stays on record and counts no more."""

    annotation = models.OneToOneField(
        Annotation, on_delete=models.PROTECT, primary_key=True, related_name="retraction"
    )
    retracted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"retraction of {self.annotation_id}"
