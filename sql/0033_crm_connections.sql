-- Connections to other CRMs: the account, the application's keys, and that CRM's pipelines as they are known here. Tokens and secrets are sealed
-- (AES-256-GCM) before they come here.

CREATE TABLE crm_connections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    provider text NOT NULL DEFAULT 'kommo' CONSTRAINT crm_provider_is_known CHECK (provider IN ('kommo')),
    base_domain text NOT NULL CONSTRAINT crm_base_domain_is_a_host CHECK (base_domain ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'),
    access_token text NOT NULL,
    refresh_token text,
    expires_at timestamptz,
    scope text[] NOT NULL DEFAULT '{}',
    account_id text,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_connection_per_account UNIQUE (organization_id, provider, base_domain)
);

CREATE TABLE crm_credentials (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    provider text NOT NULL DEFAULT 'kommo' CONSTRAINT crm_credential_provider_is_known CHECK (provider IN ('kommo')),
    client_id text NOT NULL,
    client_secret text NOT NULL,
    redirect_uri text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_crm_credential_per_provider UNIQUE (organization_id, provider)
);

CREATE TABLE crm_pipelines (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    connection_id uuid NOT NULL REFERENCES crm_connections (id) ON DELETE CASCADE,
    external_id text NOT NULL,
    name text NOT NULL CONSTRAINT crm_pipeline_name_is_not_blank CHECK (btrim(name) <> ''),
    is_active boolean NOT NULL DEFAULT true,
    sort_order integer NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_pipeline_per_external_id UNIQUE (connection_id, external_id)
);
CREATE INDEX crm_pipelines_by_organization ON crm_pipelines (organization_id, sort_order, id);

CREATE TABLE crm_pipeline_stages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    pipeline_id uuid NOT NULL REFERENCES crm_pipelines (id) ON DELETE CASCADE,
    external_id text NOT NULL,
    name text NOT NULL CONSTRAINT crm_pipeline_stage_name_is_not_blank CHECK (btrim(name) <> ''),
    sort_order integer NOT NULL DEFAULT 0,
    -- the stage of a deal here that a deal there has when it comes to this one
    deal_stage text CONSTRAINT crm_pipeline_deal_stage_is_known
        CHECK (deal_stage IN ('prospecting', 'qualification', 'proposal', 'negotiation', 'closed_won', 'closed_lost')),
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_stage_per_external_id UNIQUE (pipeline_id, external_id)
);
CREATE INDEX crm_pipeline_stages_by_organization ON crm_pipeline_stages (organization_id, sort_order, id);

-- Where a deal stands in the other CRM's pipeline, and what it is called there.
ALTER TABLE deals ADD COLUMN pipeline_stage_id uuid REFERENCES crm_pipeline_stages (id) ON DELETE SET NULL;
ALTER TABLE deals ADD COLUMN external_id text;
CREATE INDEX deals_by_pipeline_stage ON deals (pipeline_stage_id) WHERE pipeline_stage_id IS NOT NULL;
CREATE UNIQUE INDEX deals_one_per_external_id ON deals (organization_id, external_id) WHERE external_id IS NOT NULL;

-- The CRM whose leads an agent works with.
ALTER TABLE agents ADD COLUMN connection_id uuid REFERENCES crm_connections (id) ON DELETE SET NULL;
CREATE INDEX agents_by_connection ON agents (connection_id) WHERE connection_id IS NOT NULL;

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['crm_connections', 'crm_credentials', 'crm_pipelines', 'crm_pipeline_stages']::regclass[]) t;

DO $$
DECLARE
    changing text;
BEGIN
    FOREACH changing IN ARRAY ARRAY['crm_connections', 'crm_credentials', 'crm_pipelines', 'crm_pipeline_stages'] LOOP
        EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION update_updated_at()', changing);
    END LOOP;
END $$;
