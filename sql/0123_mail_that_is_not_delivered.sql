-- E-mail that doesn't arrive is seen: by the admins of its organization, by whoever looks after the installation, and by whoever invited somebody. What the server answered last is
-- kept whatever became of an e-mail, also of one that was taken: the answer names it in the server's own log.
ALTER TABLE outgoing_emails RENAME COLUMN last_error TO last_answer;
ALTER TABLE outgoing_emails ADD COLUMN attempted_at timestamptz; -- the last try
CREATE INDEX outgoing_emails_by_attempt ON outgoing_emails (attempted_at) WHERE attempted_at IS NOT NULL; -- what was tried within the minute
CREATE INDEX outgoing_emails_by_recipient ON outgoing_emails (to_address, created_at DESC); -- what somebody got; how many within the day
DROP INDEX outgoing_emails_by_organization;
CREATE INDEX outgoing_emails_by_organization ON outgoing_emails (organization_id, created_at DESC, id DESC);
DROP INDEX outgoing_emails_by_age;
CREATE INDEX outgoing_emails_by_age ON outgoing_emails (created_at DESC, id DESC);
CREATE INDEX outgoing_emails_by_state ON outgoing_emails (state, created_at DESC, id DESC); -- what failed, in the whole installation
-- Somebody waits for a link to a new password: it doesn't stand in line behind a thousand alerts.
DROP INDEX outgoing_emails_due;
CREATE INDEX outgoing_emails_due ON outgoing_emails ((kind <> 'password_reset'), next_attempt_at) WHERE state = 'pending';

-- What is said in them stays between the sender and the one who gets it.
GRANT SELECT (id, organization_id, user_id, kind, to_address, entity_type, entity_id, state, attempts, attempted_at, next_attempt_at, expires_at, last_answer, finished_at, created_at, updated_at)
    ON outgoing_emails TO agentplatform_api;

-- All that there are, those without an organization too, for super admins: nobody else sees a row. It has its owner's rights.
CREATE VIEW outgoing_emails_of_installation AS
SELECT e.id, e.organization_id, e.user_id, e.kind, e.to_address, e.entity_type, e.entity_id, e.state, e.attempts, e.attempted_at, e.next_attempt_at, e.expires_at, e.last_answer, e.finished_at,
    e.created_at, e.updated_at
FROM outgoing_emails e
WHERE (SELECT is_super_admin());
GRANT SELECT ON outgoing_emails_of_installation TO agentplatform_api, agentplatform_engine;

-- As before, with two limits where they are given. Tries within the last minute count over all processes, which ask one after another. Alerts of an organization beyond so many within
-- a day are dropped unsent; the members see them in the product. What is too old has failed where it was tried, and keeps the last answer.
DROP FUNCTION claim_emails(integer, interval);
CREATE FUNCTION claim_emails(most integer, lease interval, most_per_minute integer DEFAULT NULL, most_alerts_per_day integer DEFAULT NULL)
    RETURNS TABLE (id uuid, kind text, to_address text, subject text, body text, entity_type text, entity_id uuid, organization_id uuid, attempts integer, locale text,
        text_name text, text_values text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    room integer := most;
    dropped integer := 1;
BEGIN
    IF most_per_minute IS NOT NULL THEN
        PERFORM pg_catalog.pg_advisory_xact_lock('public.outgoing_emails'::regclass::integer, 1);
        room := least(most, most_per_minute - (SELECT count(*) FROM public.outgoing_emails e WHERE e.attempted_at > pg_catalog.now() - interval '1 minute')::integer);
    END IF;
    UPDATE public.outgoing_emails e SET finished_at = pg_catalog.now(),
        state = CASE e.attempts WHEN 0 THEN 'dropped' ELSE 'failed' END,
        last_answer = left(pg_catalog.concat_ws(' ', 'Given up: it is too old.', e.last_answer), 500)
    WHERE e.state = 'pending' AND e.next_attempt_at <= pg_catalog.now() AND e.expires_at <= pg_catalog.now();
    -- Of those at the front only: what is dropped makes room for the next, until none has to be.
    WHILE dropped > 0 AND room > 0 AND most_alerts_per_day IS NOT NULL LOOP
        UPDATE public.outgoing_emails e SET state = 'dropped', finished_at = pg_catalog.now(), last_answer = pg_catalog.format('ALERT_MAILS_PER_DAY is %s.', most_alerts_per_day)
        FROM (SELECT d.id, d.organization_id, d.created_at FROM public.outgoing_emails d WHERE d.state = 'pending' AND d.next_attempt_at <= pg_catalog.now()
            ORDER BY d.kind <> 'password_reset', d.next_attempt_at LIMIT room FOR UPDATE SKIP LOCKED) due
        WHERE e.id = due.id AND e.kind = 'notification' AND e.attempts = 0 AND most_alerts_per_day <= (
            SELECT count(*) FROM (SELECT FROM public.outgoing_emails o
                WHERE o.organization_id = due.organization_id AND o.created_at > due.created_at - interval '1 day' AND (o.created_at, o.id) < (due.created_at, due.id)
                    AND o.kind = 'notification' AND o.state <> 'dropped' LIMIT most_alerts_per_day) earlier);
        GET DIAGNOSTICS dropped = ROW_COUNT;
    END LOOP;
    RETURN QUERY
        UPDATE public.outgoing_emails e SET attempts = e.attempts + 1, attempted_at = pg_catalog.now(), next_attempt_at = pg_catalog.now() + lease
        FROM (SELECT d.id FROM public.outgoing_emails d WHERE d.state = 'pending' AND d.next_attempt_at <= pg_catalog.now()
            ORDER BY d.kind <> 'password_reset', d.next_attempt_at LIMIT greatest(room, 0) FOR UPDATE SKIP LOCKED) due
        WHERE e.id = due.id
        RETURNING e.id, e.kind, e.to_address, e.subject, e.body, e.entity_type, e.entity_id, e.organization_id, e.attempts, coalesce(
            (SELECT u.locale FROM public.users u WHERE u.id = e.user_id), (SELECT u.locale FROM public.users u WHERE u.email = e.to_address),
            (SELECT u.locale FROM public.invitations i JOIN public.users u ON u.id = i.invited_by WHERE e.kind = 'invitation' AND i.id = e.entity_id), 'en'),
            e.text_name, e.text_values;
END $$;

-- As before. Where the try is named (its number), a later one counts: whoever was away longer than the lease has nothing to say about it any more.
DROP FUNCTION settle_email(uuid, text, text, interval);
CREATE FUNCTION settle_email(wanted_id uuid, outcome text, answer text, pause interval, attempt integer DEFAULT NULL) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.outgoing_emails e SET state = outcome, last_answer = left(answer, 500),
        next_attempt_at = CASE WHEN outcome = 'pending' THEN now() + pause ELSE e.next_attempt_at END,
        finished_at = CASE WHEN outcome = 'pending' THEN NULL ELSE now() END
    WHERE e.id = wanted_id AND e.state = 'pending' AND e.attempts = coalesce(attempt, e.attempts)
$$;

-- As before, and the address of whoever invites beside the name: what somebody calls himself is shown otherwise than what he signs in with.
DROP FUNCTION invitation_for_email(uuid);
CREATE FUNCTION invitation_for_email(wanted_id uuid)
    RETURNS TABLE (organization_name text, role text, token_hash bytea, expires_at timestamptz, inviter text, inviter_email text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT o.name, i.role, i.token_hash, i.expires_at, coalesce(u.full_name, u.email), u.email
    FROM public.invitations i JOIN public.organizations o ON o.id = i.organization_id LEFT JOIN public.users u ON u.id = i.invited_by
    WHERE i.id = wanted_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
$$;

-- As before, with a limit where it is given: whoever was written to so often within a day, by whichever organizations, is left alone. The invitation stands, and its link.
DROP FUNCTION queue_invitation_email(uuid);
CREATE FUNCTION queue_invitation_email(invitation uuid, most_per_day integer DEFAULT NULL) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO public.outgoing_emails (organization_id, kind, to_address, entity_type, entity_id, expires_at, deduplication_key, state, last_answer, finished_at)
    SELECT i.organization_id, 'invitation', i.email, 'invitation', i.id, i.expires_at, 'invitation ' || i.id::text,
        CASE WHEN known.is_enough THEN 'dropped' ELSE 'pending' END, CASE WHEN known.is_enough THEN format('INVITATION_MAILS_PER_RECIPIENT_PER_DAY is %s.', most_per_day) END,
        CASE WHEN known.is_enough THEN now() END
    FROM public.invitations i, LATERAL (SELECT count(*) >= most_per_day AS is_enough FROM public.outgoing_emails e
        WHERE e.to_address = i.email AND e.kind = 'invitation' AND e.created_at > now() - interval '1 day' AND e.state <> 'dropped') known
    WHERE i.id = invitation AND i.organization_id = public.current_organization_id()
$$;

-- Counts a request where it keeps within its limits; how many seconds to wait where it doesn't.
CREATE FUNCTION count_request(subjects bytea[], limits integer[], time_window interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    wait integer := public.sign_in_wait(subjects, limits);
BEGIN
    IF wait = 0 THEN
        PERFORM public.record_sign_in_failure(subjects, time_window);
    END IF;
    RETURN wait;
END $$;

-- Whoever invited hears that the e-mail didn't arrive, and why: the link can be handed over in another way.
ALTER TABLE notifications DROP CONSTRAINT notification_type_is_known, ADD CONSTRAINT notification_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'invitation_failed', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed'));
ALTER TABLE notification_preferences DROP CONSTRAINT preference_type_is_known, ADD CONSTRAINT preference_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'invitation_failed', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed'));

CREATE OR REPLACE FUNCTION notification_title(text_name text, text_values text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT pg_catalog.format(
        CASE text_name
            WHEN 'needsPerson' THEN '%s needs a person'
            WHEN 'conversationYours' THEN 'The conversation with %s is yours'
            WHEN 'mentioned' THEN '%s mentioned you'
            WHEN 'joined' THEN '%s joined as %s'
            WHEN 'invitationFailed' THEN 'An invitation was not delivered'
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
            WHEN 'channelBroken' THEN '%s can''t send, and answers wait: look what the platform says, mend it, then save the channel'
            WHEN 'channelToken' THEN '%s can''t send, and answers wait: put in a new access token'
            WHEN 'channelPermission' THEN '%s can''t send, and answers wait: give the access token the right to send messages'
            WHEN 'channelNumber' THEN '%s can''t send, and answers wait: the platform doesn''t know its number, or its token may not use it'
            WHEN 'channelRegistration' THEN '%s can''t send, and answers wait: register its number with the platform again'
            WHEN 'channelPayment' THEN '%s can''t send, and answers wait: settle the payment in the platform''s billing'
            WHEN 'channelLocked' THEN '%s can''t send, and answers wait: the platform has locked the account; ask the platform to review it'
            WHEN 'channelSpam' THEN '%s can''t send, and answers wait: the platform limits it because people reported its messages'
            WHEN 'messageFailed' THEN 'A message to %s was not delivered'
        END,
        VARIADIC CASE
            WHEN text_name IN ('jobDone', 'jobFailed') THEN ARRAY[initcap(replace(text_values[1], '_', ' '))]
            ELSE array_replace(text_values, NULL, CASE text_name WHEN 'mentioned' THEN 'Somebody' WHEN 'needsPerson' THEN 'A visitor' ELSE 'a visitor' END)
        END)
$$;

CREATE FUNCTION notify_invitation_failed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM public.notify_member(i.organization_id, i.invited_by, 'invitation_failed', NULL, pg_catalog.format('%s: %s', new.to_address, new.last_answer), 'invitation', i.id,
        'email ' || new.id::text, 'invitationFailed', '{}')
    FROM public.invitations i WHERE i.id = new.entity_id AND i.invited_by IS NOT NULL;
    RETURN null;
END $$;
CREATE TRIGGER notify_invitation_failed AFTER UPDATE OF state ON outgoing_emails FOR EACH ROW
    WHEN (new.state = 'failed' AND old.state <> 'failed' AND new.kind = 'invitation') EXECUTE FUNCTION notify_invitation_failed();

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['claim_emails(integer, interval, integer, integer)', 'settle_email(uuid, text, text, interval, integer)', 'invitation_for_email(uuid)',
        'queue_invitation_email(uuid, integer)', 'count_request(bytea[], integer[], interval)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api', entry);
    END LOOP;
END $$;
