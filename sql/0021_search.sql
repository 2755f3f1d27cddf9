-- Search in conversations. Row security keeps operators that could leak out of index conditions, so a search under it would read every row of the
-- organization: these functions run as the owner and name the organization themselves.

-- Contacts by any part of name, user name or phone number.
CREATE INDEX contacts_search ON contacts USING gin ((lower(coalesce(name, '') || ' ' || coalesce(username, '') || ' ' || coalesce(phone, ''))) gin_trgm_ops);

-- The words of messages, kept apart from them: the hot path writes messages only, a job of the API brings this after within seconds.
-- Every vector also holds the word of its organization, so that one index finds a word within one organization.
CREATE TABLE message_search (
    message_id uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    search tsvector NOT NULL
);
CREATE INDEX message_search_words ON message_search USING gin (search);
CREATE INDEX message_search_by_conversation ON message_search (conversation_id);
CREATE INDEX message_search_by_organization ON message_search (organization_id);
SELECT enable_tenant_isolation('message_search');
REVOKE INSERT, UPDATE, DELETE ON message_search FROM agentplatform_api;

-- How far the messages of an organization have been taken up: a position in its live feed.
CREATE TABLE message_search_positions (
    organization_id uuid PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    changed_in xid8 NOT NULL,
    message_id uuid NOT NULL
);
SELECT enable_tenant_isolation('message_search_positions');
REVOKE INSERT, UPDATE, DELETE ON message_search_positions FROM agentplatform_api;

CREATE FUNCTION organization_word(organization uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$ SELECT 'o' || replace(organization::text, '-', '') $$;

-- Takes up to so many messages, organization by organization; returns how many. One process at a time does it.
CREATE FUNCTION index_messages_for_search(most integer) RETURNS integer
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
        WHERE EXISTS (
            SELECT FROM public.messages m WHERE m.organization_id = o.id AND m.changed_in < horizon
                AND (m.changed_in, m.id) > (coalesce(p.changed_in, '0'::xid8), coalesce(p.message_id, '00000000-0000-0000-0000-000000000000')))
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

-- Conversations of this transaction's organization whose contact or messages hold the text: the thousand newest of each kind.
-- Messages are found by words, the last of which may be unfinished.
CREATE FUNCTION search_conversations(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    organization uuid := public.current_organization_id();
    pattern text := '%' || replace(replace(replace(lower(wanted), '\', '\\'), '%', '\%'), '_', '\_') || '%';
    words tsquery := to_tsquery('simple', (
        SELECT string_agg(quote_literal(w) || ':*', ' & ') FROM unnest(tsvector_to_array(to_tsvector('simple', left(wanted, 200)))) w));
BEGIN
    RETURN QUERY
        SELECT c.id FROM public.contacts k JOIN public.conversations c ON c.contact_id = k.id
        WHERE k.organization_id = organization
            AND lower(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) pattern
        ORDER BY c.last_message_at DESC NULLS LAST LIMIT 1000;
    RETURN QUERY
        SELECT found.conversation_id FROM (
            SELECT s.conversation_id, max(s.message_id::text) AS newest FROM public.message_search s
            WHERE s.search OPERATOR(pg_catalog.@@) (words && to_tsquery('simple', public.organization_word(organization))) AND s.organization_id = organization
            GROUP BY s.conversation_id) found
        ORDER BY found.newest DESC LIMIT 1000;
END $$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['index_messages_for_search(integer)', 'search_conversations(text)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api', entry);
    END LOOP;
END $$;
