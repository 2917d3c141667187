"""Who may do more than play: membership of the groups operator, analyst and annotator."""

from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User

OPERATOR: Final = "operator"
ANALYST: Final = "analyst"
ANNOTATOR: Final = "annotator"


def has_role(user: AbstractBaseUser | AnonymousUser, *roles: str) -> bool:
    """Whether the user is signed in and has one of the roles; a superuser has them all."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or user.groups.filter(name__in=roles).exists()
