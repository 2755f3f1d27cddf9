-- What a plan lets an organization have, held where it is made; subscriptions that begin anew; where all subscriptions stand, in one view.

ALTER TABLE pricing_plans ADD CONSTRAINT plan_features_that_count_are_numbers CHECK (
    coalesce(jsonb_typeof(features -> 'maxAgents'), 'number') = 'number' AND coalesce(jsonb_typeof(features -> 'maxChannels'), 'number') = 'number'
    AND coalesce(jsonb_typeof(features -> 'maxMembers'), 'number') = 'number');

-- A feature of the organization's plan; null where there is no subscription, or the plan doesn't say.
CREATE FUNCTION plan_feature(organization uuid, feature text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT p.features -> feature FROM public.subscriptions s JOIN public.pricing_plans p ON p.id = s.plan_id WHERE s.organization_id = organization
$$;
REVOKE ALL ON FUNCTION plan_feature(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION plan_feature(uuid, text) TO agentplatform_api, agentplatform_engine;

-- Refuses what the plan doesn't allow any more of. Those who add at the same moment wait for each other at the subscription, so that the last place is given once.
CREATE FUNCTION enforce_plan_feature() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    allowed numeric := (public.plan_feature(new.organization_id, tg_argv[0]))::numeric;
    present bigint;
BEGIN
    IF allowed IS NULL THEN
        RETURN new;
    END IF;
    PERFORM FROM public.subscriptions s WHERE s.organization_id = new.organization_id FOR NO KEY UPDATE;
    EXECUTE pg_catalog.format('SELECT count(*) FROM public.%I WHERE organization_id = $1', tg_table_name) INTO present USING new.organization_id;
    IF present >= allowed THEN
        RAISE EXCEPTION 'Your plan allows % %: see its %.', allowed, pg_catalog.replace(tg_table_name, 'organization_', ''), tg_argv[0]
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_allows_more_' || tg_table_name, TABLE = tg_table_name;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER enforce_plan_feature BEFORE INSERT ON agents FOR EACH ROW EXECUTE FUNCTION enforce_plan_feature('maxAgents');
CREATE TRIGGER enforce_plan_feature BEFORE INSERT ON channels FOR EACH ROW EXECUTE FUNCTION enforce_plan_feature('maxChannels');
CREATE TRIGGER enforce_plan_feature BEFORE INSERT ON organization_members FOR EACH ROW EXECUTE FUNCTION enforce_plan_feature('maxMembers');

-- A canceled subscription that begins anew is billed from its first period on.
CREATE TRIGGER bill_first_period_anew AFTER UPDATE OF status ON subscriptions FOR EACH ROW
    WHEN (old.status = 'canceled' AND new.status = 'active') EXECUTE FUNCTION bill_first_period();

-- Tokens used in the quota month that reckons from an anchor.
CREATE FUNCTION tokens_used(organization uuid, anchor timestamptz, at timestamptz DEFAULT now()) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT coalesce(sum(d.tokens_consumed), 0)::bigint FROM public.quota_month(anchor, at) q
    JOIN public.usage_daily d ON d.organization_id = organization
        AND d.usage_date >= (q.period_start AT TIME ZONE 'UTC')::date AND d.usage_date < (q.period_end AT TIME ZONE 'UTC')::date
$$;
REVOKE ALL ON FUNCTION tokens_used(uuid, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tokens_used(uuid, timestamptz, timestamptz) TO agentplatform_api, agentplatform_engine;

-- Where subscriptions stand now.
CREATE VIEW subscription_usage WITH (security_invoker = true) AS
SELECT s.organization_id, u.plan_code AS plan, u.status, u.token_quota, u.token_used, u.period_end AS renews_at, u.conversation_limit, u.conversations_used, u.stop_reason,
    u.takes_new_conversations, s.created_at, s.updated_at
FROM subscriptions s CROSS JOIN LATERAL usage_state(s.organization_id, now()) u;
GRANT SELECT ON subscription_usage TO agentplatform_api, agentplatform_engine;

-- A comparison with nothing is neither true nor false, and a check lets it pass.
ALTER TABLE subscriptions DROP CONSTRAINT limit_message_is_there_to_be_sent;
ALTER TABLE subscriptions ADD CONSTRAINT limit_message_is_there_to_be_sent CHECK (limit_response = 'silent' OR coalesce(btrim(limit_message), '') <> '');
