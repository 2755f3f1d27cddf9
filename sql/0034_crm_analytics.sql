-- What the numbers say: five materialized views over all organizations, refreshed by the engine on a schedule, and functions over live rows.
-- A materialized view has no row security: the API's role reads each through a view that is bound to the transaction's organization.

-- Days and months are the organization's own. A zone that Postgres doesn't know would stop every refresh, so it never gets in.
UPDATE organizations SET time_zone = 'UTC' WHERE time_zone NOT IN (SELECT name FROM pg_timezone_names);
CREATE FUNCTION check_time_zone() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM now() AT TIME ZONE NEW.time_zone;
    RETURN NEW;
END $$;
CREATE TRIGGER check_time_zone BEFORE INSERT OR UPDATE OF time_zone ON organizations FOR EACH ROW EXECUTE FUNCTION check_time_zone();

-- Deals by the month in which they began.
CREATE MATERIALIZED VIEW analytics_deal_metrics AS
SELECT d.organization_id, d.stage, d.owner_id,
    count(*) AS deal_count,
    sum(d.deal_value) AS total_value,
    round(avg(d.deal_value), 2) AS avg_deal_size,
    coalesce(sum(d.deal_value) FILTER (WHERE d.stage = 'closed_won'), 0) AS won_value,
    coalesce(sum(d.deal_value) FILTER (WHERE d.stage = 'closed_lost'), 0) AS lost_value,
    round(avg(d.probability), 2) AS avg_probability,
    round(avg(d.actual_close_date - (d.created_at AT TIME ZONE o.time_zone)::date), 2) AS avg_deal_cycle_days, -- of closed deals
    date_trunc('month', d.created_at, o.time_zone) AS period_month
FROM deals d JOIN organizations o ON o.id = d.organization_id
GROUP BY d.organization_id, d.stage, d.owner_id, date_trunc('month', d.created_at, o.time_zone);
CREATE UNIQUE INDEX analytics_deal_metrics_key ON analytics_deal_metrics (organization_id, stage, owner_id, period_month) NULLS NOT DISTINCT;

-- Clients by the month in which they came.
CREATE MATERIALIZED VIEW analytics_client_metrics AS
SELECT c.organization_id, c.lifecycle_stage, c.client_type, c.source, c.assigned_to,
    count(*) AS client_count,
    sum(c.total_revenue) AS total_revenue,
    round(avg(c.total_revenue), 2) AS avg_revenue_per_client,
    round(avg(c.total_orders), 2) AS avg_orders_per_client,
    round(sum(c.total_revenue) / nullif(sum(c.total_orders), 0), 2) AS avg_order_value,
    round(avg(c.lead_score), 2) AS avg_lead_score,
    date_trunc('month', c.created_at, o.time_zone) AS period_month
FROM clients c JOIN organizations o ON o.id = c.organization_id
GROUP BY c.organization_id, c.lifecycle_stage, c.client_type, c.source, c.assigned_to, date_trunc('month', c.created_at, o.time_zone);
CREATE UNIQUE INDEX analytics_client_metrics_key
    ON analytics_client_metrics (organization_id, lifecycle_stage, client_type, source, assigned_to, period_month) NULLS NOT DISTINCT;

-- Orders by day. What was cancelled or refunded is lost revenue, and counts nowhere else.
CREATE MATERIALIZED VIEW analytics_revenue_metrics AS
SELECT r.organization_id,
    coalesce(sum(r.total) FILTER (WHERE r.counts), 0) AS total_revenue,
    count(DISTINCT r.client_id) FILTER (WHERE r.counts) AS unique_customers,
    count(*) FILTER (WHERE r.counts) AS order_count,
    coalesce(round(avg(r.total) FILTER (WHERE r.counts), 2), 0) AS avg_order_value,
    coalesce(sum(r.total) FILTER (WHERE r.status = 'delivered'), 0) AS delivered_revenue,
    coalesce(sum(r.total) FILTER (WHERE NOT r.counts), 0) AS lost_revenue,
    r.period_day,
    date_trunc('week', r.period_day, r.time_zone) AS period_week,
    date_trunc('month', r.period_day, r.time_zone) AS period_month,
    date_trunc('year', r.period_day, r.time_zone) AS period_year
FROM (
    SELECT b.organization_id, b.client_id, b.total, b.status, b.status NOT IN ('cancelled', 'refunded') AS counts, o.time_zone,
        date_trunc('day', b.order_date, o.time_zone) AS period_day
    FROM orders b JOIN organizations o ON o.id = b.organization_id) r
GROUP BY r.organization_id, r.time_zone, r.period_day;
CREATE UNIQUE INDEX analytics_revenue_metrics_key ON analytics_revenue_metrics (organization_id, period_day);

-- Rounds of the agents, and chatbot interactions that somebody logged by hand (those that stand for a message are rounds already).
-- A round was a success when it ended in an answer.
CREATE MATERIALIZED VIEW analytics_chatbot_effectiveness AS
SELECT i.organization_id,
    count(DISTINCT i.client_id) AS unique_clients_engaged,
    count(*) AS total_chatbot_interactions,
    count(*) FILTER (WHERE i.succeeded) AS successful_interactions,
    round(avg(extract(epoch FROM i.ended_at - i.began_at) / 60), 2) AS avg_interaction_duration_minutes,
    date_trunc('day', i.began_at, o.time_zone) AS period_day
FROM (
    SELECT t.organization_id, v.client_id, t.created_at AS began_at, t.finished_at AS ended_at, coalesce(t.outcome = 'replied', false) AS succeeded
    FROM turns t JOIN conversations v ON v.id = t.conversation_id
    WHERE t.state IN ('completed', 'failed') AND t.outcome IS DISTINCT FROM 'superseded'
    UNION ALL
    SELECT a.organization_id, a.client_id, a.created_at, a.completed_at, a.status = 'completed'
    FROM activities a WHERE a.activity_type = 'chatbot_interaction' AND a.message_id IS NULL) i
JOIN organizations o ON o.id = i.organization_id
GROUP BY i.organization_id, date_trunc('day', i.began_at, o.time_zone);
CREATE UNIQUE INDEX analytics_chatbot_effectiveness_key ON analytics_chatbot_effectiveness (organization_id, period_day);

-- Messages of each channel by month; notes among colleagues are none.
CREATE MATERIALIZED VIEW analytics_channel_performance AS
SELECT c.organization_id, c.id AS channel_id, c.name AS channel_name, c.platform,
    count(DISTINCT m.contact_id) AS total_contacts,
    count(*) AS total_messages,
    count(*) FILTER (WHERE m.direction = 'inbound') AS incoming_messages,
    count(*) FILTER (WHERE m.direction = 'outbound' AND m.sender_type = 'agent') AS agent_responses,
    count(*) FILTER (WHERE m.direction = 'outbound' AND m.sender_type = 'ai') AS ai_responses,
    date_trunc('month', m.sent_at, o.time_zone) AS period_month
FROM messages m JOIN channels c ON c.id = m.channel_id JOIN organizations o ON o.id = c.organization_id
WHERE m.direction <> 'internal'
GROUP BY c.organization_id, c.id, c.name, c.platform, date_trunc('month', m.sent_at, o.time_zone);
CREATE UNIQUE INDEX analytics_channel_performance_key ON analytics_channel_performance (organization_id, channel_id, period_month);

DO $$
DECLARE
    metrics text;
BEGIN
    FOREACH metrics IN ARRAY ARRAY['deal_metrics', 'client_metrics', 'revenue_metrics', 'chatbot_effectiveness', 'channel_performance'] LOOP
        EXECUTE format('REVOKE ALL ON analytics_%s FROM agentplatform_api', metrics);
        EXECUTE format('CREATE VIEW organization_%1$s WITH (security_barrier) AS SELECT * FROM analytics_%1$s '
            'WHERE organization_id = (SELECT current_organization_id())', metrics);
        EXECUTE format('REVOKE ALL ON organization_%s FROM agentplatform_engine', metrics);
        EXECUTE format('GRANT SELECT ON organization_%s TO agentplatform_api', metrics);
    END LOOP;
END $$;

-- When the views were last refreshed; one row.
CREATE TABLE analytics_refreshes (
    id smallint PRIMARY KEY DEFAULT 1 CONSTRAINT there_is_one_row CHECK (id = 1),
    refreshed_at timestamptz NOT NULL
);
GRANT SELECT ON analytics_refreshes TO agentplatform_api;
INSERT INTO analytics_refreshes (refreshed_at) VALUES (now());

-- Readers go on reading what was before until the commit. Only the owner may refresh, so it runs as the owner; one process at a time does it.
CREATE FUNCTION refresh_all_analytics() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(7030) THEN
        RETURN;
    END IF;
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.analytics_deal_metrics;
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.analytics_client_metrics;
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.analytics_revenue_metrics;
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.analytics_chatbot_effectiveness;
    REFRESH MATERIALIZED VIEW CONCURRENTLY public.analytics_channel_performance;
    UPDATE public.analytics_refreshes SET refreshed_at = now();
END $$;

-- What a client has brought in: orders that were neither cancelled nor refunded.
CREATE FUNCTION calculate_client_ltv(client_uuid uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT coalesce(sum(o.total), 0) FROM public.orders o WHERE o.client_id = client_uuid AND o.status NOT IN ('cancelled', 'refunded')
$$;

-- Of the deals that were closed from one day to another, how many of a hundred were won; null where none was closed.
CREATE FUNCTION calculate_win_rate(org_id uuid, start_date date DEFAULT NULL, end_date date DEFAULT NULL) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT round(100.0 * count(*) FILTER (WHERE d.stage = 'closed_won') / nullif(count(*), 0), 2)
    FROM public.deals d
    WHERE d.organization_id = org_id AND d.actual_close_date IS NOT NULL
        AND d.actual_close_date >= coalesce(start_date, '-infinity') AND d.actual_close_date <= coalesce(end_date, 'infinity')
$$;

-- The functions below run as the owner, whom row security lets see everything: they answer nothing about an organization that isn't the
-- transaction's. The engine works for all of them.
CREATE FUNCTION may_look_into(org_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT coalesce(org_id = public.current_organization_id(), false) OR pg_has_role(session_user, 'agentplatform_engine', 'USAGE')
$$;

CREATE FUNCTION get_crm_dashboard_summary(org_id uuid) RETURNS TABLE (
        total_clients bigint, new_clients_this_month bigint, active_leads bigint, customers bigint,
        open_deals bigint, pipeline_value numeric, weighted_pipeline_value numeric, won_deals_this_month bigint, won_value_this_month numeric, win_rate numeric,
        total_orders bigint, total_revenue numeric, revenue_this_month numeric, average_order_value numeric,
        pending_activities bigint, overdue_activities bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT c.*, d.*, public.calculate_win_rate(o.id), b.*, a.*
    FROM (SELECT o.id, date_trunc('month', now(), o.time_zone) AS month, date_trunc('month', now() AT TIME ZONE o.time_zone)::date AS first_day
          FROM public.organizations o WHERE o.id = org_id AND public.may_look_into(org_id)) o
    CROSS JOIN LATERAL (
        SELECT count(*), count(*) FILTER (WHERE k.created_at >= o.month), count(*) FILTER (WHERE k.client_type = 'lead'), count(*) FILTER (WHERE k.client_type = 'customer')
        FROM public.clients k WHERE k.organization_id = o.id) c
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE k.actual_close_date IS NULL),
            coalesce(sum(k.deal_value) FILTER (WHERE k.actual_close_date IS NULL), 0),
            coalesce(round(sum(k.deal_value * k.probability / 100) FILTER (WHERE k.actual_close_date IS NULL), 2), 0),
            count(*) FILTER (WHERE k.stage = 'closed_won' AND k.actual_close_date >= o.first_day),
            coalesce(sum(k.deal_value) FILTER (WHERE k.stage = 'closed_won' AND k.actual_close_date >= o.first_day), 0)
        FROM public.deals k WHERE k.organization_id = o.id) d
    CROSS JOIN LATERAL (
        SELECT count(*), coalesce(sum(k.total), 0), coalesce(sum(k.total) FILTER (WHERE k.order_date >= o.month), 0), coalesce(round(avg(k.total), 2), 0)
        FROM public.orders k WHERE k.organization_id = o.id AND k.status NOT IN ('cancelled', 'refunded')) b
    CROSS JOIN LATERAL (
        SELECT count(*), count(*) FILTER (WHERE k.due_date < now())
        FROM public.activities k WHERE k.organization_id = o.id AND k.status = 'pending') a
$$;

-- From lead to evangelist: who stands at each stage, who has come at least so far, and how many of a hundred came here from the stage before.
-- Who left (churned) stands at the end and counts on no way.
CREATE FUNCTION get_conversion_funnel(org_id uuid) RETURNS TABLE (
        stage text, stage_order integer, client_count bigint, reached_count bigint, conversion_rate numeric, total_revenue numeric)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    WITH stages (stage, stage_order) AS (
        VALUES ('lead', 1), ('mql', 2), ('sql', 3), ('opportunity', 4), ('customer', 5), ('evangelist', 6), ('churned', 7)
    ), counted AS (
        SELECT s.stage, s.stage_order, coalesce(k.clients, 0) AS clients, coalesce(k.revenue, 0) AS revenue
        FROM stages s LEFT JOIN (
            SELECT c.lifecycle_stage, count(*) AS clients, sum(c.total_revenue) AS revenue
            FROM public.clients c WHERE c.organization_id = org_id GROUP BY c.lifecycle_stage) k ON k.lifecycle_stage = s.stage
        WHERE public.may_look_into(org_id)
    ), reached AS (
        SELECT c.*, CASE WHEN c.stage = 'churned' THEN c.clients
            ELSE (SELECT sum(later.clients)::bigint FROM counted later WHERE later.stage_order >= c.stage_order AND later.stage <> 'churned') END AS reached
        FROM counted c
    )
    SELECT r.stage, r.stage_order, r.clients, r.reached,
        CASE WHEN r.stage <> 'churned' THEN round(100.0 * r.reached / nullif(coalesce(lag(r.reached) OVER (ORDER BY r.stage_order), r.reached), 0), 2) END,
        r.revenue
    FROM reached r ORDER BY r.stage_order
$$;

-- A channel's contacts with their clients, the last heard of first; by any part of name, user name, phone number or last message.
CREATE FUNCTION get_contacts_for_channel(p_channel_id uuid, p_search_term text DEFAULT NULL) RETURNS TABLE (
        id uuid, organization_id uuid, channel_id uuid, platform text, platform_user_id text, name text, avatar_url text, ai_enabled boolean,
        last_interaction_at timestamptz, last_message_preview text, unread_count integer, created_at timestamptz, updated_at timestamptz, crm_client_id uuid)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT k.id, k.organization_id, k.channel_id, k.platform, k.platform_user_id, k.name, k.avatar_url, k.ai_enabled,
        k.last_interaction_at, k.last_message_preview, k.unread_count, k.created_at, k.updated_at, k.client_id
    FROM public.contacts k
    WHERE k.channel_id = p_channel_id AND (nullif(p_search_term, '') IS NULL
        OR lower(concat_ws(' ', k.name, k.username, k.phone, k.platform_user_id, k.last_message_preview)) LIKE public.containing(p_search_term))
    ORDER BY k.last_interaction_at DESC NULLS LAST, k.id
$$;

-- A channel and its configuration are one row here, so that both begin together.
CREATE FUNCTION create_channel_and_config(channel_name text, channel_platform text, platform_id text DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = '' AS $$
    INSERT INTO public.channels (organization_id, name, platform, platform_channel_id)
    VALUES (public.current_organization_id(), channel_name, channel_platform, nullif(platform_id, ''))
    RETURNING jsonb_build_object('id', id, 'organization_id', organization_id)
$$;

DO $$
DECLARE
    entry text;
BEGIN
    FOREACH entry IN ARRAY ARRAY['refresh_all_analytics()', 'get_crm_dashboard_summary(uuid)', 'get_conversion_funnel(uuid)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', entry);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO agentplatform_engine', entry);
    END LOOP;
    GRANT EXECUTE ON FUNCTION get_crm_dashboard_summary(uuid), get_conversion_funnel(uuid) TO agentplatform_api;
END $$;
