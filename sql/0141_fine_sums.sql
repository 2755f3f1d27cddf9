-- As fine as the finest currency, as the other reports are.
CREATE OR REPLACE FUNCTION get_crm_dashboard_summary(org_id uuid) RETURNS TABLE (
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
            coalesce(round(sum(k.deal_value * k.probability / 100) FILTER (WHERE k.actual_close_date IS NULL), 3), 0),
            count(*) FILTER (WHERE k.stage = 'closed_won' AND k.actual_close_date >= o.first_day),
            coalesce(sum(k.deal_value) FILTER (WHERE k.stage = 'closed_won' AND k.actual_close_date >= o.first_day), 0)
        FROM public.deals k WHERE k.organization_id = o.id) d
    CROSS JOIN LATERAL (
        SELECT count(*), coalesce(sum(k.total), 0), coalesce(sum(k.total) FILTER (WHERE k.order_date >= o.month), 0), coalesce(round(avg(k.total), 3), 0)
        FROM public.orders k WHERE k.organization_id = o.id AND k.status NOT IN ('cancelled', 'refunded')) b
    CROSS JOIN LATERAL (
        SELECT count(*), count(*) FILTER (WHERE k.due_date < now())
        FROM public.activities k WHERE k.organization_id = o.id AND k.status = 'pending') a
$$;
