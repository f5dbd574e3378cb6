# The server as a container: `docker build -t mfn .`, or deploy/build-offline where no image registry can be reached.
# BASE is what is served from, BUILDER what the rest is made in. Set both or neither: each needs Python 3.11 or newer, of
# the same version and at the same place. Only BUILDER needs pip and a shell.
ARG BASE=python:3.11-slim-bookworm
ARG BUILDER=python:3.11-slim-bookworm

# Packages come from pip's index, or with `--build-context wheels=FOLDER --build-arg PIP_NO_INDEX=1` from a folder.
FROM scratch AS wheels

FROM ${BUILDER} AS build
ARG PIP_NO_INDEX=
# Of requirements/, what is installed: serve, or telemetry, with which the server can send traces to a collector.
ARG LOCK=serve

# Built without pip, which installs from outside, so that the environment holds what serves and nothing else. What makes the
# wheels has another.
RUN python3 -m venv --without-pip /opt/mfn && python3 -m venv --without-pip /opt/build
COPY requirements/build.txt requirements/serve.txt requirements/telemetry.txt /build/
RUN --mount=type=bind,from=wheels,target=/wheels \
    python3 -m pip --python /opt/mfn/bin/python install --no-cache-dir --no-compile --only-binary :all: \
        --find-links /wheels --require-hashes --requirement "/build/${LOCK}.txt" \
    && python3 -m pip --python /opt/build/bin/python install --no-cache-dir --no-compile --only-binary :all: \
        --find-links /wheels --require-hashes --requirement /build/build.txt

# What no server loads: tests of packages, onnxruntime's tools for converting networks, and its second copy for programs
# in C. The trial below fails where one of them is missed.
RUN find /opt/mfn/lib -type d -name tests -prune -exec rm -r {} + \
    && find /opt/mfn/lib -path '*/onnxruntime/*' \
        \( -regex '.*/\(backend\|datasets\|quantization\|tools\|transformers\)' -o -name 'libonnxruntime.so.*' \) \
        -prune -exec rm -r {} +

# The server and the client, whose stubs it uses, as the wheels that anybody installs.
WORKDIR /build/source
COPY LICENSE NOTICE README.md pyproject.toml ./
COPY models/MODEL_CARD.md models/manifest.json models/face_model.LICENSE models/face_model.npz models/*.onnx models/
COPY clients/python/LICENSE clients/python/README.md clients/python/pyproject.toml clients/python/
COPY clients/python/mfn/ clients/python/mfn/
COPY clients/python/mfn_client/ clients/python/mfn_client/
COPY service/ service/
COPY studio/dist/ studio/dist/
COPY studio/characters/LICENSE studio/characters/*.glb studio/characters/
COPY studio/film/faces.webm studio/film/
RUN python3 -m pip --python /opt/build/bin/python wheel --no-index --no-deps --no-build-isolation \
        --wheel-dir /build/wheels ./clients/python . \
    && python3 -m pip --python /opt/mfn/bin/python install --no-index --no-deps --no-compile /build/wheels/*.whl \
    && chmod -R a+rX /opt/mfn

# Bytecode is made here, as nothing can be written where the server runs, and in a folder of its own, as the standard
# library lies in BASE.
COPY deploy/image/trial.py /build/
WORKDIR /
RUN ORT_DISABLE_TELEMETRY=1 PYTHONSAFEPATH=1 PYTHONPYCACHEPREFIX=/opt/bytecode /opt/mfn/bin/python /build/trial.py

# Nothing is run from here on: BASE needs no shell.
FROM ${BASE}
ARG VERSION=0.12.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="mfn" \
      org.opencontainers.image.description="A photo in, every face out: boxes, head poses and expression coefficients" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0 AND MIT"

COPY --from=build /opt/mfn /opt/mfn
COPY --from=build /opt/bytecode /opt/bytecode

# No module is taken from the folder that a command is run in. onnxruntime would tell its makers what it runs.
ENV ORT_DISABLE_TELEMETRY=1 \
    PYTHONSAFEPATH=1 \
    PYTHONPYCACHEPREFIX=/opt/bytecode \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /
USER 65532:65532
EXPOSE 8000 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/mfn/bin/python", "-m", "service.cli.health"]
ENTRYPOINT ["/opt/mfn/bin/python", "-m", "service"]
CMD ["serve"]
