-- Tags of many rows that are made together are looked at together: an import makes a thousand rows in one statement, which mostly bear the same few.
CREATE FUNCTION keep_tags_of_rows() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM made WHERE made.tags <> '{}') THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.tags (organization_id, name)
    SELECT DISTINCT made.organization_id, used FROM made, unnest(made.tags) used WHERE btrim(used) <> '' ORDER BY 1, 2
    ON CONFLICT (organization_id, name) DO NOTHING;
    RETURN NULL;
END $$;

DO $$
DECLARE
    tagged text;
BEGIN
    FOREACH tagged IN ARRAY ARRAY['clients', 'deals', 'notes'] LOOP
        EXECUTE format('DROP TRIGGER keep_tags ON public.%I', tagged);
        EXECUTE format('CREATE TRIGGER keep_tags AFTER UPDATE OF tags ON public.%I FOR EACH ROW WHEN (NEW.tags <> ''{}'') EXECUTE FUNCTION public.keep_tags()', tagged);
        EXECUTE format('CREATE TRIGGER keep_tags_of_rows AFTER INSERT ON public.%I REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.keep_tags_of_rows()', tagged);
    END LOOP;
END $$;
