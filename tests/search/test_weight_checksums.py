"""Large weight files are not read again for every question about them, and never believed unread by a job."""

import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from search.engine.backbones import make_trunk
from search.engine.files import sha256_of
from search.models import JobState, Training
from search.services.jobs import run_in_foreground
from search.services.training import request_training
from search.services.weight_checksums import checksum_of, forget_checksum
from tests.factories import NOW
from tests.lessons import make_school, wish

LONG_AGO = 1_700_000_000


def settle(file: Path, *, at: int = LONG_AGO) -> Path:
    os.utime(file, (at, at))
    return file


def damage(file: Path) -> None:
    """A bit that the disk lost: nothing about the file tells of it."""
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    at = file.stat().st_mtime
    with file.open("r+b") as same:
        same.write(data)
    os.utime(file, (at, at))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(bytes(1000))
    return settle(path)


def test_a_file_is_read_once(file):
    whole = sha256_of(file)
    assert checksum_of(file) == whole
    damage(file)
    assert checksum_of(file) == whole != sha256_of(file), "it was not read again"
    forget_checksum(file)
    assert checksum_of(file) == sha256_of(file)


def test_one_that_was_written_since_is_read_again(file):
    checksum_of(file)
    damage(file)
    settle(file, at=LONG_AGO + 1)
    assert checksum_of(file) == sha256_of(file)


def test_one_put_in_its_place_is_read_again(file, tmp_path):
    checksum_of(file)
    other = tmp_path / "other"
    other.write_bytes(b"1" * 1000)
    settle(other).replace(file)
    assert checksum_of(file) == sha256_of(file)


def test_one_that_was_just_written_may_be_written_again_within_the_same_tick(file):
    file.write_bytes(b"1" * 1000)
    checksum_of(file)
    damage(file)
    assert checksum_of(file) == sha256_of(file)


def test_one_that_is_not_there_is_told(file):
    checksum_of(file)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        checksum_of(file)


@pytest.mark.django_db
def test_a_damaged_file_is_refused_by_the_job_whatever_is_remembered_and_a_restored_one_is_taken(tmp_path):
    school = make_school()
    torch.manual_seed(0)
    file = tmp_path / "first.safetensors"
    safetensors.torch.save_file(make_trunk("thimble").blocks.state_dict(), file)
    settle(file)
    whole = file.read_bytes()
    asked = wish(school, weights=file, settings={"backbone": "thimble"})
    request_training(asked, now=NOW)
    damage(file)
    training = request_training(asked, now=NOW)
    assert Training.objects.count() == 1, "nothing tells of the damage yet"

    job = run_in_foreground(job=training.job, report=lambda row: None)
    assert job.state == JobState.FAILED
    assert job.reason == f"{file} has changed since this training was asked for: ask for it again."
    again = request_training(asked, now=NOW)
    assert again != training and again.weights_sha256 == sha256_of(file)

    with file.open("r+b") as same:
        same.write(whole)
    settle(file, at=LONG_AGO + 1)
    restored = request_training(asked, now=NOW)
    assert restored == training and restored.job.state == JobState.QUEUED
