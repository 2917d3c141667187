"""The operator's form for a map."""

from typing import Any

from django import forms

from search.engine.layouts import PARAMETERS
from search.models import EmbeddingSpace, Method, Metric
from search.selectors.layouts import list_spaces
from search.services.mapping import LARGEST_SEED


class MapForm(forms.Form):
    """What a map is made of and how. Whether a number will do is for the method to say, by the items."""

    ground = forms.ChoiceField(label="Encoder and metric")
    method = forms.ChoiceField(choices=Method.choices, initial=Method.TSNE)
    seed = forms.IntegerField(
        min_value=0, max_value=LARGEST_SEED, initial=0, help_text="The same seed gives the same map."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._spaces = {space.pk: space for space, _ in list_spaces()}
        field: Any = self.fields["ground"]
        field.help_text = (
            "Those of the catalogue as it is: after items came or went, build every contender first."
        )
        field.choices = [
            (f"{space.pk}:{metric}", f"{space.catalogue.title}: {space.title} by {metric.label}")
            for space, metrics in list_spaces()
            for metric in metrics
        ]
        for method, known in PARAMETERS.items():
            for name, about in known.items():
                usual = f"Blank is {about.usual:g}, or fewer for few items."
                text = f"Of {Method(method).label}: {about.help}. {usual}"
                self.fields[name] = forms.FloatField(label=about.title, required=False, help_text=text)

    @property
    def is_possible(self) -> bool:
        return bool(self._spaces)

    def wish(self) -> dict[str, Any]:
        """What `request_layout` is to be asked; only of a valid form."""
        data = self.cleaned_data
        number, _, metric = data["ground"].partition(":")
        space: EmbeddingSpace = self._spaces[int(number)]
        return {
            "space": space,
            "metric": Metric(metric),
            "method": Method(data["method"]),
            "parameters": {name: data[name] for known in PARAMETERS.values() for name in known},
            "seed": data["seed"],
        }
