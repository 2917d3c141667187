"""The only settings module; everything that differs between machines is an environment variable."""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dopeornope import brokers, postgresql
from dopeornope.env import Environment
from dopeornope.logs import FORMATS, configure_logging
from dopeornope.secret import read_or_make_secret
from dopeornope.service_needs import NEEDS, refuse_unsafe, refuse_unshared

env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent

# Everything written at run time lives under HOME.
HOME = env.folder("HOME", BASE_DIR / "var")
IMAGES_FOLDER = HOME / "images"
ARTIFACTS_FOLDER = HOME / "artifacts"
TRAINED_FOLDER = ARTIFACTS_FOLDER / "encoders"
RANKERS_FOLDER = ARTIFACTS_FOLDER / "rankers"
PLAYED_RANKERS_FOLDER = ARTIFACTS_FOLDER / "played-rankers"
WEIGHTS_FOLDER = HOME / "weights"
TRAINING_FOLDER = HOME / "training"  # checkpoints and framed pictures: can be made anew
UPLOADS_FOLDER = HOME / "uploads"
PHOTOS_FOLDER = HOME / "photos"  # that people search with: hours old, in no backup
BROKER_FOLDER = HOME / "broker"
LOG_FOLDER = HOME / "log"

MODE = env.choice("MODE", "embedded", ["embedded", "service"])
DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.hosts("HOSTS", ["localhost", "127.0.0.1", "[::1]"])
if MODE == "service":
    refuse_unshared({name: env.text(name, "") for name in NEEDS})
    refuse_unsafe(key=env.text("SECRET_KEY", ""), debug=DEBUG, hosts=ALLOWED_HOSTS)
# What this process is, as whoever starts it says: `play`, `serve`, compose.yaml, and asgi.py for itself.
PROCESS = env.choice("PROCESS", "command", ["web", "worker", "sweeper", "command"])
SECRET_KEY = read_or_make_secret(env.text("SECRET_KEY", ""), HOME / "secret-key")
CSRF_TRUSTED_ORIGINS = env.origins("ORIGINS")
DEVICE = env.choice("DEVICE", "auto", ["auto", "cpu", "cuda"])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
    "dopeornope",
    "evaluation",
    "search",
]
MIDDLEWARE = [
    "dopeornope.permissions_policy.permissions_policy",
    "django.middleware.security.SecurityMiddleware",
    "dopeornope.static.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "dopeornope.multipart.forms_apart",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "dopeornope.urls"
ASGI_APPLICATION = "dopeornope.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": env.database("DATABASE", HOME / "db.sqlite3")}
# One connection per thread that needs one, kept: a web process has one such thread (dopeornope/asgi.py).
DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, because shared in-memory databases ignore the busy timeout.
    DATABASES["default"]["TEST"] = {"NAME": str(HOME / "test.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] = postgresql.list_options(PROCESS)
# A PostgreSQL with pgvector that searches ask, in place of the files of indexes (search/pgvector).
VECTORS = env.vectors("VECTORS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {"default": env.channel_layer("CHANNEL_LAYER")}

# Who chooses the slates of navigation games; workers put what they chose into the channel layer's Redis.
RANKER = env.choice("RANKER", "worker" if MODE == "service" else "web", ["web", "worker"])
SLATES_REDIS = env.text("CHANNEL_LAYER", "memory")
if RANKER == "worker" and SLATES_REDIS == "memory":
    raise ImproperlyConfigured(
        "DOPEORNOPE_RANKER=worker has workers answer through Redis, and DOPEORNOPE_CHANNEL_LAYER names none: "
        "set it to redis://HOST:PORT/NUMBER, or DOPEORNOPE_RANKER to web."
    )

CELERY_BROKER_URL = env.broker("BROKER")
CELERY_BROKER_CONNECTION_TIMEOUT = brokers.patience_of(PROCESS)
CELERY_BROKER_TRANSPORT_OPTIONS = brokers.list_transport_options(
    CELERY_BROKER_URL, folder=BROKER_FOLDER, patience=brokers.patience_of(PROCESS)
)
CELERY_TASK_QUEUES = brokers.list_queues(CELERY_BROKER_URL)
# No AMQP heartbeats: neither a worker busy with a long job nor a web process between two hints sends any, and
# RabbitMQ would hang up on both. Dead connections are found by TCP's keepalive.
CELERY_BROKER_HEARTBEAT = 0
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_CONSUMER = "dopeornope.consumer:Consumer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker outlives any absence of its broker
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
CSRF_FAILURE_VIEW = "dopeornope.views.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# How many proxies of the operator's own stand before the web processes: so many are believed about visitors
# (dopeornope/client_address.py).
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, low=0, high=10)
# TLS ends at a proxy, where there is one; only then may cookies insist on it.
TLS = env.flag("TLS", False)
if TLS and not TRUSTED_PROXIES:
    raise ImproperlyConfigured(
        "DOPEORNOPE_TLS=1 says that a proxy ends TLS, and DOPEORNOPE_TRUSTED_PROXIES=0 that there is none: "
        "set DOPEORNOPE_TRUSTED_PROXIES to the number of your proxies that a request passes, most often 1."
    )
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TLS
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = TLS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Photos that people search with (dopeornope/body_limit.py) are taken apart in memory: what a camera wrote
# beside the pixels is on no disk.
FILE_UPLOAD_MAX_MEMORY_SIZE = (10 * 1024 + 64) * 1024
# What an operator may send at once, and the folders of this machine that the import form may read.
UPLOAD_LIMIT_MB = env.integer("UPLOAD_LIMIT_MB", 2048, low=1, high=1_000_000)
IMPORT_ROOTS = env.folders("IMPORT_ROOTS")
UPLOADS_FOLDER.mkdir(parents=True, exist_ok=True)
FILE_UPLOAD_TEMP_DIR = str(UPLOADS_FOLDER)

# What one player, and all players behind one address, may do (evaluation/services/limits.py).
VOTES_PER_MINUTE = env.integer("VOTES_PER_MINUTE", 60, low=30, high=1_000_000)
VOTES_PER_DAY = env.integer("VOTES_PER_DAY", 2000, low=200, high=100_000_000)
PLAYERS_PER_NETWORK = env.integer("PLAYERS_PER_NETWORK", 40, low=1, high=1_000_000)

# So many triplets must wait before the schedule has an encoder taught (evaluation/services/retrainings.py).
RETRAIN_FROM = env.integer("RETRAIN_FROM", 500, low=0, high=1_000_000)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOG_FORMAT = env.choice("LOG_FORMAT", "json" if MODE == "service" else "text", FORMATS)
LOGGING = configure_logging(
    env.choice("LOG_LEVEL", "WARNING", ["DEBUG", "INFO", "WARNING", "ERROR"]), LOG_FORMAT
)
# Whoever shows it may read /metrics; without one, whoever asks from this machine or a private network.
METRICS_TOKEN = env.token("METRICS_TOKEN", shortest=16)
