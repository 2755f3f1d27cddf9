-- Whom an answer goes to. A person's names at a platform change: numbers move, ids rotate, groups become supergroups. The name that a person was first met by stays the key of
-- the conversation's grain; answers go to the newest name that is still the person's; a name that was given up may be somebody else's next.
-- And what the platform told stays apart from what people set; people can mute and block; what was edited or deleted at the platform is known to be.

ALTER TABLE contacts DISABLE TRIGGER USER;
ALTER TABLE contacts
    ADD COLUMN first_identity text, -- with the channel the key of the conversation's grain; never changes
    ADD COLUMN platform_name text, -- what the platform last called the person; name follows it until somebody sets another
    ADD COLUMN is_group boolean NOT NULL DEFAULT false,
    ADD COLUMN muted_at timestamptz,
    ADD COLUMN blocked_at timestamptz;
UPDATE contacts k SET
    first_identity = platform_user_id,
    platform_name = CASE WHEN NOT EXISTS (SELECT FROM activity_logs l WHERE l.organization_id = k.organization_id AND l.entity_type = 'contact' AND l.entity_id = k.id) THEN name END,
    is_group = (platform = 'telegram' AND platform_user_id ~ '^-');
ALTER TABLE contacts ALTER COLUMN first_identity SET NOT NULL, ADD CONSTRAINT one_contact_per_first_identity UNIQUE (channel_id, first_identity);
ALTER TABLE contacts ENABLE TRIGGER USER;

-- A second person who is met by the first name of another, who gave it up, is known by it with the contact's id behind it.
CREATE FUNCTION keep_first_identity() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    NEW.first_identity := coalesce(NEW.first_identity, NEW.platform_user_id);
    IF EXISTS (SELECT FROM public.contacts k WHERE k.channel_id = NEW.channel_id AND k.first_identity = NEW.first_identity) THEN
        NEW.first_identity := NEW.first_identity || '#' || NEW.id;
    END IF;
    RETURN NEW;
END $$;
-- After begin_contact: triggers run in the order of their names. The engine gives the name itself.
CREATE TRIGGER keep_first_identity BEFORE INSERT ON contacts
    FOR EACH ROW WHEN (current_user <> 'agentplatform_engine' OR NEW.first_identity IS NULL) EXECUTE FUNCTION keep_first_identity();

-- A name that was given up leaves contact_identities, for whoever is met by it next. It is remembered here, so that what its former person still said under it finds the conversation.
CREATE TABLE former_identities (
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    identity text NOT NULL,
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    given_up_at timestamptz NOT NULL,
    PRIMARY KEY (contact_id, identity)
);
CREATE INDEX former_identities_by_name ON former_identities (channel_id, identity, given_up_at DESC);
CREATE INDEX former_identities_by_organization ON former_identities (organization_id);
SELECT enable_tenant_isolation('former_identities');

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
    NEW.is_group := NEW.platform = 'telegram' AND NEW.platform_user_id ~ '^-';
    NEW.phone := coalesce(NEW.phone, CASE NEW.platform WHEN 'whatsapp' THEN '+' || NEW.platform_user_id WHEN 'sms' THEN NEW.platform_user_id WHEN 'phone' THEN NEW.platform_user_id END);
    RETURN NEW;
END $$;

-- Whoever has a name that is somebody else's by now: it is theirs no more, and what was kept of it as a number of theirs goes. Answers go to another name, if there is one.
CREATE FUNCTION give_up_name(contact uuid, name text, at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS $$
#variable_conflict use_variable
DECLARE
    other text;
    holder record;
BEGIN
    SELECT k.channel_id, k.organization_id, k.client_id, k.platform_user_id INTO holder FROM public.contacts k WHERE k.id = contact FOR UPDATE;
    DELETE FROM public.contact_identities i WHERE i.channel_id = holder.channel_id AND i.identity = name AND i.contact_id = contact;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO public.former_identities (contact_id, identity, channel_id, organization_id, given_up_at) VALUES (contact, name, holder.channel_id, holder.organization_id, at)
    ON CONFLICT ON CONSTRAINT former_identities_pkey DO UPDATE SET given_up_at = excluded.given_up_at;
    SELECT i.identity INTO other FROM public.contact_identities i WHERE i.contact_id = contact ORDER BY i.created_at DESC LIMIT 1;
    UPDATE public.contacts k SET
        platform_user_id = CASE WHEN k.platform_user_id = name THEN coalesce(other, 'former:' || name || '#' || contact) ELSE k.platform_user_id END,
        phone = CASE WHEN ltrim(k.phone, '+') = ltrim(name, '+') THEN NULL ELSE k.phone END,
        unreachable_reason = CASE WHEN other IS NULL THEN 'The platform gave this name to somebody else. Ask the customer to write again.' ELSE k.unreachable_reason END,
        version = k.version + 1, updated_at = now()
    WHERE k.id = contact;
    UPDATE public.clients l SET phone = NULL, version = l.version + 1 WHERE l.id = holder.client_id AND ltrim(l.phone, '+') = ltrim(name, '+');
    -- Whoever holds the conversation in memory fails at the next commit, and reads again.
    UPDATE public.conversations c SET version = c.version + 1, changed_alone_in = pg_current_xact_id() WHERE c.contact_id = contact;
    RETURN true;
END $$;

-- What became of conversations that turned out to be one with another: whoever still has the old id finds the conversation by it.
CREATE TABLE conversation_merges (
    merged_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversation_merges_by_conversation ON conversation_merges (conversation_id);
CREATE INDEX conversation_merges_by_organization ON conversation_merges (organization_id);
SELECT enable_tenant_isolation('conversation_merges');
REVOKE INSERT, UPDATE, DELETE ON conversation_merges FROM agentplatform_api;

-- Makes two conversations of one channel one: the messages of the other follow those of the kept one, a takeover of either holds, the other's contact, names and unsent messages
-- become the kept one's. False when the kept one was changed since its version was read, or the other is gone.
CREATE FUNCTION merge_conversations(kept uuid, expected_version bigint, other uuid) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    a record;
    b record;
    ka record;
    kb record;
    is_bare boolean;
BEGIN
    PERFORM FROM public.conversations c WHERE c.id IN (kept, other) ORDER BY c.id FOR UPDATE;
    SELECT * INTO a FROM public.conversations c WHERE c.id = kept AND c.version = expected_version;
    SELECT * INTO b FROM public.conversations c WHERE c.id = other AND c.channel_id = a.channel_id AND c.organization_id = a.organization_id AND c.id <> kept;
    IF a.id IS NULL OR b.id IS NULL THEN
        RETURN false;
    END IF;
    SELECT * INTO ka FROM public.contacts k WHERE k.id = a.contact_id FOR UPDATE;
    SELECT * INTO kb FROM public.contacts k WHERE k.id = b.contact_id FOR UPDATE;

    UPDATE public.turns t SET state = 'cancelled', outcome = 'superseded', finished_at = now(), updated_at = now() WHERE t.conversation_id IN (kept, other) AND t.state IN ('settling', 'running');
    UPDATE public.turns t SET conversation_id = kept, first_sequence = t.first_sequence + a.last_sequence, last_sequence = t.last_sequence + a.last_sequence WHERE t.conversation_id = other;
    UPDATE public.messages m SET conversation_id = kept, contact_id = a.contact_id, sequence = m.sequence + a.last_sequence, changed_in = pg_current_xact_id() WHERE m.conversation_id = other;
    UPDATE public.message_search s SET conversation_id = kept WHERE s.conversation_id = other;
    UPDATE public.agent_memories m SET conversation_id = kept, client_id = coalesce(ka.client_id, m.client_id) WHERE m.conversation_id = other;
    UPDATE public.call_recordings r SET conversation_id = kept WHERE r.conversation_id = other;
    UPDATE public.workflow_executions e SET conversation_id = kept WHERE e.conversation_id = other;
    UPDATE public.conversation_merges g SET conversation_id = kept WHERE g.conversation_id = other;
    UPDATE public.notifications n SET entity_id = kept WHERE n.organization_id = a.organization_id AND n.entity_type = 'conversation' AND n.entity_id = other;
    UPDATE public.contact_identities i SET contact_id = a.contact_id WHERE i.contact_id = b.contact_id;
    INSERT INTO public.former_identities (contact_id, identity, channel_id, organization_id, given_up_at)
    SELECT a.contact_id, f.identity, f.channel_id, f.organization_id, f.given_up_at FROM public.former_identities f WHERE f.contact_id = b.contact_id
    ON CONFLICT DO NOTHING;
    DELETE FROM public.former_identities f WHERE f.contact_id = a.contact_id AND EXISTS (SELECT FROM public.contact_identities i WHERE i.contact_id = a.contact_id AND i.identity = f.identity);

    -- The client that the second contact became by itself goes, if nobody has made anything of it.
    is_bare := kb.client_id IS DISTINCT FROM ka.client_id AND EXISTS (SELECT FROM public.clients l WHERE l.id = kb.client_id AND l.version = 1)
        AND NOT EXISTS (SELECT FROM public.contacts k WHERE k.client_id = kb.client_id AND k.id <> kb.id)
        AND NOT EXISTS (SELECT FROM public.deals d WHERE d.client_id = kb.client_id) AND NOT EXISTS (SELECT FROM public.orders o WHERE o.client_id = kb.client_id)
        AND NOT EXISTS (SELECT FROM public.client_tours t WHERE t.client_id = kb.client_id) AND NOT EXISTS (SELECT FROM public.client_products p WHERE p.client_id = kb.client_id)
        AND NOT EXISTS (SELECT FROM public.activities v WHERE v.client_id = kb.client_id AND v.message_id IS NULL)
        AND NOT EXISTS (SELECT FROM public.notes n WHERE n.client_id = kb.client_id);
    DELETE FROM public.contacts k WHERE k.id = kb.id; -- and its conversation, which has no messages any more
    IF is_bare THEN
        UPDATE public.activities v SET client_id = ka.client_id WHERE v.client_id = kb.client_id AND ka.client_id IS NOT NULL;
        DELETE FROM public.clients l WHERE l.id = kb.client_id;
    END IF;

    UPDATE public.contacts k SET
        name = coalesce(k.name, kb.name), platform_name = coalesce(kb.platform_name, k.platform_name), username = coalesce(kb.username, k.username), phone = coalesce(k.phone, kb.phone),
        language = coalesce(k.language, kb.language), avatar_url = coalesce(k.avatar_url, kb.avatar_url), ai_enabled = k.ai_enabled AND kb.ai_enabled,
        muted_at = coalesce(k.muted_at, kb.muted_at), blocked_at = coalesce(k.blocked_at, kb.blocked_at), unreachable_reason = CASE WHEN kb.unreachable_reason IS NULL THEN NULL ELSE k.unreachable_reason END,
        unread_count = k.unread_count + kb.unread_count, last_interaction_at = greatest(k.last_interaction_at, kb.last_interaction_at),
        last_message_preview = CASE WHEN b.last_message_at > a.last_message_at THEN kb.last_message_preview ELSE k.last_message_preview END,
        version = k.version + 1, updated_at = now()
    WHERE k.id = ka.id;
    UPDATE public.conversations c SET
        version = c.version + 1, epoch = greatest(a.epoch, b.epoch) + 1, last_sequence = a.last_sequence + b.last_sequence,
        managed_by = CASE WHEN 'human' IN (a.managed_by, b.managed_by) THEN 'human' ELSE 'ai' END,
        assigned_to = CASE WHEN b.managed_by = 'human' AND a.managed_by = 'ai' THEN coalesce(b.assigned_to, a.assigned_to) ELSE coalesce(a.assigned_to, b.assigned_to) END,
        status = CASE WHEN 'escalated' IN (a.status, b.status) THEN 'escalated' WHEN 'active' IN (a.status, b.status) THEN 'active' WHEN 'completed' IN (a.status, b.status) THEN 'completed' ELSE 'archived' END,
        ended_at = CASE WHEN 'active' IN (a.status, b.status) OR 'escalated' IN (a.status, b.status) THEN NULL ELSE greatest(a.ended_at, b.ended_at) END,
        agent_id = coalesce(a.agent_id, b.agent_id), internal_notes = nullif(concat_ws(E'\n\n', a.internal_notes, b.internal_notes), ''),
        last_message_at = greatest(a.last_message_at, b.last_message_at), last_inbound_at = greatest(a.last_inbound_at, b.last_inbound_at),
        started_at = least(a.started_at, b.started_at), counted_month = greatest(a.counted_month, b.counted_month),
        updated_at = now(), changed_in = pg_current_xact_id(), changed_alone_in = pg_current_xact_id()
    WHERE c.id = kept;
    INSERT INTO public.conversation_merges (merged_id, organization_id, conversation_id) VALUES (other, a.organization_id, kept);
    INSERT INTO public.activity_logs (id, organization_id, action_type, entity_type, entity_id, before, after)
    VALUES (gen_random_uuid(), a.organization_id, 'conversation.merged', 'conversation', kept,
        jsonb_build_object('managedBy', a.managed_by, 'epoch', a.epoch, 'lastSequence', a.last_sequence),
        jsonb_build_object('mergedId', other, 'managedBy', b.managed_by, 'epoch', b.epoch, 'lastSequence', b.last_sequence));
    RETURN true;
END $$;
DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['give_up_name(uuid, text, timestamptz)', 'merge_conversations(uuid, bigint, uuid)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_engine', entry);
    END LOOP;
END $$;

-- What was edited or deleted at the platform is not shown as said. An album is one message: what its parts hold, in their order.
ALTER TABLE messages ADD COLUMN edited_at timestamptz, ADD COLUMN deleted_at timestamptz, ADD COLUMN attachments jsonb;

-- The kinds by which somebody says something: ContentTypes.IsSaid.
CREATE FUNCTION is_said(content_type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT content_type IN ('text', 'image', 'audio', 'video', 'document', 'sticker', 'location', 'contacts', 'interactive', 'order')
$$;

-- As before, of what was said, and without what was deleted.
CREATE OR REPLACE FUNCTION message_preview(conversation uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT CASE WHEN m.deleted_at IS NOT NULL THEN '[deleted]' WHEN length(m.text_content) > 120 THEN left(m.text_content, 119) || '…'
        ELSE coalesce(nullif(m.text_content, ''), '[' || m.content_type || ']') END
    FROM public.messages m WHERE m.conversation_id = conversation AND m.direction <> 'internal' AND public.is_said(m.content_type) ORDER BY m.sent_at DESC, m.sequence DESC LIMIT 1
$$;

-- The number of a message belongs to a chat and to a connected business account: without the account, two of three messages with one number were taken for one.
UPDATE messages m SET platform_message_id = m.platform_message_id || '@' || split_part(k.platform_user_id, '@', 2)
FROM contacts k WHERE k.id = m.contact_id AND k.platform = 'telegram' AND k.platform_user_id ~ '^-?[0-9]+@.' AND m.platform_message_id ~ '^-?[0-9]+:[0-9]+$';
UPDATE messages m SET reply_to_platform_id = m.reply_to_platform_id || '@' || split_part(k.platform_user_id, '@', 2)
FROM contacts k WHERE k.id = m.contact_id AND k.platform = 'telegram' AND k.platform_user_id ~ '^-?[0-9]+@.' AND m.reply_to_platform_id ~ '^-?[0-9]+:[0-9]+$';

-- A rule of a channel can mute or block, too.
ALTER TABLE keyword_actions DROP CONSTRAINT keyword_action_is_known,
    ADD CONSTRAINT keyword_action_is_known CHECK (action_type IN ('ENABLE_AI', 'DISABLE_AI', 'SEND_COLLECTION', 'MUTE_CONTACT', 'BLOCK_CONTACT'));
