-- Reports are rows of each organization, brought up to date for all of them at once; an organization whose rows break a report is left out of it, and named. Materialized views knew all
-- organizations or none, and a restored backup could not fill them: row security binds whoever restores.

-- What each report says at this moment.

-- Deals by the month in which they began.
CREATE VIEW analytics_deal_metrics_now AS
SELECT d.organization_id, d.stage, d.owner_id,
    count(*) AS deal_count,
    sum(d.deal_value) AS total_value,
    round(avg(d.deal_value), 3) AS avg_deal_size,
    coalesce(sum(d.deal_value) FILTER (WHERE d.stage = 'closed_won'), 0) AS won_value,
    coalesce(sum(d.deal_value) FILTER (WHERE d.stage = 'closed_lost'), 0) AS lost_value,
    round(avg(d.probability), 2) AS avg_probability,
    round(avg(d.actual_close_date - (d.created_at AT TIME ZONE o.time_zone)::date), 2) AS avg_deal_cycle_days, -- of closed deals
    date_trunc('month', d.created_at, o.time_zone) AS period_month
FROM deals d JOIN organizations o ON o.id = d.organization_id
GROUP BY d.organization_id, d.stage, d.owner_id, date_trunc('month', d.created_at, o.time_zone);

-- Clients by the month in which they came.
CREATE VIEW analytics_client_metrics_now AS
SELECT c.organization_id, c.lifecycle_stage, c.client_type, c.source, c.assigned_to,
    count(*) AS client_count,
    sum(c.total_revenue) AS total_revenue,
    round(avg(c.total_revenue), 3) AS avg_revenue_per_client,
    round(avg(c.total_orders), 2) AS avg_orders_per_client,
    round(sum(c.total_revenue) / nullif(sum(c.total_orders), 0), 3) AS avg_order_value,
    round(avg(c.lead_score), 2) AS avg_lead_score,
    date_trunc('month', c.created_at, o.time_zone) AS period_month
FROM clients c JOIN organizations o ON o.id = c.organization_id
GROUP BY c.organization_id, c.lifecycle_stage, c.client_type, c.source, c.assigned_to, date_trunc('month', c.created_at, o.time_zone);

-- Orders by day. What was cancelled or refunded is lost revenue, and counts nowhere else.
CREATE VIEW analytics_revenue_metrics_now AS
SELECT r.organization_id,
    coalesce(sum(r.total) FILTER (WHERE r.counts), 0) AS total_revenue,
    count(DISTINCT r.client_id) FILTER (WHERE r.counts) AS unique_customers,
    count(*) FILTER (WHERE r.counts) AS order_count,
    coalesce(round(avg(r.total) FILTER (WHERE r.counts), 3), 0) AS avg_order_value,
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

-- Rounds of the agents, and chatbot interactions that somebody logged by hand (those that stand for a message are rounds already). A round was a success when it ended in an answer.
CREATE VIEW analytics_chatbot_effectiveness_now AS
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

-- Messages of each channel by month; notes among colleagues are none, nor is what comes from whom the organization blocked.
CREATE VIEW analytics_channel_performance_now AS
SELECT c.organization_id, c.id AS channel_id, c.name AS channel_name, c.platform,
    count(DISTINCT m.contact_id) AS total_contacts,
    count(*) AS total_messages,
    count(*) FILTER (WHERE m.direction = 'inbound') AS incoming_messages,
    count(*) FILTER (WHERE m.direction = 'outbound' AND m.sender_type = 'agent') AS agent_responses,
    count(*) FILTER (WHERE m.direction = 'outbound' AND m.sender_type = 'ai') AS ai_responses,
    date_trunc('month', m.sent_at, o.time_zone) AS period_month
FROM messages m JOIN channels c ON c.id = m.channel_id JOIN organizations o ON o.id = c.organization_id JOIN contacts k ON k.id = m.contact_id
WHERE m.direction <> 'internal' AND is_said(m.content_type) AND k.blocked_at IS NULL
GROUP BY c.organization_id, c.id, c.name, c.platform, date_trunc('month', m.sent_at, o.time_zone);

-- What readers see: what each report said when it was last brought up to date.
CREATE TABLE analytics_deal_metrics AS SELECT * FROM analytics_deal_metrics_now;
CREATE TABLE analytics_client_metrics AS SELECT * FROM analytics_client_metrics_now;
CREATE TABLE analytics_revenue_metrics AS SELECT * FROM analytics_revenue_metrics_now;
CREATE TABLE analytics_chatbot_effectiveness AS SELECT * FROM analytics_chatbot_effectiveness_now;
CREATE TABLE analytics_channel_performance AS SELECT * FROM analytics_channel_performance_now;
CREATE UNIQUE INDEX analytics_deal_metrics_key ON analytics_deal_metrics (organization_id, stage, owner_id, period_month) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX analytics_client_metrics_key
    ON analytics_client_metrics (organization_id, lifecycle_stage, client_type, source, assigned_to, period_month) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX analytics_revenue_metrics_key ON analytics_revenue_metrics (organization_id, period_day);
CREATE UNIQUE INDEX analytics_chatbot_effectiveness_key ON analytics_chatbot_effectiveness (organization_id, period_day);
CREATE UNIQUE INDEX analytics_channel_performance_key ON analytics_channel_performance (organization_id, channel_id, period_month);

-- Which reports could not be brought up to date for whom.
CREATE TABLE analytics_failures (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    report text NOT NULL,
    reason text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(), -- for the first time
    PRIMARY KEY (report, organization_id),
    CONSTRAINT moments_are_possible CHECK (is_possible(failed_at))
);
CREATE INDEX analytics_failures_by_organization ON analytics_failures (organization_id);

DO $$
DECLARE
    report text;
BEGIN
    FOREACH report IN ARRAY ARRAY['deal_metrics', 'client_metrics', 'revenue_metrics', 'chatbot_effectiveness', 'channel_performance'] LOOP
        EXECUTE format('ALTER TABLE analytics_%s ALTER COLUMN organization_id SET NOT NULL, ADD FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE', report);
        EXECUTE format('REVOKE ALL ON analytics_%s_now FROM agentplatform_api, agentplatform_engine', report);
        -- By this name processes of the release before read it, until they are replaced.
        EXECUTE format('CREATE VIEW organization_%1$s WITH (security_invoker) AS SELECT * FROM analytics_%1$s', report);
        EXECUTE format('GRANT SELECT ON organization_%s TO agentplatform_api', report);
    END LOOP;
    FOREACH report IN ARRAY ARRAY['deal_metrics', 'client_metrics', 'revenue_metrics', 'chatbot_effectiveness', 'channel_performance', 'failures'] LOOP
        PERFORM enable_tenant_isolation(format('analytics_%s', report)::regclass);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON analytics_%s FROM agentplatform_api', report);
    END LOOP;
END $$;

-- Brings one report up to date: of one organization, or of all but those that are named as failing. Rows that stay what they are stay untouched.
CREATE FUNCTION refresh_report(report text, only_for uuid DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = '' SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS SELECT n.* FROM public.analytics_%1$s_now n WHERE CASE WHEN $1 IS NULL '
        'THEN NOT EXISTS (SELECT FROM public.analytics_failures f WHERE f.organization_id = n.organization_id AND f.report = $2) ELSE n.organization_id = $1 END', report) USING only_for, report;
    EXECUTE format('DELETE FROM public.analytics_%1$s t WHERE (CASE WHEN $1 IS NULL '
        'THEN NOT EXISTS (SELECT FROM public.analytics_failures f WHERE f.organization_id = t.organization_id AND f.report = $2) ELSE t.organization_id = $1 END) '
        'AND NOT EXISTS (SELECT FROM pg_temp.fresh n WHERE n = t)', report) USING only_for, report;
    EXECUTE format('INSERT INTO public.analytics_%1$s SELECT n.* FROM pg_temp.fresh n WHERE NOT EXISTS (SELECT FROM public.analytics_%1$s t WHERE t = n)', report);
    DROP TABLE pg_temp.fresh;
END $$;

-- As before, report by report. What fails for all is tried for each organization, and for those that failed before each time.
CREATE OR REPLACE FUNCTION refresh_all_analytics() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET enable_seqscan = on SET application_name = 'agentplatform, nothing live' AS $$
DECLARE
    wanted text;
    organization uuid;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7030) THEN
        RETURN;
    END IF;
    FOREACH wanted IN ARRAY ARRAY['deal_metrics', 'client_metrics', 'revenue_metrics', 'chatbot_effectiveness', 'channel_performance'] LOOP
        BEGIN
            PERFORM public.refresh_report(wanted);
        EXCEPTION WHEN others THEN
            INSERT INTO public.analytics_failures (organization_id, report, reason) SELECT o.id, wanted, SQLERRM FROM public.organizations o ON CONFLICT DO NOTHING;
        END;
        FOR organization IN SELECT f.organization_id FROM public.analytics_failures f WHERE f.report = wanted LOOP
            BEGIN
                PERFORM public.refresh_report(wanted, organization);
                DELETE FROM public.analytics_failures f WHERE f.organization_id = organization AND f.report = wanted;
            EXCEPTION WHEN others THEN
                UPDATE public.analytics_failures f SET reason = SQLERRM WHERE f.organization_id = organization AND f.report = wanted;
            END;
        END LOOP;
    END LOOP;
    PERFORM public.refresh_agent_activity();
    UPDATE public.analytics_refreshes SET refreshed_at = now();
END $$;
REVOKE ALL ON FUNCTION refresh_report(text, uuid) FROM PUBLIC;
