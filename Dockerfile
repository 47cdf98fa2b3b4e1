# The app for a server: no rights, no network needed at run time, nothing written but /storage,
# /var/tmp and /tmp. compose.yaml runs it with nginx in front.
FROM python:3.11-slim-bookworm

WORKDIR /app
COPY requirements.txt .
# torch for CPUs first: where nothing else is said, pip takes the one with CUDA, which is gigabytes.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0 \
    && pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN useradd --uid 10001 --no-create-home app && install --directory --owner=app --mode=700 /storage

USER app
ENV CAVAE_STORAGE=/storage \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    OMP_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_BROWSER_SERVER_ADDRESS=localhost
# Without the last one Streamlit asks the internet for its own address.
VOLUME /storage
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "deploy/healthy.py"]
CMD ["streamlit", "run", "app.py"]
