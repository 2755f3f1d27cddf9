-- Invitations, forgotten passwords, and a person's own sessions.

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    email text NOT NULL CONSTRAINT invitation_email_is_lower_case CHECK (email = lower(email)),
    role text NOT NULL CONSTRAINT invitation_role_is_known CHECK (role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    token_hash bytea NOT NULL CONSTRAINT invitation_token_is_unique UNIQUE,
    invited_by uuid REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid REFERENCES users (id) ON DELETE SET NULL,
    revoked_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invitation_ends_one_way CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
CREATE UNIQUE INDEX one_open_invitation_per_address ON invitations (organization_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_organization ON invitations (organization_id, created_at DESC, id DESC);
CREATE INDEX invitations_by_inviter ON invitations (invited_by);
SELECT enable_tenant_isolation('invitations');
REVOKE SELECT ON invitations FROM agentplatform_api;
GRANT SELECT (id, organization_id, email, role, invited_by, expires_at, accepted_at, accepted_by, revoked_at, version, created_at, updated_at) ON invitations TO agentplatform_api;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON invitations FOR EACH ROW EXECUTE FUNCTION update_updated_at();

CREATE TABLE password_resets (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT reset_token_is_unique UNIQUE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX password_resets_by_person ON password_resets (user_id);
CREATE INDEX password_resets_by_age ON password_resets (expires_at);
ALTER TABLE password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_resets FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_access ON password_resets FOR ALL TO agentplatform_migrator USING (true) WITH CHECK (true);

-- An open invitation by its token, and the person who has its address, if any. Whoever invited must still be able to: an active member, as high as the role.
CREATE FUNCTION find_invitation(shown_hash bytea)
    RETURNS TABLE (id uuid, organization_id uuid, organization_name text, email text, role text, user_id uuid, password_hash text, is_active boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT i.id, i.organization_id, o.name, i.email, i.role, u.id, u.password_hash, u.is_active
    FROM public.invitations i
    JOIN public.organizations o ON o.id = i.organization_id
    LEFT JOIN public.users u ON u.email = i.email
    WHERE i.token_hash = shown_hash AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
      AND (i.invited_by IS NULL OR EXISTS (SELECT FROM public.organization_members m
            WHERE m.organization_id = i.organization_id AND m.user_id = i.invited_by AND m.status = 'active' AND public.role_rank(m.role) >= public.role_rank(i.role)))
$$;

-- Makes the person whom an invitation meant; false when the address was taken meanwhile.
CREATE FUNCTION create_invited_user(new_user_id uuid, shown_hash bytea, hash text, given_name text, family_name text, language text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.users (id, email, password_hash, first_name, last_name, full_name, locale, invited_at, password_changed_at, default_organization_id)
    SELECT new_user_id, i.email, hash, given_name, family_name, nullif(pg_catalog.concat_ws(' ', given_name, family_name), ''), language, i.created_at, pg_catalog.now(), i.organization_id
    FROM public.invitations i WHERE i.token_hash = shown_hash
    ON CONFLICT (email) DO NOTHING;
    RETURN FOUND;
END $$;

-- Joins the person to the organization. No row when the invitation is no longer open: of two acceptances at once, one joins. Whoever is a member already stays what he or she is.
CREATE FUNCTION accept_invitation(shown_hash bytea, person uuid) RETURNS TABLE (invitation_id uuid, organization_id uuid, role text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    found record;
BEGIN
    PERFORM 1 FROM public.invitations i WHERE i.token_hash = shown_hash FOR NO KEY UPDATE;
    SELECT * INTO found FROM public.find_invitation(shown_hash) f WHERE f.user_id = person AND f.is_active;
    IF found.id IS NULL OR EXISTS (SELECT FROM public.organization_members m WHERE m.organization_id = found.organization_id AND m.user_id = person) THEN
        RETURN;
    END IF;
    UPDATE public.invitations i SET accepted_at = pg_catalog.now(), accepted_by = person, version = i.version + 1 WHERE i.id = found.id;
    INSERT INTO public.organization_members (organization_id, user_id, role, invited_by)
    SELECT i.organization_id, person, i.role, i.invited_by FROM public.invitations i WHERE i.id = found.id;
    PERFORM public.notify_member(i.organization_id, i.invited_by, 'invitation_accepted',
        pg_catalog.format('%s joined as %s', coalesce(u.full_name, u.email), i.role), NULL, 'member', person, 'invitation ' || i.id::text)
    FROM public.invitations i JOIN public.users u ON u.id = person WHERE i.id = found.id AND i.invited_by IS NOT NULL;
    RETURN QUERY SELECT found.id, found.organization_id, found.role;
END $$;

-- Somebody forgot a password: the row is the same whether or not anybody has the address, and one waits at a time. Who it is, is looked up when it is sent.
CREATE FUNCTION request_password_reset(address text, ends_at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO public.outgoing_emails (kind, to_address, expires_at) VALUES ('password_reset', address, ends_at)
    ON CONFLICT (to_address) WHERE kind = 'password_reset' AND state = 'pending' DO NOTHING
$$;

-- Opens a reset for whoever has the address; null when nobody does.
CREATE FUNCTION open_password_reset(reset_id uuid, address text, hash bytea, ends_at timestamptz) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    WITH person AS (SELECT u.id, coalesce(u.full_name, u.email) AS name FROM public.users u WHERE u.email = address AND u.is_active),
    opened AS (INSERT INTO public.password_resets (id, user_id, token_hash, expires_at) SELECT reset_id, p.id, hash, ends_at FROM person p)
    SELECT name FROM person
$$;

-- Writes to the logs of all organizations that a person is a member of.
CREATE FUNCTION log_for_person(person uuid, action text, address inet, agent text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO public.activity_logs (organization_id, user_id, action_type, entity_type, entity_id, ip_address, user_agent)
    SELECT m.organization_id, person, action, 'user', person, address, left(agent, 500)
    FROM public.organization_members m WHERE m.user_id = person AND m.status = 'active'
$$;

-- Ends a person's sessions but one; every process hears of it.
CREATE FUNCTION end_sessions_of(person uuid, but uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    ended integer;
BEGIN
    UPDATE public.user_sessions s SET revoked_at = pg_catalog.now() WHERE s.user_id = person AND s.revoked_at IS NULL AND s.id IS DISTINCT FROM but;
    GET DIAGNOSTICS ended = ROW_COUNT;
    PERFORM pg_catalog.pg_notify('configuration_changed', '{"table": "user_sessions", "organizationId": null, "id": null}');
    RETURN ended;
END $$;

-- A new password. All sessions but the given one end, and so do open resets.
CREATE FUNCTION set_password(person uuid, hash text, but uuid, action text, address inet, agent text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE public.users SET password_hash = hash, password_changed_at = pg_catalog.now() WHERE id = person;
    UPDATE public.password_resets r SET used_at = pg_catalog.now() WHERE r.user_id = person AND r.used_at IS NULL;
    PERFORM public.end_sessions_of(person, but);
    PERFORM public.log_for_person(person, action, address, agent);
END $$;

-- Who may set a new password with this token; no row when it is unknown, used or expired. The row is held until the transaction ends: a token works once.
CREATE FUNCTION take_password_reset(shown_hash bytea) RETURNS TABLE (user_id uuid, email text)
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.password_resets r SET used_at = now() FROM public.users u
    WHERE r.token_hash = shown_hash AND r.used_at IS NULL AND r.expires_at > now() AND u.id = r.user_id AND u.is_active
    RETURNING u.id, u.email
$$;

CREATE FUNCTION password_hash_of(person uuid) RETURNS TABLE (email text, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT u.email, u.password_hash FROM public.users u WHERE u.id = person AND person = public.current_user_id()
$$;

-- A person's live sessions, newest first.
CREATE FUNCTION sessions_of(person uuid)
    RETURNS TABLE (id uuid, organization_id uuid, organization_name text, user_agent text, ip_address text, created_at timestamptz, last_used_at timestamptz, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT s.id, s.organization_id, o.name, s.user_agent, host(s.ip_address), s.created_at, s.last_used_at, s.expires_at
    FROM public.user_sessions s LEFT JOIN public.organizations o ON o.id = s.organization_id
    WHERE s.user_id = person AND person = public.current_user_id() AND s.revoked_at IS NULL AND s.expires_at > now()
    ORDER BY s.last_used_at DESC, s.id DESC LIMIT 200
$$;

-- Ends one of this transaction's person's own sessions; false when it is no live one of theirs.
CREATE FUNCTION end_own_session(wanted_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM 1 FROM public.user_sessions s
    WHERE s.id = wanted_id AND s.user_id = public.current_user_id() AND s.revoked_at IS NULL AND s.expires_at > pg_catalog.now() FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM public.end_session(wanted_id);
    RETURN true;
END $$;

-- Ends a member's sessions in the organization of this transaction.
CREATE FUNCTION end_member_sessions(person uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    ended integer;
BEGIN
    UPDATE public.user_sessions s SET revoked_at = pg_catalog.now()
    WHERE s.user_id = person AND s.organization_id = public.current_organization_id() AND s.revoked_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    PERFORM pg_catalog.pg_notify('configuration_changed', pg_catalog.jsonb_build_object('table', 'user_sessions', 'organizationId', public.current_organization_id(), 'id', NULL)::text);
    RETURN ended;
END $$;

-- The invitation as its e-mail tells of it; no row when it is no longer open.
CREATE FUNCTION invitation_for_email(wanted_id uuid)
    RETURNS TABLE (organization_name text, role text, token_hash bytea, expires_at timestamptz, inviter text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT o.name, i.role, i.token_hash, i.expires_at, (SELECT coalesce(u.full_name, u.email) FROM public.users u WHERE u.id = i.invited_by)
    FROM public.invitations i JOIN public.organizations o ON o.id = i.organization_id
    WHERE i.id = wanted_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
$$;

-- Puts the e-mail of an invitation of this transaction's organization into the outbox.
CREATE FUNCTION queue_invitation_email(invitation uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO public.outgoing_emails (organization_id, kind, to_address, entity_type, entity_id, expires_at, deduplication_key)
    SELECT i.organization_id, 'invitation', i.email, 'invitation', i.id, i.expires_at, 'invitation ' || i.id::text
    FROM public.invitations i WHERE i.id = invitation AND i.organization_id = public.current_organization_id()
$$;

-- A new key in place of the present one, which goes on for some hours; a key before that one ends. Null when it ends now.
CREATE FUNCTION rotate_api_key(wanted_id uuid, new_hash bytea, new_prefix text, overlap_hours integer) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.api_keys k SET
        previous_hash = CASE WHEN overlap_hours > 0 THEN k.key_hash END, previous_prefix = CASE WHEN overlap_hours > 0 THEN k.prefix END,
        previous_until = CASE WHEN overlap_hours > 0 THEN now() + make_interval(hours => overlap_hours) END,
        key_hash = new_hash, prefix = new_prefix, rotated_at = now(), version = k.version + 1
    WHERE k.id = wanted_id AND k.organization_id = public.current_organization_id() RETURNING k.previous_until
$$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['find_invitation(bytea)', 'create_invited_user(uuid, bytea, text, text, text, text)', 'accept_invitation(bytea, uuid)',
        'request_password_reset(text, timestamptz)', 'open_password_reset(uuid, text, bytea, timestamptz)', 'log_for_person(uuid, text, inet, text)',
        'end_sessions_of(uuid, uuid)', 'set_password(uuid, text, uuid, text, inet, text)', 'take_password_reset(bytea)', 'password_hash_of(uuid)', 'sessions_of(uuid)',
        'end_own_session(uuid)', 'end_member_sessions(uuid)', 'invitation_for_email(uuid)', 'queue_invitation_email(uuid)',
        'rotate_api_key(uuid, bytea, text, integer)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api', entry);
    END LOOP;
END $$;
