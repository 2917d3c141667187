"""What people fill in to make an API token."""

from collections.abc import Collection
from typing import Any

from django import forms

from search.models import Scope

LIFETIMES = {7: "a week", 30: "30 days", 90: "90 days", 365: "a year"}


class TokenForm(forms.Form):
    """Scopes that the owner's role does not reach are not offered."""

    name = forms.CharField(max_length=80, help_text="What it is for, so that you know it again.")
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(label="Ends after", choices=list(LIFETIMES.items()), coerce=int, initial=90)

    def __init__(self, *args: Any, scopes: Collection[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope.value, f"{scope.value}: {scope.label}") for scope in scopes]
