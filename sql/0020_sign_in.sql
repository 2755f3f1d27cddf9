-- Sign-in happens before the tenant is known, and the API's role sees nothing without one. These functions run as the schema's owner and
-- return the least that answers.

-- Failed sign-ins, by a hash of what was tried (an e-mail address, an IP address, both), so that all processes count together.
CREATE TABLE sign_in_failures (
    subject bytea PRIMARY KEY,
    failures integer NOT NULL,
    window_ends_at timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (window_ends_at);
ALTER TABLE sign_in_failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_failures FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_access ON sign_in_failures FOR ALL TO agentplatform_migrator USING (true) WITH CHECK (true);

-- Seconds until the last of the subjects may try again; 0 when all may.
CREATE FUNCTION sign_in_wait(subjects bytea[], limits integer[]) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(max(ceil(extract(epoch FROM f.window_ends_at - now())))::integer, 0)
    FROM unnest(subjects, limits) AS wanted (subject, allowed)
    JOIN public.sign_in_failures f ON f.subject = wanted.subject
    WHERE f.failures >= wanted.allowed AND f.window_ends_at > now()
$$;

CREATE FUNCTION record_sign_in_failure(subjects bytea[], time_window interval) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO public.sign_in_failures AS f (subject, failures, window_ends_at)
    SELECT s, 1, now() + time_window FROM unnest(subjects) s ORDER BY s
    ON CONFLICT (subject) DO UPDATE
    SET failures = CASE WHEN f.window_ends_at > now() THEN f.failures + 1 ELSE 1 END,
        window_ends_at = CASE WHEN f.window_ends_at > now() THEN f.window_ends_at ELSE excluded.window_ends_at END
$$;

CREATE FUNCTION forget_sign_in_failures(subjects bytea[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    DELETE FROM public.sign_in_failures WHERE subject = ANY (subjects)
$$;

-- A person by e-mail address, with the organization that a sign-in leads to: the default one, else the oldest membership.
CREATE FUNCTION find_user_for_sign_in(wanted_email text)
    RETURNS TABLE (user_id uuid, password_hash text, organization_id uuid, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT u.id, u.password_hash, m.organization_id, m.role
    FROM public.users u
    LEFT JOIN LATERAL (
        SELECT m.organization_id, m.role FROM public.organization_members m
        WHERE m.user_id = u.id AND m.status = 'active'
        ORDER BY (m.organization_id = u.default_organization_id) DESC NULLS LAST, m.created_at, m.organization_id
        LIMIT 1) m ON true
    WHERE u.email = wanted_email AND u.is_active
$$;

CREATE FUNCTION open_session(session_id uuid, owner_id uuid, organization uuid, token_hash bytea, agent text, address inet, ends_at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO public.user_sessions (id, user_id, organization_id, refresh_token_hash, user_agent, ip_address, expires_at)
    VALUES (session_id, owner_id, organization, token_hash, left(agent, 500), address, ends_at);
    UPDATE public.users SET last_sign_in_at = now() WHERE id = owner_id;
$$;

-- The session behind an access token: no row once it is revoked or expired, or the person or the membership is no longer active.
CREATE FUNCTION find_live_session(wanted_id uuid) RETURNS TABLE (user_id uuid, organization_id uuid, role text, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT s.user_id, s.organization_id, m.role, s.expires_at
    FROM public.user_sessions s
    JOIN public.users u ON u.id = s.user_id AND u.is_active
    JOIN public.organization_members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id AND m.status = 'active'
    WHERE s.id = wanted_id AND s.revoked_at IS NULL AND s.expires_at > now()
$$;

-- Exchanges a refresh token. 'rotated': the new one counts from now on. 'repeated': the token before the current one, within the grace: current_hash tells
-- which one is current. 'reused': an old token: the session is ended. 'ended': there is no such live session.
CREATE FUNCTION rotate_session(wanted_id uuid, shown_hash bytea, next_hash bytea, grace interval, ends_at timestamptz, OUT outcome text, OUT current_hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    found public.user_sessions;
BEGIN
    SELECT * INTO found FROM public.user_sessions WHERE id = wanted_id AND revoked_at IS NULL AND user_sessions.expires_at > now() FOR UPDATE;
    IF found.id IS NULL OR NOT EXISTS (SELECT FROM public.find_live_session(wanted_id)) THEN
        outcome := 'ended';
    ELSIF found.refresh_token_hash = shown_hash THEN
        UPDATE public.user_sessions
        SET refresh_token_hash = next_hash, previous_token_hash = shown_hash, last_used_at = now(), expires_at = ends_at WHERE id = wanted_id;
        outcome := 'rotated';
    ELSIF found.previous_token_hash = shown_hash AND found.last_used_at > now() - grace THEN
        outcome := 'repeated';
        current_hash := found.refresh_token_hash;
    ELSE
        PERFORM public.end_session(wanted_id);
        outcome := 'reused';
    END IF;
END $$;

-- Ends a session; every process hears of it, so that its access tokens end too.
CREATE FUNCTION end_session(wanted_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.user_sessions SET revoked_at = now() WHERE id = wanted_id AND revoked_at IS NULL;
    SELECT pg_notify('configuration_changed', jsonb_build_object('table', 'user_sessions', 'organizationId', NULL, 'id', wanted_id)::text);
$$;

-- The organizations of a person who is signed in.
CREATE FUNCTION memberships_of(person uuid) RETURNS TABLE (organization_id uuid, name text, slug text, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT o.id, o.name, o.slug, m.role
    FROM public.organization_members m JOIN public.organizations o ON o.id = m.organization_id
    WHERE m.user_id = person AND m.status = 'active' AND person = public.current_user_id()
    ORDER BY o.name, o.id
$$;

-- What is kept for a while only; returns how many rows went.
CREATE FUNCTION purge_expired_requests(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    gone integer;
    total integer := 0;
BEGIN
    DELETE FROM public.idempotency_keys k USING (
        SELECT i.organization_id, i.key FROM public.idempotency_keys i WHERE i.created_at < now() - interval '1 day' ORDER BY i.created_at LIMIT most) old
    WHERE k.organization_id = old.organization_id AND k.key = old.key;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.sign_in_failures f USING (
        SELECT s.subject FROM public.sign_in_failures s WHERE s.window_ends_at < now() ORDER BY s.window_ends_at LIMIT most) old
    WHERE f.subject = old.subject;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    -- Ended sessions stay for a while, so that the reuse of an old token is still recognised.
    DELETE FROM public.user_sessions u USING (
        SELECT s.id FROM public.user_sessions s WHERE s.expires_at < now() - interval '30 days' ORDER BY s.expires_at LIMIT most) old
    WHERE u.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN total + gone;
END $$;
CREATE INDEX user_sessions_by_expiry ON user_sessions (expires_at);

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['sign_in_wait(bytea[], integer[])', 'record_sign_in_failure(bytea[], interval)', 'forget_sign_in_failures(bytea[])',
        'find_user_for_sign_in(text)', 'open_session(uuid, uuid, uuid, bytea, text, inet, timestamptz)', 'find_live_session(uuid)',
        'rotate_session(uuid, bytea, bytea, interval, timestamptz)', 'end_session(uuid)', 'memberships_of(uuid)', 'purge_expired_requests(integer)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api', entry);
    END LOOP;
END $$;
