-- The function reckoned the usage of all organizations for every page, and for a single one. As a view it is planned with what asks for it: usage is summed for the
-- rows that are shown. It has its owner's rights and shows rows to super admins only. Usage is that of the calendar month (UTC).
DROP FUNCTION organizations_of_installation();
CREATE VIEW organizations_of_installation AS
SELECT o.id, o.name, o.slug, o.country, o.time_zone, o.status, o.suspended_at, o.suspended_reason, p.code AS plan, s.status AS subscription_status,
    coalesce(u.conversations, 0) AS conversations, coalesce(u.tokens, 0) AS tokens, o.version, o.created_at, o.updated_at
FROM organizations o
LEFT JOIN subscriptions s ON s.organization_id = o.id
LEFT JOIN pricing_plans p ON p.id = s.plan_id
LEFT JOIN LATERAL (
    SELECT sum(d.conversations)::bigint AS conversations, sum(d.tokens_consumed)::bigint AS tokens FROM usage_daily d
    WHERE d.organization_id = o.id AND d.usage_date >= date_trunc('month', now() AT TIME ZONE 'UTC')::date) u ON true
WHERE (SELECT is_super_admin());
GRANT SELECT ON organizations_of_installation TO agentplatform_api, agentplatform_engine;

-- The order of the list: so that no more than a page is looked at.
CREATE INDEX organizations_by_created_at ON organizations (created_at DESC, id DESC);
