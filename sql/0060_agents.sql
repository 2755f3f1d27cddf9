-- What agents still lacked of the systems that they come from: the name by which a script knows an agent, agents of one channel alone, one agent of a
-- type and name; sources in the tree of categories; what reads of agents and of old messages go by.

ALTER TABLE agents
    ADD COLUMN key text CONSTRAINT agent_key_is_plain CHECK (key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
    ADD COLUMN channel_id uuid REFERENCES channels (id) ON DELETE CASCADE; -- NULL: any channel may name it
CREATE UNIQUE INDEX agents_one_per_key_in_channel ON agents (channel_id, key) WHERE channel_id IS NOT NULL;
CREATE UNIQUE INDEX agents_one_per_key ON agents (organization_id, key) WHERE channel_id IS NULL;

-- Names that are taken twice get their number, oldest first.
UPDATE agents a SET name = a.name || ' ' || n.number
FROM (SELECT id, row_number() OVER (PARTITION BY organization_id, agent_type, name ORDER BY created_at, id) AS number FROM agents) n
WHERE n.id = a.id AND n.number > 1;
ALTER TABLE agents ADD CONSTRAINT one_agent_per_type_and_name UNIQUE NULLS NOT DISTINCT (organization_id, agent_type, name, channel_id);
CREATE INDEX agents_by_type ON agents (organization_id, agent_type);

-- The channel's agent is one that the channel may name.
CREATE FUNCTION check_agent_of_channel() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF EXISTS (SELECT FROM public.channels c JOIN public.agents a ON a.id = c.agent_id
               WHERE a.channel_id <> c.id AND (CASE WHEN TG_TABLE_NAME = 'channels' THEN c.id = NEW.id ELSE a.id = NEW.id END)) THEN
        RAISE EXCEPTION 'The agent belongs to another channel.' USING ERRCODE = 'check_violation', CONSTRAINT = 'agent_of_another_channel_is_not_named', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_agent_of_channel AFTER INSERT OR UPDATE OF agent_id ON channels
    FOR EACH ROW WHEN (NEW.agent_id IS NOT NULL) EXECUTE FUNCTION check_agent_of_channel();
CREATE TRIGGER check_agent_of_channel AFTER UPDATE OF channel_id ON agents
    FOR EACH ROW WHEN (NEW.channel_id IS NOT NULL) EXECUTE FUNCTION check_agent_of_channel();

CREATE INDEX prompt_variants_by_type ON prompt_variants (organization_id, agent_type);

-- A source stands in the same tree as articles.
ALTER TABLE knowledge_sources
    ADD COLUMN category_id uuid REFERENCES knowledge_categories (id) ON DELETE SET NULL,
    ADD CONSTRAINT source_has_what_its_type_needs CHECK (CASE type WHEN 'text' THEN content IS NOT NULL WHEN 'url' THEN url IS NOT NULL ELSE true END),
    ADD CONSTRAINT failed_source_says_why CHECK (status <> 'failed' OR error IS NOT NULL);
CREATE INDEX knowledge_sources_by_category ON knowledge_sources (category_id);
CREATE INDEX knowledge_chunks_by_agent ON knowledge_chunks (agent_id);

-- A conversation by the agent of its own, and by state within an organization.
CREATE INDEX conversations_by_agent ON conversations (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX conversations_by_status ON conversations (organization_id, status);
