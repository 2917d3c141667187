"""The pages of trainings: what they show of each while it runs and after, and to whom."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from search.models import Catalogue, Job, JobState, Training
from tests.factories import NOW
from tests.operators import sign_in
from tests.test_architecture import HEAVY, run_python
from tests.trainings import make_curve, make_lessons, make_trained, make_training

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(db) -> Catalogue:
    return make_lessons()


def text_of(client, address: str) -> str:
    return unescape(client.get(address).content.decode())


def address_of(training: Training) -> str:
    return f"/operations/trainings/{training.pk}/"


def svgs(page: str) -> list[str]:
    return re.findall(r'<svg class="curve-chart".*?</svg>', page, re.DOTALL)


def test_the_list_is_newest_first_and_tells_how_far_each_is(operator, catalogue):
    make_trained(make_training(catalogue, name="first", measures={"accuracy": 0.8731}))
    started = timezone.now() - timedelta(minutes=10)
    running = {"state": JobState.RUNNING, "done": 25, "total": 100, "started_at": started}
    curve = make_curve(steps=40, judged_every=20, triplet_accuracy=[0.61, 0.72])
    make_training(
        catalogue, kind="csn", name="second", job=running, curve=curve, created_at=NOW + timedelta(hours=1)
    )

    page = text_of(operator, "/operations/trainings/")

    assert page.index("second") < page.index("first")
    told = [
        "30 min left",
        "step 25 of 100",
        "Triplet accuracy <strong>0.720",
        "Accuracy <strong>0.873",
        "ready",
    ]
    assert [words for words in told if words not in page] == []
    assert 'topic="jobs"' in page


def test_fragments_are_parts_of_the_pages(operator, catalogue):
    training = make_training(catalogue)
    for address in ("/operations/trainings/list/", address_of(training) + "standing/"):
        fragment = operator.get(address)
        assert "<html" not in fragment.content.decode()
        assert "no-store" in fragment["Cache-Control"]


def test_the_operators_page_leads_to_the_trainings(operator):
    assert 'href="/operations/trainings/"' in text_of(operator, "/operations/")
    assert "Nothing has been trained here" in text_of(operator, "/operations/trainings/")


def test_there_is_a_curve_for_the_loss_and_for_each_measure_and_a_table_of_all_figures(operator, catalogue):
    curve = make_curve(
        steps=60, judged_every=20, distance_accuracy=[0.5, 0.7, 0.6], absolute_accuracy=[0.8, 0.9, 0.95]
    )
    page = text_of(operator, address_of(make_training(catalogue, kind="siamese", curve=curve)))

    assert [re.search('aria-label="(.*?) by step', svg)[1] for svg in svgs(page)] == [
        "Loss",  # wide
        "Loss",  # narrow
        "Distance accuracy",  # decides, so it comes first
        "Absolute accuracy",
    ]
    assert all("best step 40" in svg for svg in svgs(page)), "the step whose weights are kept, in every chart"
    assert "best step 40: 0.700" in svgs(page)[2]
    assert "best step 40: 0.900" in svgs(page)[3]
    rows = re.findall(r'<th scope="row".*?</tr>', page, re.DOTALL)
    cells = [re.sub(r"<[^>]+>|\s", " ", row).split() for row in rows]
    assert len(cells) == 6
    assert cells[0] == ["60", "1.8895", "1.00e-03", "0.6000", "0.9500"]
    assert cells[1] == ["50", "2.1410", "1.00e-03", "–", "–"]
    assert cells[2][:2] == ["40", "best"]


def test_before_the_first_point_there_is_no_chart_but_a_word(operator, catalogue):
    page = text_of(operator, address_of(make_training(catalogue)))
    assert svgs(page) == []
    assert "No point yet" in page


def test_what_could_not_be_measured_breaks_no_page(operator, catalogue):
    curve = make_curve(steps=20, judged_every=10, accuracy=[None, 0.5])
    page = text_of(operator, address_of(make_training(catalogue, curve=curve)))
    assert "best step 20: 0.500" in page


def test_it_says_what_is_trained_from_what(operator, catalogue):
    training = make_training(
        catalogue,
        kind="csn",
        aspects=["kind", "colour"],
        settings={"steps": 40, "margin": 0.2, "masks": False, "of_old": 1},
        weights="/srv/weights/first.safetensors",
        weights_sha256="ab" * 32,
    )
    page = text_of(operator, address_of(training))

    told = ["kind, colour", "first.safetensors", "abababababab"]
    assert [words for words in told if words not in page] == []
    changed = re.findall(r"<li><code>(\w+)</code> (\w+)", page)
    assert changed == [("steps", "40"), ("masks", "False"), ("of_old", "1")], "not those left as they are"
    assert "(default 3000)" in page


def test_without_named_aspects_the_category_is_learned(operator, catalogue):
    assert "kind (the category)" in text_of(operator, address_of(make_training(catalogue)))


def test_a_failed_training_says_why_and_goes_on_from_here(operator, catalogue, hints):
    training = make_training(
        catalogue, job={"state": JobState.FAILED, "reason": "There is not enough memory."}
    )
    page = text_of(operator, address_of(training))
    assert "There is not enough memory." in page
    assert "The last checkpoint is kept" in page

    answer = operator.post(f"/operations/jobs/{training.job_id}/retry/", {"next": address_of(training)})

    assert answer["Location"] == address_of(training)
    assert hints == [training.job]
    page = text_of(operator, address_of(training))
    assert "The last checkpoint is kept" not in page
    assert f'action="/operations/jobs/{training.job_id}/cancel/"' in page


@pytest.mark.parametrize(
    "page", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""]
)
def test_nobody_is_sent_to_another_site(operator, catalogue, page):
    training = make_training(catalogue)
    answer = operator.post(f"/operations/jobs/{training.job_id}/cancel/", {"next": page})
    assert answer["Location"] == "/operations/"


def test_a_finished_training_shows_its_encoder_and_offers_to_build(operator, catalogue, hints):
    training = make_trained(
        make_training(catalogue), held_out_measures={"accuracy": 0.8121, "unknown": {"low": 1}}
    )
    page = text_of(operator, address_of(training))

    told = [training.encoder_version, "1\u202f234 learned from", "300 held out", "Accuracy 0.812"]
    assert [words for words in told if words not in page] == []
    operator.post("/operations/catalogues/demo/build/")
    assert 'action="/operations/catalogues/demo/build/"' in page
    assert [job.kind for job in hints] == ["build"]


def test_a_page_asks_for_news_until_there_are_none(operator, catalogue):
    training = make_training(catalogue)
    assert "<live-topic" in text_of(operator, address_of(training))
    make_trained(training)
    assert "<live-topic" not in text_of(operator, address_of(training))
    Job.objects.update(
        state=JobState.RUNNING
    )  # its encoder is there, its predictions are still being written
    assert "<live-topic" in text_of(operator, address_of(training))


def test_its_card_is_a_file_of_json(operator, catalogue):
    training = make_trained(make_training(catalogue))
    answer = operator.get(address_of(training) + "card.json")
    assert answer["Content-Type"] == "application/json"
    assert "attachment" in answer["Content-Disposition"] and "pupil" in answer["Content-Disposition"]
    assert json.loads(answer.content)["lineage"]["learned"] == 1234


@pytest.mark.parametrize("why", ["unfinished", "removed", "damaged", "replaced"])
def test_a_card_that_is_not_there_or_another_ones_is_not_shown(operator, catalogue, settings, why):
    training = make_training(catalogue)
    if why != "unfinished":
        make_trained(training)
    card = settings.TRAINED_FOLDER / "pupil" / "card.json"
    if why == "removed":
        card.unlink()
    if why == "damaged":
        card.write_text("{")
    if why == "replaced":
        make_trained(make_training(catalogue), weights=b"other weights")
    assert operator.get(address_of(training) + "card.json").status_code == 404
    page = text_of(operator, address_of(training))
    assert "card.json" not in page
    assert ("files are not there any more" in page) == (why != "unfinished")


def test_a_training_outlives_its_job(operator, catalogue):
    make_training(catalogue)
    Job.objects.all().delete()
    training = Training.objects.get()
    assert "not on record any more" in text_of(operator, address_of(training))
    assert "without a job" in text_of(operator, "/operations/trainings/")


def test_analysts_read_and_change_nothing(catalogue):
    failed = make_training(catalogue, name="failed", job={"state": JobState.FAILED})
    ready = make_trained(make_training(catalogue, name="ready"))
    analyst = sign_in("analyst")
    for address in ("/operations/trainings/", address_of(failed), address_of(ready)):
        page = text_of(analyst, address)
        assert "failed" in page or "ready" in page
        actions = ["<live-topic", "retry/", "cancel/", "build/", "trainings/new/"]
        assert [action for action in actions if action in page] == []
    assert analyst.get(address_of(ready) + "card.json").status_code == 200


def test_names_are_text_wherever_they_stand(operator, catalogue):
    Catalogue.objects.update(title="<b>Coats")
    curve = make_curve(steps=10, judged_every=10, **{'triplet_accuracy "<i>': [0.5]})
    training = make_training(catalogue, kind="csn", curve=curve)
    for address in ("/operations/trainings/", address_of(training), "/operations/trainings/new/"):
        page = operator.get(address).content.decode()
        assert "<b>" not in page and "<i>" not in page


LOADED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "dopeornope.settings"
import django
django.setup()
import search.urls
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_the_pages_load_no_heavy_library(tmp_path):
    assert not set(HEAVY) & set(run_python(LOADED, DOPEORNOPE_HOME=str(tmp_path)).split())
