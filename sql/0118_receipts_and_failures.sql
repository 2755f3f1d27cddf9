-- Receipts that come before their send has recorded the platform's id wait here: the send looks for its own when it is done. What nobody has asked for after some minutes is
-- of a message that this product did not send.
CREATE TABLE early_receipts (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    platform_message_id text NOT NULL,
    message_id uuid, -- ours, where the platform carries it back
    status text NOT NULL CONSTRAINT early_receipt_says_more_than_sent CHECK (status IN ('delivered', 'read', 'failed')),
    error_code text,
    error_subcode text,
    error text,
    told_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel_id, platform_message_id)
);
CREATE INDEX early_receipts_by_age ON early_receipts (created_at); -- the sweep
CREATE INDEX early_receipts_by_organization ON early_receipts (organization_id); -- an organization that goes
SELECT enable_tenant_isolation('early_receipts');
REVOKE ALL ON early_receipts FROM agentplatform_api;

-- A channel that its platform refuses, and a message that was not delivered, are told to those who can do something about it.
ALTER TABLE notifications DROP CONSTRAINT notification_type_is_known, ADD CONSTRAINT notification_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed'));
ALTER TABLE notification_preferences DROP CONSTRAINT preference_type_is_known, ADD CONSTRAINT preference_type_is_known CHECK (type IN ('conversation_assigned', 'conversation_escalated',
    'mention', 'invitation_accepted', 'activity_assigned', 'activity_due', 'quota_warning', 'subscription_past_due', 'job_finished', 'channel_broken', 'message_failed'));

CREATE OR REPLACE FUNCTION is_emailed_by_default(type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT type IN ('mention', 'activity_due', 'quota_warning', 'subscription_past_due', 'channel_broken')
$$;

CREATE OR REPLACE FUNCTION notification_title(text_name text, text_values text[]) RETURNS text
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

-- A message that failed is told once: to the member who wrote it, else to whoever has the conversation. What a person withdrew has not failed.
CREATE FUNCTION notify_message_failed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM public.notify_member(new.organization_id, coalesce(new.sender_id, c.assigned_to), 'message_failed', NULL, new.error, 'conversation', new.conversation_id,
        'failed ' || new.id::text, 'messageFailed', ARRAY[public.contact_label(new.contact_id)])
    FROM public.conversations c WHERE c.id = new.conversation_id AND coalesce(new.sender_id, c.assigned_to) IS NOT NULL;
    RETURN null;
END $$;
CREATE TRIGGER notify_message_failed AFTER UPDATE OF status ON messages FOR EACH ROW
    WHEN (new.status = 'failed' AND old.status <> 'failed' AND new.error_code IS DISTINCT FROM 'withdrawn') EXECUTE FUNCTION notify_message_failed();
