"""Photos that people search with: taken in safely, kept for a day, gone when they should be."""

import io
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from PIL import Image

from search.models import Photo
from search.selectors.photos import photo_path
from search.selectors.searches import SearchRefused
from search.services import photos
from search.services.photo_room import Room, room
from search.services.sweeping import sweep_everything
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


def make_photo(side: int = 64, **how) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(buffer, "JPEG", **how)
    return buffer.getvalue()


def keep(holder: uuid.UUID | None = None, *, now=NOW):
    return photos.keep_photo(source=make_photo(), holder=holder, now=now)


def files() -> list[Path]:
    from django.conf import settings

    return list(settings.PHOTOS_FOLDER.glob("*"))


def test_a_photo_is_kept_for_a_day_and_swept_with_its_file():
    kept = keep()
    assert kept.kept_until == NOW + timedelta(hours=24)
    assert photo_path(kept.key).is_file()
    just_before = NOW + timedelta(hours=23, minutes=59)
    sweep_everything(now=just_before, own_workers=False)
    assert photos.show_photo(key=kept.key, now=just_before) == kept
    with pytest.raises(SearchRefused, match="not kept any more"):  # also before a sweeper comes by
        photos.show_photo(key=kept.key, now=NOW + timedelta(hours=24))
    sweep_everything(now=NOW + timedelta(hours=24), own_workers=False)
    assert not Photo.objects.exists() and not files()


def test_with_consent_it_is_kept_for_thirty_days_and_no_longer():
    key = keep(uuid.uuid4()).key
    longer = photos.keep_longer(key=key, now=NOW + timedelta(hours=1))
    assert longer.kept_until == longer.longest == NOW + timedelta(days=30)
    again = photos.keep_longer(key=key, now=NOW + timedelta(days=29))
    assert again.kept_until == NOW + timedelta(days=30)
    sweep_everything(now=NOW + timedelta(days=30), own_workers=False)
    assert not files()


def test_it_can_be_deleted_at_once_and_twice():
    kept = keep()
    photos.drop_photo(key=kept.key)
    photos.drop_photo(key=kept.key)
    assert not files()
    with pytest.raises(SearchRefused):
        photos.show_photo(key=kept.key, now=NOW)


def test_who_is_forgotten_takes_their_photos_along_and_nobody_elses():
    from evaluation.services.players import forget_holder

    me, other = uuid.uuid4(), uuid.uuid4()
    mine, theirs = keep(me), keep(other)
    assert forget_holder(key=me, now=NOW)  # searched only, never voted
    assert not photo_path(mine.key).exists()
    assert photos.show_photo(key=theirs.key, now=NOW) == theirs


def test_a_player_who_is_forgotten_takes_their_photos_along():
    from evaluation.models import Player
    from evaluation.services.players import forget_holder

    player = Player.objects.create(created_at=NOW)
    keep(player.key)
    forget_holder(key=player.key, now=NOW)
    assert not Photo.objects.exists() and not files()


def test_a_player_is_told_which_photos_are_kept():
    from evaluation.models import Player
    from evaluation.services.accounts import export_player

    player = Player.objects.create(created_at=NOW)
    kept = keep(player.key)
    keep(uuid.uuid4())
    assert [photo["key"] for photo in export_player(player=player)["photos"]] == [kept.key]


def test_of_one_visitor_the_oldest_go_when_there_are_many(monkeypatch):
    monkeypatch.setattr(photos, "MOST_OF_ONE_HOLDER", 2)
    me = uuid.uuid4()
    kept = [keep(me) for _ in range(3)]
    assert [photo_path(one.key).exists() for one in kept] == [False, True, True]


def test_of_what_programs_sent_the_oldest_go_and_nobodys_is_kept_longer(monkeypatch):
    monkeypatch.setattr(photos, "MOST_OF_PROGRAMS", 2)
    mine = keep(uuid.uuid4())
    kept = [keep() for _ in range(3)]
    assert [photo_path(one.key).exists() for one in kept] == [False, True, True]
    assert photo_path(mine.key).exists()
    assert kept[-1].longest == kept[-1].kept_until
    with pytest.raises(SearchRefused, match="and no longer") as caught:
        photos.keep_longer(key=kept[-1].key, now=NOW)
    assert caught.value.status == 403


def test_what_was_swept_while_somebody_agreed_to_more_is_gone_and_said_to_be(monkeypatch):
    kept = keep(uuid.uuid4())
    row = Photo.objects.get()
    Photo.objects.all().delete()
    monkeypatch.setattr(photos, "find_photo", lambda key, now: row)
    with pytest.raises(SearchRefused, match="not kept any more"):
        photos.keep_longer(key=kept.key, now=NOW)


def test_a_photo_is_not_even_read_where_too_many_wait_to_be_decoded(monkeypatch):
    full = Room(threads=1, most_waiting=0)
    monkeypatch.setattr(photos, "decoding_room", full)

    def never() -> bytes:
        raise AssertionError("it was read")

    with pytest.raises(SearchRefused, match="Too many people") as caught:
        async_to_sync(photos.take_photo)(read=never, holder=None, now=NOW)
    assert caught.value.code == "busy" and caught.value.retry_after_s
    assert async_to_sync(room.do)(sum, [1, 2]) == 3  # who searches is not kept waiting by that


def test_nobody_else_on_the_machine_may_list_photos():
    kept = keep()
    assert photo_path(kept.key).parent.stat().st_mode & 0o077 == 0


def test_files_without_a_row_and_rows_without_a_file_are_swept():
    from django.conf import settings

    gone = keep()
    photo_path(gone.key).unlink()
    with pytest.raises(SearchRefused):
        photos.show_photo(key=gone.key, now=NOW)
    stray = settings.PHOTOS_FOLDER / f"{uuid.uuid4().hex}.webp"
    stray.write_bytes(b"left by a killed process")
    fresh = stray.stat().st_mtime
    from datetime import UTC, datetime

    photos.drop_old_photos(datetime.fromtimestamp(fresh + 60, UTC))
    assert stray.exists()
    photos.drop_old_photos(datetime.fromtimestamp(fresh + 3601, UTC))
    assert not stray.exists()


def test_17_what_is_kept_holds_nothing_but_pixels():
    exif = Image.Exif()
    exif[0x010E] = "SECRET-DESCRIPTION"
    exif.get_ifd(0x8825)[1] = "N"
    source = make_photo(exif=exif, comment=b"SECRET-COMMENT") + b"<script>SECRET-TAIL</script>"
    kept = photos.keep_photo(source=source, holder=None, now=NOW)
    stored = photo_path(kept.key).read_bytes()
    assert b"SECRET" not in stored
    with Image.open(io.BytesIO(stored)) as picture:
        assert not picture.getexif() and "comment" not in picture.info
