-- Plans, subscriptions, usage, invoices. Usage has one record, usage_daily, which the commit that ends a turn writes; everything else (a month's usage, the tokens used
-- of a quota) is read from it, so that nothing can be counted twice or drift apart. An organization without a subscription has no limits.

-- What is sold. One list for the whole installation: everyone may read it, super admins write it.
CREATE TABLE pricing_plans (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code text NOT NULL CONSTRAINT plan_code_is_unique UNIQUE
        CONSTRAINT plan_code_is_url_friendly CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    tier text NOT NULL CONSTRAINT plan_tier_is_known CHECK (tier IN ('starter', 'scale', 'enterprise')),
    name text NOT NULL CONSTRAINT plan_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    stripe_price_id text CONSTRAINT one_plan_per_stripe_price UNIQUE,
    currency text NOT NULL DEFAULT 'USD' CONSTRAINT plan_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    price_monthly numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT monthly_price_is_not_negative CHECK (price_monthly >= 0),
    price_yearly numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT yearly_price_is_not_negative CHECK (price_yearly >= 0),
    -- a month's worth; NULL: as many as you like
    token_quota bigint CONSTRAINT plan_token_quota_is_not_negative CHECK (token_quota >= 0),
    conversation_limit integer CONSTRAINT plan_conversation_limit_is_not_negative CHECK (conversation_limit >= 0),
    features jsonb NOT NULL DEFAULT '{}'::jsonb CONSTRAINT plan_features_are_an_object CHECK (jsonb_typeof(features) = 'object'),
    is_public boolean NOT NULL DEFAULT true, -- false: only a super admin may put an organization on it
    is_default boolean NOT NULL DEFAULT false, -- new organizations begin with it, on trial
    -- what happens when: percent of a quota at which admins are warned and at which the AI stops, and days of trial, of payment and of grace
    warn_percent integer NOT NULL DEFAULT 80 CONSTRAINT warning_is_between_1_and_100_percent CHECK (warn_percent BETWEEN 1 AND 100),
    stop_percent integer NOT NULL DEFAULT 100 CONSTRAINT stop_is_between_100_and_1000_percent CHECK (stop_percent BETWEEN 100 AND 1000),
    trial_days integer NOT NULL DEFAULT 14 CONSTRAINT trial_is_between_0_and_365_days CHECK (trial_days BETWEEN 0 AND 365),
    payment_days integer NOT NULL DEFAULT 14 CONSTRAINT payment_is_between_0_and_90_days CHECK (payment_days BETWEEN 0 AND 90),
    grace_days integer NOT NULL DEFAULT 7 CONSTRAINT grace_is_between_0_and_90_days CHECK (grace_days BETWEEN 0 AND 90),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX pricing_plans_one_default ON pricing_plans (is_default) WHERE is_default;

ALTER TABLE pricing_plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE pricing_plans FORCE ROW LEVEL SECURITY;
CREATE POLICY readable_by_all ON pricing_plans FOR SELECT TO agentplatform_api USING (true);
CREATE POLICY written_by_super_admins ON pricing_plans FOR ALL TO agentplatform_api
    USING ((SELECT is_super_admin())) WITH CHECK ((SELECT is_super_admin()));
CREATE POLICY engine_access ON pricing_plans FOR ALL TO agentplatform_engine, agentplatform_migrator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON pricing_plans TO agentplatform_api;

-- What an organization has: one row each. Quota months and billing periods begin and end at midnight UTC and are reckoned from billing_anchor, so that a subscription of
-- the 31st comes back to the 31st after February.
CREATE TABLE subscriptions (
    organization_id uuid PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    plan_id uuid NOT NULL REFERENCES pricing_plans (id) ON DELETE RESTRICT,
    status text NOT NULL DEFAULT 'trialing'
        CONSTRAINT subscription_status_is_known CHECK (status IN ('trialing', 'active', 'past_due', 'canceled', 'incomplete', 'unpaid', 'paused')),
    billing_interval text NOT NULL DEFAULT 'monthly' CONSTRAINT billing_interval_is_known CHECK (billing_interval IN ('monthly', 'yearly')),
    stripe_subscription_id text CONSTRAINT one_organization_per_stripe_subscription UNIQUE,
    -- agreed with this customer; NULL: what the plan says
    token_quota bigint CONSTRAINT token_quota_is_not_negative CHECK (token_quota >= 0),
    conversation_limit integer CONSTRAINT conversation_limit_is_not_negative CHECK (conversation_limit >= 0),
    billing_anchor timestamptz NOT NULL,
    current_period_start timestamptz NOT NULL,
    current_period_end timestamptz NOT NULL,
    renews_at timestamptz NOT NULL, -- when the token quota begins anew
    cancel_at_period_end boolean NOT NULL DEFAULT false,
    canceled_at timestamptz,
    grace_ends_at timestamptz, -- past due: until when the AI goes on
    -- what a customer sees who writes while the AI is stopped
    limit_response text NOT NULL DEFAULT 'silent' CONSTRAINT limit_response_is_known CHECK (limit_response IN ('silent', 'message')),
    limit_message text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT period_is_not_empty CHECK (current_period_end > current_period_start),
    CONSTRAINT periods_begin_at_midnight_utc CHECK (
        extract(epoch FROM billing_anchor)::bigint % 86400 = 0 AND extract(epoch FROM current_period_start)::bigint % 86400 = 0
        AND extract(epoch FROM current_period_end)::bigint % 86400 = 0 AND extract(epoch FROM renews_at)::bigint % 86400 = 0),
    CONSTRAINT only_past_due_has_grace CHECK (grace_ends_at IS NULL OR status = 'past_due'),
    CONSTRAINT limit_message_is_there_to_be_sent CHECK (limit_response = 'silent' OR btrim(limit_message) <> '')
);
CREATE INDEX subscriptions_by_plan ON subscriptions (plan_id);
CREATE INDEX subscriptions_due ON subscriptions (least(renews_at, current_period_end, grace_ends_at)) WHERE status IN ('trialing', 'active', 'past_due'); -- the renewal

-- Invoices as records; whoever takes the money settles them.
CREATE TABLE billing_invoices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    plan_id uuid REFERENCES pricing_plans (id) ON DELETE SET NULL,
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT invoice_number_is_unique UNIQUE,
    stripe_invoice_id text CONSTRAINT one_invoice_per_stripe_invoice UNIQUE,
    description text NOT NULL,
    amount numeric(12, 2) NOT NULL CONSTRAINT invoice_amount_is_not_negative CHECK (amount >= 0),
    currency text NOT NULL DEFAULT 'USD' CONSTRAINT invoice_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    status text NOT NULL DEFAULT 'pending' CONSTRAINT invoice_status_is_known CHECK (status IN ('paid', 'pending', 'failed')),
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    paid_at timestamptz,
    invoice_url text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_invoice_per_period UNIQUE (organization_id, period_start), -- a renewal that is repeated bills once
    CONSTRAINT paid_invoices_say_when CHECK ((status = 'paid') = (paid_at IS NOT NULL))
);
CREATE INDEX billing_invoices_by_organization ON billing_invoices (organization_id, created_at DESC, id DESC);
CREATE INDEX billing_invoices_unpaid ON billing_invoices (organization_id, due_at) WHERE status <> 'paid';

-- A conversation counts once a month: in the month (its first day, UTC) of the last turn that was counted.
ALTER TABLE conversations ADD COLUMN counted_month date;
-- Conversations that wait for want of quota, to be woken. Their status changes rarely, so no message pays for it.
CREATE INDEX conversations_waiting ON conversations (organization_id, last_message_at) WHERE status = 'escalated' AND managed_by = 'ai';

ALTER TABLE usage_daily
    ADD COLUMN conversations integer NOT NULL DEFAULT 0, -- whose first completed turn of the month was on this day
    ADD COLUMN messages integer NOT NULL DEFAULT 0, -- taken in and written by turns
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

-- What has been told about a limit: each once for a period, however many processes see it.
CREATE TABLE usage_alerts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT alert_kind_is_known CHECK (kind IN ('tokens', 'conversations', 'subscription')),
    level text NOT NULL CONSTRAINT alert_level_is_known
        CHECK (level IN ('warning', 'limit', 'past_due', 'unpaid', 'canceled', 'paused', 'incomplete')),
    period_start date NOT NULL,
    used bigint,
    quota bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT alert_is_told_once UNIQUE NULLS NOT DISTINCT (organization_id, kind, level, period_start, quota)
);
CREATE INDEX usage_alerts_by_organization ON usage_alerts (organization_id, created_at DESC, id DESC);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['subscriptions', 'billing_invoices', 'usage_alerts']::regclass[]) t;
-- What is counted and billed is the engine's to write.
REVOKE INSERT, UPDATE, DELETE ON usage_daily, billing_invoices, usage_alerts FROM agentplatform_api;
REVOKE DELETE ON subscriptions FROM agentplatform_api;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON pricing_plans FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON subscriptions FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON billing_invoices FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON pricing_plans FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON subscriptions FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER configuration_changed AFTER INSERT ON usage_alerts FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();

-- The usage of a calendar month (UTC).
CREATE VIEW usage_monthly WITH (security_invoker = true) AS
SELECT md5(d.organization_id::text || date_trunc('month', d.usage_date)::date::text)::uuid AS id,
       d.organization_id,
       date_trunc('month', d.usage_date)::date AS month,
       sum(d.conversations)::integer AS conversations,
       sum(d.messages)::integer AS messages,
       sum(d.tokens_consumed)::bigint AS tokens_used,
       sum(d.agent_responses)::integer AS agent_responses,
       sum(d.interactions)::integer AS interactions,
       sum(d.errors)::integer AS errors,
       min(d.created_at) AS created_at,
       max(d.updated_at) AS updated_at
FROM usage_daily d
GROUP BY d.organization_id, date_trunc('month', d.usage_date)::date;
GRANT SELECT ON usage_monthly TO agentplatform_api, agentplatform_engine;

-- The month, reckoned from an anchor, that a moment lies in.
CREATE FUNCTION quota_month(anchor timestamptz, at timestamptz, OUT period_start timestamptz, OUT period_end timestamptz)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    first_day timestamp := anchor AT TIME ZONE 'UTC';
    moment timestamp := at AT TIME ZONE 'UTC';
    months integer := (extract(year FROM moment) - extract(year FROM first_day)) * 12 + extract(month FROM moment) - extract(month FROM first_day);
BEGIN
    IF first_day + pg_catalog.make_interval(months => months) <= moment THEN
        months := months + 1;
    END IF;
    period_start := (first_day + pg_catalog.make_interval(months => months - 1)) AT TIME ZONE 'UTC';
    period_end := (first_day + pg_catalog.make_interval(months => months)) AT TIME ZONE 'UTC';
END $$;

-- Where an organization stands: what it has, what it used, and whether the AI may go on. No row without a subscription. Right at every moment, whether or
-- not the renewal has run: the periods are reckoned, not read. stop_reason is null while the AI may answer.
CREATE FUNCTION usage_state(organization uuid, at timestamptz DEFAULT now())
    RETURNS TABLE (plan_code text, plan_name text, status text, token_quota bigint, token_used bigint, period_start timestamptz, period_end timestamptz,
        conversation_limit integer, conversations_used integer, month_start timestamptz, month_end timestamptz, grace_ends_at timestamptz,
        stop_reason text, takes_new_conversations boolean, stop_message text, valid_until timestamptz, warn_percent integer, stop_percent integer)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    WITH held AS (
        SELECT s.*, p.code, p.name, p.warn_percent, p.stop_percent,
            coalesce(s.token_quota, p.token_quota) AS tokens, coalesce(s.conversation_limit, p.conversation_limit) AS talks,
            q.period_start AS quota_start, q.period_end AS quota_end,
            date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS first_of_month,
            (date_trunc('month', at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC' AS next_month
        FROM public.subscriptions s
        JOIN public.pricing_plans p ON p.id = s.plan_id
        CROSS JOIN LATERAL public.quota_month(s.billing_anchor, at) q
        WHERE s.organization_id = organization
    ), used AS (
        SELECT h.*,
            coalesce((SELECT sum(d.tokens_consumed) FROM public.usage_daily d WHERE d.organization_id = h.organization_id
                AND d.usage_date >= (h.quota_start AT TIME ZONE 'UTC')::date AND d.usage_date < (h.quota_end AT TIME ZONE 'UTC')::date), 0)::bigint AS tokens_used,
            coalesce((SELECT sum(d.conversations) FROM public.usage_daily d WHERE d.organization_id = h.organization_id
                AND d.usage_date >= (h.first_of_month AT TIME ZONE 'UTC')::date AND d.usage_date < (h.next_month AT TIME ZONE 'UTC')::date), 0)::integer AS talks_used
        FROM held h
    )
    SELECT u.code, u.name, u.status, u.tokens, u.tokens_used, u.quota_start, u.quota_end, u.talks, u.talks_used, u.first_of_month, u.next_month, u.grace_ends_at,
        CASE
            WHEN u.status IN ('canceled', 'incomplete', 'unpaid', 'paused') THEN u.status
            WHEN u.cancel_at_period_end AND u.current_period_end <= at THEN 'canceled'
            WHEN u.status = 'past_due' AND u.grace_ends_at <= at THEN 'unpaid'
            WHEN u.tokens_used::numeric * 100 >= u.tokens::numeric * u.stop_percent THEN 'token_quota'
        END,
        coalesce(u.talks_used::numeric * 100 < u.talks::numeric * u.stop_percent, true),
        CASE WHEN u.limit_response = 'message' THEN u.limit_message END,
        least(u.quota_end, u.next_month, CASE WHEN u.grace_ends_at > at THEN u.grace_ends_at END, CASE WHEN u.cancel_at_period_end AND u.current_period_end > at THEN u.current_period_end END),
        u.warn_percent, u.stop_percent
    FROM used u
$$;

-- The usage of the current month; zeros where nothing was used yet.
CREATE FUNCTION get_workspace_usage(organization uuid) RETURNS usage_monthly
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT md5(organization::text || this.month::text)::uuid, organization, this.month, coalesce(u.conversations, 0), coalesce(u.messages, 0), coalesce(u.tokens_used, 0),
        coalesce(u.agent_responses, 0), coalesce(u.interactions, 0), coalesce(u.errors, 0), coalesce(u.created_at, now()), coalesce(u.updated_at, now())
    FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS month) this
    LEFT JOIN public.usage_monthly u ON u.organization_id = organization AND u.month = this.month
$$;

-- One more conversation today, for those that live elsewhere. The engine's own are counted in the commit that ends their first turn of a month.
CREATE FUNCTION increment_conversation_count(organization uuid) RETURNS void
    LANGUAGE sql SET search_path = '' AS $$
    INSERT INTO public.usage_daily AS d (organization_id, usage_date, conversations) VALUES (organization, (now() AT TIME ZONE 'UTC')::date, 1)
    ON CONFLICT (organization_id, usage_date) DO UPDATE SET conversations = d.conversations + 1, updated_at = now()
$$;

-- True while the AI may answer and take new conversations.
CREATE FUNCTION check_usage_limit(organization uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT coalesce((SELECT s.stop_reason IS NULL AND s.takes_new_conversations FROM public.usage_state(organization) s), true)
$$;

-- The same numbers from the turns and messages themselves, day by day: what usage_daily must say. Conversations of increment_conversation_count have no turns here.
CREATE FUNCTION recount_usage(organization uuid, first_day date, last_day date)
    RETURNS TABLE (usage_date date, agent_responses integer, tokens_consumed bigint, interactions integer, errors integer, conversations integer, messages integer)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    WITH ended AS (
        SELECT t.*, (t.finished_at AT TIME ZONE 'UTC')::date AS day, date_trunc('month', t.finished_at AT TIME ZONE 'UTC') AS month,
            (SELECT count(*) FROM public.messages m WHERE m.conversation_id = t.conversation_id AND m.turn_id = t.id AND m.sender_type = 'ai')::integer AS replies
        FROM public.turns t
        WHERE t.organization_id = organization AND t.finished_at >= date_trunc('month', first_day::timestamp) AT TIME ZONE 'UTC' AND t.finished_at < (last_day + 1)::timestamp AT TIME ZONE 'UTC'
    ), numbered AS (
        SELECT e.*, CASE WHEN e.state = 'completed' THEN row_number() OVER (PARTITION BY e.conversation_id, e.month, e.state ORDER BY e.finished_at, e.id) END AS nth FROM ended e
    )
    SELECT n.day, sum(n.replies)::integer, sum(n.input_tokens::bigint + n.output_tokens)::bigint, count(*)::integer, count(n.error)::integer,
        count(*) FILTER (WHERE n.nth = 1)::integer,
        sum(CASE WHEN n.state = 'completed' THEN n.last_sequence - n.first_sequence + 1 + n.replies ELSE 0 END)::integer
    FROM numbered n WHERE n.day >= first_day
    GROUP BY n.day ORDER BY n.day
$$;

-- Writes down that something is to be told about a limit, and tells the organization's admins; false when it was told before.
CREATE FUNCTION record_usage_alert(organization uuid, about text, how text, period date, so_far bigint, at_most bigint) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    told uuid;
    title text;
BEGIN
    INSERT INTO public.usage_alerts (organization_id, kind, level, period_start, used, quota) VALUES (organization, about, how, period, so_far, at_most)
    ON CONFLICT ON CONSTRAINT alert_is_told_once DO NOTHING RETURNING id INTO told;
    IF told IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO public.activity_logs (organization_id, action_type, entity_type, entity_id, after)
    VALUES (organization, 'usage.' || how, 'usageAlert', told, pg_catalog.jsonb_build_object('kind', about, 'level', how, 'used', so_far, 'quota', at_most, 'periodStart', period));
    title := CASE how
        WHEN 'warning' THEN pg_catalog.format('%s of %s %s are used', so_far, at_most, CASE about WHEN 'tokens' THEN 'tokens' ELSE 'conversations of this month' END)
        WHEN 'limit' THEN CASE about
            WHEN 'tokens' THEN 'The token quota is used up: the AI has stopped, and conversations wait for people'
            ELSE 'The conversations of this month are used up: new ones wait for people' END
        WHEN 'past_due' THEN 'An invoice is past due: the AI stops when the time of grace is over'
        ELSE 'The AI has stopped, and conversations wait for people: the subscription is ' || how END;
    PERFORM public.notify_members(organization, 'admin', CASE about WHEN 'subscription' THEN 'subscription_past_due' ELSE 'quota_warning' END,
        title, NULL, 'usageAlert', told, 'usage ' || told::text);
    RETURN true;
END $$;

-- Brings subscriptions up to a moment: periods end and begin, invoices are made and come due, grace ends. May run in several processes at once and as often as one
-- likes: each step happens once. Returns what happened.
CREATE FUNCTION advance_subscriptions(at timestamptz, most integer)
    RETURNS TABLE (organization_id uuid, happened text)
    LANGUAGE plpgsql SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    s public.subscriptions;
    p public.pricing_plans;
    late record;
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
                INSERT INTO public.billing_invoices (organization_id, plan_id, description, amount, currency, status, paid_at, period_start, period_end, due_at)
                SELECT s.organization_id, p.id, p.name || ', ' || s.billing_interval, price.amount, p.currency,
                    CASE WHEN price.amount = 0 THEN 'paid' ELSE 'pending' END, CASE WHEN price.amount = 0 THEN at END,
                    s.current_period_start, s.current_period_end, s.current_period_start + make_interval(days => p.payment_days)
                FROM (SELECT CASE s.billing_interval WHEN 'yearly' THEN p.price_yearly ELSE p.price_monthly END AS amount) price
                ON CONFLICT ON CONSTRAINT one_invoice_per_period DO NOTHING;
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
        SET status = s.status, canceled_at = s.canceled_at, grace_ends_at = s.grace_ends_at, current_period_start = s.current_period_start, current_period_end = s.current_period_end,
            renews_at = (SELECT q.period_end FROM public.quota_month(s.billing_anchor, at) q), version = u.version + 1
        WHERE u.organization_id = s.organization_id;
    END LOOP;
END $$;

-- An invoice is paid, or a payment failed: a super admin, or the engine on a payment provider's word, says so. The subscription follows. Null where there is no such invoice.
CREATE FUNCTION settle_invoice(invoice uuid, outcome text, at timestamptz) RETURNS billing_invoices
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    i public.billing_invoices;
BEGIN
    IF session_user <> 'agentplatform_engine' AND NOT public.is_super_admin() THEN
        RAISE EXCEPTION 'Only a super admin settles invoices.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE public.billing_invoices b SET status = outcome, paid_at = CASE WHEN outcome = 'paid' THEN coalesce(b.paid_at, at) END, version = b.version + 1
    WHERE b.id = invoice RETURNING * INTO i;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF outcome = 'paid' THEN
        UPDATE public.subscriptions s SET status = 'active', grace_ends_at = NULL, version = s.version + 1
        WHERE s.organization_id = i.organization_id AND s.status IN ('past_due', 'unpaid', 'incomplete')
          AND NOT EXISTS (SELECT FROM public.billing_invoices o WHERE o.organization_id = i.organization_id AND o.status <> 'paid' AND o.due_at <= at);
    ELSIF outcome = 'failed' THEN
        UPDATE public.subscriptions s SET status = 'past_due', grace_ends_at = at + pg_catalog.make_interval(days => p.grace_days), version = s.version + 1
        FROM public.pricing_plans p
        WHERE s.organization_id = i.organization_id AND s.status IN ('trialing', 'active') AND p.id = s.plan_id;
        IF FOUND THEN
            PERFORM public.record_usage_alert(i.organization_id, 'subscription', 'past_due', (i.period_start AT TIME ZONE 'UTC')::date, NULL, NULL);
        END IF;
    END IF;
    RETURN i;
END $$;

-- A subscription that begins today.
CREATE FUNCTION begin_subscription() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    trial integer := (SELECT p.trial_days FROM public.pricing_plans p WHERE p.id = new.plan_id);
BEGIN
    new.billing_anchor := coalesce(new.billing_anchor, date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC');
    new.current_period_start := coalesce(new.current_period_start, new.billing_anchor);
    IF new.current_period_end IS NULL THEN
        -- A trial is a first period without an invoice; what is paid begins when it ends.
        IF new.status = 'trialing' AND trial > 0 THEN
            new.current_period_end := new.current_period_start + pg_catalog.make_interval(days => trial);
            new.billing_anchor := new.current_period_end;
        ELSE
            new.current_period_end := ((new.current_period_start AT TIME ZONE 'UTC') + CASE new.billing_interval WHEN 'yearly' THEN interval '1 year' ELSE interval '1 month' END) AT TIME ZONE 'UTC';
        END IF;
    END IF;
    new.renews_at := coalesce(new.renews_at, (SELECT q.period_end FROM public.quota_month(new.billing_anchor, greatest(now(), new.current_period_start)) q));
    RETURN new;
END $$;
CREATE TRIGGER begin_subscription BEFORE INSERT ON subscriptions FOR EACH ROW EXECUTE FUNCTION begin_subscription();

-- One that begins without a trial is billed from its first period on.
CREATE FUNCTION bill_first_period() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.billing_invoices (organization_id, plan_id, description, amount, currency, period_start, period_end, due_at)
    SELECT new.organization_id, p.id, p.name || ', ' || new.billing_interval, price.amount, p.currency, new.current_period_start, new.current_period_end,
        new.current_period_start + pg_catalog.make_interval(days => p.payment_days)
    FROM public.pricing_plans p, LATERAL (SELECT CASE new.billing_interval WHEN 'yearly' THEN p.price_yearly ELSE p.price_monthly END AS amount) price
    WHERE p.id = new.plan_id AND price.amount > 0
    ON CONFLICT ON CONSTRAINT one_invoice_per_period DO NOTHING;
    RETURN null;
END $$;
CREATE TRIGGER bill_first_period AFTER INSERT ON subscriptions FOR EACH ROW WHEN (new.status = 'active') EXECUTE FUNCTION bill_first_period();

-- A new organization begins with the default plan, where there is one.
CREATE FUNCTION subscribe_to_default_plan() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.subscriptions (organization_id, plan_id, status)
    SELECT new.id, p.id, CASE WHEN p.trial_days > 0 THEN 'trialing' ELSE 'active' END FROM public.pricing_plans p WHERE p.is_default
    ON CONFLICT DO NOTHING;
    RETURN null;
END $$;
CREATE TRIGGER subscribe_to_default_plan AFTER INSERT ON organizations FOR EACH ROW EXECUTE FUNCTION subscribe_to_default_plan();

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['increment_conversation_count(uuid)', 'recount_usage(uuid, date, date)', 'record_usage_alert(uuid, text, text, date, bigint, bigint)',
        'advance_subscriptions(timestamptz, integer)', 'settle_invoice(uuid, text, timestamptz)', 'get_workspace_usage(uuid)', 'check_usage_limit(uuid)',
        'usage_state(uuid, timestamptz)', 'quota_month(timestamptz, timestamptz)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_engine', entry);
    END LOOP;
    FOREACH entry IN ARRAY ARRAY['get_workspace_usage(uuid)', 'check_usage_limit(uuid)', 'usage_state(uuid, timestamptz)', 'quota_month(timestamptz, timestamptz)', 'settle_invoice(uuid, text, timestamptz)'] LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_api', entry);
    END LOOP;
END $$;
