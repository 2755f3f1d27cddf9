-- What moving in from another CRM needs: contacts that are there before their first message, references by what people call things, no flood of news.

-- A contact that a person makes takes its channel's platform, and is called as that platform will call it when it writes. Whom the channel knows by that name, under
-- whichever of several, is the same person.
CREATE FUNCTION begin_contact() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    SELECT c.platform INTO NEW.platform FROM public.channels c WHERE c.id = NEW.channel_id AND c.organization_id = NEW.organization_id;
    NEW.platform_user_id := CASE NEW.platform WHEN 'whatsapp' THEN ltrim(NEW.platform_user_id, '+') WHEN 'email' THEN lower(NEW.platform_user_id) ELSE NEW.platform_user_id END;
    IF NOT (CASE NEW.platform
        WHEN 'whatsapp' THEN NEW.platform_user_id ~ '^[1-9][0-9]{4,14}$'
        WHEN 'telegram' THEN NEW.platform_user_id ~ '^-?[1-9][0-9]{0,18}$'
        WHEN 'sms' THEN NEW.platform_user_id ~ '^\+[1-9][0-9]{4,14}$'
        WHEN 'phone' THEN NEW.platform_user_id ~ '^\+[1-9][0-9]{4,14}$'
        WHEN 'email' THEN NEW.platform_user_id ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$'
        ELSE true END) THEN
        PERFORM public.refuse_change('platform_user_id_fits_its_platform', 'The platform calls nobody so.');
    END IF;
    IF EXISTS (SELECT FROM public.contact_identities i WHERE i.channel_id = NEW.channel_id AND i.identity = NEW.platform_user_id)
        OR EXISTS (SELECT FROM public.contacts k WHERE k.channel_id = NEW.channel_id AND k.platform_user_id = NEW.platform_user_id) THEN
        PERFORM public.refuse_change('contact_is_new_to_its_channel', 'The channel has a contact that the platform calls so.');
    END IF;
    NEW.phone := coalesce(NEW.phone, CASE NEW.platform WHEN 'whatsapp' THEN '+' || NEW.platform_user_id WHEN 'sms' THEN NEW.platform_user_id WHEN 'phone' THEN NEW.platform_user_id END);
    RETURN NEW;
END $$;
-- Before the client is made of it: triggers run in the order of their names. The engine knows all this when it meets somebody.
CREATE TRIGGER begin_contact BEFORE INSERT ON contacts
    FOR EACH ROW WHEN (current_user = 'agentplatform_api') EXECUTE FUNCTION begin_contact();

-- The engine finds a contact with its conversation, so it has one: archived, until somebody writes. The engine makes both in one statement.
CREATE FUNCTION begin_conversation_of_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.contact_identities (channel_id, identity, contact_id, organization_id) VALUES (NEW.channel_id, NEW.platform_user_id, NEW.id, NEW.organization_id);
    INSERT INTO public.conversations (organization_id, channel_id, contact_id, client_id, status, last_message_at, started_at, ended_at)
    VALUES (NEW.organization_id, NEW.channel_id, NEW.id, NEW.client_id, 'archived', coalesce(NEW.last_interaction_at, NEW.created_at), NEW.created_at, now());
    RETURN NULL;
END $$;
CREATE TRIGGER begin_conversation_of_contact AFTER INSERT ON contacts
    FOR EACH ROW WHEN (current_user = 'agentplatform_api') EXECUTE FUNCTION begin_conversation_of_contact();

-- As before, and an import tells nobody of what it brings: work that is given to people, notes that name them.
CREATE OR REPLACE FUNCTION notify_member(organization uuid, person uuid, type text, title text, body text DEFAULT NULL,
    entity_type text DEFAULT NULL, entity_id uuid DEFAULT NULL, deduplication_key text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_variable
DECLARE
    told uuid;
    wanted record;
BEGIN
    -- The API's transactions are bound to one organization: they can't tell members of another.
    IF organization IS DISTINCT FROM coalesce(public.current_organization_id(), organization) THEN
        RAISE EXCEPTION 'A notification belongs to the organization of its transaction.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT u.email AS address, coalesce(p.in_app, true) AS in_app, coalesce(p.email, public.is_emailed_by_default(type)) AS by_email INTO wanted
    FROM public.organization_members m
    JOIN public.users u ON u.id = m.user_id AND u.is_active
    LEFT JOIN public.notification_preferences p ON p.organization_id = m.organization_id AND p.user_id = m.user_id AND p.type = notify_member.type
    WHERE m.organization_id = organization AND m.user_id = person AND m.status = 'active';
    IF NOT FOUND OR pg_catalog.current_setting('app.is_import', true) = 'true' THEN
        RETURN null;
    END IF;
    IF wanted.in_app THEN
        INSERT INTO public.notifications AS n (organization_id, user_id, type, title, body, entity_type, entity_id, deduplication_key)
        VALUES (organization, person, type, left(title, 300), left(body, 2000), entity_type, entity_id, deduplication_key)
        ON CONFLICT ON CONSTRAINT notification_is_told_once DO NOTHING RETURNING n.id INTO told;
        IF told IS NULL THEN
            RETURN null;
        END IF;
    END IF;
    IF wanted.by_email THEN
        INSERT INTO public.outgoing_emails (organization_id, user_id, kind, to_address, subject, body, entity_type, entity_id, deduplication_key)
        VALUES (organization, person, 'notification', wanted.address, left(title, 300), left(body, 2000), entity_type, entity_id,
            organization::text || ' ' || person::text || ' ' || deduplication_key)
        ON CONFLICT ON CONSTRAINT email_is_sent_once DO NOTHING;
    END IF;
    RETURN told;
END $$;

-- By these, files name products and partners. The rest of what they name has indexes for its lists.
CREATE INDEX products_by_sku ON products (organization_id, sku) WHERE sku IS NOT NULL;
CREATE INDEX products_by_name ON products (organization_id, name, id);
CREATE INDEX partners_by_name ON partners (organization_id, name, id);
