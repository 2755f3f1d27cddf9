-- A job that ends the process that runs it is given up after some processes; whoever asked for a job is asked again when it runs.

-- Processes in a row that died while they ran it, without a chunk of it done.
ALTER TABLE jobs ADD COLUMN lost_leases integer NOT NULL DEFAULT 0;

-- The role in which a person may act in an organization now; null for none. As acting_role, for whoever is bound to no organization.
CREATE FUNCTION acting_role_in(organization uuid, person uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(
        (SELECT m.role FROM public.organization_members m JOIN public.organizations o ON o.id = m.organization_id AND o.status = 'active'
         JOIN public.users u ON u.id = m.user_id AND u.is_active
         WHERE m.organization_id = organization AND m.user_id = person AND m.status = 'active'),
        (SELECT l.role FROM public.user_sessions s CROSS JOIN LATERAL public.find_live_session(s.id) l
         WHERE s.organization_id = organization AND s.user_id = person AND s.entered_as IS NOT NULL AND s.revoked_at IS NULL
         ORDER BY public.role_rank(l.role) DESC LIMIT 1))
$$;
CREATE OR REPLACE FUNCTION acting_role(person uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ SELECT public.acting_role_in(public.current_organization_id(), person) $$;

-- Why a job may not run for whoever asked for it; null where it may.
CREATE FUNCTION job_refusal(job uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT CASE
        WHEN r.role IS NULL AND o.status = 'suspended' THEN 'The organization is suspended.'
        WHEN r.role IS NULL THEN 'The member on whose behalf it runs is no longer active.'
        WHEN public.role_rank(r.role) < public.role_rank(j.minimum_role) THEN pg_catalog.format('It needs the role %s; the member who asked for it is %s now.', j.minimum_role, r.role)
        WHEN j.api_key_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.api_keys k WHERE k.id = j.api_key_id AND k.organization_id = j.organization_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > pg_catalog.now())
                AND public.role_rank(k.role) >= public.role_rank(j.minimum_role))
            THEN 'The API key by which it was asked for no longer works, or no longer has the role.'
        END
    FROM public.jobs j JOIN public.organizations o ON o.id = j.organization_id CROSS JOIN LATERAL (
        -- Whoever leaves isn't kept by a suspension.
        SELECT coalesce(public.acting_role_in(j.organization_id, j.user_id), (
            SELECT m.role FROM public.organization_members m JOIN public.users u ON u.id = m.user_id AND u.is_active WHERE j.work = 'organization_deletion' AND m.organization_id = j.organization_id AND m.user_id = j.user_id AND m.status = 'active')) AS role) r
    WHERE j.id = job
$$;
DO $$
BEGIN
    REVOKE ALL ON FUNCTION acting_role_in(uuid, uuid), job_refusal(uuid) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION job_refusal(uuid) TO agentplatform_engine;
END $$;
