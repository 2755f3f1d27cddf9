-- What the engine looks for by itself, found without reading the tables of all organizations, or all that one organization has.

-- Chunks whose vectors are not those of the model in use.
CREATE INDEX knowledge_chunks_by_model ON knowledge_chunks (organization_id, embedding_model);

-- What names a person as its subject, for exports and erasures.
CREATE INDEX notifications_by_entity ON notifications (entity_id) WHERE entity_id IS NOT NULL;
CREATE INDEX outgoing_emails_by_entity ON outgoing_emails (entity_id) WHERE entity_id IS NOT NULL;

-- Invoices that fell due without being paid, whoever owes them.
CREATE INDEX billing_invoices_overdue ON billing_invoices (due_at) WHERE status <> 'paid';

-- Jobs that still say from where they were asked for.
CREATE INDEX jobs_with_origin ON jobs (organization_id, created_at) WHERE num_nonnulls(ip_address, user_agent, api_key_id) > 0;

-- As before, but what is due is found by two indexes: an OR over both tables read every subscription each time.
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
        WHERE d.organization_id = ANY (ARRAY(
              SELECT x.organization_id FROM public.subscriptions x
              WHERE x.status IN ('trialing', 'active', 'past_due') AND least(x.renews_at, x.current_period_end, x.grace_ends_at) <= at
              UNION SELECT i.organization_id FROM public.billing_invoices i WHERE i.status <> 'paid' AND i.due_at <= at))
          -- In a form that no index serves, or the one over all that may fall due is read beside the key.
          AND coalesce(d.status, '') IN ('trialing', 'active', 'past_due')
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
