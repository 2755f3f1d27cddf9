-- A job acts for a member as a request does: not while the organization is suspended. A super admin who entered may work there all the same.
CREATE OR REPLACE FUNCTION acting_role(person uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(
        (SELECT m.role FROM public.organization_members m JOIN public.organizations o ON o.id = m.organization_id AND o.status = 'active'
         WHERE m.organization_id = public.current_organization_id() AND m.user_id = person AND m.status = 'active'),
        (SELECT l.role FROM public.user_sessions s CROSS JOIN LATERAL public.find_live_session(s.id) l
         WHERE s.organization_id = public.current_organization_id() AND s.user_id = person AND s.entered_as IS NOT NULL AND s.revoked_at IS NULL
         ORDER BY public.role_rank(l.role) DESC LIMIT 1))
$$;
