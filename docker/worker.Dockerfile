# A worker: of the service only the words of the contract, and the rules of the volume.
# Any image with Python 3.11 or newer, pip and venv is a base; pin its digest with --build-arg.
ARG BASE=docker.io/library/python:3.12.12-slim-bookworm

FROM ${BASE} AS build
# Where torch comes from: empty for the one that pip finds, which is for CUDA and brings its
# libraries; for CPUs alone, or an older driver, the index that PyTorch's installation page names.
ARG TORCH_INDEX=
RUN python3 -m venv /opt/trainyard
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
# Before our own code, which changes more often than these gigabytes.
RUN grep -E '^(torch|torchvision)==' constraints.txt > torch.txt \
 && if [ -n "$TORCH_INDEX" ]; then \
      /opt/trainyard/bin/pip install --no-cache-dir --no-deps -i "$TORCH_INDEX" -r torch.txt; \
    else \
      /opt/trainyard/bin/pip install --no-cache-dir -c constraints.txt -r torch.txt; \
    fi
# With `ray`, separated by a comma, for the launcher of that name.
ARG EXTRAS=workers,otel
COPY workers workers
COPY service/__init__.py service/__init__.py
COPY service/contract service/contract
COPY service/volume service/volume
RUN /opt/trainyard/bin/pip install --no-cache-dir -c constraints.txt ".[$EXTRAS]"

FROM ${BASE}
COPY --from=build /opt/trainyard /opt/trainyard
# A volume that is made new takes over the owner and mode of the folder below it.
RUN useradd --no-create-home --home-dir /tmp --uid 10001 trainyard \
 && mkdir -p /srv/volume /srv/data /srv/imports \
 && chown -R 10001:10001 /srv
# By its number: Kubernetes cannot know that a name is not root.
USER 10001:10001
WORKDIR /srv
ENV PATH=/opt/trainyard/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TRAINYARD_SERVER=http://server:8000 \
    TRAINYARD_VOLUME=/srv/volume \
    TRAINYARD_DATA_ROOT=/srv/data \
    TRAINYARD_IMPORT_ROOT=/srv/imports \
    TRAINYARD_HEALTH_FILE=/tmp/trainyard-worker.health
# At SIGTERM the worker saves a checkpoint and releases the job; compose waits for that.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python3", "-m", "workers.health"]
CMD ["python3", "-m", "workers"]
