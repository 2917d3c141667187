"""The operator's forms for a training: what of and what from, then what that kind can be told."""

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html, format_html_join

from search.engine.training.settings import ASPECT_RANKING, ENCODERS, SETTINGS_OF
from search.engine.training.typed_settings import BadSetting, Setting, list_settings
from search.forms.paths import resolve_below
from search.models import Aspect, Catalogue, CatalogueState
from search.services.aspect_grounds import list_grounds
from search.services.navigation_terrain import list_spaces, suggest_space
from search.services.training_wishes import LONGEST_NAME, Wish

KINDS = {
    "transfer": "Learns to tell the values of one aspect apart; the dense layer below them embeds.",
    "siamese": "Brings a lifestyle photo near the catalogue picture of its item. Needs items that have both.",
    "csn": "One embedding with a mask per aspect: what is near by colour need not be near by shape.",
    "aspects": "One shared layer that learns to tell the values of several aspects at once.",
    "dqn": "Ranks what is near a pick, for the game of finding a hidden item: learns from simulated games.",
    "aspect-ranking": "What each aspect is worth to a photo one searches with: learns from labelled items.",
}
DEVICES = [("auto", "a GPU where there is one"), ("cpu", "the CPU"), ("cuda", "a GPU")]
BACKBONE = "set-backbone"  # the one setting that stands among the first fields
LISTED_WEIGHTS = 12


class SubjectForm(forms.Form):
    """Which kind of training, on which catalogue: everything else that is asked depends on it."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    catalogue = forms.ModelChoiceField(
        Catalogue.objects.filter(state=CatalogueState.READY), to_field_name="slug", empty_label=None
    )

    def __init__(self, given: dict[str, str]) -> None:
        newest = Catalogue.objects.filter(state=CatalogueState.READY).order_by("-created_at", "-pk").first()
        usual = {"kind": next(iter(KINDS)), "catalogue": newest.slug if newest else ""}
        super().__init__(usual | given)
        field: Any = self.fields["catalogue"]
        field.label_from_instance = lambda catalogue: catalogue.title

    def list_kinds(self) -> list[dict[str, Any]]:
        """What there is to choose from, in words."""
        chosen = self["kind"].value()
        return [{"name": name, "help": text, "is_chosen": name == chosen} for name, text in KINDS.items()]


class TrainingForm(forms.Form):
    """What a network of one kind shall be called, learn and be told: aspects, or the games of a space.

    Each setting has a field; blank is its default, and whether a value will do is for the settings to say.
    """

    name = forms.SlugField(
        max_length=LONGEST_NAME, help_text="Of what is trained: letters, digits, hyphens and underscores."
    )
    aspects = forms.MultipleChoiceField(
        label="Aspects to learn", required=False, widget=forms.CheckboxSelectMultiple
    )
    space = forms.ChoiceField(
        label="Space to play in", help_text="Simulated users pick what is nearest to their target there."
    )
    weights = forms.CharField(label="First weights of the backbone", max_length=1000, required=False)
    device = forms.ChoiceField(label="Trained on", choices=DEVICES)

    def __init__(
        self, kind: str, catalogue: Catalogue, data: Any = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.kind, self.catalogue = kind, catalogue
        self.known = {f"set-{setting.name}": setting for setting in list_settings(SETTINGS_OF[kind])}
        if kind in ENCODERS:
            del self.fields["space"]
            self._ask_for_aspects()
            self.fields["weights"].help_text = _describe_weights()
        else:
            del self.fields["aspects"], self.fields["weights"]
            self._ask_for_space()
        self.fields["device"].initial = settings.DEVICE
        self.fields |= {name: _make_field(setting) for name, setting in self.known.items()}
        self.order_fields(["name", "aspects", "space", BACKBONE, "weights", "device"])

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.known or field.name == BACKBONE]

    @property
    def detail_fields(self) -> list[forms.BoundField]:
        """The settings that most trainings leave as they are."""
        return [self[name] for name in self.known if name != BACKBONE]

    @property
    def has_changed_details(self) -> bool:
        """Whether what is folded away holds something to see: a change, or a complaint."""
        return any(field.errors or field.value() for field in self.detail_fields)

    def clean_weights(self) -> str:
        """A name alone means a file among the weights of this installation."""
        given = str(self.cleaned_data["weights"]).strip()
        folder = settings.WEIGHTS_FOLDER.resolve()
        return str(resolve_below(str(folder / given), [folder, *settings.IMPORT_ROOTS])) if given else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in self.known:
            if data.get(name):
                try:
                    SETTINGS_OF[self.kind].read({self.known[name].name: data[name]})
                except BadSetting as error:
                    self.add_error(name, str(error))
        return data

    def read_wish(self) -> Wish:
        """What a valid form asks for."""
        data = self.cleaned_data
        return Wish(
            kind=self.kind,
            name=data["name"],
            catalogue=self.catalogue,
            aspects=tuple(data.get("aspects", ())),
            settings={setting.name: data[name] for name, setting in self.known.items() if data[name]},
            weights=Path(data["weights"]) if data.get("weights") else None,
            device=data["device"],
            space=data.get("space", ""),
        )

    def _ask_for_space(self) -> None:
        field: Any = self.fields["space"]
        if self.kind == ASPECT_RANKING:
            names = [rows.encoder for rows in list_grounds(self.catalogue)]
            field.label, field.help_text = (
                "Space to rank in",
                "Of an encoder that knows aspects: aspects, or csn.",
            )
            field.choices, field.initial = [(name, name) for name in names], next(iter(names), "")
        else:
            field.choices = [(name, name) for name in list_spaces(catalogue=self.catalogue)]
            field.initial = suggest_space(self.catalogue)
        if not field.choices:
            field.help_text = "There is none yet: build contenders of this catalogue first."

    def _ask_for_aspects(self) -> None:
        labels = self.catalogue.aspects.filter(kind=Aspect.Kind.LABEL)
        field: Any = self.fields["aspects"]
        field.choices = [(aspect.name, aspect.name) for aspect in labels]
        field.initial = [aspect.name for aspect in labels if aspect.is_category]
        several = self.kind in ("csn", "aspects")
        field.help_text = "Each that is to be learned" if several else f"{self.kind} learns one"
        field.help_text += "; without any, the category."


def _make_field(setting: Setting) -> forms.CharField:
    """A field for the text of a setting. What stands in it while it is blank is the default."""
    help_text, attributes = f"{setting.help[0].upper()}{setting.help[1:]}.", {"placeholder": setting.default}
    widget: forms.Widget = forms.TextInput(attrs=attributes)
    choices = [("true", "yes"), ("false", "no")] if setting.type is bool else _pair(setting.choices)
    if choices:
        usual = {"True": "yes", "False": "no"}.get(str(setting.default), str(setting.default))
        others = [(value, text) for value, text in choices if text != usual]
        widget = forms.Select(choices=[("", f"{usual} (default)"), *others])
    elif setting.low is not None and setting.high is not None:
        bounds = {"min": setting.low, "max": setting.high}
        step = "1" if setting.type is int else "any"
        widget = forms.NumberInput(attrs=attributes | bounds | {"step": step})
        help_text += f" {_write(setting.low)} to {_write(setting.high)}."
    label = setting.name.replace("_", " ").capitalize()
    return forms.CharField(label=label, help_text=help_text, max_length=100, required=False, widget=widget)


def _pair(values: tuple[Any, ...]) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in values]


def _write(bound: float) -> str:
    """1e-07, 0.5, 10,000,000."""
    return f"{bound:,.0f}" if bound >= 1000 else f"{bound:g}"


def _describe_weights() -> str:
    """Where weights may lie, and those that lie where they are looked for first. Names are escaped."""
    folders = [settings.WEIGHTS_FOLDER, *settings.IMPORT_ROOTS]
    text = format_html(
        "A safetensors file below {}; without one, they are drawn.", " or ".join(map(str, folders))
    )
    names = [(path.name,) for path in sorted(settings.WEIGHTS_FOLDER.glob("*.safetensors"))[:LISTED_WEIGHTS]]
    if not names:
        return text
    return format_html("{} There are: {}.", text, format_html_join(", ", "<code>{}</code>", names))
