-- What agents remember of a client beyond one conversation: facts by name, the newest value of each.

CREATE TABLE agent_memories (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE, -- NULL: for every agent
    conversation_id uuid REFERENCES conversations (id) ON DELETE SET NULL, -- where it was learned
    kind text NOT NULL DEFAULT 'fact' CONSTRAINT memory_kind_is_known CHECK (kind IN ('fact', 'preference', 'event', 'summary')),
    key text NOT NULL CONSTRAINT memory_key_is_not_blank CHECK (btrim(key) <> ''),
    content text NOT NULL CONSTRAINT memory_is_not_blank CHECK (btrim(content) <> ''),
    confidence numeric(3, 2) NOT NULL DEFAULT 1 CONSTRAINT confidence_is_between_0_and_1 CHECK (confidence BETWEEN 0 AND 1),
    expires_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_memory_per_client_agent_and_key UNIQUE NULLS NOT DISTINCT (client_id, agent_id, key)
);
CREATE INDEX agent_memories_by_organization ON agent_memories (organization_id, client_id, created_at DESC);
CREATE INDEX agent_memories_by_agent ON agent_memories (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX agent_memories_by_conversation ON agent_memories (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX agent_memories_by_expiry ON agent_memories (expires_at) WHERE expires_at IS NOT NULL;

SELECT enable_tenant_isolation('agent_memories');
CREATE TRIGGER set_updated_at BEFORE UPDATE ON agent_memories FOR EACH ROW EXECUTE FUNCTION update_updated_at();
