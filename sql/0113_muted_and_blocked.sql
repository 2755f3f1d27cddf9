-- Whom people muted, nobody is told about; whom they blocked, nobody counts. And of a channel's messages those count by which somebody said something.

CREATE OR REPLACE FUNCTION notify_escalation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    contact text[] := ARRAY[public.contact_label(new.contact_id)];
    told text := pg_catalog.format('escalated %s %s', new.id, new.version);
BEGIN
    IF EXISTS (SELECT FROM public.contacts k WHERE k.id = new.contact_id AND (k.muted_at IS NOT NULL OR k.blocked_at IS NOT NULL)) THEN
        RETURN null;
    END IF;
    IF new.assigned_to IS NOT NULL AND public.notify_member(
        new.organization_id, new.assigned_to, 'conversation_escalated', NULL, NULL, 'conversation', new.id, told, 'needsPerson', contact) IS NOT NULL THEN
        RETURN null;
    END IF;
    PERFORM public.notify_members(new.organization_id, 'member', 'conversation_escalated', NULL, NULL, 'conversation', new.id, told, 'needsPerson', contact);
    RETURN null;
END $$;

DROP VIEW organization_channel_performance;
DROP MATERIALIZED VIEW analytics_channel_performance;
CREATE MATERIALIZED VIEW analytics_channel_performance AS
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
CREATE UNIQUE INDEX analytics_channel_performance_key ON analytics_channel_performance (organization_id, channel_id, period_month);
REVOKE ALL ON analytics_channel_performance FROM agentplatform_api;
CREATE VIEW organization_channel_performance WITH (security_barrier) AS SELECT * FROM analytics_channel_performance WHERE organization_id = (SELECT current_organization_id());
REVOKE ALL ON organization_channel_performance FROM agentplatform_engine;
GRANT SELECT ON organization_channel_performance TO agentplatform_api;
