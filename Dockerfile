# The image of lunpai. It brings no database: LUNPAI_DATABASE_URL must name a PostgreSQL server (15 to 18).
#     docker build -t lunpai .
#     docker run -e LUNPAI_DATABASE_URL=postgresql://... -v lunpai:/var/lib/lunpai -p 8080:8080 \
#         lunpai serve --host 0.0.0.0

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/lunpai
WORKDIR /src
# Libraries change less often than the program: their layer is kept while the lock stays the same.
COPY requirements-runtime.lock ./
RUN /opt/lunpai/bin/pip install --require-hashes --only-binary :all: --requirement requirements-runtime.lock
COPY . ./
RUN /opt/lunpai/bin/pip install --no-deps --no-build-isolation . \
    && /opt/lunpai/bin/pip uninstall --yes setuptools pip

FROM python:3.13-slim
# A fixed number, so that an orchestrator can tell without /etc/passwd that this is not root.
RUN useradd --uid 10001 --home-dir /var/lib/lunpai --create-home --shell /usr/sbin/nologin lunpai
COPY --from=build /opt/lunpai /opt/lunpai
ENV PATH=/opt/lunpai/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LUNPAI_HOME=/var/lib/lunpai \
    LUNPAI_EMBEDDED=off
USER 10001
WORKDIR /var/lib/lunpai
VOLUME /var/lib/lunpai
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["lunpai", "health"]
ENTRYPOINT ["lunpai"]
CMD ["--help"]
