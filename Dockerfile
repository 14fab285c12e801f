# syntax=docker/dockerfile:1
# The image of the gateway. A bot's own image is `FROM` this one and copies its module and gateway.toml to /app.

FROM python:3.13-slim-bookworm AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH
WORKDIR /source
# What changes seldom comes first: the locked dependencies are a layer of their own.
COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY routers routers
COPY state state
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip install --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim-bookworm
COPY --from=builder /opt/gateway /opt/gateway
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin gateway \
    && install --directory --owner=gateway --group=gateway /app /data
# Without GATEWAY_REDIS__URL the embedded Redis keeps its data in /data: give it a volume.
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GATEWAY_WEB__HOST=0.0.0.0 \
    GATEWAY_WEB__PORT=8080 \
    GATEWAY_REDIS__DATA_DIR=/data
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['GATEWAY_WEB__PORT']}/livez\", timeout=4)"]
ENTRYPOINT ["gateway"]
CMD ["serve", "bot:gateway"]
