-- An organization, and a person, can leave: what is kept how long, and how a whole organization comes back.

-- How many days things are kept; NULL: for ever. A job deletes what is older.
ALTER TABLE organizations
    ADD COLUMN messages_kept_days integer CONSTRAINT messages_kept_days_is_positive CHECK (messages_kept_days > 0),
    ADD COLUMN turns_kept_days integer CONSTRAINT turns_kept_days_is_positive CHECK (turns_kept_days > 0),
    ADD COLUMN activity_logs_kept_days integer CONSTRAINT activity_logs_kept_days_is_positive CHECK (activity_logs_kept_days > 0),
    ADD COLUMN idempotency_keys_kept_days integer CONSTRAINT idempotency_keys_kept_days_is_positive CHECK (idempotency_keys_kept_days > 0),
    ADD COLUMN files_kept_days integer CONSTRAINT files_kept_days_is_positive CHECK (files_kept_days > 0);
CREATE INDEX organizations_with_retention ON organizations (id)
    WHERE coalesce(messages_kept_days, turns_kept_days, activity_logs_kept_days, idempotency_keys_kept_days, files_kept_days) IS NOT NULL;

CREATE INDEX jobs_by_work ON jobs (organization_id, work, created_at DESC);

-- From here to the end of the transaction rows are taken as they were: no trigger derives anything from them, and references are checked by whoever brings
-- them. False where the schema's owner may not do so (see docs/operations.md).
CREATE FUNCTION begin_restore() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NOT pg_catalog.has_parameter_privilege('session_replication_role', 'SET') THEN
        RETURN false;
    END IF;
    PERFORM pg_catalog.set_config('session_replication_role', 'replica', true);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION begin_restore() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_restore() TO agentplatform_engine;
