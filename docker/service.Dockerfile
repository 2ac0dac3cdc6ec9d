# The control plane: no torch, no workers/.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 trainyard \
 && mkdir -p /srv/volume /srv/data /srv/imports /srv/db \
 && chown -R trainyard /srv
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY service service
# hatchling requires every listed package; this image has no workers.
RUN mkdir workers && touch workers/__init__.py \
 && pip install --no-cache-dir -c constraints.txt '.[server,postgres,otel]' \
 && rm -rf workers

USER trainyard
ENV TRAINYARD_HOST=0.0.0.0 \
    TRAINYARD_PORT=8000 \
    TRAINYARD_DATABASE_URL=sqlite:////srv/db/trainyard.db \
    TRAINYARD_VOLUME=/srv/volume \
    TRAINYARD_DATA_ROOT=/srv/data \
    TRAINYARD_IMPORT_ROOT=/srv/imports
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["trainyard", "serve"]
