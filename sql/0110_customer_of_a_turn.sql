-- Whom a turn answers, and how the conversation's last turn ended: read on each turn, by keys. While tables grow, a plan made for some values looks cheaper to Postgres than
-- one for any, since it was made when they were smaller, and each connection plans a few dozen times anew, which takes five times as long as the reading. A function keeps one
-- plan for any values, and only for itself: other statements of the engine are better off with plans for one organization's size.
-- OFFSET 0 keeps the client a look-up: for a join the planner looks at the ends of both indexes, which are full of what was just written. The organization is compared in
-- a way that no index serves, so that each table is reached by one key only.
CREATE FUNCTION customer_of_turn(contact_id uuid, organization_id uuid, conversation_id uuid, turn_id uuid, OUT customer_name text, OUT customer_language text, OUT previous_outcome text)
    RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 1 SET search_path = '' SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(c.name, l.first_name), coalesce(l.preferred_language, c.language),
           (SELECT t.outcome FROM public.turns t WHERE t.conversation_id = $3 AND t.id <> $4 AND t.state = 'completed' ORDER BY t.created_at DESC, t.id DESC LIMIT 1)
    FROM public.contacts c
    LEFT JOIN LATERAL (SELECT k.first_name, k.preferred_language FROM public.clients k WHERE k.id = c.client_id OFFSET 0) l ON true
    WHERE c.id = $1 AND c.organization_id IS NOT DISTINCT FROM $2;
END $$;
REVOKE ALL ON FUNCTION customer_of_turn(uuid, uuid, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION customer_of_turn(uuid, uuid, uuid, uuid) TO agentplatform_engine;
