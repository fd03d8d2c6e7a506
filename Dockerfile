# The gateway as a container: what is in requirements-run.lock, verified by hash, and nothing else.
#
#   docker build -t seamless-gateway .
#   docker run --stop-timeout 30 -p 8080:8080 -v "$PWD/etc:/etc/gateway:ro" -v gateway:/var/lib/gateway seamless-gateway
#
# The configuration is /etc/gateway/gateway.yaml, with
#   server: {listen: 0.0.0.0:8080}
#   admin: {listen: 0.0.0.0:9090, keys: [...]}     # or 127.0.0.1:9090: then only the health check reaches it
#   journal: {url: "sqlite:////var/lib/gateway/journal.db"}

FROM python:3.12-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/gateway
COPY requirements-run.lock ./
RUN /opt/gateway/bin/pip install --require-hashes -r requirements-run.lock
COPY . .
RUN /opt/gateway/bin/pip install --no-deps --no-build-isolation . \
 && /opt/gateway/bin/pip uninstall --yes setuptools pip

FROM python:3.12-slim
COPY --from=build /opt/gateway /opt/gateway
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/gateway gateway \
 && install --directory --owner gateway --group gateway --mode 0750 /var/lib/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/gateway
VOLUME /var/lib/gateway
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 9090, timeout=2); c.request('GET', '/livez'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["gateway"]
CMD ["serve", "--config", "/etc/gateway/gateway.yaml"]
