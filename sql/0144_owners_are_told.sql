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
