-- Channels and contacts as scripts of other systems use them: the state of a WhatsApp line, a channel made in one call, and a summary of contacts that
-- holds whoever writes messages.

CREATE TABLE whatsapp_sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL CONSTRAINT one_session_per_channel UNIQUE REFERENCES channels (id) ON DELETE CASCADE,
    status text NOT NULL DEFAULT 'disconnected'
        CONSTRAINT session_status_is_known CHECK (status IN ('connecting', 'connected', 'disconnected', 'error')),
    qr_code text, -- for a person to scan, where a gateway links the line that way
    last_connected_at timestamptz,
    last_disconnected_at timestamptz,
    error_message text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT code_is_shown_while_connecting CHECK (qr_code IS NULL OR status = 'connecting'),
    CONSTRAINT session_error_says_what CHECK ((status = 'error') = (error_message IS NOT NULL))
);
CREATE INDEX whatsapp_sessions_by_organization ON whatsapp_sessions (organization_id, created_at DESC, id DESC);
SELECT enable_tenant_isolation('whatsapp_sessions');
-- A session comes and goes with its channel.
REVOKE DELETE ON whatsapp_sessions FROM agentplatform_api;

-- What follows from a session's new state.
CREATE FUNCTION follow_session_status() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    NEW.updated_at := now();
    IF NEW.status <> 'connecting' THEN
        NEW.qr_code := NULL;
    END IF;
    IF NEW.status <> 'error' THEN
        NEW.error_message := NULL;
    END IF;
    IF NEW.status = 'connected' AND OLD.status <> 'connected' THEN
        NEW.last_connected_at := now();
    ELSIF OLD.status = 'connected' AND NEW.status <> 'connected' THEN
        NEW.last_disconnected_at := now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follow_session_status BEFORE UPDATE ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION follow_session_status();

CREATE FUNCTION check_session_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.status = 'connected' AND OLD.status IN ('disconnected', 'error') OR OLD.status = 'disconnected' AND NEW.status = 'error' THEN
        RAISE EXCEPTION 'A session that is disconnected or failed connects anew before it is connected.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'session_connects_before_it_is_connected', TABLE = 'whatsapp_sessions';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_session_order AFTER UPDATE OF status ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION check_session_order();

-- The session follows the channel: the platform's own API needs no line, so that a channel with credentials is connected until it is switched off or refused.
CREATE FUNCTION follow_whatsapp_channel() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    wanted text := CASE WHEN NOT NEW.is_active THEN 'disconnected' WHEN NEW.broken_reason IS NOT NULL THEN 'error'
        WHEN NEW.credentials IS NULL THEN 'connecting' ELSE 'connected' END;
BEGIN
    INSERT INTO public.whatsapp_sessions (organization_id, channel_id, status) VALUES (NEW.organization_id, NEW.id, 'connecting')
    ON CONFLICT (channel_id) DO UPDATE SET status = 'connecting', version = public.whatsapp_sessions.version + 1 WHERE public.whatsapp_sessions.status <> wanted;
    UPDATE public.whatsapp_sessions s SET status = wanted, error_message = NEW.broken_reason, version = s.version + 1
    WHERE s.channel_id = NEW.id AND s.status <> wanted;
    RETURN NULL;
END $$;
CREATE TRIGGER whatsapp_session_of_new_channel AFTER INSERT ON channels
    FOR EACH ROW WHEN (NEW.platform = 'whatsapp') EXECUTE FUNCTION follow_whatsapp_channel();
CREATE TRIGGER whatsapp_session_follows AFTER UPDATE OF is_active, credentials, broken_reason ON channels
    FOR EACH ROW WHEN (NEW.platform = 'whatsapp') EXECUTE FUNCTION follow_whatsapp_channel();

INSERT INTO whatsapp_sessions (organization_id, channel_id, status, last_connected_at, error_message)
SELECT c.organization_id, c.id,
    CASE WHEN NOT c.is_active THEN 'disconnected' WHEN c.broken_reason IS NOT NULL THEN 'error' WHEN c.credentials IS NULL THEN 'connecting' ELSE 'connected' END,
    CASE WHEN c.credentials IS NOT NULL THEN c.created_at END,
    CASE WHEN c.is_active THEN c.broken_reason END
FROM channels c WHERE c.platform = 'whatsapp';

-- A channel of this transaction's organization in one call; a web channel has its widget from the start.
CREATE OR REPLACE FUNCTION create_channel_and_config(channel_name text, channel_platform text, platform_id text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = '' AS $$
DECLARE
    made public.channels;
BEGIN
    INSERT INTO public.channels (organization_id, name, platform, platform_channel_id)
    VALUES (public.current_organization_id(), channel_name, channel_platform, nullif(platform_id, ''))
    RETURNING * INTO made;
    IF made.platform = 'web' THEN
        INSERT INTO public.web_widgets (channel_id, organization_id) VALUES (made.id, made.organization_id);
    END IF;
    RETURN jsonb_build_object('id', made.id, 'organization_id', made.organization_id);
END $$;

-- What a message does to the summary of its contact. The engine writes both in one statement, so this is for everybody else.
CREATE FUNCTION update_contact_summary_on_message() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.direction <> 'internal' THEN
        UPDATE public.contacts k
        SET last_message_preview = CASE WHEN k.last_interaction_at > NEW.sent_at THEN k.last_message_preview ELSE
                CASE WHEN length(NEW.text_content) > 120 THEN left(NEW.text_content, 119) || '…' ELSE coalesce(nullif(NEW.text_content, ''), '[' || NEW.content_type || ']') END END,
            last_interaction_at = greatest(k.last_interaction_at, NEW.sent_at),
            unread_count = k.unread_count + CASE WHEN NEW.sender_type = 'user' AND NOT NEW.is_read_by_agent THEN 1 ELSE 0 END,
            updated_at = now()
        WHERE k.id = NEW.contact_id;
    ELSIF TG_OP = 'UPDATE' AND NEW.sender_type = 'user' AND NEW.is_read_by_agent <> OLD.is_read_by_agent THEN
        UPDATE public.contacts k
        SET unread_count = greatest(0, k.unread_count + CASE WHEN NEW.is_read_by_agent THEN -1 ELSE 1 END), updated_at = now()
        WHERE k.id = NEW.contact_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_summary_trigger AFTER INSERT ON messages
    FOR EACH ROW WHEN (current_user <> 'agentplatform_engine') EXECUTE FUNCTION update_contact_summary_on_message();
CREATE TRIGGER messages_read_summary_trigger AFTER UPDATE OF is_read_by_agent ON messages
    FOR EACH ROW WHEN (current_user <> 'agentplatform_engine') EXECUTE FUNCTION update_contact_summary_on_message();

-- Messages by age without an entry for each: they come in the order of time.
CREATE INDEX messages_by_age ON messages USING brin (created_at);
