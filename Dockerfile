# The version of the development dependency `node`. A release pins its digest too: scripts/pin-digests.ts.
FROM node:26.10.0-slim AS runtime
ENV NODE_ENV=production
WORKDIR /gateway

FROM runtime AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
COPY scripts/licences.ts scripts/
RUN node scripts/licences.ts > THIRD-PARTY-LICENSES
# Nothing that only people, type checkers, bundlers and the packages' own tests read; licences stay.
RUN find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.[mc]ts' -o -name '*.md' \) ! -iname 'licen[sc]e*' -delete \
  && find node_modules -type d \( -path '*/@opentelemetry/*/build/es*' -o -path '*/node_modules/*/test' -o -path '*/node_modules/*/docs' \) \
    -prune -exec rm -r {} +

FROM runtime AS base
COPY --from=dependencies /gateway/THIRD-PARTY-LICENSES ./
COPY --from=dependencies /gateway/node_modules node_modules
COPY LICENSE package.json ./
COPY src src

# CometChat's stand-in, and what signs a token to try: for docker-compose.yml alone.
FROM base AS sandbox
COPY sandbox sandbox
COPY scripts/token.ts scripts/sign-session.ts scripts/
USER node
ENV SANDBOX_HOST=0.0.0.0
EXPOSE 4000
CMD ["node", "sandbox/main.ts"]

# The last stage is the one that `docker build .` makes.
FROM base AS gateway
COPY scripts/start-in-image.ts scripts/health-check.ts scripts/
# Every module that each gateway needs is compiled here, once, and not at each start: without a configuration it loads them
# and ends with 78.
# With the same options as later, V8's included: the cache of others is none. Node.js lets only the user who made it read it;
# scripts/start-in-image.ts finds it for the others.
RUN install -d -o node .compile-cache
# The user `node`, as a number: Kubernetes cannot tell from a name that it is not root.
USER 1000
RUN node --no-allocation-site-pretenuring --max-semi-space-size=16 --heap-growing-percent=200 --v8-pool-size=1 \
  scripts/start-in-image.ts 2>/dev/null; test $? -eq 78 && chmod -R a+r .compile-cache
EXPOSE 3000 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s CMD ["node", "scripts/health-check.ts"]
# V8's options are those of `npm start`; bench/README.md says what each of them is for. No shell and no npm in between, so
# that SIGTERM reaches the process.
CMD ["node", "--no-allocation-site-pretenuring", "--max-semi-space-size=16", "--heap-growing-percent=200", "--v8-pool-size=1", "scripts/start-in-image.ts"]
# Last, since a new revision would make every step after it run again.
ARG VERSION=1.2.0
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="cometchat-gateway" \
  org.opencontainers.image.description="Backend-for-frontend that holds CometChat's REST API key, so that mobile and web apps never do" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.created="$CREATED" \
  org.opencontainers.image.source="$SOURCE"
