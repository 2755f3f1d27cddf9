-- Rules of clients, products, partners and tours: states that move only along their order, places that are never sold twice, histories that write themselves.

-- The agent that captured a lead; when a lead became a client.
ALTER TABLE clients ADD COLUMN agent_id uuid REFERENCES agents (id) ON DELETE SET NULL;
ALTER TABLE clients ADD COLUMN converted_at timestamptz;
CREATE INDEX clients_by_agent ON clients (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX clients_by_type ON clients (organization_id, client_type);
CREATE INDEX clients_by_lifecycle_stage ON clients (organization_id, lifecycle_stage);
CREATE INDEX clients_by_email ON clients (organization_id, email) WHERE email IS NOT NULL;
CREATE INDEX clients_by_platform_user ON clients (organization_id, platform_user_id) WHERE platform_user_id IS NOT NULL;
CREATE INDEX clients_by_partner ON clients (assigned_partner_id) WHERE assigned_partner_id IS NOT NULL;
CREATE INDEX products_by_partner ON products (partner_id) WHERE partner_id IS NOT NULL;
CREATE INDEX tours_by_dates ON tours (organization_id, start_date, end_date);
CREATE INDEX client_products_by_created_at ON client_products (organization_id, created_at DESC, id DESC);
CREATE INDEX client_tours_by_created_at ON client_tours (organization_id, created_at DESC, id DESC);
CREATE INDEX client_status_history_by_organization ON client_status_history (organization_id, created_at DESC, id DESC);

-- As before, and the lead remembers the agent of its channel.
CREATE OR REPLACE FUNCTION create_client_on_new_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    e164 text := CASE WHEN NEW.phone ~ '^\+[1-9][0-9]{4,14}$' THEN NEW.phone END;
BEGIN
    IF NEW.client_id IS NOT NULL THEN
        RETURN NEW;
    END IF;
    INSERT INTO public.clients (id, organization_id, contact_id, first_name, phone, source, platform_user_id, last_contact_date, preferred_language, agent_id)
    VALUES (gen_random_uuid(), NEW.organization_id, NEW.id, NEW.name, e164, NEW.platform, NEW.platform_user_id, NEW.last_interaction_at, NEW.language,
        (SELECT c.agent_id FROM public.channels c WHERE c.id = NEW.channel_id))
    ON CONFLICT (organization_id, phone) DO NOTHING
    RETURNING id INTO NEW.client_id;
    IF NEW.client_id IS NULL THEN
        SELECT c.id INTO NEW.client_id FROM public.clients c WHERE c.organization_id = NEW.organization_id AND c.phone = e164;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION track_client_status_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.client_status_history (organization_id, client_id, old_status, new_status, changed_by, changed_by_id, reason)
    VALUES (NEW.organization_id, NEW.id, OLD.status, NEW.status, public.change_actor(), public.current_user_id(), public.change_reason());
    RETURN NULL;
END $$;
CREATE TRIGGER track_client_status_change AFTER UPDATE OF status ON clients
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION track_client_status_change();
-- The history writes itself.
REVOKE INSERT, UPDATE, DELETE ON client_status_history FROM agentplatform_api;

-- A partner who is not available gets nothing new; what he has, he keeps.
CREATE FUNCTION check_partner_is_available() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    partner uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    available boolean;
BEGIN
    IF partner IS NULL OR (TG_OP = 'UPDATE' AND partner IS NOT DISTINCT FROM (to_jsonb(OLD) ->> TG_ARGV[0])::uuid) THEN
        RETURN NULL;
    END IF;
    SELECT p.is_available INTO available FROM public.partners p WHERE p.id = partner FOR SHARE;
    IF NOT available THEN
        PERFORM public.refuse_change('partner_is_available', 'The partner is not available.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_partner_is_available AFTER INSERT OR UPDATE OF assigned_partner_id ON clients
    FOR EACH ROW WHEN (NEW.assigned_partner_id IS NOT NULL) EXECUTE FUNCTION check_partner_is_available('assigned_partner_id');
CREATE TRIGGER check_partner_is_available AFTER INSERT OR UPDATE OF partner_id ON products
    FOR EACH ROW WHEN (NEW.partner_id IS NOT NULL) EXECUTE FUNCTION check_partner_is_available('partner_id');

-- interested, proposed, selected, booked, confirmed: forward only, over as many steps as one likes. A booking may be cancelled from anywhere, and
-- one that was cancelled may begin again.
CREATE FUNCTION interest_may_become(old_status text, new_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT CASE
        WHEN old_status = 'cancelled' THEN new_status = 'interested'
        WHEN new_status = 'cancelled' THEN true
        ELSE array_position(ARRAY['interested', 'proposed', 'selected', 'booked', 'confirmed'], new_status)
            > array_position(ARRAY['interested', 'proposed', 'selected', 'booked', 'confirmed'], old_status)
    END
$$;
CREATE FUNCTION check_interest_moves_forward() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NOT public.interest_may_become(OLD.status, NEW.status) THEN
        PERFORM public.refuse_change('interest_moves_forward', format('What is %s can''t become %s.', OLD.status, NEW.status));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_interest_moves_forward BEFORE UPDATE OF status ON client_products
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_interest_moves_forward();
CREATE TRIGGER check_interest_moves_forward BEFORE UPDATE OF status ON client_tours
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_interest_moves_forward();

-- How many places a booking holds: those of its participants, from booked on. A booking that doesn't say is for one.
CREATE FUNCTION held_places(status text, participants integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT CASE WHEN status IN ('booked', 'confirmed') THEN coalesce(participants, 1) ELSE 0 END $$;

-- Whoever writes a tour: its participants are those of its bookings, and it is full or available by them. A tour that is over stays over.
CREATE FUNCTION settle_tour() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'completed' AND NEW.status <> 'completed' THEN
        PERFORM public.refuse_change('completed_tour_stays_completed', 'A completed tour stays completed.');
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.current_participants := 0;
    ELSE
        SELECT coalesce(sum(public.held_places(b.status, b.participants)), 0) INTO NEW.current_participants FROM public.client_tours b WHERE b.tour_id = NEW.id;
    END IF;
    IF NEW.status IN ('available', 'full') THEN
        NEW.status := CASE WHEN NEW.current_participants >= NEW.max_participants THEN 'full' ELSE 'available' END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settle_tour BEFORE INSERT OR UPDATE ON tours FOR EACH ROW EXECUTE FUNCTION settle_tour();

-- A booking that takes or gives places holds its tour's row, so that bookings of one tour come one after the other and each counts the ones before.
CREATE FUNCTION hold_tour_places() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    before integer := CASE WHEN TG_OP <> 'INSERT' THEN public.held_places(OLD.status, OLD.participants) ELSE 0 END;
    after integer := CASE WHEN TG_OP <> 'DELETE' THEN public.held_places(NEW.status, NEW.participants) ELSE 0 END;
    organization uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.organization_id ELSE NEW.organization_id END;
    wanted uuid := CASE WHEN TG_OP <> 'DELETE' THEN NEW.tour_id END;
    held public.tours;
    taken integer;
BEGIN
    IF before = after AND (TG_OP <> 'UPDATE' OR NEW.tour_id = OLD.tour_id) THEN
        RETURN NULL;
    END IF;
    FOR held IN
        SELECT t.* FROM public.tours t
        WHERE t.id IN (wanted, CASE WHEN TG_OP <> 'INSERT' THEN OLD.tour_id END) AND t.organization_id = organization
        ORDER BY t.id FOR NO KEY UPDATE
    LOOP
        SELECT coalesce(sum(public.held_places(b.status, b.participants)), 0) INTO taken FROM public.client_tours b WHERE b.tour_id = held.id;
        IF held.id = wanted AND taken > held.current_participants THEN
            IF held.status IN ('cancelled', 'completed') THEN
                PERFORM public.refuse_change('tour_takes_bookings', format('The tour is %s.', held.status));
            ELSIF taken > held.max_participants THEN
                PERFORM public.refuse_change('tour_is_not_overbooked', format('The tour has %s places left.', held.max_participants - held.current_participants));
            END IF;
        END IF;
        UPDATE public.tours t SET current_participants = taken WHERE t.id = held.id;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER hold_tour_places AFTER INSERT OR DELETE OR UPDATE OF status, participants, tour_id ON client_tours
    FOR EACH ROW EXECUTE FUNCTION hold_tour_places();

-- The rule is new: tours that exist are counted once. Places that nobody booked are free.
UPDATE tours SET updated_at = updated_at WHERE status IN ('available', 'full');
