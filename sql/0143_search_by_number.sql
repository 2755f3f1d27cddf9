-- Numbers are searched as people write them: with blanks and hyphens, and with the zero that is dialled within a country.

-- What a phone number that is kept would have to hold; null where the text is none, or so short that it could be anything.
CREATE FUNCTION containing_number(wanted text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT '%' || number || '%'
    FROM (SELECT ltrim(pg_catalog.regexp_replace(wanted, '[^0-9]', '', 'g'), '0') AS number) typed
    WHERE wanted OPERATOR(pg_catalog.~) '^[-+0-9 ./()]+$' AND length(number) BETWEEN 5 AND 15
$$;
GRANT EXECUTE ON FUNCTION containing_number(text) TO agentplatform_engine, agentplatform_api;

CREATE OR REPLACE FUNCTION search_clients(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY
        SELECT c.id FROM public.clients c
        WHERE c.organization_id = public.current_organization_id()
            AND (public.comparable_text(coalesce(c.first_name, '') || ' ' || coalesce(c.last_name, '') || ' ' || coalesce(c.company_name, '') || ' '
                || coalesce(c.email, '') || ' ' || coalesce(c.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
            OR public.comparable_text(coalesce(c.first_name, '') || ' ' || coalesce(c.last_name, '') || ' ' || coalesce(c.company_name, '') || ' '
                || coalesce(c.email, '') || ' ' || coalesce(c.phone, '')) OPERATOR(pg_catalog.~~) public.containing_number(wanted))
        ORDER BY c.created_at DESC, c.id DESC LIMIT 1000;
END $$;

CREATE OR REPLACE FUNCTION search_contacts(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY
        SELECT k.id FROM public.contacts k
        WHERE k.organization_id = public.current_organization_id()
            AND (public.comparable_text(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
            OR public.comparable_text(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing_number(wanted))
        ORDER BY k.created_at DESC, k.id DESC LIMIT 1000;
END $$;

CREATE OR REPLACE FUNCTION search_conversations(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    organization uuid := public.current_organization_id();
    words tsquery := to_tsquery('simple', (
        SELECT string_agg(quote_literal(w) || ':*', ' & ') FROM unnest(tsvector_to_array(to_tsvector('simple', public.comparable_text(left(wanted, 200))))) w));
BEGIN
    RETURN QUERY
        SELECT c.id FROM public.contacts k JOIN public.conversations c ON c.contact_id = k.id
        WHERE k.organization_id = organization
            AND (public.comparable_text(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
            OR public.comparable_text(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing_number(wanted))
        ORDER BY c.last_message_at DESC NULLS LAST LIMIT 1000;
    RETURN QUERY
        SELECT found.conversation_id FROM (
            SELECT s.conversation_id, max(s.message_id::text) AS newest FROM public.message_search s
            WHERE s.search OPERATOR(pg_catalog.@@) (words && to_tsquery('simple', public.organization_word(organization))) AND s.organization_id = organization
            GROUP BY s.conversation_id) found
        ORDER BY found.newest DESC LIMIT 1000;
END $$;
