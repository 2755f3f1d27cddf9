-- Whose a platform's account is, the platform says: a channel whose credentials it has taken for the account comes before all that merely name it, and of those the newest come first.
-- Null until it was asked, again after each change of what it is asked about.
ALTER TABLE channels ADD COLUMN is_account_confirmed boolean;
CREATE INDEX channels_to_confirm ON channels (id) WHERE is_account_confirmed IS NULL AND platform = 'whatsapp' AND is_active AND settings ->> 'apiBaseUrl' IS NULL;

CREATE FUNCTION forget_confirmation() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    new.is_account_confirmed := NULL;
    RETURN new;
END $$;
CREATE TRIGGER forget_confirmation BEFORE UPDATE OF platform_channel_id, credentials, settings ON channels FOR EACH ROW
    WHEN (old.platform_channel_id IS DISTINCT FROM new.platform_channel_id OR old.credentials IS DISTINCT FROM new.credentials OR old.settings ->> 'apiBaseUrl' IS DISTINCT FROM new.settings ->> 'apiBaseUrl')
    EXECUTE FUNCTION forget_confirmation();
CREATE OR REPLACE FUNCTION channels_called(wanted_platform text, platform_id text, at_most integer) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(array_agg(c.id ORDER BY c.is_account_confirmed IS TRUE DESC, c.created_at DESC, c.id DESC), '{}')
    FROM (SELECT * FROM public.channels k WHERE k.platform = wanted_platform AND k.platform_channel_id = platform_id
        ORDER BY k.is_account_confirmed IS TRUE DESC, k.created_at DESC, k.id DESC LIMIT at_most) c
$$;

-- Secrets of confirmed channels are tried first.
CREATE OR REPLACE FUNCTION list_sealed_credentials(wanted_platform text, at_most integer)
    RETURNS TABLE (organization_id uuid, credentials text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.organization_id, c.credentials FROM public.channels c
    WHERE c.platform = wanted_platform AND c.is_active AND c.credentials IS NOT NULL
    ORDER BY c.is_account_confirmed IS TRUE DESC, c.created_at DESC, c.id DESC
    LIMIT at_most
$$;
