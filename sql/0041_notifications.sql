-- What members are told: in the product, live, and by e-mail. E-mail leaves by an outbox, so that no request and no commit waits for a mail server.

CREATE TABLE notifications (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    type text NOT NULL CONSTRAINT notification_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated', 'mention', 'invitation_accepted',
        'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished')),
    title text NOT NULL CONSTRAINT notification_title_is_not_blank CHECK (btrim(title) <> ''),
    body text,
    entity_type text, -- as in activity_logs: what it is about
    entity_id uuid,
    -- what must not be told twice
    deduplication_key text,
    read_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- the transaction of the last change: the live feed's position
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    created_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT notification_is_told_once UNIQUE (organization_id, user_id, deduplication_key),
    CONSTRAINT notification_belongs_to_a_member FOREIGN KEY (organization_id, user_id) REFERENCES organization_members (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX notifications_by_member ON notifications (organization_id, user_id, created_at DESC, id DESC);
CREATE INDEX notifications_unread ON notifications (organization_id, user_id) WHERE read_at IS NULL; -- the count
CREATE INDEX notifications_live_feed ON notifications (organization_id, changed_in, id); -- live events

-- How a member wants to be told of a type; the type's default where there is no row.
CREATE TABLE notification_preferences (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    type text NOT NULL CONSTRAINT preference_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated', 'mention', 'invitation_accepted',
        'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished')),
    in_app boolean NOT NULL,
    email boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id, type),
    CONSTRAINT preference_belongs_to_a_member FOREIGN KEY (organization_id, user_id) REFERENCES organization_members (organization_id, user_id) ON DELETE CASCADE
);

-- The outbox. A password reset has no organization, and its text is made when it is sent: the row holds no link that could be used.
CREATE TABLE outgoing_emails (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT email_kind_is_known CHECK (kind IN ('notification', 'invitation', 'password_reset')),
    to_address text NOT NULL,
    subject text,
    body text,
    entity_type text,
    entity_id uuid,
    deduplication_key text CONSTRAINT email_is_sent_once UNIQUE,
    state text NOT NULL DEFAULT 'pending' CONSTRAINT email_state_is_known CHECK (state IN ('pending', 'sent', 'failed', 'dropped')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 day', -- later it would tell old news
    last_error text,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outgoing_emails_by_organization ON outgoing_emails (organization_id, created_at DESC);
CREATE INDEX outgoing_emails_by_person ON outgoing_emails (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX outgoing_emails_due ON outgoing_emails (next_attempt_at) WHERE state = 'pending';
CREATE INDEX outgoing_emails_by_age ON outgoing_emails (created_at);
CREATE UNIQUE INDEX one_pending_reset_per_address ON outgoing_emails (to_address) WHERE kind = 'password_reset' AND state = 'pending';

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['notifications', 'notification_preferences', 'outgoing_emails']::regclass[]) t;
-- A member's own, also within the organization; the live feed reads without a person and hands each row to its person alone.
CREATE POLICY own_rows ON notifications AS RESTRICTIVE FOR ALL TO agentplatform_api
    USING ((SELECT current_user_id()) IS NULL OR user_id = (SELECT current_user_id()));
CREATE POLICY own_rows ON notification_preferences AS RESTRICTIVE FOR ALL TO agentplatform_api
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
REVOKE INSERT ON notifications FROM agentplatform_api;
REVOKE ALL ON outgoing_emails FROM agentplatform_api;

-- A change moves the row to the end of the live feed, and tells every process that the feed has news. Sent with the commit; equal ones are sent once.
CREATE FUNCTION notification_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    new.updated_at := pg_catalog.now();
    new.changed_in := pg_catalog.pg_current_xact_id();
    PERFORM pg_catalog.pg_notify('configuration_changed', pg_catalog.jsonb_build_object('table', 'notifications', 'organizationId', new.organization_id, 'id', NULL)::text);
    RETURN new;
END $$;
CREATE TRIGGER notification_changed BEFORE INSERT OR UPDATE ON notifications FOR EACH ROW EXECUTE FUNCTION notification_changed();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON notification_preferences FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON outgoing_emails FOR EACH ROW EXECUTE FUNCTION update_updated_at();

-- Wakes the processes that send.
CREATE FUNCTION email_queued() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('configuration_changed', '{"table": "outgoing_emails", "organizationId": null, "id": null}');
    RETURN null;
END $$;
CREATE TRIGGER email_queued AFTER INSERT ON outgoing_emails FOR EACH STATEMENT EXECUTE FUNCTION email_queued();

-- Without a preference everything shows in the product, and by e-mail goes what can't wait for the next look.
CREATE FUNCTION is_emailed_by_default(type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT type IN ('mention', 'activity_due', 'quota_warning', 'subscription_past_due')
$$;

-- Tells a member something, in this transaction. Null where he or she is no active member, doesn't want this type, or was told the same (deduplication key) before.
CREATE FUNCTION notify_member(organization uuid, person uuid, type text, title text, body text DEFAULT NULL,
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
    IF NOT FOUND THEN
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

-- Tells all active members from a role up; returns how many show it.
CREATE FUNCTION notify_members(organization uuid, min_role text, type text, title text, body text DEFAULT NULL,
    entity_type text DEFAULT NULL, entity_id uuid DEFAULT NULL, deduplication_key text DEFAULT NULL) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    SELECT count(public.notify_member(organization, m.user_id, type, title, body, entity_type, entity_id, deduplication_key))::integer
    FROM (SELECT o.user_id FROM public.organization_members o
        WHERE o.organization_id = organization AND o.status = 'active' AND public.role_rank(o.role) >= public.role_rank(min_role) ORDER BY o.user_id) m
$$;

-- How a contact is called in a notification.
CREATE FUNCTION contact_label(contact uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(nullif(pg_catalog.btrim(k.name), ''), k.username, k.phone, 'a visitor') FROM public.contacts k WHERE k.id = contact
$$;

-- The AI gave a conversation to people: its assignee hears of it, or all who handle conversations.
CREATE FUNCTION notify_escalation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    title text := pg_catalog.format('%s needs a person', public.contact_label(new.contact_id));
    told text := pg_catalog.format('escalated %s %s', new.id, new.version);
BEGIN
    IF new.assigned_to IS NOT NULL AND public.notify_member(new.organization_id, new.assigned_to, 'conversation_escalated', title, NULL, 'conversation', new.id, told) IS NOT NULL THEN
        RETURN null;
    END IF;
    PERFORM public.notify_members(new.organization_id, 'member', 'conversation_escalated', title, NULL, 'conversation', new.id, told);
    RETURN null;
END $$;
CREATE TRIGGER notify_escalation AFTER UPDATE ON conversations FOR EACH ROW
    WHEN (new.status = 'escalated' AND old.status <> 'escalated') EXECUTE FUNCTION notify_escalation();

-- Somebody gave a conversation to somebody else. The log knows who did it; giving it to oneself is no news.
CREATE FUNCTION notify_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    assignee uuid := (new.after ->> 'assignedTo')::uuid;
BEGIN
    IF assignee IS NOT NULL AND assignee IS DISTINCT FROM (new.before ->> 'assignedTo')::uuid AND assignee IS DISTINCT FROM new.user_id THEN
        PERFORM public.notify_member(new.organization_id, assignee, 'conversation_assigned',
            pg_catalog.format('The conversation with %s is yours', (SELECT public.contact_label(c.contact_id) FROM public.conversations c WHERE c.id = new.entity_id)),
            NULL, 'conversation', new.entity_id, 'log ' || new.id::text);
    END IF;
    RETURN null;
END $$;
CREATE TRIGGER notify_assignment AFTER INSERT ON activity_logs FOR EACH ROW
    WHEN (new.entity_type = 'conversation' AND new.after IS NOT NULL AND new.action_type = 'conversation.assign') EXECUTE FUNCTION notify_assignment();

-- An internal note names members.
CREATE FUNCTION notify_mentions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    author text := (SELECT coalesce(u.full_name, u.email) FROM public.users u WHERE u.id = new.sender_id);
BEGIN
    PERFORM public.notify_member(new.organization_id, mentioned.person, 'mention',
        pg_catalog.format('%s mentioned you', coalesce(author, 'Somebody')), new.text_content, 'conversation', new.conversation_id, 'note ' || new.id::text)
    FROM (SELECT DISTINCT m::uuid AS person FROM pg_catalog.jsonb_array_elements_text(new.payload -> 'mentions') m ORDER BY 1) mentioned
    WHERE mentioned.person IS DISTINCT FROM new.sender_id;
    RETURN null;
END $$;
CREATE TRIGGER notify_mentions AFTER INSERT ON messages FOR EACH ROW
    WHEN (new.direction = 'internal' AND new.payload ? 'mentions') EXECUTE FUNCTION notify_mentions();

-- E-mails that are due, each leased to one sender for a while; what is too old is dropped.
CREATE FUNCTION claim_emails(most integer, lease interval)
    RETURNS TABLE (id uuid, kind text, to_address text, subject text, body text, entity_type text, entity_id uuid, organization_id uuid, attempts integer)
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.outgoing_emails SET state = 'dropped', finished_at = now(), last_error = 'It was too old.' WHERE state = 'pending' AND next_attempt_at <= now() AND expires_at <= now();
    UPDATE public.outgoing_emails e SET attempts = e.attempts + 1, next_attempt_at = now() + lease
    FROM (SELECT d.id FROM public.outgoing_emails d WHERE d.state = 'pending' AND d.next_attempt_at <= now() ORDER BY d.next_attempt_at LIMIT most FOR UPDATE SKIP LOCKED) due
    WHERE e.id = due.id
    RETURNING e.id, e.kind, e.to_address, e.subject, e.body, e.entity_type, e.entity_id, e.organization_id, e.attempts
$$;

-- What became of a try: 'sent', 'failed' (for good), 'dropped' (nobody to send it to), or 'pending' with the pause until the next one.
CREATE FUNCTION settle_email(wanted_id uuid, outcome text, error text, pause interval) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.outgoing_emails SET state = outcome, last_error = left(error, 500),
        next_attempt_at = CASE WHEN outcome = 'pending' THEN now() + pause ELSE next_attempt_at END,
        finished_at = CASE WHEN outcome = 'pending' THEN NULL ELSE now() END
    WHERE id = wanted_id AND state = 'pending'
$$;

-- E-mails long over, and notifications read long ago, some at a time; returns how many went.
CREATE FUNCTION purge_notifications(most integer, emails_after interval, notifications_after interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    gone integer;
    total integer := 0;
BEGIN
    DELETE FROM public.outgoing_emails e USING (
        SELECT o.id FROM public.outgoing_emails o WHERE o.created_at < now() - emails_after ORDER BY o.created_at LIMIT most) old WHERE e.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.notifications n USING (
        SELECT o.id FROM public.notifications o WHERE o.created_at < now() - notifications_after ORDER BY o.created_at LIMIT most) old WHERE n.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN total + gone;
END $$;
CREATE INDEX notifications_by_age ON notifications (created_at);

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['notify_member(uuid, uuid, text, text, text, text, uuid, text)', 'notify_members(uuid, text, text, text, text, text, uuid, text)',
        'contact_label(uuid)', 'claim_emails(integer, interval)', 'settle_email(uuid, text, text, interval)', 'purge_notifications(integer, interval, interval)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api, agentplatform_engine', entry);
    END LOOP;
END $$;
