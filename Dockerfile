# One image for every process: `serve`, `worker`, `migrate` and all other commands.
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv venv --quiet /app \
 && uv export --frozen --no-default-groups --no-emit-project --quiet > /tmp/requirements.txt \
 && uv pip install --quiet --python /app/bin/python --compile-bytecode --require-hashes -r /tmp/requirements.txt
COPY service service
COPY static static
RUN uv build --quiet --wheel --out-dir /wheel \
 && uv pip install --quiet --python /app/bin/python --compile-bytecode --no-deps /wheel/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data corrigenda \
 && install --directory --owner corrigenda --group corrigenda --mode 700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 CORRIGENDA_DATA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["corrigenda"]
CMD ["serve", "--host", "0.0.0.0"]
