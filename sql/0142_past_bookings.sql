-- A file tells of bookings as they were: the tour that it brought before them may be over. Places are counted all the same, and no more than there are.
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
            IF held.status IN ('cancelled', 'completed') AND NOT (
                TG_OP = 'INSERT' AND coalesce(pg_catalog.current_setting('app.is_import', true), '') = 'true' AND (held.status = 'completed' OR held.end_date < now())) THEN
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
