-- What a job needs of whoever asks for it, cancels it, or runs it again: a person, or the scopes of an API key; asked again when it runs.
ALTER TABLE jobs ADD COLUMN needs_person boolean NOT NULL DEFAULT false, ADD COLUMN required_scopes text[] NOT NULL DEFAULT '{}';
UPDATE jobs SET needs_person = true WHERE work IN ('organization_export', 'organization_import', 'organization_deletion');
UPDATE jobs SET required_scopes = ARRAY['jobs:write', CASE work WHEN 'resource_import' THEN payload ->> 'resource' || ':write' WHEN 'resource_export' THEN payload ->> 'resource' || ':read' WHEN 'finetuning_dataset' THEN 'conversations:read' ELSE 'clients:write' END]
WHERE work IN ('resource_import', 'resource_export', 'finetuning_dataset', 'personal_data_export', 'erasure');

-- Whether an API key may do what needs these scopes: each by itself, or by the word behind its colon.
CREATE FUNCTION scopes_allow(scopes text[], needed text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT coalesce(pg_catalog.bool_and(n = ANY (scopes) OR pg_catalog.split_part(n, ':', 2) = ANY (scopes)), true) FROM pg_catalog.unnest(needed) n
$$;

CREATE OR REPLACE FUNCTION job_refusal(job uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT CASE
        WHEN r.role IS NULL AND o.status = 'suspended' THEN 'The organization is suspended.'
        WHEN r.role IS NULL THEN 'The member on whose behalf it runs is no longer active.'
        WHEN public.role_rank(r.role) < public.role_rank(j.minimum_role) THEN pg_catalog.format('It needs the role %s; the member who asked for it is %s now.', j.minimum_role, r.role)
        WHEN j.api_key_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.api_keys k WHERE k.id = j.api_key_id AND k.organization_id = j.organization_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > pg_catalog.now())
                AND public.role_rank(k.role) >= public.role_rank(j.minimum_role) AND public.scopes_allow(k.scopes, j.required_scopes))
            THEN 'The API key by which it was asked for no longer works, or no longer has the role or the scopes.'
    END
    FROM public.jobs j JOIN public.organizations o ON o.id = j.organization_id CROSS JOIN LATERAL (
        -- Whoever leaves isn't kept by a suspension.
        SELECT coalesce(public.acting_role_in(j.organization_id, j.user_id), (
            SELECT m.role FROM public.organization_members m JOIN public.users u ON u.id = m.user_id AND u.is_active WHERE j.work = 'organization_deletion' AND m.organization_id = j.organization_id AND m.user_id = j.user_id AND m.status = 'active')) AS role) r
    WHERE j.id = job
$$;

-- That somebody ordered the deletion of everything is told whatever somebody wishes.
DELETE FROM notification_preferences WHERE type = 'organization_deletion';
ALTER TABLE notification_preferences DROP CONSTRAINT preference_type_is_known, ADD CONSTRAINT preference_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'invitation_failed', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed'));

-- A wish not to be told of it, from before, is none: an archive that holds one comes in without it.
CREATE FUNCTION drop_wish_not_to_be_told() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$ BEGIN RETURN null; END $$;
CREATE TRIGGER drop_wish_not_to_be_told BEFORE INSERT ON notification_preferences FOR EACH ROW WHEN (new.type = 'organization_deletion') EXECUTE FUNCTION drop_wish_not_to_be_told();
ALTER TABLE notification_preferences ENABLE ALWAYS TRIGGER drop_wish_not_to_be_told;

-- A type that no header may hold can't be sent with the content.
UPDATE files SET content_type = 'application/octet-stream' WHERE content_type ~ '[^ -~]';
