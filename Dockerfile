# The worker as a cluster runs it. `make image` builds it, with or without a container engine.
# Written for old and new builders alike: no syntax line, no heredocs, absolute mount targets.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    PATH=/opt/venv/bin:$PATH

FROM base AS builder
ENV UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# Third-party packages come first, so that their layer changes only with the locks. The secrets are
# optional: a private package index, and the certificates of a network that has its own.
COPY requirements/uv.lock requirements/worker.lock /requirements/
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=uv,target=/etc/uv/uv.toml \
    python -m venv /tools \
 && /tools/bin/pip install --disable-pip-version-check --require-hashes -r /requirements/uv.lock \
 && /tools/bin/uv venv --quiet /opt/venv \
 && /tools/bin/uv pip sync --require-hashes --compile-bytecode /requirements/worker.lock \
 && rm -f /opt/venv/.lock
WORKDIR /app
COPY pyproject.toml agent.py ./
COPY agent ./agent
COPY config ./config
COPY stt_assemblyai ./stt_assemblyai
# A checkout may be private to its owner; in the image everybody reads and root alone writes.
RUN chmod -R u=rwX,go=rX /app \
 && python -m compileall -q --invalidation-mode unchecked-hash /app \
 && HOME=/tmp python agent.py download-files

FROM base AS runtime
RUN groupadd --gid 10001 agent \
 && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --home-dir /tmp \
      --shell /usr/sbin/nologin agent
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
ENV HOME=/tmp \
    AGENT_HTTP_HOST=0.0.0.0 \
    AGENT_HTTP_PORT=8081
USER 10001:10001
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; page = http.client.HTTPConnection('127.0.0.1', int(os.environ['AGENT_HTTP_PORT']), timeout=3); page.request('GET', '/'); sys.exit(page.getresponse().status != 200)"]
ENTRYPOINT ["python", "agent.py"]
CMD ["start"]
