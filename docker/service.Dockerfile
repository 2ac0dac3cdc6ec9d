# The control plane: no torch, no workers/.
# Any image with Python 3.11 or newer, pip and venv is a base; pin its digest with --build-arg.
ARG BASE=docker.io/library/python:3.12.12-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/trainyard
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY service service
# hatchling requires every listed package; this image has no workers.
RUN mkdir workers && touch workers/__init__.py \
 && /opt/trainyard/bin/pip install --no-cache-dir -c constraints.txt '.[server,postgres,otel]' \
 && rm -rf /opt/trainyard/lib/python3.*/site-packages/workers

FROM ${BASE}
COPY --from=build /opt/trainyard /opt/trainyard
# A volume that is made new takes over the owner and mode of the folder below it.
RUN useradd --no-create-home --home-dir /tmp --uid 10001 trainyard \
 && mkdir -p /srv/volume /srv/data /srv/imports /srv/db \
 && chown -R 10001:10001 /srv
# By its number: Kubernetes cannot know that a name is not root.
USER 10001:10001
WORKDIR /srv
ENV PATH=/opt/trainyard/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TRAINYARD_HOST=0.0.0.0 \
    TRAINYARD_PORT=8000 \
    TRAINYARD_DATABASE_URL=sqlite:////srv/db/trainyard.db \
    TRAINYARD_VOLUME=/srv/volume \
    TRAINYARD_DATA_ROOT=/srv/data \
    TRAINYARD_IMPORT_ROOT=/srv/imports
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['TRAINYARD_PORT']}/readyz\", timeout=2)"]
CMD ["trainyard", "serve"]
