-- What the removal of a member takes along and ends, for whoever removes him or her: notifications and sessions are their person's own, and nobody else may look at them.
CREATE FUNCTION goes_with_member(person uuid) RETURNS TABLE (resource text, effect text, rows bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT 'notifications', 'deleted', count(*) FROM public.notifications n WHERE n.organization_id = public.current_organization_id() AND n.user_id = person
    UNION ALL
    SELECT 'notification_preferences', 'deleted', count(*) FROM public.notification_preferences p WHERE p.organization_id = public.current_organization_id() AND p.user_id = person
    UNION ALL
    SELECT 'api_keys', 'ended', count(*) FROM public.api_keys k WHERE k.organization_id = public.current_organization_id() AND k.created_by = person AND k.revoked_at IS NULL
    UNION ALL
    SELECT 'user_sessions', 'ended', count(*) FROM public.user_sessions s
    WHERE s.organization_id = public.current_organization_id() AND s.user_id = person AND s.revoked_at IS NULL AND s.expires_at > pg_catalog.now()
$$;
REVOKE ALL ON FUNCTION goes_with_member(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION goes_with_member(uuid) TO agentplatform_api;
