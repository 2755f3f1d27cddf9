-- The hot path: conversations, messages, turns. Each index here is paid for by every message; each names its reader.
-- A message changes no indexed column of its conversation as long as that can be helped, so that Postgres rewrites the row within its page and
-- leaves all its indexes alone: a third of the processor time and of the log of a message.

-- One silo process (or the embedded host). A turn belongs to an instance; when its heartbeat stops, others take its turns over.
CREATE TABLE engine_instances (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON engine_instances TO agentplatform_engine;

CREATE TABLE conversations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    client_id uuid REFERENCES clients (id) ON DELETE SET NULL,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL, -- NULL: the channel's agent
    -- of the seeds' words: completed = resolved, archived = put away
    status text NOT NULL DEFAULT 'active' CONSTRAINT conversation_status_is_known CHECK (status IN ('active', 'escalated', 'completed', 'archived')),
    managed_by text NOT NULL DEFAULT 'ai' CONSTRAINT managed_by_is_known CHECK (managed_by IN ('ai', 'human')),
    assigned_to uuid REFERENCES users (id) ON DELETE SET NULL,
    internal_notes text,
    -- the version that the next commit must name; a stale writer fails here
    version bigint NOT NULL DEFAULT 1,
    -- raised by a human takeover; AI output of an older epoch can't be committed
    epoch integer NOT NULL DEFAULT 0,
    last_sequence bigint NOT NULL DEFAULT 0,
    -- for sorting: exact, but while messages flood in it may stay up to ten seconds behind, so that its indexes need not follow each
    last_message_at timestamptz,
    last_inbound_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- the transaction of the last change; tells the statements of one batch which conversations advanced
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- the transaction of the last change that came without a message: the live feed's position (messages have their own)
    changed_alone_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT one_conversation_per_contact UNIQUE (contact_id)
) WITH (fillfactor = 70);
CREATE INDEX conversations_inbox ON conversations (organization_id, last_message_at DESC, id DESC); -- the inbox
CREATE INDEX conversations_live_feed ON conversations (organization_id, changed_alone_in, id); -- live events
CREATE INDEX conversations_by_assignee ON conversations (assigned_to, last_message_at DESC) WHERE assigned_to IS NOT NULL; -- "mine"
CREATE INDEX conversations_by_client ON conversations (client_id);
CREATE INDEX conversations_by_channel ON conversations (channel_id, last_message_at DESC);

CREATE TABLE turns (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL,
    instance_id uuid, -- whose heartbeat is the lease
    state text NOT NULL CONSTRAINT turn_state_is_known CHECK (state IN ('settling', 'running', 'completed', 'failed', 'cancelled')),
    attempt integer NOT NULL DEFAULT 1,
    epoch integer NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL,
    due_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    outcome text CONSTRAINT turn_outcome_is_known CHECK (outcome IN ('replied', 'silent', 'escalated', 'fallback', 'superseded', 'taken_over')),
    responder text CONSTRAINT turn_responder_is_known CHECK (responder IN ('model', 'built_in', 'keyword')),
    provider text,
    model text,
    prompt_variant_id uuid REFERENCES prompt_variants (id) ON DELETE SET NULL,
    prompt jsonb,
    passages jsonb,
    tool_calls jsonb,
    input_tokens integer NOT NULL DEFAULT 0,
    output_tokens integer NOT NULL DEFAULT 0,
    tokens_estimated boolean NOT NULL DEFAULT false,
    cost numeric(12, 6) NOT NULL DEFAULT 0,
    timings jsonb,
    error text,
    trace_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX turns_one_unfinished_per_conversation ON turns (conversation_id) WHERE state IN ('settling', 'running');
CREATE INDEX turns_by_conversation ON turns (conversation_id, created_at DESC, id DESC);
CREATE INDEX turns_unfinished ON turns (instance_id, due_at) WHERE state IN ('settling', 'running'); -- the sweep
CREATE INDEX turns_by_organization ON turns (organization_id, created_at DESC, id DESC);

CREATE TABLE messages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    turn_id uuid,
    sender_id uuid,
    sequence bigint NOT NULL,
    direction text NOT NULL CONSTRAINT message_direction_is_known CHECK (direction IN ('inbound', 'outbound', 'internal')),
    sender_type text NOT NULL CONSTRAINT sender_type_is_known CHECK (sender_type IN ('user', 'agent', 'ai', 'system')),
    content_type text NOT NULL DEFAULT 'text',
    status text NOT NULL CONSTRAINT message_status_is_known
        CHECK (status IN ('received', 'pending', 'sending', 'sent', 'delivered', 'read', 'failed')),
    is_read_by_agent boolean NOT NULL DEFAULT false,
    text_content text,
    attachment_url text,
    attachment_metadata jsonb,
    payload jsonb, -- what text can't say: buttons, a location, the raw body of an unknown type
    platform_message_id text,
    reply_to_platform_id text,
    language text,
    translated_content text,
    error text,
    error_code text,
    send_attempts smallint NOT NULL DEFAULT 0,
    platform_timestamp timestamptz,
    sent_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT message_sequence_is_unique UNIQUE (conversation_id, sequence),
    -- Organization, channel and contact are those of the conversation, which the engine alone writes; one key checks them all.
    CONSTRAINT message_belongs_to_its_conversation FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX messages_once_per_platform_id ON messages (channel_id, platform_message_id) WHERE platform_message_id IS NOT NULL; -- nothing happens twice
CREATE INDEX messages_live_feed ON messages (organization_id, changed_in, id); -- live events
CREATE INDEX messages_to_send ON messages (conversation_id, sequence) WHERE status IN ('pending', 'sending'); -- recovery
CREATE INDEX messages_unsent_by_age ON messages (created_at) WHERE status IN ('pending', 'sending'); -- the sweep

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['conversations', 'turns', 'messages']::regclass[]) t;

-- How far a delivery has come. Receipts only move forward: a late "sent" never hides a "read".
CREATE FUNCTION message_status_rank(status text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE status WHEN 'received' THEN 0 WHEN 'pending' THEN 1 WHEN 'sending' THEN 2 WHEN 'sent' THEN 3
        WHEN 'failed' THEN 4 WHEN 'delivered' THEN 5 WHEN 'read' THEN 6 END
$$;

-- Everything committed in a transaction below the horizon is visible and final: a reader that stops there misses nothing.
CREATE FUNCTION live_feed_horizon() RETURNS xid8
    LANGUAGE sql STABLE AS $$ SELECT pg_snapshot_xmin(pg_current_snapshot()) $$;
