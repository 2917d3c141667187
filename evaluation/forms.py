"""What people fill in about themselves, and operators about invitations."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User

from search.models import Role


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
