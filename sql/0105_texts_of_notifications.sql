-- What people are told is kept by what happened: the name of a text (src/Api/Notifications/texts) and its values, so that everybody reads it in his or her own language.
-- The English sentence stays beside it, for whoever looks into the table, and what was written without a text's name says it alone.

ALTER TABLE notifications ADD COLUMN text_name text, ADD COLUMN text_values text[],
    ADD CONSTRAINT notification_text_has_values CHECK ((text_name IS NULL) = (text_values IS NULL));
ALTER TABLE outgoing_emails ADD COLUMN text_name text, ADD COLUMN text_values text[],
    ADD CONSTRAINT email_text_has_values CHECK ((text_name IS NULL) = (text_values IS NULL));

-- The English sentence of a text, as texts/en.json has it. A value that is missing is somebody whose name nobody knows.
CREATE FUNCTION notification_title(text_name text, text_values text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT pg_catalog.format(
        CASE text_name
            WHEN 'needsPerson' THEN '%s needs a person'
            WHEN 'conversationYours' THEN 'The conversation with %s is yours'
            WHEN 'mentioned' THEN '%s mentioned you'
            WHEN 'joined' THEN '%s joined as %s'
            WHEN 'activityYours' THEN '%s is yours'
            WHEN 'activityDue' THEN '%s is due'
            WHEN 'tokensUsed' THEN '%s of %s tokens are used'
            WHEN 'conversationsUsed' THEN '%s of %s conversations of this month are used'
            WHEN 'tokensGone' THEN 'The token quota is used up: the AI has stopped, and conversations wait for people'
            WHEN 'conversationsGone' THEN 'The conversations of this month are used up: new ones wait for people'
            WHEN 'pastDue' THEN 'An invoice is past due: the AI stops when the time of grace is over'
            WHEN 'stopped' THEN 'The AI has stopped, and conversations wait for people: the subscription is %s'
            WHEN 'jobDone' THEN '%s is complete'
            WHEN 'jobFailed' THEN '%s failed'
        END,
        VARIADIC CASE
            WHEN text_name IN ('jobDone', 'jobFailed') THEN ARRAY[initcap(replace(text_values[1], '_', ' '))]
            ELSE array_replace(text_values, NULL, CASE text_name WHEN 'mentioned' THEN 'Somebody' WHEN 'needsPerson' THEN 'A visitor' ELSE 'a visitor' END)
        END)
$$;

-- As before, with the name of a text and its values instead of a title, or a title that stands for itself.
DROP FUNCTION notify_members(uuid, text, text, text, text, text, uuid, text);
DROP FUNCTION notify_member(uuid, uuid, text, text, text, text, uuid, text);
CREATE FUNCTION notify_member(organization uuid, person uuid, type text, title text, body text DEFAULT NULL,
    entity_type text DEFAULT NULL, entity_id uuid DEFAULT NULL, deduplication_key text DEFAULT NULL, text_name text DEFAULT NULL, text_values text[] DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_variable
DECLARE
    told uuid;
    wanted record;
    said text[] := CASE WHEN text_name IS NOT NULL THEN ARRAY(SELECT left(v.said, 300) FROM unnest(text_values) WITH ORDINALITY v (said, place) ORDER BY v.place) END;
    sentence text := left(coalesce(title, public.notification_title(text_name, said)), 300);
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
        INSERT INTO public.notifications AS n (organization_id, user_id, type, title, text_name, text_values, body, entity_type, entity_id, deduplication_key)
        VALUES (organization, person, type, sentence, text_name, said, left(body, 2000), entity_type, entity_id, deduplication_key)
        ON CONFLICT ON CONSTRAINT notification_is_told_once DO NOTHING RETURNING n.id INTO told;
        IF told IS NULL THEN
            RETURN null;
        END IF;
    END IF;
    IF wanted.by_email THEN
        INSERT INTO public.outgoing_emails (organization_id, user_id, kind, to_address, subject, text_name, text_values, body, entity_type, entity_id, deduplication_key)
        VALUES (organization, person, 'notification', wanted.address, sentence, text_name, said, left(body, 2000), entity_type, entity_id,
            organization::text || ' ' || person::text || ' ' || deduplication_key)
        ON CONFLICT ON CONSTRAINT email_is_sent_once DO NOTHING;
    END IF;
    RETURN told;
END $$;
CREATE FUNCTION notify_members(organization uuid, min_role text, type text, title text, body text DEFAULT NULL,
    entity_type text DEFAULT NULL, entity_id uuid DEFAULT NULL, deduplication_key text DEFAULT NULL, text_name text DEFAULT NULL, text_values text[] DEFAULT NULL) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    SELECT count(public.notify_member(organization, m.user_id, type, title, body, entity_type, entity_id, deduplication_key, text_name, text_values))::integer
    FROM (SELECT o.user_id FROM public.organization_members o
        WHERE o.organization_id = organization AND o.status = 'active' AND public.role_rank(o.role) >= public.role_rank(min_role) ORDER BY o.user_id) m
$$;

-- How a contact is called in a notification; null when nothing is known.
CREATE OR REPLACE FUNCTION contact_label(contact uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(nullif(pg_catalog.btrim(k.name), ''), k.username, k.phone) FROM public.contacts k WHERE k.id = contact
$$;

CREATE OR REPLACE FUNCTION notify_escalation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    contact text[] := ARRAY[public.contact_label(new.contact_id)];
    told text := pg_catalog.format('escalated %s %s', new.id, new.version);
BEGIN
    IF new.assigned_to IS NOT NULL AND public.notify_member(
        new.organization_id, new.assigned_to, 'conversation_escalated', NULL, NULL, 'conversation', new.id, told, 'needsPerson', contact) IS NOT NULL THEN
        RETURN null;
    END IF;
    PERFORM public.notify_members(new.organization_id, 'member', 'conversation_escalated', NULL, NULL, 'conversation', new.id, told, 'needsPerson', contact);
    RETURN null;
END $$;

CREATE OR REPLACE FUNCTION notify_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    assignee uuid := (new.after ->> 'assignedTo')::uuid;
BEGIN
    IF assignee IS NOT NULL AND assignee IS DISTINCT FROM (new.before ->> 'assignedTo')::uuid AND assignee IS DISTINCT FROM new.user_id THEN
        PERFORM public.notify_member(new.organization_id, assignee, 'conversation_assigned', NULL, NULL, 'conversation', new.entity_id, 'log ' || new.id::text,
            'conversationYours', ARRAY[(SELECT public.contact_label(c.contact_id) FROM public.conversations c WHERE c.id = new.entity_id)]);
    END IF;
    RETURN null;
END $$;

CREATE OR REPLACE FUNCTION notify_mentioned(organization uuid, named uuid[], author uuid, said text, about text, about_id uuid, note uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    SELECT public.notify_member(organization, mentioned.person, 'mention', NULL, said, about, about_id, 'note ' || note::text,
        'mentioned', ARRAY[(SELECT coalesce(u.full_name, u.email) FROM public.users u WHERE u.id = author)])
    FROM (SELECT DISTINCT person FROM pg_catalog.unnest(named) person ORDER BY person) mentioned
    WHERE mentioned.person IS DISTINCT FROM author
$$;

CREATE OR REPLACE FUNCTION accept_invitation(shown_hash bytea, person uuid) RETURNS TABLE (invitation_id uuid, organization_id uuid, role text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    found record;
BEGIN
    PERFORM 1 FROM public.invitations i WHERE i.token_hash = shown_hash FOR NO KEY UPDATE;
    SELECT * INTO found FROM public.find_invitation(shown_hash) f WHERE f.user_id = person AND f.is_active;
    IF found.id IS NULL OR EXISTS (SELECT FROM public.organization_members m WHERE m.organization_id = found.organization_id AND m.user_id = person) THEN
        RETURN;
    END IF;
    UPDATE public.invitations i SET accepted_at = pg_catalog.now(), accepted_by = person, version = i.version + 1 WHERE i.id = found.id;
    INSERT INTO public.organization_members (organization_id, user_id, role, invited_by)
    SELECT i.organization_id, person, i.role, i.invited_by FROM public.invitations i WHERE i.id = found.id;
    PERFORM public.notify_member(i.organization_id, i.invited_by, 'invitation_accepted', NULL, NULL, 'member', person, 'invitation ' || i.id::text,
        'joined', ARRAY[coalesce(u.full_name, u.email), i.role])
    FROM public.invitations i JOIN public.users u ON u.id = person WHERE i.id = found.id AND i.invited_by IS NOT NULL;
    RETURN QUERY SELECT found.id, found.organization_id, found.role;
END $$;

CREATE OR REPLACE FUNCTION notify_activity_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF new.assigned_to IS DISTINCT FROM public.current_user_id() AND new.status = 'pending' AND (tg_op = 'INSERT' OR new.assigned_to IS DISTINCT FROM old.assigned_to) THEN
        PERFORM public.notify_member(new.organization_id, new.assigned_to, 'activity_assigned', NULL, new.description,
            'activity', new.id, pg_catalog.format('assigned %s %s', new.id, new.version), 'activityYours', ARRAY[new.subject]);
    END IF;
    RETURN null;
END $$;

CREATE OR REPLACE FUNCTION notify_due_activities(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    due public.activities;
    looked_at integer := 0;
BEGIN
    FOR due IN
        SELECT * FROM public.activities a
        WHERE a.status = 'pending' AND a.assigned_to IS NOT NULL AND a.due_notified_for IS DISTINCT FROM a.due_date AND a.due_date <= pg_catalog.now()
        ORDER BY a.due_date LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE public.activities a SET due_notified_for = due.due_date WHERE a.id = due.id;
        looked_at := looked_at + 1;
        CONTINUE WHEN due.due_date < pg_catalog.now() - interval '7 days';
        PERFORM public.notify_member(due.organization_id, due.assigned_to, 'activity_due', NULL, due.description,
            'activity', due.id, pg_catalog.format('due %s %s', due.id, due.due_date), 'activityDue', ARRAY[due.subject]);
    END LOOP;
    RETURN looked_at;
END $$;

CREATE OR REPLACE FUNCTION record_usage_alert(organization uuid, about text, how text, period date, so_far bigint, at_most bigint) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    told uuid;
BEGIN
    INSERT INTO public.usage_alerts (organization_id, kind, level, period_start, used, quota) VALUES (organization, about, how, period, so_far, at_most)
    ON CONFLICT ON CONSTRAINT alert_is_told_once DO NOTHING RETURNING id INTO told;
    IF told IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO public.activity_logs (organization_id, action_type, entity_type, entity_id, after)
    VALUES (organization, 'usage.' || how, 'usageAlert', told, pg_catalog.jsonb_build_object('kind', about, 'level', how, 'used', so_far, 'quota', at_most, 'periodStart', period));
    PERFORM public.notify_members(organization, 'admin', CASE about WHEN 'subscription' THEN 'subscription_past_due' ELSE 'quota_warning' END,
        NULL, NULL, 'usageAlert', told, 'usage ' || told::text,
        CASE how
            WHEN 'warning' THEN CASE about WHEN 'tokens' THEN 'tokensUsed' ELSE 'conversationsUsed' END
            WHEN 'limit' THEN CASE about WHEN 'tokens' THEN 'tokensGone' ELSE 'conversationsGone' END
            WHEN 'past_due' THEN 'pastDue'
            ELSE 'stopped' END,
        CASE how WHEN 'warning' THEN ARRAY[so_far::text, at_most::text] WHEN 'limit' THEN '{}' WHEN 'past_due' THEN '{}' ELSE ARRAY[how] END);
    RETURN true;
END $$;

DROP FUNCTION claim_emails(integer, interval);
CREATE FUNCTION claim_emails(most integer, lease interval)
    RETURNS TABLE (id uuid, kind text, to_address text, subject text, body text, entity_type text, entity_id uuid, organization_id uuid, attempts integer, locale text,
        text_name text, text_values text[])
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.outgoing_emails SET state = 'dropped', finished_at = now(), last_error = 'It was too old.' WHERE state = 'pending' AND next_attempt_at <= now() AND expires_at <= now();
    UPDATE public.outgoing_emails e SET attempts = e.attempts + 1, next_attempt_at = now() + lease
    FROM (SELECT d.id FROM public.outgoing_emails d WHERE d.state = 'pending' AND d.next_attempt_at <= now() ORDER BY d.next_attempt_at LIMIT most FOR UPDATE SKIP LOCKED) due
    WHERE e.id = due.id
    RETURNING e.id, e.kind, e.to_address, e.subject, e.body, e.entity_type, e.entity_id, e.organization_id, e.attempts, coalesce(
        (SELECT u.locale FROM public.users u WHERE u.id = e.user_id), (SELECT u.locale FROM public.users u WHERE u.email = e.to_address),
        (SELECT u.locale FROM public.invitations i JOIN public.users u ON u.id = i.invited_by WHERE e.kind = 'invitation' AND i.id = e.entity_id), 'en'),
        e.text_name, e.text_values
$$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['notify_member(uuid, uuid, text, text, text, text, uuid, text, text, text[])', 'notify_members(uuid, text, text, text, text, text, uuid, text, text, text[])',
        'claim_emails(integer, interval)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api, agentplatform_engine', entry);
    END LOOP;
END $$;
