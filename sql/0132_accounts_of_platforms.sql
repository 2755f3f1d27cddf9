-- Nobody holds another's account: organizations may each connect the same number, and an event goes to the one under whose secret it is signed. Naming a number proves nothing, and
-- kept its owner out before.
ALTER TABLE channels DROP CONSTRAINT platform_channel_is_connected_once, ADD CONSTRAINT platform_channel_is_connected_once UNIQUE (platform, platform_channel_id, organization_id);

-- The channels that say they are a platform's account, those first that said so first.
CREATE FUNCTION channels_called(wanted_platform text, platform_id text, at_most integer) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(array_agg(c.id ORDER BY c.created_at, c.id), '{}')
    FROM (SELECT * FROM public.channels k WHERE k.platform = wanted_platform AND k.platform_channel_id = platform_id ORDER BY k.created_at, k.id LIMIT at_most) c
$$;
REVOKE ALL ON FUNCTION channels_called(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION channels_called(text, text, integer) TO agentplatform_api, agentplatform_engine;
