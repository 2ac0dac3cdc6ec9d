# A worker: of the service only the words of the contract, and the rules of the volume.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 trainyard \
 && mkdir -p /srv/volume /srv/data /srv/imports \
 && chown -R trainyard /srv
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY workers workers
COPY service/__init__.py service/__init__.py
COPY service/contract service/contract
COPY service/volume service/volume
RUN pip install --no-cache-dir -c constraints.txt '.[workers,otel]'

USER trainyard
ENV TRAINYARD_SERVER=http://server:8000 \
    TRAINYARD_VOLUME=/srv/volume \
    TRAINYARD_DATA_ROOT=/srv/data \
    TRAINYARD_IMPORT_ROOT=/srv/imports
# At SIGTERM the worker saves a checkpoint and releases the job; compose waits for that.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "workers"]
