-- Rules of the CRM hold whichever way a value comes in: by the API, in bulk, by a file, by SQL.

-- ---- Tours: only bookings of the tour's own organization count. The foreign key alone looks at no organization, so that one could have filled another's tour.
CREATE OR REPLACE FUNCTION settle_tour() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'completed' AND NEW.status <> 'completed' THEN
        PERFORM public.refuse_change('completed_tour_stays_completed', 'A completed tour stays completed.');
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.current_participants := 0;
    ELSE
        SELECT coalesce(sum(public.held_places(b.status, b.participants)), 0) INTO NEW.current_participants
        FROM public.client_tours b WHERE b.tour_id = NEW.id AND b.organization_id = NEW.organization_id;
    END IF;
    IF NEW.status IN ('available', 'full') THEN
        NEW.status := CASE WHEN NEW.current_participants >= NEW.max_participants THEN 'full' ELSE 'available' END;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION hold_tour_places() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    before integer := CASE WHEN TG_OP <> 'INSERT' THEN public.held_places(OLD.status, OLD.participants) ELSE 0 END;
    after integer := CASE WHEN TG_OP <> 'DELETE' THEN public.held_places(NEW.status, NEW.participants) ELSE 0 END;
    organization uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.organization_id ELSE NEW.organization_id END;
    wanted uuid := CASE WHEN TG_OP <> 'DELETE' THEN NEW.tour_id END;
    held public.tours;
    taken integer;
    is_known boolean := wanted IS NULL;
BEGIN
    IF before = after AND (TG_OP <> 'UPDATE' OR NEW.tour_id = OLD.tour_id) THEN
        RETURN NULL;
    END IF;
    FOR held IN
        SELECT t.* FROM public.tours t
        WHERE t.id IN (wanted, CASE WHEN TG_OP <> 'INSERT' THEN OLD.tour_id END) AND t.organization_id = organization
        ORDER BY t.id FOR NO KEY UPDATE
    LOOP
        is_known := is_known OR held.id = wanted;
        SELECT coalesce(sum(public.held_places(b.status, b.participants)), 0) INTO taken
        FROM public.client_tours b WHERE b.tour_id = held.id AND b.organization_id = organization;
        IF held.id = wanted AND taken > held.current_participants THEN
            IF held.status IN ('cancelled', 'completed') THEN
                PERFORM public.refuse_change('tour_takes_bookings', format('The tour is %s.', held.status));
            ELSIF taken > held.max_participants THEN
                PERFORM public.refuse_change('tour_is_not_overbooked', format('The tour has %s places left.', held.max_participants - held.current_participants));
            END IF;
        END IF;
        UPDATE public.tours t SET current_participants = taken WHERE t.id = held.id;
    END LOOP;
    IF NOT is_known THEN
        PERFORM public.refuse_change('tour_takes_bookings', 'There is no such tour.');
    END IF;
    RETURN NULL;
END $$;

-- ---- Partners: one whom the organization doesn't have is not available either.
CREATE OR REPLACE FUNCTION check_partner_is_available() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    partner uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    available boolean;
BEGIN
    IF partner IS NULL OR (TG_OP = 'UPDATE' AND partner IS NOT DISTINCT FROM (to_jsonb(OLD) ->> TG_ARGV[0])::uuid) THEN
        RETURN NULL;
    END IF;
    SELECT p.is_available INTO available FROM public.partners p WHERE p.id = partner AND p.organization_id = NEW.organization_id FOR SHARE;
    IF available IS NOT TRUE THEN
        PERFORM public.refuse_change('partner_is_available', 'The partner is not available.');
    END IF;
    RETURN NULL;
END $$;

-- ---- Clients: what they have brought in is what their orders say, whatever a statement says.
CREATE FUNCTION keep_client_revenue() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.total_orders := OLD.total_orders;
        NEW.total_revenue := OLD.total_revenue;
        NEW.average_order_value := OLD.average_order_value;
    ELSE
        NEW.total_orders := 0;
        NEW.total_revenue := 0;
        NEW.average_order_value := 0;
    END IF;
    RETURN NEW;
END $$;
-- update_client_revenue writes from within a trigger of orders.
CREATE TRIGGER keep_client_revenue BEFORE UPDATE OF total_orders, total_revenue, average_order_value ON clients
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_client_revenue();
CREATE TRIGGER keep_new_client_revenue BEFORE INSERT ON clients
    FOR EACH ROW WHEN (NEW.total_orders <> 0 OR NEW.total_revenue <> 0 OR NEW.average_order_value <> 0) EXECUTE FUNCTION keep_client_revenue();

-- A lead that becomes a prospect or a customer is converted, however that comes about: it has its time, stands at the stage of life that goes with it, at least, and is
-- qualified, unless the same change says otherwise. Who is a lead again is not converted.
CREATE FUNCTION settle_client_type() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    stages CONSTANT text[] := ARRAY['lead', 'mql', 'sql', 'opportunity', 'customer', 'evangelist'];
    stage text := CASE NEW.client_type WHEN 'customer' THEN 'customer' WHEN 'prospect' THEN 'opportunity' END;
BEGIN
    IF NEW.client_type = 'lead' THEN
        NEW.converted_at := NULL;
    ELSIF TG_OP = 'UPDATE' AND OLD.client_type = 'lead' AND stage IS NOT NULL THEN
        NEW.converted_at := coalesce(NEW.converted_at, now());
        IF NEW.lifecycle_stage = OLD.lifecycle_stage AND coalesce(array_position(stages, NEW.lifecycle_stage), 0) < array_position(stages, stage) THEN
            NEW.lifecycle_stage := stage;
        END IF;
        IF NEW.status = 'new_lead' THEN
            NEW.status := 'qualified';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settle_client_type BEFORE UPDATE OF client_type, converted_at ON clients FOR EACH ROW EXECUTE FUNCTION settle_client_type();
CREATE TRIGGER settle_new_lead BEFORE INSERT ON clients FOR EACH ROW WHEN (NEW.client_type = 'lead' AND NEW.converted_at IS NOT NULL) EXECUTE FUNCTION settle_client_type();
UPDATE clients SET converted_at = NULL WHERE client_type = 'lead' AND converted_at IS NOT NULL;
ALTER TABLE clients ADD CONSTRAINT lead_is_not_converted CHECK (client_type <> 'lead' OR converted_at IS NULL);

-- A status that follows from a conversion is in the history too: a trigger OF the column would not see it.
DROP TRIGGER track_client_status_change ON clients;
CREATE TRIGGER track_client_status_change AFTER UPDATE ON clients
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION track_client_status_change();

-- ---- Deals. A probability that is given with a stage counts, even where it is the one before: only a trigger OF the column knows that it was given.
CREATE FUNCTION note_given_probability() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM set_config('app.probability_given_for', NEW.id::text, true);
    RETURN NEW;
END $$;
-- Before settle_deal_stage, by name.
CREATE TRIGGER note_given_probability BEFORE UPDATE OF probability ON deals FOR EACH ROW EXECUTE FUNCTION note_given_probability();

CREATE OR REPLACE FUNCTION settle_deal_stage() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    closes boolean := NEW.stage IN ('closed_won', 'closed_lost');
    is_given boolean := false;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.probability := CASE WHEN closes OR NEW.probability IS NULL THEN public.deal_stage_probability(NEW.stage) ELSE NEW.probability END;
    ELSE
        IF current_setting('app.probability_given_for', true) = NEW.id::text THEN
            is_given := true;
            PERFORM set_config('app.probability_given_for', '', true);
        END IF;
        IF NEW.stage = OLD.stage THEN
            NEW.stage_changed_at := OLD.stage_changed_at;
        ELSE
            IF OLD.stage IN ('closed_won', 'closed_lost') THEN
                IF closes THEN
                    PERFORM public.refuse_change('closed_deal_is_reopened_first', format('A deal that is %s goes back to an open stage before it becomes %s.', OLD.stage, NEW.stage));
                END IF;
                NEW.won_reason := NULL;
                NEW.lost_reason := NULL;
                NEW.lost_reason_details := NULL;
            END IF;
            NEW.stage_changed_at := now();
            -- Certainty goes with the end that it was the certainty of.
            IF closes OR NOT is_given OR (OLD.stage IN ('closed_won', 'closed_lost') AND NEW.probability = OLD.probability) THEN
                NEW.probability := public.deal_stage_probability(NEW.stage);
            END IF;
        END IF;
    END IF;
    -- A deal is won or lost, and for a reason of that.
    IF NEW.stage = 'closed_won' THEN
        NEW.lost_reason := NULL;
        NEW.lost_reason_details := NULL;
    ELSIF NEW.stage = 'closed_lost' THEN
        NEW.won_reason := NULL;
    END IF;
    IF closes THEN
        NEW.actual_close_date := coalesce(NEW.actual_close_date, public.organization_today(NEW.organization_id));
    ELSE
        NEW.actual_close_date := NULL;
    END IF;
    RETURN NEW;
END $$;
-- The trigger puts right what there is.
UPDATE deals SET stage = stage WHERE stage = 'closed_won' AND num_nonnulls(lost_reason, lost_reason_details) > 0 OR stage = 'closed_lost' AND won_reason IS NOT NULL;

-- What belongs to a deal belongs to the deal's client, from the deal's side too.
CREATE FUNCTION check_client_of_deal() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF EXISTS (SELECT FROM public.orders o WHERE o.deal_id = NEW.id AND o.client_id <> NEW.client_id)
        OR EXISTS (SELECT FROM public.activities a WHERE a.deal_id = NEW.id AND a.client_id <> NEW.client_id)
        OR EXISTS (SELECT FROM public.notes n WHERE n.deal_id = NEW.id AND n.client_id <> NEW.client_id) THEN
        PERFORM public.refuse_change('deal_belongs_to_the_client', 'What belongs to the deal is another client''s.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_client_of_deal AFTER UPDATE OF client_id ON deals
    FOR EACH ROW WHEN (OLD.client_id <> NEW.client_id) EXECUTE FUNCTION check_client_of_deal();

-- ---- Activities and notes of a deal are its client's, at a change as at the beginning.
CREATE OR REPLACE FUNCTION settle_activity() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.client_id IS NULL AND NEW.deal_id IS NOT NULL THEN
        NEW.client_id := (SELECT d.client_id FROM public.deals d WHERE d.id = NEW.deal_id AND d.organization_id = NEW.organization_id);
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.created_by := coalesce(NEW.created_by, public.current_user_id());
    ELSIF NEW.status <> OLD.status AND 'pending' NOT IN (OLD.status, NEW.status) THEN
        PERFORM public.refuse_change('finished_activity_is_reopened_first', format('An activity that is %s is reopened before it becomes %s.', OLD.status, NEW.status));
    END IF;
    NEW.completed_at := CASE WHEN NEW.status = 'completed' THEN coalesce(NEW.completed_at, now()) END;
    RETURN NEW;
END $$;
-- An activity that comes to a client later is contact with the client all the same.
CREATE TRIGGER update_last_contact_of_another AFTER UPDATE ON activities
    FOR EACH ROW WHEN (NEW.client_id IS NOT NULL AND OLD.client_id IS DISTINCT FROM NEW.client_id) EXECUTE FUNCTION update_last_contact();

CREATE OR REPLACE FUNCTION settle_note() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.client_id IS NULL AND NEW.deal_id IS NOT NULL THEN
        NEW.client_id := (SELECT d.client_id FROM public.deals d WHERE d.id = NEW.deal_id AND d.organization_id = NEW.organization_id);
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.created_by := coalesce(NEW.created_by, public.current_user_id());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settle_note_of_another BEFORE UPDATE OF client_id, deal_id ON notes FOR EACH ROW EXECUTE FUNCTION settle_note();

-- ---- Tags: each once, and none without a name.
CREATE FUNCTION settle_tags() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    NEW.tags := coalesce((
        SELECT array_agg(k.tag ORDER BY k.place)
        FROM (SELECT u.tag, min(u.place) AS place FROM unnest(NEW.tags) WITH ORDINALITY u (tag, place) WHERE btrim(u.tag) <> '' GROUP BY u.tag) k), '{}');
    RETURN NEW;
END $$;

-- Sees to it that the tags are in the list, and stay there until the transaction ends: one that is renamed or taken away meanwhile is so for whoever bears it from here on.
CREATE FUNCTION hold_tags(organization uuid, used text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    held integer;
BEGIN
    LOOP
        INSERT INTO public.tags (organization_id, name) SELECT organization, u FROM unnest(used) u ORDER BY u ON CONFLICT (organization_id, name) DO NOTHING;
        PERFORM 1 FROM public.tags t WHERE t.organization_id = organization AND t.name = ANY (used) ORDER BY t.name FOR KEY SHARE;
        GET DIAGNOSTICS held = ROW_COUNT;
        EXIT WHEN held >= cardinality(used);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION keep_tags() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM public.hold_tags(NEW.organization_id, NEW.tags);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keep_tags_of_rows() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF EXISTS (SELECT FROM made WHERE made.tags <> '{}') THEN
        PERFORM public.hold_tags(u.organization_id, array_agg(u.tag ORDER BY u.tag))
        FROM (SELECT DISTINCT made.organization_id, used AS tag FROM made, unnest(made.tags) used) u GROUP BY u.organization_id;
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    tagged text;
BEGIN
    FOREACH tagged IN ARRAY ARRAY['clients', 'deals', 'notes'] LOOP
        EXECUTE format('CREATE TRIGGER settle_tags BEFORE INSERT OR UPDATE OF tags ON public.%I FOR EACH ROW '
            'WHEN (cardinality(NEW.tags) > 1 OR cardinality(NEW.tags) = 1 AND btrim(coalesce(NEW.tags[1], '''')) = '''') EXECUTE FUNCTION public.settle_tags()', tagged);
        EXECUTE format('UPDATE public.%I SET tags = tags WHERE tags <> ''{}'' AND (array_position(tags, NULL) IS NOT NULL '
            'OR cardinality(tags) <> (SELECT count(DISTINCT u) FROM unnest(tags) u WHERE btrim(u) <> ''''))', tagged);
    END LOOP;
END $$;

-- ---- Work is given to members. The membership is held, so that nobody leaves while work comes to him.
CREATE FUNCTION check_assignee_is_a_member() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    person uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
BEGIN
    IF TG_OP = 'UPDATE' AND person IS NOT DISTINCT FROM (to_jsonb(OLD) ->> TG_ARGV[0])::uuid THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM public.organization_members m WHERE m.organization_id = NEW.organization_id AND m.user_id = person FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM public.refuse_change('assignee_is_a_member', 'Work is given to members of the organization.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_assignee_is_a_member AFTER INSERT OR UPDATE OF assigned_to ON clients
    FOR EACH ROW WHEN (NEW.assigned_to IS NOT NULL) EXECUTE FUNCTION check_assignee_is_a_member('assigned_to');
CREATE TRIGGER check_assignee_is_a_member AFTER INSERT OR UPDATE OF owner_id ON deals
    FOR EACH ROW WHEN (NEW.owner_id IS NOT NULL) EXECUTE FUNCTION check_assignee_is_a_member('owner_id');
CREATE TRIGGER check_assignee_is_a_member AFTER INSERT OR UPDATE OF assigned_to ON activities
    FOR EACH ROW WHEN (NEW.assigned_to IS NOT NULL) EXECUTE FUNCTION check_assignee_is_a_member('assigned_to');

-- Whoever leaves has no work here any more: what is open waits for somebody else. What was done or closed keeps who did it.
CREATE FUNCTION release_work_of_member() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- An organization that is being deleted takes its rows along. Found by the person alone: on a table that nobody has counted, the organization's index may be read whole.
    IF EXISTS (SELECT FROM public.organizations o WHERE o.id = OLD.organization_id) THEN
        UPDATE public.clients c SET assigned_to = NULL, version = c.version + 1 WHERE c.assigned_to = OLD.user_id AND c.organization_id IS NOT DISTINCT FROM OLD.organization_id;
        UPDATE public.deals d SET owner_id = NULL, version = d.version + 1
        WHERE d.owner_id = OLD.user_id AND d.organization_id IS NOT DISTINCT FROM OLD.organization_id AND d.stage NOT IN ('closed_won', 'closed_lost');
        UPDATE public.activities a SET assigned_to = NULL, version = a.version + 1
        WHERE a.assigned_to = OLD.user_id AND a.organization_id IS NOT DISTINCT FROM OLD.organization_id AND a.status = 'pending';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER release_work_of_member AFTER DELETE ON organization_members FOR EACH ROW EXECUTE FUNCTION release_work_of_member();

-- What waits for somebody else then, told before a member is removed.
CREATE FUNCTION work_of_member(person uuid) RETURNS TABLE (resource text, effect text, rows bigint)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT 'clients', 'detached', count(*) FROM public.clients c WHERE c.organization_id = public.current_organization_id() AND c.assigned_to = person
    UNION ALL
    SELECT 'deals', 'detached', count(*) FROM public.deals d
    WHERE d.organization_id = public.current_organization_id() AND d.owner_id = person AND d.stage NOT IN ('closed_won', 'closed_lost')
    UNION ALL
    SELECT 'activities', 'detached', count(*) FROM public.activities a
    WHERE a.organization_id = public.current_organization_id() AND a.assigned_to = person AND a.status = 'pending'
    UNION ALL
    SELECT 'conversations', 'detached', count(*) FROM public.conversations c
    WHERE c.organization_id = public.current_organization_id() AND c.assigned_to = person AND c.status IN ('active', 'escalated')
$$;
REVOKE ALL ON FUNCTION work_of_member(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work_of_member(uuid) TO agentplatform_api;
