-- Which organizations have messages that search doesn't know yet: one look into the index for each. As a condition (EXISTS) it could be planned as a join with
-- all messages there are, every two seconds.
CREATE OR REPLACE FUNCTION index_messages_for_search(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    horizon xid8 := public.live_feed_horizon();
    tenant record;
    taken integer;
    total integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7021) THEN
        RETURN 0;
    END IF;
    FOR tenant IN
        SELECT o.id, coalesce(p.changed_in, '0'::xid8) AS changed_in, coalesce(p.message_id, '00000000-0000-0000-0000-000000000000') AS message_id
        FROM public.organizations o LEFT JOIN public.message_search_positions p ON p.organization_id = o.id
        CROSS JOIN LATERAL (
            SELECT FROM public.messages m WHERE m.organization_id = o.id AND m.changed_in < horizon
                AND (m.changed_in, m.id) > (coalesce(p.changed_in, '0'::xid8), coalesce(p.message_id, '00000000-0000-0000-0000-000000000000'))
            LIMIT 1) waiting
        ORDER BY p.changed_in NULLS FIRST
    LOOP
        EXIT WHEN total >= most;
        WITH next AS MATERIALIZED (
            SELECT m.id, m.conversation_id, m.changed_in, m.text_content
            FROM public.messages m
            WHERE m.organization_id = tenant.id AND m.changed_in < horizon AND (m.changed_in, m.id) > (tenant.changed_in, tenant.message_id)
            ORDER BY m.changed_in, m.id LIMIT most - total
        ), kept AS (
            INSERT INTO public.message_search (message_id, organization_id, conversation_id, search)
            SELECT n.id, tenant.id, n.conversation_id,
                to_tsvector('simple', left(n.text_content, 10000)) || to_tsvector('simple', public.organization_word(tenant.id))
            FROM next n WHERE n.text_content <> ''
            ON CONFLICT (message_id) DO NOTHING
        ), moved AS (
            INSERT INTO public.message_search_positions AS p (organization_id, changed_in, message_id)
            SELECT tenant.id, n.changed_in, n.id FROM next n ORDER BY n.changed_in DESC, n.id DESC LIMIT 1
            ON CONFLICT (organization_id) DO UPDATE SET changed_in = excluded.changed_in, message_id = excluded.message_id
        )
        SELECT count(*) INTO taken FROM next;
        total := total + taken;
    END LOOP;
    RETURN total;
END $$;
