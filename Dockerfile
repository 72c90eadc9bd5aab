# The bot alone; compose.yaml adds its database. Everything installed comes from the lock, with hashes.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data
WORKDIR /app
RUN useradd --system --uid 10001 --no-create-home viralcore && install -d -o viralcore -m 0700 /data

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
COPY viralcore viralcore
COPY migrations migrations
COPY settings settings
COPY assets assets
COPY pyproject.toml LICENSE ./

USER viralcore
VOLUME /data
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('HTTP_PORT', '8081')}/health\", timeout=4)"]
ENTRYPOINT ["python", "-m", "viralcore"]
CMD ["run"]
