"""What operators fill in to have an address told."""

from django import forms

from search.models import Topic


class WebhookForm(forms.Form):
    # A text: what an address must be is said by the service, with the reason.
    address = forms.CharField(
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
        help_text="Begins with https:// and lies outside this network.",
    )
    topics = forms.MultipleChoiceField(
        label="Is told when",
        choices=[(topic.value, f"{topic.label} ({topic.value})") for topic in Topic],
        widget=forms.CheckboxSelectMultiple,
    )
