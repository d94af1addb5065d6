FROM node:26-slim AS dependencies
WORKDIR /gateway
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
# Nothing that only people, type checkers, bundlers and the packages' own tests read; licences stay.
RUN find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.[mc]ts' -o -name '*.md' \) ! -iname 'licen[sc]e*' -delete \
  && find node_modules -type d \( -path '*/@opentelemetry/*/build/es*' -o -path '*/node_modules/*/test' -o -path '*/node_modules/*/docs' \) \
    -prune -exec rm -r {} +

FROM node:26-slim AS base
ENV NODE_ENV=production
WORKDIR /gateway
COPY --from=dependencies /gateway/node_modules node_modules
COPY package.json ./
COPY src src
# Every module that each gateway needs is compiled here, once, and not at each start: without a configuration it loads them
# and ends with 78.
# As the user who runs it later and with the same options, V8's included: the cache of one is none for another.
ENV NODE_COMPILE_CACHE=/gateway/.compile-cache
RUN install -d -o node .compile-cache
USER node
RUN node --no-allocation-site-pretenuring --max-semi-space-size=16 --heap-growing-percent=200 --v8-pool-size=1 \
  src/main.ts 2>/dev/null; test $? -eq 78

# CometChat's stand-in, and what signs a token to try: for docker-compose.yml alone.
FROM base AS sandbox
COPY sandbox sandbox
COPY scripts/token.ts scripts/sign-session.ts scripts/
ENV SANDBOX_HOST=0.0.0.0
EXPOSE 4000
CMD ["node", "sandbox/main.ts"]

# The last stage is the one that `docker build .` makes.
FROM base AS gateway
EXPOSE 3000 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# V8's options are those of `npm start`; bench/README.md says what each of them is for. No shell and no npm in between, so
# that SIGTERM reaches the process.
CMD ["node", "--no-allocation-site-pretenuring", "--max-semi-space-size=16", "--heap-growing-percent=200", "--v8-pool-size=1", "src/main.ts"]
