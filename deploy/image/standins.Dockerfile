# Stand-ins for AssemblyAI and OpenAI with speech engines inside, for whoever has no keys: compose.yaml
# builds it. Never for production.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS builder
ENV UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
COPY requirements/uv.lock requirements/workbench.lock /requirements/
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=uv,target=/etc/uv/uv.toml \
    python -m venv /tools \
 && /tools/bin/pip install --disable-pip-version-check --require-hashes -r /requirements/uv.lock \
 && /tools/bin/uv venv --quiet /opt/venv \
 && /tools/bin/uv pip sync --require-hashes --compile-bytecode /requirements/workbench.lock \
 && rm -f /opt/venv/.lock
WORKDIR /app
COPY agent ./agent
COPY config ./config
COPY stt_assemblyai ./stt_assemblyai
COPY workbench ./workbench
# The recogniser's weights are converted here, once: nothing can be written where it runs.
RUN chmod -R u=rwX,go=rX /app \
 && /opt/venv/bin/python -c 'from workbench.standins.engines.recognizer import Recognizer; Recognizer.load()' \
 && chmod -R go=rX /app/.cache

FROM ${PYTHON_IMAGE} AS runtime
RUN groupadd --gid 10001 agent \
 && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --home-dir /tmp \
      --shell /usr/sbin/nologin agent
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    PATH=/opt/venv/bin:$PATH \
    HOME=/tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "workbench.standins"]
CMD ["--port", "8791", "--openai-port", "8792", "--control-port", "8793"]
