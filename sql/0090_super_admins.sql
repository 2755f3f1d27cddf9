-- Super admins look after the whole installation: they see which organizations there are and how they do, suspend and reactivate them, and enter one to help.
-- What an organization's people and customers wrote is seen only by entering, which the organization's own log tells, with who and why.

ALTER TABLE organizations
    ADD COLUMN status text NOT NULL DEFAULT 'active' CONSTRAINT organization_status_is_known CHECK (status IN ('active', 'suspended')),
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN suspended_reason text,
    ADD CONSTRAINT suspension_has_a_beginning CHECK ((status = 'suspended') = (suspended_at IS NOT NULL) AND (status = 'suspended' OR suspended_reason IS NULL));

-- An organization's own people may change its row, but not this of it.
CREATE FUNCTION guard_organization_status() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF session_user = 'agentplatform_api' AND NOT public.is_super_admin() THEN
        RAISE EXCEPTION 'Only a super admin suspends and reactivates organizations.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER guard_organization_status BEFORE UPDATE ON organizations FOR EACH ROW
    WHEN (old.status IS DISTINCT FROM new.status OR old.suspended_at IS DISTINCT FROM new.suspended_at OR old.suspended_reason IS DISTINCT FROM new.suspended_reason)
    EXECUTE FUNCTION guard_organization_status();

-- Why a super admin who is no member is there, and as what; null for members.
ALTER TABLE user_sessions
    ADD COLUMN entered_as text CONSTRAINT entered_role_is_known CHECK (entered_as IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    ADD COLUMN entered_reason text CONSTRAINT entered_reason_is_not_blank CHECK (btrim(entered_reason) <> ''),
    ADD CONSTRAINT entering_has_a_reason CHECK ((entered_as IS NULL) = (entered_reason IS NULL));
CREATE INDEX user_sessions_of_entering ON user_sessions (organization_id, user_id) WHERE entered_as IS NOT NULL;

-- Sessions of members end with a suspension; every process hears of both ways, so that tokens, streams and API keys stop at once, and keys work again at once.
CREATE FUNCTION organization_status_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF new.status = 'suspended' THEN
        UPDATE public.user_sessions s SET revoked_at = pg_catalog.now() WHERE s.organization_id = new.id AND s.revoked_at IS NULL AND s.entered_as IS NULL;
    END IF;
    PERFORM pg_catalog.pg_notify('configuration_changed', pg_catalog.jsonb_build_object('table', 'user_sessions', 'organizationId', new.id, 'id', NULL)::text);
    RETURN null;
END $$;
REVOKE ALL ON FUNCTION organization_status_changed() FROM PUBLIC;
CREATE TRIGGER organization_status_changed AFTER UPDATE OF status ON organizations FOR EACH ROW
    WHEN (old.status IS DISTINCT FROM new.status) EXECUTE FUNCTION organization_status_changed();

-- What is behind an access token or an API key: no row once it is revoked or expired, or the person, the membership or the organization is no longer active.
-- Scopes are null for a person's session. A super admin who entered needs no membership and may work in a suspended organization, for as long as he is a super admin.
DROP FUNCTION find_live_session(uuid);
CREATE FUNCTION find_live_session(wanted_id uuid)
    RETURNS TABLE (user_id uuid, organization_id uuid, role text, expires_at timestamptz, is_super_admin boolean, scopes text[], entered_reason text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT s.user_id, s.organization_id, m.role, s.expires_at, u.is_super_admin, NULL::text[], NULL::text
    FROM public.user_sessions s
    JOIN public.users u ON u.id = s.user_id AND u.is_active
    JOIN public.organizations o ON o.id = s.organization_id AND o.status = 'active'
    JOIN public.organization_members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id AND m.status = 'active'
    WHERE s.id = wanted_id AND s.revoked_at IS NULL AND s.expires_at > now() AND s.entered_as IS NULL
    UNION ALL
    SELECT s.user_id, s.organization_id, s.entered_as, s.expires_at, true, NULL::text[], s.entered_reason
    FROM public.user_sessions s
    JOIN public.users u ON u.id = s.user_id AND u.is_active AND u.is_super_admin
    WHERE s.id = wanted_id AND s.revoked_at IS NULL AND s.expires_at > now() AND s.entered_as IS NOT NULL
    UNION ALL
    SELECT k.created_by, k.organization_id, CASE WHEN public.role_rank(m.role) < public.role_rank(k.role) THEN m.role ELSE k.role END,
        coalesce(k.expires_at, 'infinity'), false, k.scopes, NULL::text
    FROM public.api_keys k
    JOIN public.users u ON u.id = k.created_by AND u.is_active
    JOIN public.organizations o ON o.id = k.organization_id AND o.status = 'active'
    JOIN public.organization_members m ON m.user_id = k.created_by AND m.organization_id = k.organization_id AND m.status = 'active'
    WHERE k.id = wanted_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;

-- As before, but that a refresh doesn't lengthen the stay of a super admin who entered.
CREATE OR REPLACE FUNCTION rotate_session(wanted_id uuid, shown_hash bytea, next_hash bytea, grace interval, ends_at timestamptz, OUT outcome text, OUT current_hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    found public.user_sessions;
BEGIN
    SELECT * INTO found FROM public.user_sessions WHERE id = wanted_id AND revoked_at IS NULL AND user_sessions.expires_at > now() FOR UPDATE;
    IF found.id IS NULL OR NOT EXISTS (SELECT FROM public.find_live_session(wanted_id)) THEN
        outcome := 'ended';
    ELSIF found.refresh_token_hash = shown_hash THEN
        UPDATE public.user_sessions
        SET refresh_token_hash = next_hash, previous_token_hash = shown_hash, last_used_at = now(),
            expires_at = CASE WHEN found.entered_as IS NULL THEN ends_at ELSE found.expires_at END WHERE id = wanted_id;
        outcome := 'rotated';
    ELSIF found.previous_token_hash = shown_hash AND found.last_used_at > now() - grace THEN
        outcome := 'repeated';
        current_hash := found.refresh_token_hash;
    ELSE
        PERFORM public.end_session(wanted_id);
        outcome := 'reused';
    END IF;
END $$;

-- A person by e-mail address, with the organization that a sign-in leads to: the default one, else the oldest membership; none that is suspended. Where
-- there is no other, the suspended one's name, so that whoever proves who he is can be told.
DROP FUNCTION find_user_for_sign_in(text);
CREATE FUNCTION find_user_for_sign_in(wanted_email text)
    RETURNS TABLE (user_id uuid, password_hash text, organization_id uuid, role text, suspended_organization text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT u.id, u.password_hash, CASE WHEN m.status = 'active' THEN m.organization_id END, m.role, CASE WHEN m.status = 'suspended' THEN m.name END
    FROM public.users u
    LEFT JOIN LATERAL (
        SELECT m.organization_id, m.role, o.status, o.name
        FROM public.organization_members m JOIN public.organizations o ON o.id = m.organization_id
        WHERE m.user_id = u.id AND m.status = 'active'
        ORDER BY o.status, (m.organization_id = u.default_organization_id) DESC NULLS LAST, m.created_at, m.organization_id
        LIMIT 1) m ON true
    WHERE u.email = wanted_email AND u.is_active
$$;

-- The role of a person in an organization; no row for whoever is no active member there, or where it is suspended.
CREATE OR REPLACE FUNCTION membership_of(person uuid, organization uuid) RETURNS TABLE (role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT m.role FROM public.organization_members m JOIN public.users u ON u.id = m.user_id AND u.is_active
    JOIN public.organizations o ON o.id = m.organization_id AND o.status = 'active'
    WHERE m.user_id = person AND m.organization_id = organization AND m.status = 'active'
$$;

-- The organizations of a person who is signed in, suspended ones included.
DROP FUNCTION memberships_of(uuid);
CREATE FUNCTION memberships_of(person uuid) RETURNS TABLE (organization_id uuid, name text, slug text, role text, status text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT o.id, o.name, o.slug, m.role, o.status
    FROM public.organization_members m JOIN public.organizations o ON o.id = m.organization_id
    WHERE m.user_id = person AND m.status = 'active' AND person = public.current_user_id()
    ORDER BY o.name, o.id
$$;

-- As before, but that nobody joins a suspended organization.
CREATE OR REPLACE FUNCTION find_invitation(shown_hash bytea)
    RETURNS TABLE (id uuid, organization_id uuid, organization_name text, email text, role text, user_id uuid, password_hash text, is_active boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT i.id, i.organization_id, o.name, i.email, i.role, u.id, u.password_hash, u.is_active
    FROM public.invitations i
    JOIN public.organizations o ON o.id = i.organization_id AND o.status = 'active'
    LEFT JOIN public.users u ON u.email = i.email
    WHERE i.token_hash = shown_hash AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
      AND (i.invited_by IS NULL OR EXISTS (SELECT FROM public.organization_members m
            WHERE m.organization_id = i.organization_id AND m.user_id = i.invited_by AND m.status = 'active' AND public.role_rank(m.role) >= public.role_rank(i.role)))
$$;

-- Whoever is signed in sees himself, also where he is no member.
CREATE POLICY own_row ON users FOR SELECT TO agentplatform_api USING (id = (SELECT current_user_id()));

-- The role in which a person acts in this transaction's organization: the membership's, or that of a super admin who has entered and is still there.
CREATE FUNCTION acting_role(person uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(
        (SELECT m.role FROM public.organization_members m WHERE m.organization_id = public.current_organization_id() AND m.user_id = person AND m.status = 'active'),
        (SELECT l.role FROM public.user_sessions s CROSS JOIN LATERAL public.find_live_session(s.id) l
         WHERE s.organization_id = public.current_organization_id() AND s.user_id = person AND s.entered_as IS NOT NULL AND s.revoked_at IS NULL
         ORDER BY public.role_rank(l.role) DESC LIMIT 1))
$$;

-- Lets this transaction's super admin into its organization for a while.
CREATE FUNCTION enter_organization(session_id uuid, entered_role text, why text, token_hash bytea, agent text, address inet, ends_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NOT public.is_super_admin() THEN
        RAISE EXCEPTION 'Only a super admin enters organizations.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- One stay at a time, so that its reason is that of all that is done.
    PERFORM public.end_session(s.id) FROM public.user_sessions s
    WHERE s.organization_id = public.current_organization_id() AND s.user_id = public.current_user_id() AND s.entered_as IS NOT NULL AND s.revoked_at IS NULL;
    INSERT INTO public.user_sessions (id, user_id, organization_id, refresh_token_hash, user_agent, ip_address, expires_at, entered_as, entered_reason)
    VALUES (session_id, public.current_user_id(), public.current_organization_id(), token_hash, left(agent, 500), address, ends_at, entered_role, why);
END $$;

-- Whatever a super admin does in an organization that he is no member of says so in its log, whoever writes the row: its people can't look him up.
CREATE FUNCTION name_super_admin() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.organization_members m WHERE m.organization_id = new.organization_id AND m.user_id = new.user_id) THEN
        new.metadata := new.metadata || coalesce((
            SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('superAdmin', u.email, 'reason', (
                SELECT s.entered_reason FROM public.user_sessions s
                WHERE s.organization_id = new.organization_id AND s.user_id = u.id AND s.entered_as IS NOT NULL AND s.revoked_at IS NULL AND s.expires_at > pg_catalog.now()
                ORDER BY s.created_at DESC, s.id DESC LIMIT 1)))
            FROM public.users u WHERE u.id = new.user_id AND u.is_super_admin), '{}');
    END IF;
    RETURN new;
END $$;
REVOKE ALL ON FUNCTION name_super_admin() FROM PUBLIC;
CREATE TRIGGER name_super_admin BEFORE INSERT ON activity_logs FOR EACH ROW WHEN (new.user_id IS NOT NULL) EXECUTE FUNCTION name_super_admin();

-- All organizations, for super admins: nobody else sees a row. Usage is that of the calendar month.
CREATE FUNCTION organizations_of_installation()
    RETURNS TABLE (id uuid, name text, slug text, country text, time_zone text, status text, suspended_at timestamptz, suspended_reason text, plan text, subscription_status text,
        conversations integer, tokens bigint, version bigint, created_at timestamptz, updated_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' ROWS 500 AS $$
    SELECT o.id, o.name, o.slug, o.country, o.time_zone, o.status, o.suspended_at, o.suspended_reason, p.code, s.status,
        coalesce(u.conversations, 0)::integer, coalesce(u.tokens, 0)::bigint, o.version, o.created_at, o.updated_at
    FROM public.organizations o
    LEFT JOIN public.subscriptions s ON s.organization_id = o.id
    LEFT JOIN public.pricing_plans p ON p.id = s.plan_id
    LEFT JOIN LATERAL (
        SELECT sum(d.conversations) AS conversations, sum(d.tokens_consumed) AS tokens FROM public.usage_daily d
        WHERE d.organization_id = o.id AND d.usage_date >= date_trunc('month', now() AT TIME ZONE 'UTC')::date) u ON true
    WHERE (SELECT public.is_super_admin())
$$;

-- How large an organization is, for super admins.
CREATE FUNCTION organization_size(organization uuid, OUT members bigint, OUT agents bigint, OUT channels bigint, OUT clients bigint, OUT last_message_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT (SELECT count(*) FROM public.organization_members m WHERE m.organization_id = organization),
        (SELECT count(*) FROM public.agents a WHERE a.organization_id = organization),
        (SELECT count(*) FROM public.channels c WHERE c.organization_id = organization),
        (SELECT count(*) FROM public.clients c WHERE c.organization_id = organization),
        (SELECT max(c.last_message_at) FROM public.conversations c WHERE c.organization_id = organization)
    WHERE (SELECT public.is_super_admin())
$$;

-- As before, and suspended organizations stand still, with a subscription or without: what customers write is kept and waits.
CREATE OR REPLACE FUNCTION usage_state(organization uuid, at timestamptz DEFAULT now())
    RETURNS TABLE (plan_code text, plan_name text, status text, token_quota bigint, token_used bigint, period_start timestamptz, period_end timestamptz,
        conversation_limit integer, conversations_used integer, month_start timestamptz, month_end timestamptz, grace_ends_at timestamptz,
        stop_reason text, takes_new_conversations boolean, stop_message text, valid_until timestamptz, warn_percent integer, stop_percent integer)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    WITH held AS (
        SELECT o.id AS organization_id, o.status AS organization_status, s.status, s.cancel_at_period_end, s.current_period_end, s.grace_ends_at, s.limit_response, s.limit_message,
            p.code, p.name, p.warn_percent, p.stop_percent,
            coalesce(s.token_quota, p.token_quota) AS tokens, coalesce(s.conversation_limit, p.conversation_limit) AS talks,
            q.period_start AS quota_start, q.period_end AS quota_end, m.first_of_month,
            ((m.first_of_month AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC' AS next_month
        FROM public.organizations o
        LEFT JOIN public.subscriptions s ON s.organization_id = o.id
        LEFT JOIN public.pricing_plans p ON p.id = s.plan_id
        CROSS JOIN LATERAL (SELECT date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS first_of_month) m
        CROSS JOIN LATERAL public.quota_month(coalesce(s.billing_anchor, m.first_of_month), at) q
        WHERE o.id = organization AND (s.organization_id IS NOT NULL OR o.status = 'suspended')
    ), used AS (
        SELECT h.*,
            coalesce((SELECT sum(d.tokens_consumed) FROM public.usage_daily d WHERE d.organization_id = h.organization_id
                AND d.usage_date >= (h.quota_start AT TIME ZONE 'UTC')::date AND d.usage_date < (h.quota_end AT TIME ZONE 'UTC')::date), 0)::bigint AS tokens_used,
            coalesce((SELECT sum(d.conversations) FROM public.usage_daily d WHERE d.organization_id = h.organization_id
                AND d.usage_date >= (h.first_of_month AT TIME ZONE 'UTC')::date AND d.usage_date < (h.next_month AT TIME ZONE 'UTC')::date), 0)::integer AS talks_used
        FROM held h
    )
    SELECT u.code, u.name, u.status, u.tokens, u.tokens_used, u.quota_start, u.quota_end, u.talks, u.talks_used, u.first_of_month, u.next_month, u.grace_ends_at,
        CASE
            WHEN u.organization_status = 'suspended' THEN 'suspended'
            WHEN u.status IN ('canceled', 'incomplete', 'unpaid', 'paused') THEN u.status
            WHEN u.cancel_at_period_end AND u.current_period_end <= at THEN 'canceled'
            WHEN u.status = 'past_due' AND u.grace_ends_at <= at THEN 'unpaid'
            WHEN u.tokens_used::numeric * 100 >= u.tokens::numeric * u.stop_percent THEN 'token_quota'
        END,
        coalesce(u.talks_used::numeric * 100 < u.talks::numeric * u.stop_percent, true),
        CASE WHEN u.limit_response = 'message' THEN u.limit_message END,
        least(u.quota_end, u.next_month, CASE WHEN u.grace_ends_at > at THEN u.grace_ends_at END, CASE WHEN u.cancel_at_period_end AND u.current_period_end > at THEN u.current_period_end END),
        coalesce(u.warn_percent, 100), coalesce(u.stop_percent, 100)
    FROM used u
$$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['find_live_session(uuid)', 'find_user_for_sign_in(text)', 'memberships_of(uuid)', 'acting_role(uuid)',
        'enter_organization(uuid, text, text, bytea, text, inet, timestamptz)', 'organizations_of_installation()', 'organization_size(uuid)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api, agentplatform_engine', entry);
    END LOOP;
END $$;
