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
 && /tools/bin/uv pip sync --require-hashes /requirements/worker.lock \
 && rm -f /opt/venv/.lock
# What no worker opens: the packages' own tests, type stubs, sources in C, tools that prepare models,
# the onnxruntime of programs in C, a compiler for Fortran, and colours for other languages than
# Python. Modules that no worker imports stay without bytecode.
RUN cd /opt/venv/lib/python3*/site-packages \
 && rm -rf onnxruntime/transformers onnxruntime/quantization onnxruntime/tools \
      onnxruntime/capi/libonnxruntime.so.* numpy/f2py \
 && find pygments/lexers -name '*.py' | grep -vE '/(__init__|_mapping|data|python|special)\.py' | xargs rm -f \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.py[xd]' -o -name '*.px[di]' -o -name '*.[ach]' \) -delete \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/(grpc|PIL|numpy/(ma|polynomial|testing)|pycparser|pydantic/v1|pygments/(lexers|formatters)|redis/(commands/[a-z]+|http|multidb|asyncio/multidb))/' .
WORKDIR /app
COPY pyproject.toml agent.py ./
COPY agent ./agent
COPY config ./config
COPY stt_assemblyai ./stt_assemblyai
# A checkout may be private to its owner; in the image everybody reads and root alone writes.
RUN chmod -R u=rwX,go=rX /app \
 && python -m compileall -q --invalidation-mode unchecked-hash /app \
 && HOME=/tmp python agent.py download-files

FROM base AS system
RUN groupadd --gid 10001 agent \
 && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --home-dir /tmp \
      --shell /usr/sbin/nologin agent
RUN --mount=type=bind,source=deploy/image/slim.sh,target=/slim.sh sh /slim.sh

# Copied, and not built upon: what was taken out is in no layer.
FROM scratch AS runtime
COPY --from=system / /
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/sbin:/usr/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HOME=/tmp \
    AGENT_HTTP_HOST=0.0.0.0 \
    AGENT_HTTP_PORT=8081
USER 10001:10001
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; page = http.client.HTTPConnection('127.0.0.1', int(os.environ['AGENT_HTTP_PORT']), timeout=3); page.request('GET', '/livez'); sys.exit(page.getresponse().status != 200)"]
ENTRYPOINT ["python", "agent.py"]
CMD ["start"]
# `make image` tells both; whoever builds by hand may: --build-arg REVISION=$(git rev-parse HEAD).
ARG REVISION=unknown
ARG PYTHON_IMAGE
LABEL org.opencontainers.image.title="livekit-assemblyai-agent" \
      org.opencontainers.image.description="A LiveKit voice agent that hears with AssemblyAI, thinks and speaks with OpenAI, and runs in production." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="$PYTHON_IMAGE"
