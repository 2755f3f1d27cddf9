-- People are recognised by their address whatever its case, and contacts by what their platform makes of a name that somebody gives.

DROP INDEX clients_by_email;
CREATE INDEX clients_by_email ON clients (organization_id, lower(email)) WHERE email IS NOT NULL;
CREATE INDEX partners_by_contact_email ON partners (organization_id, lower(contact_email)) WHERE contact_email IS NOT NULL;

-- One rule for contacts that are made and for those that are looked for.
CREATE FUNCTION called_by_platform(platform text, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT CASE platform WHEN 'whatsapp' THEN ltrim(name, '+') WHEN 'email' THEN lower(name) ELSE name END
$$;
REVOKE ALL ON FUNCTION called_by_platform(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION called_by_platform(text, text) TO agentplatform_api, agentplatform_engine;

CREATE OR REPLACE FUNCTION begin_contact() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    SELECT c.platform INTO NEW.platform FROM public.channels c WHERE c.id = NEW.channel_id AND c.organization_id = NEW.organization_id;
    NEW.platform_user_id := public.called_by_platform(NEW.platform, NEW.platform_user_id);
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
