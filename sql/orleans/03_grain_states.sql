-- States of grains that have no table of their own. A state is known by its service, its name and its grain's key: guids in
-- two numbers, integers in the second, other keys and key extensions as text. The provider's hashes aren't needed.
CREATE TABLE IF NOT EXISTS orleans_grain_states (
    service_id varchar(150) NOT NULL,
    state_name varchar(512) NOT NULL,
    key_n0 bigint NOT NULL,
    key_n1 bigint NOT NULL,
    key_text varchar(512),
    payload bytea,
    version integer NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX IF NOT EXISTS orleans_grain_states_one_per_grain
    ON orleans_grain_states (key_n1, key_n0, (coalesce(key_text, '')), state_name, service_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_grain_states TO agentplatform_engine;

INSERT INTO orleansquery (querykey, querytext) VALUES
-- No row comes back where the state is at another version than the grain read, or exists although the grain found none: the
-- provider then reports the conflict.
('WriteToStorageKey', $query$
WITH changed AS (
    UPDATE orleans_grain_states
    SET payload = @PayloadBinary, version = version + 1, changed_at = now()
    WHERE key_n1 = @GrainIdN1 AND key_n0 = @GrainIdN0 AND coalesce(key_text, '') = coalesce(@GrainIdExtensionString::varchar, '')
      AND state_name = @GrainTypeString AND service_id = @ServiceId AND version = @GrainStateVersion::integer
    RETURNING version
), added AS (
    INSERT INTO orleans_grain_states (service_id, state_name, key_n0, key_n1, key_text, payload, version)
    SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString::varchar, @PayloadBinary, 1
    WHERE @GrainStateVersion::integer IS NULL
    ON CONFLICT DO NOTHING
    RETURNING version
)
SELECT version AS NewGrainStateVersion FROM changed
UNION ALL
SELECT version FROM added
$query$),

('ReadFromStorageKey', $query$
SELECT payload AS PayloadBinary, version AS Version
FROM orleans_grain_states
WHERE key_n1 = @GrainIdN1 AND key_n0 = @GrainIdN0 AND coalesce(key_text, '') = coalesce(@GrainIdExtensionString::varchar, '')
  AND state_name = @GrainTypeString AND service_id = @ServiceId
$query$),

-- The row stays, so that its version goes on.
('ClearStorageKey', $query$
UPDATE orleans_grain_states
SET payload = NULL, version = version + 1, changed_at = now()
WHERE key_n1 = @GrainIdN1 AND key_n0 = @GrainIdN0 AND coalesce(key_text, '') = coalesce(@GrainIdExtensionString::varchar, '')
  AND state_name = @GrainTypeString AND service_id = @ServiceId AND version = @GrainStateVersion::integer
RETURNING version AS NewGrainStateVersion
$query$),

('DeleteStorageKey', $query$
DELETE FROM orleans_grain_states
WHERE key_n1 = @GrainIdN1 AND key_n0 = @GrainIdN0 AND coalesce(key_text, '') = coalesce(@GrainIdExtensionString::varchar, '')
  AND state_name = @GrainTypeString AND service_id = @ServiceId AND version = @GrainStateVersion::integer
RETURNING version + 1 AS NewGrainStateVersion
$query$)
ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext;
