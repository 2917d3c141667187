"""Every variable: what it may hold is taken, what it may not is refused by name, before anything starts."""

import os
import re
import runpy
import stat
import threading
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.core.exceptions import ImproperlyConfigured

from dopeornope.env import Environment
from dopeornope.secret import SHORTEST, read_or_make_secret
from search.models import Queue

FILE = Path(__file__).parents[1] / "dopeornope" / "settings.py"
# Variable, a value it must refuse, and words of what is allowed instead.
REFUSED = [
    ("HOME", __file__, "a folder"),
    ("HOME", f"{__file__}/below", "can be made"),
    ("HOME", "~nobody-of-this-name/var", "can be made"),
    ("MODE", "embeded", "embedded, service"),
    ("PROCESS", "webb", "web, worker, sweeper, command"),
    ("DEBUG", "maybe", "true, yes, on"),
    ("SECRET_KEY", "short", f"at least {SHORTEST} characters"),
    ("DEVICE", "gpu", "auto, cpu, cuda"),
    ("DATABASE", "mysql://localhost/x", "postgresql://"),
    ("DATABASE", "postgresql://localhost", "NAME"),
    ("DATABASE", "postgresql://localhost:many/x", "postgresql://"),
    ("VECTORS", "sqlite", "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
    ("VECTORS", "postgresql://localhost", "NAME"),
    ("VECTORS", "postgresql://localhost:many/x", "postgresql://"),
    ("CHANNEL_LAYER", "amqp://localhost", "redis://"),
    ("CHANNEL_LAYER", "redis://[half", "redis://"),
    ("BROKER", "redis://[half", "amqp://"),
    ("BROKER", "kafka://localhost", "amqp://"),
    ("RANKER", "gpu", "web, worker"),
    ("RANKER", "worker", "DOPEORNOPE_CHANNEL_LAYER"),
    ("HOSTS", "https://swipe.example.org", "without scheme"),
    ("HOSTS", "localhost, swipe.example.org:8000", "without scheme, port or path"),
    ("HOSTS", "bücher.example", "swipe.example.org"),
    ("ORIGINS", "swipe.example.org", "such as https://swipe.example.org"),
    ("ORIGINS", "https://swipe.example.org/", "without path"),
    ("ORIGINS", "https://Swipe.example.org", "in lower case"),
    ("TLS", "2", "true, yes, on"),
    ("TLS", "1", "DOPEORNOPE_TRUSTED_PROXIES"),
    ("TRUSTED_PROXIES", "all", "whole number from 0"),
    ("TRUSTED_PROXIES", "-1", "whole number from 0"),
    ("VOTES_PER_MINUTE", "0", "from 30 to"),
    ("VOTES_PER_DAY", "0", "from 200 to"),
    ("PLAYERS_PER_NETWORK", "0", "from 1 to"),
    ("RETRAIN_FROM", "-1", "from 0 to"),
    ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING, ERROR"),
    ("LOG_FORMAT", "xml", "text, json"),
    ("METRICS_TOKEN", "short", "at least 16"),
    ("METRICS_TOKEN", "with spaces in between", "without spaces"),
    ("UPLOAD_LIMIT_MB", "0", "from 1 to"),
    ("UPLOAD_LIMIT_MB", "1.5", "whole number"),
    ("UPLOAD_LIMIT_MB", "9" * 30, "from 1 to"),
    ("IMPORT_ROOTS", "relative/folder", "absolute paths"),
    ("IMPORT_ROOTS", "/nowhere/at/all", "existing folders"),
]


class Load(Protocol):
    def __call__(self, home: Path | None = None, **variables: str) -> dict[str, Any]: ...


@pytest.fixture
def load_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """The settings as a process with only these variables reads them."""

    def load(home: Path | None = None, **variables: str) -> dict[str, Any]:
        for name in [name for name in os.environ if name.startswith("DOPEORNOPE_")]:
            monkeypatch.delenv(name)
        for name, value in ({"HOME": str(home or tmp_path / "home")} | variables).items():
            monkeypatch.setenv(f"DOPEORNOPE_{name}", value)
        return runpy.run_path(str(FILE))

    return load


def test_every_variable_is_refused_somewhere_below():
    read = set(re.findall(r'env\.\w+\("(\w+)"', FILE.read_text()))
    assert read == {name for name, _, _ in REFUSED}


@pytest.mark.parametrize(("name", "value", "allowed"), REFUSED)
def test_a_bad_value_is_refused_by_name_with_what_is_allowed(load_settings, name, value, allowed):
    with pytest.raises(ImproperlyConfigured) as refusal:
        load_settings(**{name: value})
    assert f"DOPEORNOPE_{name}" in str(refusal.value)
    assert allowed in str(refusal.value)


def test_without_any_variable_everything_has_a_default(load_settings):
    settings = load_settings()
    assert settings["MODE"] == "embedded"
    assert settings["DATABASES"]["default"]["ENGINE"].endswith("sqlite3")
    assert not settings["DEBUG"]


def test_slates_are_chosen_by_workers_in_service_mode_and_by_the_web_process_else(load_settings):
    assert load_settings()["RANKER"] == "web"
    assert load_settings(**SERVICE)["RANKER"] == "worker"
    assert load_settings(**SERVICE, RANKER="web")["RANKER"] == "web"


def test_blank_is_the_same_as_not_set():
    env = Environment({"DOPEORNOPE_MODE": "  ", "DOPEORNOPE_DEBUG": ""})
    assert env.choice("MODE", "embedded", ["embedded"]) == "embedded"
    assert env.flag("DEBUG", True) is True


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_flags_read_as_people_write_them(text, flag):
    assert Environment({"DOPEORNOPE_TLS": text}).flag("TLS", not flag) is flag


@pytest.mark.parametrize(
    "hosts",
    ["localhost,127.0.0.1,[::1]", "*", ".example.org", "my_machine, swipe.example.org", "[fe80::1%eth0]"],
)
def test_hosts_are_taken_as_they_are_written(hosts):
    found = Environment({"DOPEORNOPE_HOSTS": hosts}).hosts("HOSTS", [])
    assert found == hosts.replace(" ", "").split(",")


@pytest.mark.parametrize(
    "origin", ["https://swipe.example.org", "http://localhost:8000", "http://[::1]:8000"]
)
def test_origins_are_taken_as_browsers_send_them(origin):
    assert Environment({"DOPEORNOPE_ORIGINS": f"{origin},"}).origins("ORIGINS") == [origin]


def test_a_database_address_is_taken_apart():
    env = Environment({"DOPEORNOPE_DATABASE": "postgresql://me:p%40ss@db.example:5433/votes"})
    settings = env.database("DATABASE", Path("unused"))
    assert settings["NAME"] == "votes"
    assert (settings["USER"], settings["PASSWORD"]) == ("me", "p@ss")
    assert (settings["HOST"], settings["PORT"]) == ("db.example", "5433")


def test_import_roots_are_real_folders(tmp_path):
    real = tmp_path / "photos"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    env = Environment({"DOPEORNOPE_IMPORT_ROOTS": f"{tmp_path / 'link'}, {tmp_path}"})
    assert env.folders("IMPORT_ROOTS") == [real.resolve(), tmp_path.resolve()]


def test_the_first_start_makes_a_secret_that_only_its_owner_reads(load_settings, tmp_path):
    first = load_settings()["SECRET_KEY"]
    file = tmp_path / "home" / "secret-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first) >= SHORTEST
    assert load_settings()["SECRET_KEY"] == first
    assert [path.name for path in file.parent.glob("secret-key*")] == ["secret-key"]


def test_two_homes_have_two_secrets(load_settings, tmp_path):
    assert load_settings(tmp_path / "a")["SECRET_KEY"] != load_settings(tmp_path / "b")["SECRET_KEY"]


def test_all_who_start_at_once_agree_on_the_secret(tmp_path):
    start, keys = threading.Barrier(8), []

    def read() -> None:
        start.wait()
        keys.append(read_or_make_secret("", tmp_path / "secret-key"))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


SERVICE = {
    "MODE": "service",
    "SECRET_KEY": "one that is long enough to be taken",
    "DATABASE": "postgresql://localhost/x",
    "BROKER": "amqp://localhost",
    "CHANNEL_LAYER": "redis://localhost/1",
}


def test_service_mode_names_everything_it_lacks_at_once_with_examples(load_settings, tmp_path):
    with pytest.raises(ImproperlyConfigured) as refusal:
        load_settings(MODE="service")
    for example in ("SECRET_KEY=$(", "DATABASE=postgresql://", "BROKER=amqp://", "CHANNEL_LAYER=redis://"):
        assert f"DOPEORNOPE_{example}" in str(refusal.value)
    assert not (tmp_path / "home" / "secret-key").exists()


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("SECRET_KEY", ""),
        ("DATABASE", "sqlite"),
        ("BROKER", "filesystem://localhost"),
        ("CHANNEL_LAYER", "memory"),
    ],
)
def test_service_mode_refuses_what_its_processes_cannot_share(load_settings, name, alone):
    assert load_settings(**SERVICE)["MODE"] == "service"
    with pytest.raises(ImproperlyConfigured, match=f"it also needs DOPEORNOPE_{name}:"):
        load_settings(**SERVICE | {name: alone})


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("SECRET_KEY", "changeme", "openssl rand"),
        ("SECRET_KEY", "Change-Me-" * 4, "openssl rand"),
        ("SECRET_KEY", "secret", "openssl rand"),
        ("SECRET_KEY", "django-insecure-" + "4f7d0c1e" * 6, "openssl rand"),
        ("SECRET_KEY", "k" * SHORTEST, "openssl rand"),
        ("DEBUG", "1", "remove it"),
        ("HOSTS", "swipe.example.org, *", "list the names"),
    ],
)
def test_service_mode_refuses_what_would_open_a_public_site(load_settings, name, value, remedy):
    with pytest.raises(ImproperlyConfigured) as refusal:
        load_settings(**SERVICE | {name: value})
    assert f"DOPEORNOPE_{name}" in str(refusal.value)
    assert remedy in str(refusal.value)


def test_service_mode_names_everything_unsafe_at_once(load_settings):
    with pytest.raises(ImproperlyConfigured) as refusal:
        load_settings(**SERVICE | {"SECRET_KEY": "secret" * 6, "DEBUG": "1", "HOSTS": "*"})
    for name in ("SECRET_KEY", "DEBUG", "HOSTS"):
        assert f"DOPEORNOPE_{name}" in str(refusal.value)


def test_rabbitmq_gets_quorum_queues_with_a_limit_and_confirms(load_settings):
    settings = load_settings(BROKER="amqp://localhost")
    queues = {queue.name: queue.queue_arguments for queue in settings["CELERY_TASK_QUEUES"]}
    assert queues == {name: {"x-queue-type": "quorum", "x-delivery-limit": 5} for name in Queue.values}
    assert settings["CELERY_BROKER_TRANSPORT_OPTIONS"]["confirm_publish"] is True


def test_other_brokers_get_their_own_options(load_settings):
    redis = load_settings(BROKER="redis://localhost/2")
    assert redis["CELERY_TASK_QUEUES"] is None
    assert redis["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"] == 3600
    assert "data_folder_in" in load_settings()["CELERY_BROKER_TRANSPORT_OPTIONS"]


def test_a_web_process_waits_for_postgresql_less_long_than_a_worker(load_settings):
    def options(process: str) -> dict[str, Any]:
        settings = load_settings(DATABASE="postgresql://localhost/x", PROCESS=process)
        return settings["DATABASES"]["default"]["OPTIONS"]

    assert "-c statement_timeout=5000 -c lock_timeout=2000" in options("web")["options"]
    assert "-c statement_timeout=600000" in options("worker")["options"]
    assert options("web")["application_name"] == "dopeornope web"


def test_a_damaged_secret_file_says_what_to_do(tmp_path):
    file = tmp_path / "secret-key"
    file.write_text("cut")
    with pytest.raises(ImproperlyConfigured, match="delete it"):
        read_or_make_secret("", file)


@pytest.mark.parametrize("tls", ["1", "0"])
def test_cookies_insist_on_tls_where_there_is_tls(load_settings, tls):
    settings = load_settings(TLS=tls, TRUSTED_PROXIES=tls)
    secure = settings["SESSION_COOKIE_SECURE"], settings["CSRF_COOKIE_SECURE"]
    assert secure == ((True, True) if tls == "1" else (False, False))
    assert bool(settings["SECURE_HSTS_SECONDS"]) is (tls == "1")


@pytest.mark.parametrize(
    "address",
    [
        "mysql://me:hunter2@db.example/votes",
        "me:hunter2@db.example/votes",
        "postgresql:/me:hunter2@db.example/votes",
    ],
)
def test_a_refused_address_does_not_repeat_its_password(address):
    env = Environment({"DOPEORNOPE_DATABASE": address})
    with pytest.raises(ImproperlyConfigured, match=r"db\.example") as refused:
        env.database("DATABASE", Path("unused"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("rest", ["?sslmode=verify-full", "#x"])
def test_what_a_database_s_address_asks_for_beyond_its_name_is_not_silently_left_out(rest):
    env = Environment({"DOPEORNOPE_DATABASE": f"postgresql://me:hunter2@db.example/votes{rest}"})
    with pytest.raises(ImproperlyConfigured, match="PGSSLMODE"):
        env.database("DATABASE", Path("unused"))
