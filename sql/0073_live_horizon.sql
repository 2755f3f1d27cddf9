-- Live events of everybody used to wait for any transaction of the whole server that writes, however long and whatever it writes.

-- For transactions that write much and nothing that is told live: nobody's live events wait for them, and what they write is told by other means (the end of a job).
CREATE FUNCTION tell_nothing_live() RETURNS void
    LANGUAGE sql VOLATILE AS $$ SELECT set_config('application_name', 'agentplatform, nothing live', true) $$;
GRANT EXECUTE ON FUNCTION tell_nothing_live() TO agentplatform_engine;

-- The horizon, as without an argument; when thorough, past transactions that surely don't matter: those of other databases, and those that tell nothing live. One that
-- ended since the snapshot was taken is no longer found and counts as one that matters, so that only what is known is left out.
CREATE FUNCTION live_feed_horizon(is_thorough boolean) RETURNS xid8
    LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN is_thorough THEN (
        SELECT coalesce(min(running.xid), pg_snapshot_xmax(pg_current_snapshot()))
        FROM pg_snapshot_xip(pg_current_snapshot()) running(xid)
        WHERE NOT EXISTS (
            SELECT FROM pg_stat_activity process
            WHERE process.backend_xid = running.xid::xid
                AND (process.datname <> current_database() OR process.application_name = 'agentplatform, nothing live')))
    ELSE pg_snapshot_xmin(pg_current_snapshot()) END
$$;
GRANT EXECUTE ON FUNCTION live_feed_horizon(boolean) TO agentplatform_engine, agentplatform_api;

ALTER FUNCTION refresh_all_analytics() SET application_name = 'agentplatform, nothing live';
