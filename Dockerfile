# Silo and API, what runs in a cluster. One image for both; the command chooses.
#   docker build -t agentplatform .
#   docker run agentplatform silo            (also: silo --migrate)
#   docker run agentplatform api

FROM ubuntu:26.04 AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates dotnet-sdk-10.0 && rm -rf /var/lib/apt/lists/*
ENV DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
WORKDIR /source
COPY Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src src
COPY sql sql
COPY web web
RUN dotnet publish src/Silo/Silo.csproj -c Release -o /app/silo --nologo \
 && dotnet publish src/Api/Api.csproj -c Release -o /app/api --nologo

FROM ubuntu:26.04
RUN apt-get update \
 && apt-get install -y --no-install-recommends aspnetcore-runtime-10.0 ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /data --shell /usr/sbin/nologin agentplatform
COPY --from=build /app /app
COPY eng/container-entry /usr/local/bin/agentplatform
ENV PORT=8080 ASPNETCORE_URLS=http://0.0.0.0:8080 DATA_DIR=/data DOTNET_CLI_TELEMETRY_OPTOUT=1
USER agentplatform
WORKDIR /data
EXPOSE 8080 11111 30000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 CMD ["/usr/local/bin/agentplatform", "health"]
ENTRYPOINT ["/usr/local/bin/agentplatform"]
CMD ["silo"]
