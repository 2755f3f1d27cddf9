-- What an agent works with outside of this product: another CRM, a webhook, a server of tools (MCP).

CREATE TABLE agent_integrations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT integration_kind_is_known CHECK (kind IN ('crm', 'webhook', 'mcp')),
    name text NOT NULL CONSTRAINT integration_name_is_not_blank CHECK (btrim(name) <> ''),
    connection_id uuid REFERENCES crm_connections (id) ON DELETE CASCADE,
    url text,
    -- sealed (AES-256-GCM); never leaves the server
    secret text,
    tools text[] NOT NULL DEFAULT '{}', -- what the agent may use of it; empty for everything
    is_active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT integration_has_what_its_kind_needs CHECK (CASE kind WHEN 'crm' THEN connection_id IS NOT NULL AND url IS NULL ELSE url IS NOT NULL AND connection_id IS NULL END),
    CONSTRAINT agent_has_an_integration_once UNIQUE NULLS NOT DISTINCT (agent_id, kind, connection_id, url)
);
CREATE INDEX agent_integrations_by_organization ON agent_integrations (organization_id, agent_id, created_at DESC);
CREATE INDEX agent_integrations_by_connection ON agent_integrations (connection_id) WHERE connection_id IS NOT NULL;

SELECT enable_tenant_isolation('agent_integrations');
CREATE TRIGGER set_updated_at BEFORE UPDATE ON agent_integrations FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON agent_integrations FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
