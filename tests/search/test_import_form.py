"""The form for imports: what is uploaded, drawn or found on the machine becomes jobs, or a complaint."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from search.models import Catalogue, Job
from search.services.uploads import drop_leftovers
from tests.factories import make_catalogue, make_image

pytestmark = pytest.mark.django_db


def zip_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/") + ".webp", data)
    return buffer.getvalue()


def upload(client: Client, data: bytes, **fields):
    file = SimpleUploadedFile("../../evil name.zip", data, "application/zip")
    return client.post("/operations/import/", {"source": "upload", "title": "Photos", "file": file} | fields)


def test_an_uploaded_zip_is_kept_under_our_name_and_imported(operator, hints, settings):
    data = zip_of(shirts__a=make_image(1), shirts__b=make_image(2), bags__c=make_image(3))

    assert upload(operator, data).status_code == 302

    catalogue = Catalogue.objects.get()
    assert (catalogue.slug, catalogue.title, catalogue.format) == ("photos", "Photos", "zip")
    (kept,) = settings.UPLOADS_FOLDER.glob("*.zip")
    assert kept.read_bytes() == data
    assert "evil" not in kept.name
    assert [job.kind for job in hints] == ["import", "build"]
    assert hints[1].after == hints[0]


def test_the_same_upload_twice_is_one_file_and_one_job(operator, hints, settings):
    data = zip_of(shirts__a=make_image(1), shirts__b=make_image(2))
    upload(operator, data)
    upload(operator, data)
    assert len(list(settings.UPLOADS_FOLDER.glob("*"))) == 1
    assert Job.objects.filter(kind="import").count() == 1


def test_what_a_killed_web_process_left_of_uploads_is_dropped_after_a_day(operator, hints, settings):
    upload(operator, zip_of(shirts__a=make_image(1), shirts__b=make_image(2)))
    (kept,) = settings.UPLOADS_FOLDER.iterdir()
    leftovers = [
        settings.UPLOADS_FOLDER / name for name in ("tmp1.upload.zip", "0123.zip", ".0123.zip.partial")
    ]
    for path in leftovers:
        path.write_bytes(b"PK")
    now = timezone.now()
    assert drop_leftovers(now) == 0
    assert drop_leftovers(now + timedelta(days=2)) == len(leftovers)
    assert list(settings.UPLOADS_FOLDER.iterdir()) == [kept]


def test_what_is_no_zip_is_refused_and_not_kept(operator, hints, settings):
    answer = upload(operator, b"not a zip at all")
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not list(settings.UPLOADS_FOLDER.glob("*"))
    assert not hints and not Catalogue.objects.exists()


def test_a_taken_short_name_is_refused(operator, hints):
    make_catalogue(slug="photos", with_images=False)
    answer = upload(operator, zip_of(a__a=make_image(1), a__b=make_image(2)))
    assert answer.status_code == 422
    assert "photos" in answer.content.decode()


def test_a_short_name_that_is_an_address_of_the_game_is_refused(operator, hints):
    answer = upload(operator, zip_of(a__a=make_image(1), a__b=make_image(2)), title="Deals")
    assert answer.status_code == 422
    assert "The slug deals is taken" in answer.content.decode()
    assert not hints and not Catalogue.objects.exists()


def test_a_wardrobe_is_drawn_on_request(operator, hints):
    answers = {"source": "wardrobe", "title": "Drawn", "items": 30, "seed": 5}
    assert operator.post("/operations/import/", answers).status_code == 302
    assert hints[0].arguments["options"]["items"] == 30
    assert hints[0].arguments["options"]["seed"] == 5


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ({"source": "upload", "title": "No file"}, "where the pictures should come from"),
        ({"source": "wardrobe", "title": "???"}, "short name"),
        ({"source": "wardrobe", "title": "Many", "items": 10**9}, "less than or equal"),
        ({"source": "path", "title": "A path", "path": "/etc"}, "not one of the available choices"),
        ({}, "This field is required"),
    ],
)
def test_a_form_that_cannot_be_is_explained(operator, hints, answers, complaint):
    answer = operator.post("/operations/import/", answers)
    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert not hints


def test_paths_are_offered_below_the_named_roots_only(operator, hints, settings, tmp_path):
    root = tmp_path / "photos"
    (root / "shirts").mkdir(parents=True)
    (root / "shirts" / "a.webp").write_bytes(make_image(1))
    (root / "shirts" / "b.webp").write_bytes(make_image(2))
    (root / "out").symlink_to("/etc")
    settings.IMPORT_ROOTS = [root]

    for outside in ("/etc", f"{root}/../", f"{root}/out", f"{root}-2"):
        answer = operator.post("/operations/import/", {"source": "path", "title": "Outside", "path": outside})
        assert "not below one of the allowed" in answer.content.decode(), outside
    for nothing in ("nothing", "n" * 300):  # the second is no name that a disk would take
        missing = operator.post(
            "/operations/import/", {"source": "path", "title": "Missing", "path": f"{root}/{nothing}"}
        )
        assert "nothing at this path" in missing.content.decode()

    operator.post("/operations/import/", {"source": "path", "title": "Inside", "path": str(root)})
    assert Catalogue.objects.get().source == str(root)


def test_a_published_data_set_on_the_server_is_named(operator, hints, settings, tmp_path):
    lines = [
        "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
    ]
    lines += ["1,Men,Apparel,Topwear,Shirts,NA,Fall,2011,Casual,Check Shirt, Slim"]
    (tmp_path / "styles.csv").write_text("\n".join(lines))
    (tmp_path / "1.webp").write_bytes(make_image(1))
    settings.IMPORT_ROOTS = [tmp_path]
    page = operator.get("/operations/import/").content.decode()
    assert "styles: Kaggle" in page and "zappos: UT-Zappos50K" in page
    answers = {"source": "path", "title": "Styles", "path": str(tmp_path)}
    refused = operator.post("/operations/import/", {**answers, "format": "zappos"})
    assert refused.status_code == 422 and "holds no ut-zap50k-data/meta-data.csv" in refused.content.decode()
    assert operator.post("/operations/import/", {**answers, "format": "styles"}).status_code == 302
    assert Catalogue.objects.get().format == "styles"
