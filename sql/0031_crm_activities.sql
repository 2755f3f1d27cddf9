-- What people do and note down: activities (calls, meetings and tasks among them), notes, tags, and recordings of calls.

CREATE TABLE activities (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid REFERENCES clients (id) ON DELETE CASCADE,
    deal_id uuid REFERENCES deals (id) ON DELETE CASCADE,
    message_id uuid REFERENCES messages (id) ON DELETE SET NULL,
    activity_type text NOT NULL CONSTRAINT activity_type_is_known
        CHECK (activity_type IN ('call', 'email', 'meeting', 'task', 'note', 'chatbot_interaction', 'website_visit')),
    subject text NOT NULL CONSTRAINT activity_subject_is_not_blank CHECK (btrim(subject) <> ''),
    description text,
    status text NOT NULL DEFAULT 'pending' CONSTRAINT activity_status_is_known CHECK (status IN ('pending', 'completed', 'cancelled')),
    priority text CONSTRAINT activity_priority_is_known CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    due_date timestamptz,
    completed_at timestamptz,
    assigned_to uuid REFERENCES users (id) ON DELETE SET NULL,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    -- of calls
    call_direction text CONSTRAINT call_direction_is_known CHECK (call_direction IN ('inbound', 'outbound')),
    call_outcome text CONSTRAINT call_outcome_is_known CHECK (call_outcome IN ('answered', 'no_answer', 'busy', 'voicemail', 'failed')),
    call_duration_seconds integer CONSTRAINT call_duration_is_not_negative CHECK (call_duration_seconds >= 0),
    phone text,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT completed_activity_has_its_time CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CONSTRAINT only_calls_have_call_details CHECK (activity_type = 'call' OR num_nonnulls(call_direction, call_outcome, call_duration_seconds) = 0)
);
CREATE INDEX activities_by_organization ON activities (organization_id, created_at DESC, id DESC);
CREATE INDEX activities_by_client ON activities (client_id, created_at DESC);
CREATE INDEX activities_by_deal ON activities (deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX activities_by_message ON activities (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX activities_by_type ON activities (organization_id, activity_type);
CREATE INDEX activities_by_assignee ON activities (assigned_to) WHERE assigned_to IS NOT NULL;
CREATE INDEX activities_by_due_date ON activities (organization_id, due_date, id);
CREATE INDEX activities_by_status ON activities (organization_id, status);
CREATE INDEX activities_overdue ON activities (organization_id, due_date, id) WHERE status = 'pending'; -- what is late, and whose

-- An activity of a deal is one of the deal's client. Who writes it is who is signed in. Done and given up are ends; only reopening leads out of them.
CREATE FUNCTION settle_activity() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.client_id := coalesce(NEW.client_id, (SELECT d.client_id FROM public.deals d WHERE d.id = NEW.deal_id));
        NEW.created_by := coalesce(NEW.created_by, public.current_user_id());
    ELSIF NEW.status <> OLD.status AND 'pending' NOT IN (OLD.status, NEW.status) THEN
        PERFORM public.refuse_change('finished_activity_is_reopened_first', format('An activity that is %s is reopened before it becomes %s.', OLD.status, NEW.status));
    END IF;
    NEW.completed_at := CASE WHEN NEW.status = 'completed' THEN coalesce(NEW.completed_at, now()) END;
    RETURN NEW;
END $$;
CREATE TRIGGER settle_activity BEFORE INSERT OR UPDATE ON activities FOR EACH ROW EXECUTE FUNCTION settle_activity();
CREATE TRIGGER check_deal_of_client AFTER INSERT OR UPDATE OF deal_id, client_id ON activities FOR EACH ROW EXECUTE FUNCTION check_deal_of_client();

CREATE FUNCTION update_last_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE public.clients c SET last_contact_date = greatest(c.last_contact_date, NEW.created_at)
    WHERE c.id = NEW.client_id AND c.organization_id = NEW.organization_id AND c.last_contact_date IS DISTINCT FROM greatest(c.last_contact_date, NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER update_last_contact AFTER INSERT ON activities FOR EACH ROW WHEN (NEW.client_id IS NOT NULL) EXECUTE FUNCTION update_last_contact();

-- An activity for each answer of the AI, where an organization wants that. Off by default: a busy chat fills the list that people work from.
ALTER TABLE organizations ADD COLUMN create_activities_from_messages boolean NOT NULL DEFAULT false;
CREATE FUNCTION create_activity_from_message() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.activities (organization_id, client_id, message_id, activity_type, subject, description, status, completed_at)
    SELECT NEW.organization_id, v.client_id, NEW.id, 'chatbot_interaction', 'The AI answered', left(NEW.text_content, 1000), 'completed', NEW.sent_at
    FROM public.organizations o JOIN public.conversations v ON v.id = NEW.conversation_id
    WHERE o.id = NEW.organization_id AND o.create_activities_from_messages;
    RETURN NULL;
END $$;
CREATE TRIGGER create_activity_from_message AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.sender_type = 'ai') EXECUTE FUNCTION create_activity_from_message();

CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid REFERENCES clients (id) ON DELETE CASCADE,
    deal_id uuid REFERENCES deals (id) ON DELETE CASCADE,
    title text,
    content text NOT NULL CONSTRAINT note_content_is_not_blank CHECK (btrim(content) <> ''),
    note_type text CONSTRAINT note_type_is_known CHECK (note_type IN ('general', 'call_log', 'meeting_summary', 'important')),
    is_pinned boolean NOT NULL DEFAULT false,
    tags text[] NOT NULL DEFAULT '{}',
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT note_is_about_a_client_or_a_deal CHECK (num_nonnulls(client_id, deal_id) > 0)
);
-- Ids grow with time: pinned first, then the newest.
CREATE INDEX notes_by_organization ON notes (organization_id, is_pinned DESC, id DESC);
CREATE INDEX notes_by_client ON notes (client_id, is_pinned DESC, id DESC);
CREATE INDEX notes_by_deal ON notes (deal_id) WHERE deal_id IS NOT NULL;

CREATE FUNCTION settle_note() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    NEW.client_id := coalesce(NEW.client_id, (SELECT d.client_id FROM public.deals d WHERE d.id = NEW.deal_id));
    NEW.created_by := coalesce(NEW.created_by, public.current_user_id());
    RETURN NEW;
END $$;
CREATE TRIGGER settle_note BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION settle_note();
CREATE TRIGGER check_deal_of_client AFTER INSERT OR UPDATE OF deal_id, client_id ON notes FOR EACH ROW EXECUTE FUNCTION check_deal_of_client();

CREATE TABLE tags (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT tag_name_is_not_blank CHECK (btrim(name) <> ''),
    color text NOT NULL DEFAULT '#3B82F6' CONSTRAINT tag_color_is_hex CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    category text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_tag_per_name UNIQUE (organization_id, name)
);
CREATE INDEX tags_by_organization ON tags (organization_id, created_at DESC, id DESC);
CREATE INDEX tags_by_category ON tags (organization_id, category);

-- Who bears a tag is found by these.
CREATE INDEX clients_by_tag ON clients USING gin (tags) WHERE tags <> '{}';
CREATE INDEX deals_by_tag ON deals USING gin (tags) WHERE tags <> '{}';
CREATE INDEX notes_by_tag ON notes USING gin (tags) WHERE tags <> '{}';

-- A tag that somebody uses is in the organization's list. By name, so that two who add the same ones don't wait for each other in a ring.
CREATE FUNCTION keep_tags() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    INSERT INTO public.tags (organization_id, name)
    SELECT DISTINCT NEW.organization_id, used FROM unnest(NEW.tags) used WHERE btrim(used) <> '' ORDER BY used
    ON CONFLICT (organization_id, name) DO NOTHING;
    RETURN NULL;
END $$;

-- A new name is carried to whatever bears the tag; a tag that is gone is gone from it.
CREATE FUNCTION carry_tag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    tagged text;
BEGIN
    -- An organization that is being deleted takes its rows along.
    IF NOT EXISTS (SELECT FROM public.organizations o WHERE o.id = OLD.organization_id) THEN
        RETURN NULL;
    END IF;
    FOREACH tagged IN ARRAY ARRAY['clients', 'deals', 'notes'] LOOP
        EXECUTE format(
            'UPDATE public.%I SET tags = %s, version = version + 1 WHERE organization_id = $1 AND tags @> ARRAY[$2] AND tags <> ''{}''',
            tagged, CASE WHEN TG_OP = 'DELETE' THEN 'array_remove(tags, $2)' ELSE 'array_replace(array_remove(tags, $3), $2, $3)' END)
        USING OLD.organization_id, OLD.name, CASE WHEN TG_OP <> 'DELETE' THEN NEW.name END;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER carry_tag_name AFTER UPDATE OF name ON tags FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION carry_tag();
CREATE TRIGGER carry_tag_removal AFTER DELETE ON tags FOR EACH ROW EXECUTE FUNCTION carry_tag();

CREATE TRIGGER keep_tags AFTER INSERT OR UPDATE OF tags ON clients FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION keep_tags();
CREATE TRIGGER keep_tags AFTER INSERT OR UPDATE OF tags ON deals FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION keep_tags();
CREATE TRIGGER keep_tags AFTER INSERT OR UPDATE OF tags ON notes FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION keep_tags();
INSERT INTO tags (organization_id, name) SELECT DISTINCT organization_id, used FROM clients, unnest(tags) used WHERE btrim(used) <> '';

-- A recording of a call. The sound is kept where the telephone system keeps it, or under storage_path in the installation's storage.
CREATE TABLE call_recordings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    conversation_id uuid REFERENCES conversations (id) ON DELETE CASCADE,
    client_id uuid REFERENCES clients (id) ON DELETE SET NULL,
    activity_id uuid REFERENCES activities (id) ON DELETE SET NULL,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL,
    status text NOT NULL DEFAULT 'completed' CONSTRAINT call_recording_status_is_known CHECK (status IN ('recording', 'processing', 'completed', 'failed')),
    direction text NOT NULL DEFAULT 'inbound' CONSTRAINT call_recording_direction_is_known CHECK (direction IN ('inbound', 'outbound')),
    from_number text,
    to_number text,
    recording_url text,
    storage_path text,
    content_type text NOT NULL DEFAULT 'audio/mpeg',
    size_bytes bigint CONSTRAINT call_recording_size_is_not_negative CHECK (size_bytes >= 0),
    duration_seconds integer CONSTRAINT call_recording_duration_is_not_negative CHECK (duration_seconds >= 0),
    transcript text,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT call_ends_after_it_starts CHECK (ended_at >= started_at)
);
CREATE INDEX call_recordings_by_organization ON call_recordings (organization_id, created_at DESC, id DESC);
CREATE INDEX call_recordings_by_conversation ON call_recordings (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX call_recordings_by_client ON call_recordings (client_id) WHERE client_id IS NOT NULL;
CREATE INDEX call_recordings_by_activity ON call_recordings (activity_id) WHERE activity_id IS NOT NULL;

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['activities', 'notes', 'tags', 'call_recordings']::regclass[]) t;

DO $$
DECLARE
    changing text;
BEGIN
    FOREACH changing IN ARRAY ARRAY['activities', 'notes', 'tags', 'call_recordings'] LOOP
        EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION update_updated_at()', changing);
    END LOOP;
END $$;
