-- Whoever becomes an owner, or one again, while the organization is to be deleted is told so: the order was told only to those who were owners then.
CREATE FUNCTION tell_owner_of_deletion() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM public.notify_member(new.organization_id, new.user_id, 'organization_deletion', NULL, NULL, 'job', j.id, 'deletion ' || j.id::text, 'deletionOrdered',
        ARRAY[coalesce((SELECT coalesce(nullif(u.full_name, ''), u.email) FROM public.users u WHERE u.id = j.user_id), '?'), pg_catalog.to_char(j.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')])
    FROM public.jobs j WHERE j.organization_id = new.organization_id AND j.work = 'organization_deletion' AND j.status = 'pending' AND j.cancel_requested_at IS NULL;
    RETURN null;
END $$;
CREATE TRIGGER notify_owner_of_deletion AFTER INSERT OR UPDATE OF role, status ON organization_members FOR EACH ROW
    WHEN (new.role = 'owner' AND new.status = 'active') EXECUTE FUNCTION tell_owner_of_deletion();

-- A wish not to be told of it, from before, is none: an archive that holds one comes in without it.
CREATE FUNCTION drop_wish_not_to_be_told() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$ BEGIN RETURN null; END $$;
CREATE TRIGGER drop_wish_not_to_be_told BEFORE INSERT ON notification_preferences FOR EACH ROW WHEN (new.type = 'organization_deletion') EXECUTE FUNCTION drop_wish_not_to_be_told();
ALTER TABLE notification_preferences ENABLE ALWAYS TRIGGER drop_wish_not_to_be_told;

-- Secrets of confirmed channels are tried first.
CREATE OR REPLACE FUNCTION list_sealed_credentials(wanted_platform text, at_most integer)
    RETURNS TABLE (organization_id uuid, credentials text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.organization_id, c.credentials FROM public.channels c
    WHERE c.platform = wanted_platform AND c.is_active AND c.credentials IS NOT NULL
    ORDER BY c.is_account_confirmed IS TRUE DESC, c.created_at DESC, c.id DESC
    LIMIT at_most
$$;
