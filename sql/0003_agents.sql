-- What answers: models and their keys, personas, agents, prompt variants.

CREATE TABLE llm_models (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE, -- NULL: offered to every organization
    provider text NOT NULL CONSTRAINT llm_provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google', 'openai_compatible', 'built_in')),
    name text NOT NULL,
    model_id text NOT NULL,
    context_window integer CONSTRAINT context_window_is_positive CHECK (context_window > 0),
    input_cost_per_1k numeric(12, 6) NOT NULL DEFAULT 0 CONSTRAINT input_cost_is_not_negative CHECK (input_cost_per_1k >= 0),
    output_cost_per_1k numeric(12, 6) NOT NULL DEFAULT 0 CONSTRAINT output_cost_is_not_negative CHECK (output_cost_per_1k >= 0),
    is_default boolean NOT NULL DEFAULT false,
    capabilities jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX llm_models_one_default ON llm_models (coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE is_default;
CREATE INDEX llm_models_by_organization ON llm_models (organization_id);

-- An organization's key for a provider. The key is sealed (AES-256-GCM) before it comes here.
CREATE TABLE llm_credentials (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    provider text NOT NULL CONSTRAINT llm_credential_provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google', 'openai_compatible')),
    base_url text,
    api_key text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_credential_per_provider UNIQUE (organization_id, provider)
);

CREATE TABLE personas (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    tone text NOT NULL DEFAULT 'friendly' CONSTRAINT persona_tone_is_known CHECK (tone IN ('professional', 'friendly', 'casual', 'formal')),
    greeting text,
    fallback_message text,
    escalation_policy text NOT NULL DEFAULT 'escalate'
        CONSTRAINT escalation_policy_is_known CHECK (escalation_policy IN ('apologize', 'escalate', 'retry', 'transfer')),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX personas_by_organization ON personas (organization_id);

CREATE TABLE agents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    agent_type text NOT NULL DEFAULT 'communication'
        CONSTRAINT agent_type_is_known CHECK (agent_type IN ('communication', 'qualification', 'product_selection', 'warming', 'sales', 'service', 'feedback')),
    domain text NOT NULL DEFAULT 'other'
        CONSTRAINT business_domain_is_known CHECK (domain IN ('healthcare', 'retail', 'finance', 'realestate', 'hospitality', 'other')),
    -- "live" of one seed is "active" here
    status text NOT NULL DEFAULT 'draft' CONSTRAINT agent_status_is_known CHECK (status IN ('draft', 'active', 'inactive', 'archived')),
    persona_id uuid REFERENCES personas (id) ON DELETE SET NULL,
    llm_model_id uuid REFERENCES llm_models (id) ON DELETE SET NULL,
    fallback_model_id uuid REFERENCES llm_models (id) ON DELETE SET NULL,
    default_model text,
    goals text[] NOT NULL DEFAULT '{}',
    channels text[] NOT NULL DEFAULT '{}',
    owner_name text,
    avatar_url text,
    instructions text,
    system_prompt text,
    temperature numeric(3, 2) NOT NULL DEFAULT 0.70 CONSTRAINT temperature_is_between_0_and_2 CHECK (temperature BETWEEN 0 AND 2),
    max_tokens integer NOT NULL DEFAULT 2048 CONSTRAINT max_tokens_is_positive CHECK (max_tokens > 0),
    response_delay_seconds integer NOT NULL DEFAULT 0
        CONSTRAINT response_delay_is_between_0_and_3600 CHECK (response_delay_seconds BETWEEN 0 AND 3600),
    -- what a new message does to a turn that is under way
    on_new_message text NOT NULL DEFAULT 'restart' CONSTRAINT on_new_message_is_known CHECK (on_new_message IN ('restart', 'queue')),
    messages_total bigint NOT NULL DEFAULT 0,
    last_activity_at timestamptz,
    settings jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agents_by_organization ON agents (organization_id, created_at DESC, id DESC);
CREATE INDEX agents_by_status ON agents (organization_id, status);

CREATE TABLE prompt_variants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_type text NOT NULL
        CONSTRAINT prompt_variant_agent_type_is_known CHECK (agent_type IN ('communication', 'qualification', 'product_selection', 'warming', 'sales', 'service', 'feedback')),
    name text NOT NULL,
    description text,
    prompt text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    is_default boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX prompt_variants_one_default_per_agent_type ON prompt_variants (organization_id, agent_type) WHERE is_default;
CREATE INDEX prompt_variants_by_organization ON prompt_variants (organization_id, is_active);

-- Models offered to everyone are readable by everyone and writable by nobody through the API.
ALTER TABLE llm_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm_models FORCE ROW LEVEL SECURITY;
CREATE POLICY offered_to_everyone ON llm_models FOR SELECT TO agentplatform_api USING (organization_id IS NULL);
CREATE POLICY tenant_isolation ON llm_models FOR ALL TO agentplatform_api
    USING (organization_id = (SELECT current_organization_id())) WITH CHECK (organization_id = (SELECT current_organization_id()));
GRANT SELECT, INSERT, UPDATE, DELETE ON llm_models TO agentplatform_api;
CREATE POLICY engine_access ON llm_models FOR ALL TO agentplatform_engine, agentplatform_migrator USING (true) WITH CHECK (true);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['llm_credentials', 'personas', 'agents', 'prompt_variants']::regclass[]) t;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON llm_models FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON llm_credentials FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON personas FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON agents FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON prompt_variants FOR EACH ROW EXECUTE FUNCTION update_updated_at();
