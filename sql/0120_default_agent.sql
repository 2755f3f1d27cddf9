-- A channel that names no agent is answered by the organization's default agent: the one that somebody chose, while it is active; else the first active one. Where nobody
-- answers, one function says why: for who reads the channel, and for the engine, which logs it. An agent that belongs to one channel is nobody's default.

ALTER TABLE organizations ADD COLUMN default_agent_id uuid REFERENCES agents (id) ON DELETE SET NULL;
CREATE INDEX organizations_by_default_agent ON organizations (default_agent_id) WHERE default_agent_id IS NOT NULL;

-- This one and the next take columns rather than ids, so that they hold for a row that is just being written.
CREATE FUNCTION default_agent_of(organization uuid, chosen uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT a.id
    FROM public.agents a
    WHERE a.organization_id = organization AND a.status = 'active' AND a.channel_id IS NULL
    ORDER BY (a.id IS NOT DISTINCT FROM chosen) DESC, a.created_at, a.id
    LIMIT 1
$$;

CREATE FUNCTION channel_answer(organization uuid, own_agent uuid, channel_is_active boolean, bot_is_active boolean, OUT agent_id uuid, OUT not_answered_code text)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT CASE WHEN found.code IS NULL THEN found.agent END, found.code
    FROM (
        SELECT answering.id AS agent, CASE
            WHEN NOT channel_is_active THEN 'channel_inactive'
            WHEN NOT bot_is_active THEN 'bot_inactive'
            WHEN NOT o.ai_enabled THEN 'organization_ai_disabled'
            WHEN answering.id IS NULL THEN 'no_active_agent'
            WHEN answering.status <> 'active' THEN 'agent_inactive'
        END AS code
        FROM public.organizations o
        LEFT JOIN public.agents answering ON answering.organization_id = o.id AND answering.id = coalesce(own_agent, public.default_agent_of(o.id, o.default_agent_id))
        WHERE o.id = organization) found
$$;
REVOKE ALL ON FUNCTION default_agent_of(uuid, uuid), channel_answer(uuid, uuid, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION default_agent_of(uuid, uuid), channel_answer(uuid, uuid, boolean, boolean) TO agentplatform_api, agentplatform_engine;

-- The channel with what answers in it; the columns of before keep their names and meaning.
DROP FUNCTION find_channel_for_webhook(uuid, text, text);

CREATE FUNCTION find_channel_for_webhook(channel uuid, wanted_platform text, platform_id text)
    RETURNS TABLE (
        id uuid, organization_id uuid, platform text, platform_channel_id text, agent_id uuid, name text, is_active boolean, is_bot_active boolean,
        organization_ai_enabled boolean, broken_reason text, credentials text, settings jsonb,
        response_delay_seconds integer, on_new_message text, agent_is_active boolean, keywords jsonb, not_answered_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.id, c.organization_id, c.platform, c.platform_channel_id, a.id, c.name, c.is_active, c.is_bot_active,
        o.ai_enabled, c.broken_reason, c.credentials, c.settings,
        a.response_delay_seconds, a.on_new_message, coalesce(a.status = 'active', false),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('keyword', k.keyword, 'action', k.action_type, 'items', coalesce(to_jsonb(i.items), '[]'::jsonb))), '[]'::jsonb)
         FROM public.keyword_actions k
         LEFT JOIN public.content_collections i ON i.channel_id = k.channel_id AND i.collection_id = k.collection_id
         WHERE k.channel_id = c.id),
        (SELECT answer.not_answered_code FROM public.channel_answer(c.organization_id, c.agent_id, c.is_active, c.is_bot_active) answer)
    FROM public.channels c
    JOIN public.organizations o ON o.id = c.organization_id
    LEFT JOIN public.agents a ON a.organization_id = c.organization_id AND a.id = coalesce(c.agent_id, public.default_agent_of(o.id, o.default_agent_id))
    WHERE (channel IS NOT NULL AND c.id = channel)
       OR (channel IS NULL AND c.platform = wanted_platform AND c.platform_channel_id = platform_id)
$$;
REVOKE ALL ON FUNCTION find_channel_for_webhook(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_channel_for_webhook(uuid, text, text) TO agentplatform_api, agentplatform_engine;
