-- What is told of a contact follows the contact and its messages, whoever changes them.

-- The client of a conversation is its contact's: a contact that is given to another client takes its conversation along.
CREATE FUNCTION carry_client_of_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE public.conversations v SET client_id = NEW.client_id, updated_at = now(), changed_alone_in = pg_current_xact_id()
    WHERE v.contact_id = NEW.id AND v.client_id IS DISTINCT FROM NEW.client_id;
    RETURN NULL;
END $$;
CREATE TRIGGER carry_client_of_contact AFTER UPDATE OF client_id ON contacts
    FOR EACH ROW WHEN (OLD.client_id IS DISTINCT FROM NEW.client_id) EXECUTE FUNCTION carry_client_of_contact();
UPDATE conversations v SET client_id = k.client_id FROM contacts k WHERE k.id = v.contact_id AND k.client_id IS DISTINCT FROM v.client_id;

-- The engine sets it in the statement that it writes every message with; everybody else is spared the thought.
CREATE TRIGGER set_updated_at BEFORE UPDATE ON contacts
    FOR EACH ROW WHEN (current_user <> 'agentplatform_engine') EXECUTE FUNCTION update_updated_at();

-- As before, and a client that goes away between the two statements is made anew.
CREATE OR REPLACE FUNCTION create_client_on_new_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    e164 text := CASE WHEN NEW.phone ~ '^\+[1-9][0-9]{4,14}$' THEN NEW.phone END;
BEGIN
    WHILE NEW.client_id IS NULL LOOP
        INSERT INTO public.clients (id, organization_id, contact_id, first_name, phone, source, platform_user_id, last_contact_date, preferred_language, agent_id)
        VALUES (gen_random_uuid(), NEW.organization_id, NEW.id, NEW.name, e164, NEW.platform, NEW.platform_user_id, NEW.last_interaction_at, NEW.language,
            (SELECT c.agent_id FROM public.channels c WHERE c.id = NEW.channel_id))
        ON CONFLICT (organization_id, phone) DO NOTHING
        RETURNING id INTO NEW.client_id;
        IF NEW.client_id IS NULL THEN
            SELECT c.id INTO NEW.client_id FROM public.clients c WHERE c.organization_id = NEW.organization_id AND c.phone = e164 FOR KEY SHARE;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- The preview of a contact's newest message; null where there is none.
CREATE FUNCTION message_preview(conversation uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT CASE WHEN length(m.text_content) > 120 THEN left(m.text_content, 119) || '…' ELSE coalesce(nullif(m.text_content, ''), '[' || m.content_type || ']') END
    FROM public.messages m WHERE m.conversation_id = conversation AND m.direction <> 'internal' ORDER BY m.sent_at DESC, m.sequence DESC LIMIT 1
$$;

-- What a message does to the summary of its contact, when it comes and when it is read or corrected. The engine writes both in one statement, so this is for everybody else.
CREATE OR REPLACE FUNCTION update_contact_summary_on_message() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NEW.direction = 'internal' THEN
        RETURN NULL;
    END IF;
    UPDATE public.contacts k
    SET last_message_preview = public.message_preview(NEW.conversation_id),
        last_interaction_at = CASE WHEN TG_OP = 'INSERT' THEN greatest(k.last_interaction_at, NEW.sent_at) ELSE k.last_interaction_at END,
        unread_count = greatest(0, k.unread_count + CASE WHEN NEW.sender_type <> 'user' THEN 0
            WHEN TG_OP = 'INSERT' THEN CASE WHEN NEW.is_read_by_agent THEN 0 ELSE 1 END
            ELSE OLD.is_read_by_agent::integer - NEW.is_read_by_agent::integer END),
        updated_at = now()
    WHERE k.id = NEW.contact_id;
    RETURN NULL;
END $$;
DROP TRIGGER messages_read_summary_trigger ON messages;
CREATE TRIGGER messages_read_summary_trigger AFTER UPDATE OF is_read_by_agent, text_content ON messages
    FOR EACH ROW WHEN (current_user <> 'agentplatform_engine') EXECUTE FUNCTION update_contact_summary_on_message();

-- What is gone is neither shown nor waits to be read. Of many at once each contact is looked at once.
CREATE FUNCTION update_contact_summary_on_removal() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE public.contacts k
    SET last_message_preview = public.message_preview(g.conversation_id), unread_count = greatest(0, k.unread_count - g.unread), updated_at = now()
    FROM (SELECT contact_id, conversation_id, count(*) FILTER (WHERE sender_type = 'user' AND NOT is_read_by_agent)::integer AS unread FROM gone GROUP BY 1, 2) g
    WHERE k.id = g.contact_id;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_removal_summary_trigger AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT WHEN (current_user <> 'agentplatform_engine') EXECUTE FUNCTION update_contact_summary_on_removal();
