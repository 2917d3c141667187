"""The operator's form for bringing a catalogue."""

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import slugify

from search.catalogues.registry import list_formats
from search.forms.paths import resolve_below

DRAWN = "wardrobe"
UPLOADED = "upload"
ON_SERVER = "path"
LARGEST_DRAWING = 100_000


class ImportForm(forms.Form):
    """Where the pictures come from, and what the catalogue shall be called.

    Folders of the server are offered only where the operator named some in DOPEORNOPE_IMPORT_ROOTS.
    """

    kept: Path | None = None  # where the file lies, once it was kept

    source = forms.ChoiceField(label="From", widget=forms.RadioSelect)
    file = forms.FileField(label="Zip file", required=False)
    path = forms.CharField(label="Path on the server", max_length=1000, required=False)
    format = forms.ChoiceField(
        label="Format of the path", required=False, help_text="A published data set has to be named."
    )
    title = forms.CharField(max_length=200, help_text="What people see.")
    slug = forms.SlugField(
        label="Short name", max_length=50, required=False, help_text="In addresses. Made from the title."
    )
    category = forms.CharField(
        label="Category column",
        max_length=100,
        required=False,
        help_text="Of a table: what kind of thing a picture shows. Sub-folders say it by themselves.",
    )
    group = forms.CharField(
        label="Group column",
        max_length=100,
        required=False,
        help_text="Rows with the same value stay together when queries are split for evaluation.",
    )
    items = forms.IntegerField(
        label="At most this many items", min_value=2, max_value=LARGEST_DRAWING, required=False
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        initial=0,
        help_text="Same seed, same items.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(UPLOADED, "a zip file from this device"), (DRAWN, "the wardrobe this site draws itself")]
        if settings.IMPORT_ROOTS:
            choices.insert(1, (ON_SERVER, "a folder, table or zip on the server"))
            roots = " or ".join(str(root) for root in settings.IMPORT_ROOTS)
            self.fields["path"].help_text = f"Below {roots}."
            read = [
                (known.name, f"{known.name}: {known.title}") for known in list_formats() if not known.draws
            ]
            self.fields["format"].choices = [("", "look what it is"), *read]  # type: ignore[attr-defined]
        else:
            del self.fields["path"], self.fields["format"]
        self.fields["source"].choices = choices  # type: ignore[attr-defined]
        self.fields["source"].initial = UPLOADED
        self.fields["file"].help_text = f"At most {settings.UPLOAD_LIMIT_MB} MB."

    def clean_path(self) -> str:
        given = str(self.cleaned_data["path"]).strip()
        return str(resolve_below(given, settings.IMPORT_ROOTS)) if given else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        needed = {UPLOADED: "file", ON_SERVER: "path"}.get(data.get("source", ""))
        if needed and not data.get(needed) and needed not in self.errors:
            self.add_error(needed, "This is where the pictures should come from.")
        if not data.get("slug") and data.get("title"):
            data["slug"] = slugify(data["title"])[:50]
            if not data["slug"]:
                self.add_error("slug", "No letter of the title can stand in an address: give a short name.")
        return data
