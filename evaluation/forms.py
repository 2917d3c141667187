"""What people fill in about themselves, and operators about invitations."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User

from evaluation.models import AnnotationKind, Contender, Learn, Ruling
from search.models import Catalogue, Role


class SignInForm(AuthenticationForm):
    """Django's own; what was typed beyond the field's length is refused before any password is hashed."""

    error_messages = {
        "invalid_login": "This name and password do not belong together. Upper and lower case matter.",
        "inactive": "This account is closed.",
    }


class RegistrationForm(UserCreationForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A user name and a password, nothing else: no mail address is asked for, and none can be lost."""

    class Meta:
        model = User
        fields = ["username"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "Letters, digits and @ . + - _ only. Only operators see it."
        self.fields["username"].widget.attrs["autocomplete"] = "username"


class InvitationForm(forms.Form):
    role = forms.ChoiceField(
        choices=[
            (Role.ANALYST, "analyst: reads every figure and job"),
            (Role.ANNOTATOR, "annotator: judges what the simulated user picks"),
            (Role.OPERATOR, "operator: brings catalogues and models, runs jobs, invites"),
        ]
    )
    note = forms.CharField(max_length=200, required=False, help_text="Whom it is for. Only operators see it.")


class DeleteAccountForm(forms.Form):
    """The password again, so that a page left open cannot be used to delete an account."""

    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self._user.check_password(password):
            raise forms.ValidationError("This is not your password.")
        return password


class AnnotationForm(forms.Form):
    """One answer, as the buttons of a question send it: an option that was picked, or what else was said."""

    question = forms.IntegerField(min_value=1)
    turn = forms.IntegerField(min_value=1, max_value=2)
    ticket = forms.CharField(max_length=100)
    kind = forms.ChoiceField(choices=AnnotationKind.choices, required=False)
    option = forms.IntegerField(min_value=0, required=False)
    note = forms.CharField(max_length=300, required=False)

    def clean_kind(self) -> AnnotationKind:
        return AnnotationKind(self.cleaned_data["kind"] or AnnotationKind.PICK)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("kind") == AnnotationKind.PICK and given.get("option") is None:
            raise forms.ValidationError("Nothing was picked.")
        return given


class VerdictForm(forms.Form):
    ruling = forms.ChoiceField(choices=Ruling.choices)
    reason = forms.CharField(
        max_length=300,
        error_messages={
            "required": "A verdict needs a reason: it is shown beside the leaderboard.",
            "max_length": "A reason has at most 300 characters.",
        },
    )


class RetrainForm(forms.Form):
    """What an operator has taught, and how much of the network learns."""

    catalogue = forms.ModelChoiceField(
        Catalogue.objects.all(),
        to_field_name="slug",
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "There is no such catalogue any more."},
    )
    learn = forms.ChoiceField(
        choices=Learn.choices,
        initial=Learn.HEAD,
        label="What learns",
        help_text="A mask of taste needs an encoder with masks. The whole network takes minutes.",
    )


class AppointForm(forms.Form):
    contender = forms.ModelChoiceField(
        Contender.objects.select_related("catalogue"),
        error_messages={
            "required": "Choose the contender that is to be in charge.",
            "invalid_choice": "There is no such contender any more.",
        },
    )


class RollBackForm(forms.Form):
    """``seen``: the number of the promotion that the operator saw standing."""

    catalogue = forms.ModelChoiceField(Catalogue.objects.all(), to_field_name="slug")
    seen = forms.IntegerField(min_value=1)
