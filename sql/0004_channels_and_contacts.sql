-- Where customers write: channels, what a channel answers by keyword, contacts, and the clients behind them.

CREATE TABLE channels (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL,
    name text NOT NULL CONSTRAINT channel_name_is_not_blank CHECK (btrim(name) <> ''),
    platform text NOT NULL CONSTRAINT channel_platform_is_known
        CHECK (platform IN ('whatsapp', 'facebook', 'instagram', 'telegram', 'sms', 'email', 'web', 'phone')),
    platform_channel_id text,
    -- sealed (AES-256-GCM) JSON; never leaves the server
    credentials text,
    settings jsonb NOT NULL DEFAULT '{}'::jsonb,
    is_active boolean NOT NULL DEFAULT true,
    -- the seeds' channel_configurations
    is_bot_active boolean NOT NULL DEFAULT true,
    ai_model text,
    ai_temperature numeric(2, 1),
    -- set when the platform refuses the channel itself (revoked token, locked account); cleared by an update
    broken_reason text,
    broken_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT platform_channel_is_connected_once UNIQUE (platform, platform_channel_id)
);
CREATE INDEX channels_by_organization ON channels (organization_id, created_at DESC, id DESC);
CREATE INDEX channels_by_agent ON channels (agent_id);

CREATE TABLE keyword_actions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    keyword text NOT NULL CONSTRAINT keyword_is_not_blank CHECK (btrim(keyword) <> ''),
    action_type text NOT NULL CONSTRAINT keyword_action_is_known CHECK (action_type IN ('ENABLE_AI', 'DISABLE_AI', 'SEND_COLLECTION')),
    collection_id text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_action_per_keyword UNIQUE (channel_id, keyword),
    CONSTRAINT collection_is_named_when_sent CHECK ((action_type = 'SEND_COLLECTION') = (collection_id IS NOT NULL))
);
CREATE INDEX keyword_actions_by_organization ON keyword_actions (organization_id);

CREATE TABLE content_collections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    collection_id text NOT NULL,
    name text NOT NULL,
    items text[] NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT collection_id_is_unique_in_channel UNIQUE (channel_id, collection_id)
);
CREATE INDEX content_collections_by_organization ON content_collections (organization_id);

CREATE TABLE web_widgets (
    channel_id uuid PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    primary_color text NOT NULL DEFAULT '#3B82F6' CONSTRAINT primary_color_is_hex CHECK (primary_color ~ '^#[0-9A-Fa-f]{6}$'),
    position text NOT NULL DEFAULT 'bottom-right' CONSTRAINT widget_position_is_known CHECK (position IN ('bottom-right', 'bottom-left')),
    welcome_message text,
    allowed_domains text[] NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE partners (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    contact_phone text,
    contact_email text,
    contact_whatsapp text,
    contact_telegram text,
    conditions text,
    rating numeric(3, 2) CONSTRAINT rating_is_between_0_and_5 CHECK (rating BETWEEN 0 AND 5),
    is_available boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX partners_by_organization ON partners (organization_id, is_available);

-- A person as the business knows them. A lead is a client at the start of its life.
CREATE TABLE clients (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    contact_id uuid CONSTRAINT one_client_per_first_contact UNIQUE, -- the contact that it was first met as
    client_type text NOT NULL DEFAULT 'lead'
        CONSTRAINT client_type_is_known CHECK (client_type IN ('lead', 'prospect', 'customer', 'partner', 'inactive')),
    status text NOT NULL DEFAULT 'new_lead' CONSTRAINT client_status_is_known
        CHECK (status IN ('new_lead', 'qualified', 'warmed', 'proposal_sent', 'negotiation', 'sold', 'service', 'closed')),
    lifecycle_stage text NOT NULL DEFAULT 'lead' CONSTRAINT lifecycle_stage_is_known
        CHECK (lifecycle_stage IN ('lead', 'mql', 'sql', 'opportunity', 'customer', 'evangelist', 'churned')),
    first_name text,
    last_name text,
    company_name text,
    email text,
    phone text CONSTRAINT phone_is_e164 CHECK (phone ~ '^\+[1-9][0-9]{4,14}$'),
    secondary_phone text,
    address jsonb,
    preferred_language text,
    cultural_context jsonb,
    source text,
    source_details jsonb,
    utm_data jsonb,
    lead_score integer NOT NULL DEFAULT 0,
    lead_quality text CONSTRAINT lead_quality_is_known CHECK (lead_quality IN ('hot', 'warm', 'cold')),
    ecommerce_customer_id text,
    total_orders integer NOT NULL DEFAULT 0,
    total_revenue numeric(12, 2) NOT NULL DEFAULT 0,
    average_order_value numeric(12, 2) NOT NULL DEFAULT 0,
    assigned_to uuid REFERENCES users (id) ON DELETE SET NULL,
    assigned_partner_id uuid REFERENCES partners (id) ON DELETE SET NULL,
    prompt_variant_id uuid REFERENCES prompt_variants (id) ON DELETE SET NULL,
    tags text[] NOT NULL DEFAULT '{}',
    custom_fields jsonb NOT NULL DEFAULT '{}'::jsonb,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    platform_user_id text,
    first_contact_date timestamptz NOT NULL DEFAULT now(),
    last_contact_date timestamptz,
    next_follow_up_date timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_client_per_phone UNIQUE (organization_id, phone)
);
CREATE UNIQUE INDEX clients_one_per_ecommerce_customer ON clients (organization_id, ecommerce_customer_id) WHERE ecommerce_customer_id IS NOT NULL;
CREATE INDEX clients_by_status ON clients (organization_id, status);
CREATE INDEX clients_by_created_at ON clients (organization_id, created_at DESC, id DESC);
CREATE INDEX clients_by_assigned_to ON clients (assigned_to) WHERE assigned_to IS NOT NULL;

-- A person as one channel knows them.
CREATE TABLE contacts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    client_id uuid REFERENCES clients (id) ON DELETE SET NULL,
    platform text NOT NULL,
    -- the identity under which the person was first seen; contact_identities holds all of them
    platform_user_id text NOT NULL,
    name text,
    username text,
    phone text,
    avatar_url text,
    language text,
    ai_enabled boolean NOT NULL DEFAULT true,
    -- set when the platform says that the person can't be written to (blocked the bot, gone)
    unreachable_reason text,
    last_interaction_at timestamptz DEFAULT now(),
    last_message_preview text,
    unread_count integer NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_contact_per_platform_user UNIQUE (channel_id, platform_user_id)
) WITH (fillfactor = 80);
CREATE INDEX contacts_by_organization ON contacts (organization_id, created_at DESC, id DESC);
CREATE INDEX contacts_by_client ON contacts (client_id);

ALTER TABLE clients ADD CONSTRAINT client_first_contact_exists
    FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;

-- Every name by which a platform may call the same contact: a phone number, a business-scoped user id, a chat id.
CREATE TABLE contact_identities (
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    identity text NOT NULL,
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel_id, identity)
);
CREATE INDEX contact_identities_by_contact ON contact_identities (contact_id);
CREATE INDEX contact_identities_by_organization ON contact_identities (organization_id);

-- A new contact becomes a client at once, or joins the client that has its phone number.
CREATE FUNCTION create_client_on_new_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    e164 text := CASE WHEN NEW.phone ~ '^\+[1-9][0-9]{4,14}$' THEN NEW.phone END;
BEGIN
    IF NEW.client_id IS NOT NULL THEN
        RETURN NEW;
    END IF;
    INSERT INTO public.clients (id, organization_id, contact_id, first_name, phone, source, platform_user_id, last_contact_date, preferred_language)
    VALUES (gen_random_uuid(), NEW.organization_id, NEW.id, NEW.name, e164, NEW.platform, NEW.platform_user_id, NEW.last_interaction_at, NEW.language)
    ON CONFLICT (organization_id, phone) DO NOTHING
    RETURNING id INTO NEW.client_id;
    IF NEW.client_id IS NULL THEN
        SELECT c.id INTO NEW.client_id FROM public.clients c WHERE c.organization_id = NEW.organization_id AND c.phone = e164;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER on_new_contact_create_client BEFORE INSERT ON contacts
    FOR EACH ROW EXECUTE FUNCTION create_client_on_new_contact();

CREATE TABLE client_status_history (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    old_status text,
    new_status text NOT NULL,
    changed_by text NOT NULL DEFAULT 'system' CONSTRAINT status_changed_by_is_known CHECK (changed_by IN ('ai', 'human', 'system')),
    changed_by_id uuid,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX client_status_history_by_client ON client_status_history (organization_id, client_id, created_at DESC);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['channels', 'keyword_actions', 'content_collections', 'web_widgets', 'partners',
    'clients', 'contacts', 'contact_identities', 'client_status_history']::regclass[]) t;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON channels FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON keyword_actions FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON content_collections FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON web_widgets FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON partners FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON clients FOR EACH ROW EXECUTE FUNCTION update_updated_at();
-- contacts has no such trigger: its writers set updated_at themselves, on the hot path of every message.
