FROM node:26-slim AS dependencies
WORKDIR /gateway
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:26-slim AS base
ENV NODE_ENV=production
WORKDIR /gateway
COPY --from=dependencies /gateway/node_modules node_modules
COPY package.json ./
COPY src src
USER node

# CometChat's stand-in, and what signs a token to try: for docker-compose.yml alone.
FROM base AS sandbox
COPY test/sandbox test/sandbox
COPY scripts/token.ts scripts/sign-session.ts scripts/
ENV SANDBOX_HOST=0.0.0.0
EXPOSE 4000
CMD ["node", "test/sandbox/main.ts"]

# The last stage is the one that `docker build .` makes.
FROM base AS gateway
EXPOSE 3000 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm in between, so that SIGTERM reaches the process.
CMD ["node", "src/main.ts"]
