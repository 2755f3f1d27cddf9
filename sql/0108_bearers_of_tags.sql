-- Whatever is tagged holds its own row first and then those of its tags. Who changes a tag takes them in the same order: all that bear it by their ids, and then the tag.
CREATE FUNCTION hold_bearers_of_tag(organization uuid, tag uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    borne text := (SELECT t.name FROM public.tags t WHERE t.organization_id = organization AND t.id = tag);
    tagged text;
BEGIN
    IF borne IS NULL THEN
        RETURN;
    END IF;
    FOREACH tagged IN ARRAY ARRAY['clients', 'deals', 'notes'] LOOP
        EXECUTE format(
            'SELECT count(*) FROM (SELECT b.id FROM public.%I b WHERE b.organization_id = $1 AND b.tags @> ARRAY[$2] AND b.tags <> ''{}'' ORDER BY b.id FOR NO KEY UPDATE) held', tagged)
        USING organization, borne;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION hold_bearers_of_tag(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_bearers_of_tag(uuid, uuid) TO agentplatform_api;
