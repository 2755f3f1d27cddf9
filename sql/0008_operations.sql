-- What keeps the house in order: the audit log, idempotent requests, usage, and what every process must hear of.

CREATE TABLE activity_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL,
    action_type text NOT NULL,
    entity_type text,
    entity_id uuid,
    before jsonb,
    after jsonb,
    ip_address inet,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_logs_by_organization ON activity_logs (organization_id, created_at DESC, id DESC);
CREATE INDEX activity_logs_by_entity ON activity_logs (entity_id, created_at DESC);

-- The answer to a creating request that named an Idempotency-Key; kept for a day.
CREATE TABLE idempotency_keys (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status_code integer,
    response_headers jsonb,
    response_body text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE usage_daily (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    usage_date date NOT NULL,
    agent_responses integer NOT NULL DEFAULT 0,
    tokens_consumed bigint NOT NULL DEFAULT 0,
    interactions integer NOT NULL DEFAULT 0,
    errors integer NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, usage_date)
);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['activity_logs', 'idempotency_keys', 'usage_daily']::regclass[]) t;
-- The audit log is written and read, never changed.
REVOKE UPDATE, DELETE ON activity_logs FROM agentplatform_api;

-- A change of configuration reaches every process.
DO $$
DECLARE
    configured text;
BEGIN
    FOREACH configured IN ARRAY ARRAY['organizations', 'organization_members', 'llm_models', 'llm_credentials', 'personas', 'agents', 'prompt_variants',
        'channels', 'keyword_actions', 'content_collections', 'web_widgets', 'knowledge_articles', 'knowledge_sources'] LOOP
        EXECUTE format('CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed()', configured);
    END LOOP;
END $$;

-- Look-ups that come before the tenant is known. They run as the engine and return the least that answers.
CREATE FUNCTION find_channel_for_webhook(channel uuid, wanted_platform text, platform_id text) RETURNS SETOF channels
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.* FROM public.channels c
    WHERE (channel IS NOT NULL AND c.id = channel)
       OR (channel IS NULL AND c.platform = wanted_platform AND c.platform_channel_id = platform_id)
$$;
REVOKE ALL ON FUNCTION find_channel_for_webhook(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_channel_for_webhook(uuid, text, text) TO agentplatform_api, agentplatform_engine;
