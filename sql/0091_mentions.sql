-- Notes about clients and deals name members too, who are told in the same way as by a note in a conversation.

ALTER TABLE notes ADD COLUMN mentions uuid[] NOT NULL DEFAULT '{}' CONSTRAINT note_names_at_most_20_members CHECK (cardinality(mentions) <= 20);

-- Tells the members whom a note names, but for whoever wrote it; each once for a note, however often it is changed. Who is no active member of the organization is passed over.
CREATE FUNCTION notify_mentioned(organization uuid, named uuid[], author uuid, said text, about text, about_id uuid, note uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    SELECT public.notify_member(organization, mentioned.person, 'mention',
        pg_catalog.format('%s mentioned you', coalesce((SELECT coalesce(u.full_name, u.email) FROM public.users u WHERE u.id = author), 'Somebody')),
        said, about, about_id, 'note ' || note::text)
    FROM (SELECT DISTINCT person FROM pg_catalog.unnest(named) person ORDER BY person) mentioned
    WHERE mentioned.person IS DISTINCT FROM author
$$;
REVOKE ALL ON FUNCTION notify_mentioned(uuid, uuid[], uuid, text, text, uuid, uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION notify_mentions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM public.notify_mentioned(new.organization_id, (SELECT array_agg(m::uuid) FROM pg_catalog.jsonb_array_elements_text(new.payload -> 'mentions') m), new.sender_id,
        new.text_content, 'conversation', new.conversation_id, new.id);
    RETURN null;
END $$;

-- Whoever changes a note to name somebody has named him.
CREATE FUNCTION notify_note_mentions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM public.notify_mentioned(new.organization_id, new.mentions, coalesce(public.current_user_id(), new.created_by),
        pg_catalog.concat_ws(': ', nullif(pg_catalog.btrim(new.title), ''), new.content), 'note', new.id, new.id);
    RETURN null;
END $$;
REVOKE ALL ON FUNCTION notify_note_mentions() FROM PUBLIC;
CREATE TRIGGER notify_mentions AFTER INSERT OR UPDATE OF mentions ON notes FOR EACH ROW WHEN (cardinality(new.mentions) > 0) EXECUTE FUNCTION notify_note_mentions();
