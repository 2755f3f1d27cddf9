-- Activities tell whom they are given to, and when they are due.

-- The due date that the assignee was told of: a moved date is told again.
ALTER TABLE activities ADD COLUMN due_notified_for timestamptz;
CREATE INDEX activities_to_notify ON activities (due_date) WHERE status = 'pending' AND assigned_to IS NOT NULL AND due_notified_for IS DISTINCT FROM due_date;

-- Somebody gave an activity to somebody else; giving it to oneself is no news.
CREATE FUNCTION notify_activity_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF new.assigned_to IS DISTINCT FROM public.current_user_id() AND new.status = 'pending' AND (tg_op = 'INSERT' OR new.assigned_to IS DISTINCT FROM old.assigned_to) THEN
        PERFORM public.notify_member(new.organization_id, new.assigned_to, 'activity_assigned', pg_catalog.format('%s is yours', new.subject), new.description,
            'activity', new.id, pg_catalog.format('assigned %s %s', new.id, new.version));
    END IF;
    RETURN null;
END $$;
CREATE TRIGGER notify_activity_assignment AFTER INSERT OR UPDATE OF assigned_to ON activities FOR EACH ROW
    WHEN (new.assigned_to IS NOT NULL) EXECUTE FUNCTION notify_activity_assignment();

-- Tells assignees of what is due, so many at a time; returns how many activities were looked at. What is late for over a week was known before it came here.
CREATE FUNCTION notify_due_activities(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    due public.activities;
    looked_at integer := 0;
BEGIN
    FOR due IN
        SELECT * FROM public.activities a
        WHERE a.status = 'pending' AND a.assigned_to IS NOT NULL AND a.due_notified_for IS DISTINCT FROM a.due_date AND a.due_date <= pg_catalog.now()
        ORDER BY a.due_date LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE public.activities a SET due_notified_for = due.due_date WHERE a.id = due.id;
        looked_at := looked_at + 1;
        CONTINUE WHEN due.due_date < pg_catalog.now() - interval '7 days';
        PERFORM public.notify_member(due.organization_id, due.assigned_to, 'activity_due', pg_catalog.format('%s is due', due.subject), due.description,
            'activity', due.id, pg_catalog.format('due %s %s', due.id, due.due_date));
    END LOOP;
    RETURN looked_at;
END $$;
REVOKE ALL ON FUNCTION notify_due_activities(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notify_due_activities(integer) TO agentplatform_api, agentplatform_engine;
