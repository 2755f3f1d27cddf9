-- Wake-up calls of grains. Silos divide them among themselves by the hash of the grain's id.
CREATE TABLE IF NOT EXISTS orleans_reminders (
    service_id varchar(150) NOT NULL,
    grain_id varchar(512) NOT NULL,
    name varchar(150) NOT NULL,
    start_at timestamptz NOT NULL,
    period_ms bigint NOT NULL,
    grain_hash integer NOT NULL,
    version integer NOT NULL DEFAULT 0,
    PRIMARY KEY (service_id, grain_id, name)
);

CREATE INDEX IF NOT EXISTS orleans_reminders_by_hash ON orleans_reminders (service_id, grain_hash);

GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_reminders TO agentplatform_engine;

INSERT INTO orleansquery (querykey, querytext) VALUES
('UpsertReminderRowKey', $query$
INSERT INTO orleans_reminders AS r (service_id, grain_id, name, start_at, period_ms, grain_hash)
VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash)
ON CONFLICT (service_id, grain_id, name) DO UPDATE
SET start_at = excluded.start_at, period_ms = excluded.period_ms, grain_hash = excluded.grain_hash, version = r.version + 1
RETURNING r.version AS Version
$query$),

('ReadReminderRowsKey', $query$
SELECT grain_id AS GrainId, name AS ReminderName, start_at AS StartTime, period_ms AS Period, version AS Version
FROM orleans_reminders
WHERE service_id = @ServiceId AND grain_id = @GrainId
$query$),

('ReadReminderRowKey', $query$
SELECT grain_id AS GrainId, name AS ReminderName, start_at AS StartTime, period_ms AS Period, version AS Version
FROM orleans_reminders
WHERE service_id = @ServiceId AND grain_id = @GrainId AND name = @ReminderName
$query$),

-- A range of hashes from begin, exclusive, to end, inclusive; the second form is for ranges that pass the end of the ring.
('ReadRangeRows1Key', $query$
SELECT grain_id AS GrainId, name AS ReminderName, start_at AS StartTime, period_ms AS Period, version AS Version
FROM orleans_reminders
WHERE service_id = @ServiceId AND grain_hash > @BeginHash AND grain_hash <= @EndHash
$query$),

('ReadRangeRows2Key', $query$
SELECT grain_id AS GrainId, name AS ReminderName, start_at AS StartTime, period_ms AS Period, version AS Version
FROM orleans_reminders
WHERE service_id = @ServiceId AND (grain_hash > @BeginHash OR grain_hash <= @EndHash)
$query$),

('DeleteReminderRowKey', $query$
WITH deleted AS (
    DELETE FROM orleans_reminders
    WHERE service_id = @ServiceId AND grain_id = @GrainId AND name = @ReminderName AND version = @Version
    RETURNING 1
)
SELECT count(*)::integer FROM deleted
$query$),

('DeleteReminderRowsKey', $query$
DELETE FROM orleans_reminders WHERE service_id = @ServiceId
$query$)
ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext;
