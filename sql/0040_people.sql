-- People and what they may do: roles that the database can ask about, sign-up, membership, API keys.

-- A membership is changed with If-Match like everything else.
ALTER TABLE organization_members ADD COLUMN version bigint NOT NULL DEFAULT 1;
CREATE INDEX organization_members_by_role ON organization_members (organization_id, role);

-- Set for whoever signed up rather than being invited: the name of the organization that the sign-up makes.
ALTER TABLE users ADD COLUMN sign_up_organization text CONSTRAINT sign_up_organization_is_not_blank CHECK (btrim(sign_up_organization) <> '');
ALTER TABLE users ADD COLUMN password_changed_at timestamptz;

-- From where: the address was kept already.
ALTER TABLE activity_logs ADD COLUMN user_agent text;
ALTER TABLE activity_logs ADD COLUMN api_key_id uuid; -- no foreign key: the log outlives the key
CREATE INDEX activity_logs_by_user ON activity_logs (organization_id, user_id, created_at DESC);

CREATE DOMAIN app_role AS text CONSTRAINT app_role_is_known CHECK (VALUE IN ('viewer', 'member', 'manager', 'admin', 'owner'));

-- How high a role stands; null for a word that names none. Seeds write roles in capitals.
CREATE FUNCTION role_rank(role text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT pg_catalog.array_position(ARRAY['viewer', 'member', 'manager', 'admin', 'owner'], pg_catalog.lower(role))
$$;

-- The organization of this transaction, for policies that are written in the seeds' words.
CREATE FUNCTION get_my_organization_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$ SELECT public.current_organization_id() $$;

-- Binds the transaction to the organization of the JWT whose claims the connection was given (request.jwt.claims); to none where there are no claims.
CREATE FUNCTION set_organization_id() RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.set_config('app.current_organization_id',
        coalesce(nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::jsonb ->> 'organization_id', ''), true);
END $$;

-- The role that this transaction's person has in an organization; null where he or she is no active member.
CREATE FUNCTION get_user_role(workspace_id uuid) RETURNS app_role
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT m.role::public.app_role
    FROM public.organization_members m JOIN public.users u ON u.id = m.user_id AND u.is_active
    WHERE m.organization_id = workspace_id AND m.user_id = public.current_user_id() AND m.status = 'active'
$$;

CREATE FUNCTION is_super_admin() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (SELECT FROM public.users u WHERE u.id = public.current_user_id() AND u.is_active AND u.is_super_admin)
$$;

CREATE FUNCTION has_role(workspace_id uuid, min_role text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(public.role_rank(public.get_user_role(workspace_id)) >= public.role_rank(min_role), false) OR public.is_super_admin()
$$;

CREATE FUNCTION user_has_workspace_access(workspace_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT public.get_user_role(workspace_id) IS NOT NULL OR public.is_super_admin()
$$;

-- What an agent is and knows is written by managers and above, in the database too. The sub-select is evaluated once for a statement.
DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['agents', 'personas', 'knowledge_sources', 'llm_credentials', 'web_widgets'] LOOP
        EXECUTE format('CREATE POLICY managers_insert ON %I AS RESTRICTIVE FOR INSERT TO agentplatform_api WITH CHECK ((SELECT has_role(current_organization_id(), ''MANAGER'')))', guarded);
        EXECUTE format('CREATE POLICY managers_update ON %I AS RESTRICTIVE FOR UPDATE TO agentplatform_api USING ((SELECT has_role(current_organization_id(), ''MANAGER'')))', guarded);
    END LOOP;
END $$;

-- A slug that nobody has, from a name in whatever writing.
CREATE FUNCTION free_slug(wanted text) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = '' AS $$
DECLARE
    base text := pg_catalog.btrim(pg_catalog.left(pg_catalog.regexp_replace(pg_catalog.lower(public.unaccent(wanted)), '[^a-z0-9]+', '-', 'g'), 60), '-');
    candidate text;
BEGIN
    base := coalesce(nullif(base, ''), 'organization');
    candidate := base;
    WHILE EXISTS (SELECT FROM public.organizations o WHERE o.slug = candidate) LOOP
        candidate := base || '-' || pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 6);
    END LOOP;
    RETURN candidate;
END $$;

-- A new organization with its owner. Two of the same name at the same time: the second takes another slug.
CREATE FUNCTION create_organization(new_id uuid, organization_name text, owner_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    LOOP
        INSERT INTO public.organizations (id, name, slug) VALUES (new_id, organization_name, public.free_slug(organization_name)) ON CONFLICT (slug) DO NOTHING;
        EXIT WHEN FOUND;
    END LOOP;
    INSERT INTO public.organization_members (organization_id, user_id, role) VALUES (new_id, owner_id, 'owner');
END $$;

-- Whoever signs up gets an organization and owns it. The application names its id beforehand, so that the same transaction can be bound to it.
CREATE FUNCTION handle_new_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    organization uuid := coalesce(nullif(pg_catalog.current_setting('app.new_organization_id', true), '')::uuid, pg_catalog.gen_random_uuid());
BEGIN
    PERFORM public.create_organization(organization, new.sign_up_organization, new.id);
    UPDATE public.users SET default_organization_id = organization WHERE id = new.id;
    RETURN null;
END $$;
CREATE TRIGGER on_auth_user_created AFTER INSERT ON users FOR EACH ROW WHEN (new.sign_up_organization IS NOT NULL) EXECUTE FUNCTION handle_new_user();

-- False when somebody has the e-mail address already: then nothing was done.
CREATE FUNCTION sign_up(new_user_id uuid, new_organization_id uuid, address text, hash text, given_name text, family_name text, language text, organization_name text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.set_config('app.new_organization_id', new_organization_id::text, true);
    INSERT INTO public.users (id, email, password_hash, first_name, last_name, full_name, locale, sign_up_organization, password_changed_at)
    VALUES (new_user_id, address, hash, given_name, family_name, nullif(pg_catalog.concat_ws(' ', given_name, family_name), ''), language, organization_name, pg_catalog.now())
    ON CONFLICT (email) DO NOTHING;
    RETURN FOUND;
END $$;

-- The role of a person in an organization; no row for whoever is no active member there.
CREATE FUNCTION membership_of(person uuid, organization uuid) RETURNS TABLE (role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT m.role FROM public.organization_members m JOIN public.users u ON u.id = m.user_id AND u.is_active
    WHERE m.user_id = person AND m.organization_id = organization AND m.status = 'active'
$$;

-- What a person says about himself or herself; null leaves a value as it is. The default organization must be one of the person's own.
CREATE FUNCTION change_profile(changes jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.users u SET
        first_name = CASE WHEN changes ? 'firstName' THEN changes ->> 'firstName' ELSE u.first_name END,
        last_name = CASE WHEN changes ? 'lastName' THEN changes ->> 'lastName' ELSE u.last_name END,
        full_name = CASE WHEN changes ? 'fullName' THEN changes ->> 'fullName' ELSE u.full_name END,
        avatar_url = CASE WHEN changes ? 'avatarUrl' THEN changes ->> 'avatarUrl' ELSE u.avatar_url END,
        locale = coalesce(changes ->> 'locale', u.locale),
        default_organization_id = CASE WHEN changes ? 'defaultOrganizationId' THEN (
            SELECT m.organization_id FROM public.organization_members m
            WHERE m.user_id = u.id AND m.organization_id = (changes ->> 'defaultOrganizationId')::uuid AND m.status = 'active')
            ELSE u.default_organization_id END
    WHERE u.id = public.current_user_id()
$$;

-- An organization keeps an active owner, whoever writes and however many at once: the organization's row is the lock.
CREATE FUNCTION keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM 1 FROM public.organizations o WHERE o.id = old.organization_id FOR NO KEY UPDATE;
    -- Gone with all its members: nothing to keep.
    IF FOUND AND NOT EXISTS (SELECT FROM public.organization_members m WHERE m.organization_id = old.organization_id AND m.role = 'owner' AND m.status = 'active') THEN
        RAISE EXCEPTION 'The organization would be left without an owner.' USING ERRCODE = 'check_violation', CONSTRAINT = 'organization_keeps_an_owner';
    END IF;
    RETURN null;
END $$;
CREATE TRIGGER keep_an_owner_on_change AFTER UPDATE ON organization_members FOR EACH ROW
    WHEN (old.role = 'owner' AND old.status = 'active' AND (new.role <> 'owner' OR new.status <> 'active')) EXECUTE FUNCTION keep_an_owner();
CREATE TRIGGER keep_an_owner_on_removal AFTER DELETE ON organization_members FOR EACH ROW
    WHEN (old.role = 'owner' AND old.status = 'active') EXECUTE FUNCTION keep_an_owner();

-- A key acts for the member who made it, never above that member's role, and only while the membership is active.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    created_by uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT api_key_name_is_not_blank CHECK (btrim(name) <> ''),
    role text NOT NULL CONSTRAINT api_key_role_is_known CHECK (role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    scopes text[] NOT NULL CONSTRAINT api_key_has_scopes CHECK (cardinality(scopes) > 0),
    prefix text NOT NULL, -- the beginning of the key, by which people know it
    key_hash bytea NOT NULL CONSTRAINT api_key_is_unique UNIQUE,
    -- After a rotation the key before goes on for a while.
    previous_prefix text,
    previous_hash bytea CONSTRAINT previous_api_key_is_unique UNIQUE,
    previous_until timestamptz,
    rotated_at timestamptz,
    expires_at timestamptz,
    last_used_at timestamptz, -- brought after by each process once a minute
    revoked_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT previous_key_ends CHECK ((previous_hash IS NULL) = (previous_until IS NULL))
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, created_at DESC, id DESC);
CREATE INDEX api_keys_by_person ON api_keys (created_by);
SELECT enable_tenant_isolation('api_keys');
-- A hash is written and compared, never read with a tenant's session.
REVOKE SELECT ON api_keys FROM agentplatform_api;
GRANT SELECT (id, organization_id, created_by, name, role, scopes, prefix, previous_prefix, previous_until, rotated_at, expires_at, last_used_at, revoked_at,
    version, created_at, updated_at) ON api_keys TO agentplatform_api;
-- Neither of them when only last_used_at moves.
CREATE TRIGGER set_updated_at BEFORE UPDATE OF name, role, scopes, key_hash, expires_at, revoked_at ON api_keys FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER configuration_changed AFTER INSERT OR DELETE OR UPDATE OF role, scopes, key_hash, previous_hash, previous_until, expires_at, revoked_at ON api_keys
    FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();

-- Every process hears of a person who is no longer active, or no longer a super admin.
CREATE TRIGGER configuration_changed AFTER UPDATE OF is_active, is_super_admin ON users FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();

-- Sessions of a membership that ends or pauses end for good; keys of one that ends do too.
CREATE FUNCTION end_access() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE public.user_sessions s SET revoked_at = pg_catalog.now()
    WHERE s.user_id = old.user_id AND s.organization_id = old.organization_id AND s.revoked_at IS NULL;
    IF tg_op = 'DELETE' THEN
        UPDATE public.api_keys k SET revoked_at = pg_catalog.now()
        WHERE k.created_by = old.user_id AND k.organization_id = old.organization_id AND k.revoked_at IS NULL;
    END IF;
    RETURN null;
END $$;
CREATE TRIGGER end_access_on_pause AFTER UPDATE ON organization_members FOR EACH ROW
    WHEN (old.status = 'active' AND new.status <> 'active') EXECUTE FUNCTION end_access();
CREATE TRIGGER end_access_on_removal AFTER DELETE ON organization_members FOR EACH ROW EXECUTE FUNCTION end_access();

-- The key that was shown, by its hash: which one it is, and until when that holds.
CREATE FUNCTION find_api_key(shown_hash bytea) RETURNS TABLE (id uuid, holds_until timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT k.id, k.expires_at FROM public.api_keys k WHERE k.key_hash = shown_hash
    UNION ALL
    SELECT k.id, least(k.expires_at, k.previous_until) FROM public.api_keys k WHERE k.previous_hash = shown_hash AND k.previous_until > pg_catalog.now()
$$;

-- What is behind an access token or an API key: no row once it is revoked or expired, or the person or the membership is no longer active.
-- Scopes are null for a person's session, which may do all that the role may.
DROP FUNCTION find_live_session(uuid);
CREATE FUNCTION find_live_session(wanted_id uuid)
    RETURNS TABLE (user_id uuid, organization_id uuid, role text, expires_at timestamptz, is_super_admin boolean, scopes text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT s.user_id, s.organization_id, m.role, s.expires_at, u.is_super_admin, NULL::text[]
    FROM public.user_sessions s
    JOIN public.users u ON u.id = s.user_id AND u.is_active
    JOIN public.organization_members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id AND m.status = 'active'
    WHERE s.id = wanted_id AND s.revoked_at IS NULL AND s.expires_at > now()
    UNION ALL
    SELECT k.created_by, k.organization_id, CASE WHEN public.role_rank(m.role) < public.role_rank(k.role) THEN m.role ELSE k.role END,
        coalesce(k.expires_at, 'infinity'), false, k.scopes
    FROM public.api_keys k
    JOIN public.users u ON u.id = k.created_by AND u.is_active
    JOIN public.organization_members m ON m.user_id = k.created_by AND m.organization_id = k.organization_id AND m.status = 'active'
    WHERE k.id = wanted_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;

-- Last uses of keys, as a process gathered them.
CREATE FUNCTION touch_api_keys(ids uuid[], times timestamptz[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.api_keys k SET last_used_at = greatest(k.last_used_at, used.at)
    FROM (SELECT * FROM unnest(ids, times) AS t (id, at) ORDER BY t.id) used WHERE k.id = used.id
$$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['get_user_role(uuid)', 'is_super_admin()', 'has_role(uuid, text)', 'user_has_workspace_access(uuid)', 'create_organization(uuid, text, uuid)',
        'sign_up(uuid, uuid, text, text, text, text, text, text)', 'membership_of(uuid, uuid)', 'change_profile(jsonb)', 'find_api_key(bytea)', 'find_live_session(uuid)',
        'touch_api_keys(uuid[], timestamptz[])'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api, agentplatform_engine', entry);
    END LOOP;
END $$;
