-- All owners are told when one of them orders the deletion of the organization, by e-mail too: until the day comes any of them can cancel it.
ALTER TABLE notifications DROP CONSTRAINT notification_type_is_known, ADD CONSTRAINT notification_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'invitation_failed', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed',
    'organization_deletion'));
ALTER TABLE notification_preferences DROP CONSTRAINT preference_type_is_known, ADD CONSTRAINT preference_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'invitation_failed', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed',
    'organization_deletion'));

CREATE OR REPLACE FUNCTION is_emailed_by_default(type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT type IN ('mention', 'activity_due', 'quota_warning', 'subscription_past_due', 'channel_broken', 'organization_deletion')
$$;

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
            WHEN 'deletionOrdered' THEN '%s ordered the deletion of the organization: everything of it goes on %s'
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

CREATE FUNCTION notify_deletion_ordered() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM public.notify_members(new.organization_id, 'owner', 'organization_deletion', NULL, NULL, 'job', new.id, 'deletion ' || new.id::text, 'deletionOrdered',
        ARRAY[coalesce((SELECT coalesce(nullif(u.full_name, ''), u.email) FROM public.users u WHERE u.id = new.user_id), '?'), pg_catalog.to_char(new.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')]);
    RETURN null;
END $$;
CREATE TRIGGER notify_deletion_ordered AFTER INSERT ON jobs FOR EACH ROW WHEN (new.work = 'organization_deletion') EXECUTE FUNCTION notify_deletion_ordered();
