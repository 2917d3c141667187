# One image for every process of service mode: web, worker, sweeper. compose.yaml says which is which.
FROM python:3.11-slim-trixie

ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 \
    DOPEORNOPE_MODE=service DOPEORNOPE_HOME=/data NUMBA_CACHE_DIR=/data/numba
WORKDIR /app

# pg_dump and pg_restore for backups, of the same version as compose.yaml's PostgreSQL.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*

# torch without CUDA by default; for GPUs: --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY pyproject.toml constraints.txt ./
RUN pip install --no-deps --constraint constraints.txt --index-url "$TORCH_INDEX" torch torchvision \
    && pip install --constraint constraints.txt .

COPY manage.py ./
COPY dopeornope dopeornope
COPY evaluation evaluation
COPY search search
COPY static static
COPY templates templates

RUN useradd --system --uid 10001 --no-create-home game && install --directory --owner game /data
USER game
VOLUME /data
STOPSIGNAL SIGTERM
