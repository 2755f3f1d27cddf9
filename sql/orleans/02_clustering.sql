-- Who is in the cluster. A change names the version that it read; one that comes too late changes nothing.
CREATE TABLE IF NOT EXISTS orleans_clusters (
    deployment_id varchar(150) PRIMARY KEY,
    version integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS orleans_silos (
    deployment_id varchar(150) NOT NULL REFERENCES orleans_clusters ON DELETE CASCADE,
    address varchar(45) NOT NULL,
    port integer NOT NULL,
    generation integer NOT NULL,
    silo_name varchar(150) NOT NULL,
    host_name varchar(150) NOT NULL,
    status integer NOT NULL,
    proxy_port integer,
    suspect_times varchar(8000),
    started_at timestamptz NOT NULL,
    alive_at timestamptz NOT NULL,
    PRIMARY KEY (deployment_id, address, port, generation)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_clusters, orleans_silos TO agentplatform_engine;
-- The API, as a client, looks up the gateways.
GRANT SELECT ON orleans_clusters, orleans_silos TO agentplatform_api;

INSERT INTO orleansquery (querykey, querytext) VALUES
('InsertMembershipVersionKey', $query$
WITH added AS (
    INSERT INTO orleans_clusters (deployment_id) VALUES (@DeploymentId)
    ON CONFLICT (deployment_id) DO NOTHING
    RETURNING 1
)
SELECT count(*)::integer FROM added
$query$),

-- The row lock on the cluster's version makes rivals wait; then they find another version and do nothing.
('InsertMembershipKey', $query$
WITH cluster AS (
    UPDATE orleans_clusters AS c SET version = c.version + 1, changed_at = now()
    WHERE c.deployment_id = @DeploymentId AND c.version = @Version
      AND NOT EXISTS (
          SELECT 1 FROM orleans_silos AS s
          WHERE s.deployment_id = @DeploymentId AND s.address = @Address AND s.port = @Port AND s.generation = @Generation)
    RETURNING c.deployment_id
), added AS (
    INSERT INTO orleans_silos
        (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, started_at, alive_at)
    SELECT deployment_id, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
    FROM cluster
    RETURNING 1
)
SELECT count(*)::integer FROM added
$query$),

('UpdateMembershipKey', $query$
WITH cluster AS (
    UPDATE orleans_clusters AS c SET version = c.version + 1, changed_at = now()
    WHERE c.deployment_id = @DeploymentId AND c.version = @Version
      AND EXISTS (
          SELECT 1 FROM orleans_silos AS s
          WHERE s.deployment_id = @DeploymentId AND s.address = @Address AND s.port = @Port AND s.generation = @Generation)
    RETURNING c.deployment_id
), changed AS (
    UPDATE orleans_silos AS s
    SET status = @Status, suspect_times = @SuspectTimes::varchar, alive_at = greatest(s.alive_at, @IAmAliveTime)
    FROM cluster
    WHERE s.deployment_id = cluster.deployment_id AND s.address = @Address AND s.port = @Port AND s.generation = @Generation
    RETURNING 1
)
SELECT count(*)::integer FROM changed
$query$),

('UpdateIAmAlivetimeKey', $query$
UPDATE orleans_silos SET alive_at = greatest(alive_at, @IAmAliveTime)
WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$query$),

-- The version is wanted even where the silo is unknown, hence the outer joins.
('MembershipReadRowKey', $query$
SELECT c.deployment_id AS DeploymentId, s.address AS Address, s.port AS Port, s.generation AS Generation,
       s.silo_name AS SiloName, s.host_name AS HostName, s.status AS Status, s.proxy_port AS ProxyPort,
       s.suspect_times AS SuspectTimes, s.started_at AS StartTime, s.alive_at AS IAmAliveTime, c.version AS Version
FROM orleans_clusters AS c
LEFT JOIN orleans_silos AS s
    ON s.deployment_id = c.deployment_id AND s.address = @Address AND s.port = @Port AND s.generation = @Generation
WHERE c.deployment_id = @DeploymentId
$query$),

('MembershipReadAllKey', $query$
SELECT c.deployment_id AS DeploymentId, s.address AS Address, s.port AS Port, s.generation AS Generation,
       s.silo_name AS SiloName, s.host_name AS HostName, s.status AS Status, s.proxy_port AS ProxyPort,
       s.suspect_times AS SuspectTimes, s.started_at AS StartTime, s.alive_at AS IAmAliveTime, c.version AS Version
FROM orleans_clusters AS c
LEFT JOIN orleans_silos AS s ON s.deployment_id = c.deployment_id
WHERE c.deployment_id = @DeploymentId
$query$),

('GatewaysQueryKey', $query$
SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation
FROM orleans_silos
WHERE deployment_id = @DeploymentId AND status = @Status AND proxy_port > 0
$query$),

('DeleteMembershipTableEntriesKey', $query$
DELETE FROM orleans_clusters WHERE deployment_id = @DeploymentId
$query$),

-- Status 6 is a dead silo. One that was alive, or suspected, lately is still spoken of: the provider picks those of which nobody does, and each goes as it was read.
('CleanupDefunctSiloEntryKey', $query$
DELETE FROM orleans_silos
WHERE deployment_id = @DeploymentId AND status = 6 AND address = @Address AND port = @Port AND generation = @Generation
    AND alive_at = @IAmAliveTime AND started_at = @StartTime AND coalesce(suspect_times, '') = coalesce(@SuspectTimes::varchar, '')
$query$),

-- What providers before 10.4.2 ask for.
('CleanupDefunctSiloEntriesKey', $query$
DELETE FROM orleans_silos
WHERE deployment_id = @DeploymentId AND alive_at < @IAmAliveTime AND started_at < @IAmAliveTime AND coalesce(suspect_times, '') = '' AND status = 6
$query$)
ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext;
