-- Whoever changes the plan within a period that is billed already owes the difference for the days that are left, or is credited with it: with the next invoice, day by day.

ALTER TABLE subscriptions ADD COLUMN adjustment numeric(12, 2) NOT NULL DEFAULT 0; -- owed with the next invoice; below zero: credited
ALTER TABLE billing_invoices ADD COLUMN adjustment numeric(12, 2) NOT NULL DEFAULT 0; -- what changes of plan added to the amount or took off it

-- Trials are not billed, and what isn't in force owes nothing. Between plans of different currencies nothing is reckoned.
CREATE FUNCTION prorate_plan_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    days_left integer := (new.current_period_end AT TIME ZONE 'UTC')::date - greatest((pg_catalog.now() AT TIME ZONE 'UTC')::date, (new.current_period_start AT TIME ZONE 'UTC')::date);
    days integer := (new.current_period_end AT TIME ZONE 'UTC')::date - (new.current_period_start AT TIME ZONE 'UTC')::date;
    difference numeric := (
        SELECT CASE old.billing_interval WHEN 'yearly' THEN n.price_yearly - o.price_yearly ELSE n.price_monthly - o.price_monthly END
        FROM public.pricing_plans o JOIN public.pricing_plans n ON n.id = new.plan_id AND n.currency = o.currency WHERE o.id = old.plan_id);
BEGIN
    new.adjustment := old.adjustment + coalesce(pg_catalog.round(difference * greatest(days_left, 0) / days, 2), 0);
    RETURN new;
END $$;
CREATE TRIGGER prorate_plan_change BEFORE UPDATE OF plan_id ON subscriptions FOR EACH ROW
    WHEN (old.plan_id <> new.plan_id AND old.status IN ('active', 'past_due') AND new.status IN ('active', 'past_due')) EXECUTE FUNCTION prorate_plan_change();

-- What is owed is reckoned, never written by hand.
CREATE FUNCTION keep_adjustment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF session_user = 'agentplatform_api' THEN
        new.adjustment := CASE WHEN tg_op = 'INSERT' THEN 0 ELSE old.adjustment END;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER keep_adjustment BEFORE INSERT OR UPDATE OF adjustment ON subscriptions FOR EACH ROW EXECUTE FUNCTION keep_adjustment();

-- As before, and an invoice holds what changes of plan in the period before add to it or take off it. A credit larger than the invoice goes on to the next one.
CREATE OR REPLACE FUNCTION advance_subscriptions(at timestamptz, most integer)
    RETURNS TABLE (organization_id uuid, happened text)
    LANGUAGE plpgsql SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    s public.subscriptions;
    p public.pricing_plans;
    late record;
    total numeric;
BEGIN
    FOR s IN
        SELECT d.* FROM public.subscriptions d
        WHERE d.status IN ('trialing', 'active', 'past_due')
          AND (least(d.renews_at, d.current_period_end, d.grace_ends_at) <= at
               OR d.status <> 'past_due' AND EXISTS (SELECT FROM public.billing_invoices i WHERE i.organization_id = d.organization_id AND i.status <> 'paid' AND i.due_at <= at))
        ORDER BY d.organization_id LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
        SELECT * INTO p FROM public.pricing_plans x WHERE x.id = s.plan_id;
        IF s.cancel_at_period_end AND s.current_period_end <= at THEN
            s.status := 'canceled';
            s.canceled_at := s.current_period_end;
            s.grace_ends_at := NULL;
            RETURN QUERY SELECT s.organization_id, 'canceled';
        ELSE
            WHILE s.current_period_end <= at LOOP
                s.current_period_start := s.current_period_end;
                SELECT q.period_end INTO s.current_period_end FROM public.quota_month(s.billing_anchor,
                    CASE WHEN s.billing_interval = 'yearly' THEN ((s.current_period_start AT TIME ZONE 'UTC') + interval '11 months 15 days') AT TIME ZONE 'UTC' ELSE s.current_period_start END) q;
                total := CASE s.billing_interval WHEN 'yearly' THEN p.price_yearly ELSE p.price_monthly END + s.adjustment;
                INSERT INTO public.billing_invoices (organization_id, plan_id, description, amount, adjustment, currency, status, paid_at, period_start, period_end, due_at)
                VALUES (s.organization_id, p.id, p.name || ', ' || s.billing_interval || CASE WHEN s.adjustment <> 0 THEN ', with the change of plan in the period before' ELSE '' END,
                    greatest(total, 0), s.adjustment - least(total, 0), p.currency, CASE WHEN total <= 0 THEN 'paid' ELSE 'pending' END, CASE WHEN total <= 0 THEN at END,
                    s.current_period_start, s.current_period_end, s.current_period_start + make_interval(days => p.payment_days))
                ON CONFLICT ON CONSTRAINT one_invoice_per_period DO NOTHING;
                IF FOUND THEN
                    s.adjustment := least(total, 0);
                END IF;
                RETURN QUERY SELECT s.organization_id, CASE s.status WHEN 'trialing' THEN 'trial_ended' ELSE 'renewed' END;
                IF s.status = 'trialing' THEN
                    s.status := 'active';
                END IF;
            END LOOP;
            SELECT min(i.due_at) AS since, count(*) AS open INTO late FROM public.billing_invoices i
            WHERE i.organization_id = s.organization_id AND i.status <> 'paid' AND i.due_at <= at;
            IF late.open > 0 AND s.status IN ('trialing', 'active') THEN
                s.status := 'past_due';
                s.grace_ends_at := late.since + pg_catalog.make_interval(days => p.grace_days);
                PERFORM public.record_usage_alert(s.organization_id, 'subscription', 'past_due', (s.current_period_start AT TIME ZONE 'UTC')::date, NULL, NULL);
                RETURN QUERY SELECT s.organization_id, 'past_due';
            END IF;
            IF s.status = 'past_due' AND s.grace_ends_at <= at THEN
                s.status := 'unpaid';
                s.grace_ends_at := NULL;
                PERFORM public.record_usage_alert(s.organization_id, 'subscription', 'unpaid', (s.current_period_start AT TIME ZONE 'UTC')::date, NULL, NULL);
                RETURN QUERY SELECT s.organization_id, 'unpaid';
            END IF;
        END IF;
        IF s.status = 'canceled' THEN
            PERFORM public.record_usage_alert(s.organization_id, 'subscription', 'canceled', (s.current_period_start AT TIME ZONE 'UTC')::date, NULL, NULL);
        END IF;
        UPDATE public.subscriptions u
        SET status = s.status, canceled_at = s.canceled_at, grace_ends_at = s.grace_ends_at, adjustment = s.adjustment, current_period_start = s.current_period_start, current_period_end = s.current_period_end,
            renews_at = (SELECT q.period_end FROM public.quota_month(s.billing_anchor, at) q), version = u.version + 1
        WHERE u.organization_id = s.organization_id;
    END LOOP;
END $$;
