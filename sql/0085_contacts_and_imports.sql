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

-- As before, and an import tells nobody of the work that it brings.
CREATE OR REPLACE FUNCTION notify_activity_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF pg_catalog.current_setting('app.is_import', true) IS DISTINCT FROM 'true'
        AND new.assigned_to IS DISTINCT FROM public.current_user_id() AND new.status = 'pending' AND (tg_op = 'INSERT' OR new.assigned_to IS DISTINCT FROM old.assigned_to) THEN
        PERFORM public.notify_member(new.organization_id, new.assigned_to, 'activity_assigned', pg_catalog.format('%s is yours', new.subject), new.description,
            'activity', new.id, pg_catalog.format('assigned %s %s', new.id, new.version));
    END IF;
    RETURN null;
END $$;

-- By these, files name products and partners. The rest of what they name has indexes for its lists.
CREATE INDEX products_by_sku ON products (organization_id, sku) WHERE sku IS NOT NULL;
CREATE INDEX products_by_name ON products (organization_id, name, id);
CREATE INDEX partners_by_name ON partners (organization_id, name, id);
