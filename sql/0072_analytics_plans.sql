-- Connections of the engine avoid scans of whole tables, so that statements prepared early stay right. A report reads whole tables, and is quicker that way.

ALTER FUNCTION refresh_all_analytics() SET enable_seqscan = on;
ALTER FUNCTION refresh_agent_activity() SET enable_seqscan = on;
