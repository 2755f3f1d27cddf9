-- What an archive brings may have been written by anybody. Its rows of the audit log say so, and the rules that hold for rows whatever happened before are awake while it comes in.

-- Which import brought a row, and who acted as the archive tells. No foreign key: the log outlives the job.
ALTER TABLE activity_logs ADD COLUMN imported_in uuid, ADD COLUMN imported_actor text;

-- A trigger that is ALWAYS enabled fires in the session_replication_role that begin_restore() sets, in which all others sleep. These ask nothing but what is true of every row at all
-- times. Those that count, tell, or make one thing out of another go on sleeping: their work came along, or is reckoned anew.
ALTER TABLE agents ENABLE ALWAYS TRIGGER enforce_plan_feature;
ALTER TABLE channels ENABLE ALWAYS TRIGGER enforce_plan_feature;
ALTER TABLE organizations ENABLE ALWAYS TRIGGER check_time_zone;
ALTER TABLE contacts ENABLE ALWAYS TRIGGER keep_first_identity;
ALTER TABLE sequence_steps ENABLE ALWAYS TRIGGER steps_are_counted_without_gaps;

-- Rules that look at other rows: within a restore they wait until all are there, else they are asked with each statement, as before.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN SELECT * FROM (VALUES ('activities', 'check_deal_of_client', 'deal_id, client_id', 'new.deal_id IS NOT NULL AND new.client_id IS NOT NULL'),
        ('notes', 'check_deal_of_client', 'deal_id, client_id', 'new.deal_id IS NOT NULL AND new.client_id IS NOT NULL'),
        ('orders', 'check_deal_of_client', 'deal_id, client_id', 'new.deal_id IS NOT NULL AND new.client_id IS NOT NULL'),
        ('channels', 'check_agent_of_channel', 'agent_id', 'new.agent_id IS NOT NULL')) AS v (tab, rule, columns, condition) LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', held.rule, held.tab);
        EXECUTE format('CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OF %s ON %I DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %I()',
            held.rule, held.columns, held.tab, held.condition, held.rule);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', held.tab, held.rule);
    END LOOP;
END $$;

-- A super admin who entered is named in what he does; what an archive tells needs no look-up of who that might be.
DROP TRIGGER name_super_admin ON activity_logs;
CREATE TRIGGER name_super_admin BEFORE INSERT ON activity_logs FOR EACH ROW WHEN (new.user_id IS NOT NULL AND new.imported_in IS NULL) EXECUTE FUNCTION name_super_admin();
ALTER TABLE activity_logs ENABLE ALWAYS TRIGGER name_super_admin;

CREATE OR REPLACE FUNCTION begin_restore() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NOT pg_catalog.has_parameter_privilege('session_replication_role', 'SET') THEN
        RETURN false;
    END IF;
    PERFORM pg_catalog.set_config('session_replication_role', 'replica', true);
    SET CONSTRAINTS ALL DEFERRED;
    RETURN true;
END $$;
