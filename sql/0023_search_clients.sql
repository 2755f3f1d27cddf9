-- Clients and contacts by any part of their names and numbers, under the same conditions as conversations (see 0021).
CREATE INDEX clients_search ON clients USING gin ((lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(company_name, '') || ' '
    || coalesce(email, '') || ' ' || coalesce(phone, ''))) gin_trgm_ops);

-- A text as part of a LIKE pattern.
CREATE FUNCTION containing(wanted text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT '%' || replace(replace(replace(lower(wanted), '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;

-- The thousand newest of this transaction's organization.
CREATE FUNCTION search_clients(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY
        SELECT c.id FROM public.clients c
        WHERE c.organization_id = public.current_organization_id()
            AND lower(coalesce(c.first_name, '') || ' ' || coalesce(c.last_name, '') || ' ' || coalesce(c.company_name, '') || ' '
                || coalesce(c.email, '') || ' ' || coalesce(c.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
        ORDER BY c.created_at DESC, c.id DESC LIMIT 1000;
END $$;

CREATE FUNCTION search_contacts(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY
        SELECT k.id FROM public.contacts k
        WHERE k.organization_id = public.current_organization_id()
            AND lower(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
        ORDER BY k.created_at DESC, k.id DESC LIMIT 1000;
END $$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['search_clients(text)', 'search_contacts(text)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api', entry);
    END LOOP;
END $$;
