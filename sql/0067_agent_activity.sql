-- What is counted beside the way of messages: how much an agent has said and when it last did, how often an article was read. Counting changes no
-- configuration: nobody reads an agent or an article anew for it, and its updated_at stays what it was.

DROP TRIGGER configuration_changed ON agents;
DROP TRIGGER set_updated_at ON agents;
CREATE TRIGGER configuration_changed AFTER INSERT OR DELETE ON agents FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER configuration_changed_by_update AFTER UPDATE ON agents
    FOR EACH ROW WHEN (OLD.messages_total = NEW.messages_total) EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON agents
    FOR EACH ROW WHEN (OLD.messages_total = NEW.messages_total) EXECUTE FUNCTION update_updated_at();

DROP TRIGGER configuration_changed ON knowledge_articles;
DROP TRIGGER set_updated_at ON knowledge_articles;
CREATE TRIGGER configuration_changed AFTER INSERT OR DELETE ON knowledge_articles FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER configuration_changed_by_update AFTER UPDATE ON knowledge_articles
    FOR EACH ROW WHEN (OLD.view_count = NEW.view_count) EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON knowledge_articles
    FOR EACH ROW WHEN (OLD.view_count = NEW.view_count) EXECUTE FUNCTION update_updated_at();

-- Brings the agents' numbers up to date from the messages themselves; agents of which nothing new is known stay untouched.
CREATE FUNCTION refresh_agent_activity() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.agents a SET messages_total = n.total, last_activity_at = n.latest
    FROM (
        SELECT t.agent_id, count(*) AS total, max(m.created_at) AS latest
        FROM public.messages m JOIN public.turns t ON t.id = m.turn_id
        WHERE m.sender_type = 'ai' AND t.agent_id IS NOT NULL
        GROUP BY t.agent_id) n
    WHERE a.id = n.agent_id AND a.messages_total <> n.total
$$;
REVOKE ALL ON FUNCTION refresh_agent_activity() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_agent_activity() TO agentplatform_engine;

-- As before, and the agents' numbers.
CREATE OR REPLACE FUNCTION refresh_all_analytics() RETURNS void
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
    PERFORM public.refresh_agent_activity();
    UPDATE public.analytics_refreshes SET refreshed_at = now();
END $$;

-- Lists of what there is much of, newest first.
CREATE INDEX agent_memories_by_created_at ON agent_memories (organization_id, created_at DESC, id DESC);
CREATE INDEX knowledge_chunks_by_created_at ON knowledge_chunks (organization_id, created_at DESC, id DESC);
