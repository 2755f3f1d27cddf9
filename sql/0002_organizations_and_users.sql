-- Tenants, the people who sign in, their membership, and their sessions.
-- A user is one person with one e-mail address, who may be a member of several organizations.

CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT organization_name_is_not_blank CHECK (btrim(name) <> ''),
    slug text NOT NULL CONSTRAINT organization_slug_is_unique UNIQUE
        CONSTRAINT organization_slug_is_url_friendly CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    logo text,
    country text,
    time_zone text NOT NULL DEFAULT 'UTC',
    ai_enabled boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL CONSTRAINT user_email_is_unique UNIQUE
        CONSTRAINT user_email_is_lower_case CHECK (email = lower(email)),
    password_hash text,
    first_name text,
    last_name text,
    full_name text,
    avatar_url text,
    locale text NOT NULL DEFAULT 'en',
    default_organization_id uuid REFERENCES organizations (id) ON DELETE SET NULL,
    is_super_admin boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    invited_at timestamptz,
    last_sign_in_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_by_default_organization ON users (default_organization_id);

CREATE TABLE organization_members (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL DEFAULT 'member'
        CONSTRAINT member_role_is_known CHECK (role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    status text NOT NULL DEFAULT 'active'
        CONSTRAINT member_status_is_known CHECK (status IN ('active', 'inactive', 'suspended')),
    invited_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_by_user ON organization_members (user_id);

-- One row for each sign-in. The refresh token rotates; whoever shows an old one ends the session.
CREATE TABLE user_sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
    refresh_token_hash bytea NOT NULL CONSTRAINT refresh_token_is_unique UNIQUE,
    previous_token_hash bytea,
    user_agent text,
    ip_address inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX user_sessions_by_user ON user_sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX user_sessions_by_previous_token ON user_sessions (previous_token_hash) WHERE previous_token_hash IS NOT NULL;

-- An organization is its own tenant; a user is visible to the organizations that he or she is a member of.
-- Sign-in comes before the tenant is known: it goes through the functions at the end of this file.
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON organizations FOR ALL TO agentplatform_api
    USING (id = (SELECT current_organization_id())) WITH CHECK (id = (SELECT current_organization_id()));
CREATE POLICY engine_access ON organizations FOR ALL TO agentplatform_engine, agentplatform_migrator USING (true) WITH CHECK (true);

SELECT enable_tenant_isolation('organization_members');

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON users FOR SELECT TO agentplatform_api
    USING (id IN (SELECT m.user_id FROM organization_members m WHERE m.organization_id = (SELECT current_organization_id())));
CREATE POLICY engine_access ON users FOR ALL TO agentplatform_engine, agentplatform_migrator USING (true) WITH CHECK (true);

ALTER TABLE user_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY engine_access ON user_sessions FOR ALL TO agentplatform_engine, agentplatform_migrator USING (true) WITH CHECK (true);

GRANT SELECT, UPDATE ON organizations TO agentplatform_api;
-- A password hash is never read with a tenant's session.
GRANT SELECT (id, email, first_name, last_name, full_name, avatar_url, locale, default_organization_id, is_active,
    invited_at, last_sign_in_at, created_at, updated_at) ON users TO agentplatform_api;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON organization_members FOR EACH ROW EXECUTE FUNCTION update_updated_at();
