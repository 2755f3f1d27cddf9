-- A channel with everything that a message needs to know about it, in one read: the organization's and the agent's switches, keywords and what
-- they answer. Webhooks come before the tenant is known, so the look-up runs as the schema's owner and answers for one channel only.

DROP FUNCTION find_channel_for_webhook(uuid, text, text);

CREATE FUNCTION find_channel_for_webhook(channel uuid, wanted_platform text, platform_id text)
    RETURNS TABLE (
        id uuid, organization_id uuid, platform text, platform_channel_id text, agent_id uuid, name text, is_active boolean, is_bot_active boolean,
        organization_ai_enabled boolean, broken_reason text, credentials text, settings jsonb,
        response_delay_seconds integer, on_new_message text, agent_is_active boolean, keywords jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.id, c.organization_id, c.platform, c.platform_channel_id, c.agent_id, c.name, c.is_active, c.is_bot_active,
        o.ai_enabled, c.broken_reason, c.credentials, c.settings,
        a.response_delay_seconds, a.on_new_message, coalesce(a.status = 'active', false),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('keyword', k.keyword, 'action', k.action_type, 'items', coalesce(to_jsonb(i.items), '[]'::jsonb))), '[]'::jsonb)
         FROM public.keyword_actions k
         LEFT JOIN public.content_collections i ON i.channel_id = k.channel_id AND i.collection_id = k.collection_id
         WHERE k.channel_id = c.id)
    FROM public.channels c
    JOIN public.organizations o ON o.id = c.organization_id
    LEFT JOIN public.agents a ON a.id = c.agent_id AND a.organization_id = c.organization_id
    WHERE (channel IS NOT NULL AND c.id = channel)
       OR (channel IS NULL AND c.platform = wanted_platform AND c.platform_channel_id = platform_id)
$$;
REVOKE ALL ON FUNCTION find_channel_for_webhook(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_channel_for_webhook(uuid, text, text) TO agentplatform_api, agentplatform_engine;

-- One address for a whole app (WhatsApp): the platform's handshake, and its news about the account, name no channel of ours.
CREATE FUNCTION list_sealed_credentials(wanted_platform text, at_most integer)
    RETURNS TABLE (organization_id uuid, credentials text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.organization_id, c.credentials FROM public.channels c
    WHERE c.platform = wanted_platform AND c.is_active AND c.credentials IS NOT NULL
    ORDER BY c.created_at DESC, c.id DESC
    LIMIT at_most
$$;
REVOKE ALL ON FUNCTION list_sealed_credentials(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION list_sealed_credentials(text, integer) TO agentplatform_api, agentplatform_engine;
