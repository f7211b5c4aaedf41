# Built on Debian: the embedded PostgreSQL and Git want glibc and its tools. No engine is needed to check this file: test/image does.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=optional
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY migrations migrations
COPY schemas schemas
RUN npx tsc -p tsconfig.build.json

FROM ${NODE_IMAGE} AS modules
WORKDIR /modules
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM ${NODE_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 65532 -g 65532 -m 0700 /data
WORKDIR /meshbroker
COPY package.json LICENSE ./
COPY bin bin
COPY openapi openapi
COPY schemas schemas
COPY examples examples
COPY --from=modules /modules/node_modules node_modules
COPY --from=build /build/dist dist
ENV NODE_ENV=production \
    HOME=/data \
    MESHBROKER_DATA_DIR=/data \
    MESHBROKER_LISTEN=0.0.0.0:8080
# Everything that is written is below /data: the root file system may be read-only.
VOLUME /data
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["node", "dist/src/cli/healthcheck.js"]
CMD ["node", "dist/src/main.js"]
