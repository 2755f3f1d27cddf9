-- What reacts: rules (one reaction), sequences (a timed series of steps), workflows (a graph of steps) and their executions, and the e-mails that they send.

CREATE TABLE email_templates (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT email_template_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    language text,
    subject text NOT NULL CONSTRAINT email_subject_is_one_line CHECK (btrim(subject) <> '' AND subject !~ '[\r\n]'),
    body_text text,
    body_html text,
    is_active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_template_has_a_body CHECK (body_text IS NOT NULL OR body_html IS NOT NULL),
    CONSTRAINT email_template_is_named_once UNIQUE NULLS NOT DISTINCT (organization_id, name, language)
);

CREATE TABLE automation_rules (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE, -- NULL: for whatever agent is in charge
    name text NOT NULL CONSTRAINT rule_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    trigger_type text NOT NULL CONSTRAINT rule_trigger_is_known
        CHECK (trigger_type IN ('lead_created', 'lead_updated', 'message_received', 'stage_changed', 'time_based', 'manual')),
    conditions jsonb NOT NULL DEFAULT '[]'::jsonb CONSTRAINT rule_conditions_are_a_list CHECK (jsonb_typeof(conditions) = 'array'),
    actions jsonb NOT NULL DEFAULT '[]'::jsonb CONSTRAINT rule_actions_are_a_list CHECK (jsonb_typeof(actions) = 'array'),
    schedule jsonb, -- when a time-based rule is looked at
    is_active boolean NOT NULL DEFAULT true,
    priority integer NOT NULL DEFAULT 0,
    cooldown_minutes integer CONSTRAINT cooldown_is_not_negative CHECK (cooldown_minutes >= 0),
    max_executions_per_day integer CONSTRAINT executions_per_day_is_positive CHECK (max_executions_per_day > 0),
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT active_rule_does_something CHECK (NOT is_active OR jsonb_array_length(actions) > 0),
    CONSTRAINT time_based_rule_has_a_schedule CHECK ((trigger_type = 'time_based') = (schedule IS NOT NULL))
);
CREATE INDEX automation_rules_by_organization ON automation_rules (organization_id, created_at DESC, id DESC);
CREATE INDEX automation_rules_by_trigger ON automation_rules (organization_id, trigger_type, priority DESC) WHERE is_active;
CREATE INDEX automation_rules_by_agent ON automation_rules (agent_id) WHERE agent_id IS NOT NULL;

CREATE TABLE sequences (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT sequence_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    trigger_type text NOT NULL CONSTRAINT sequence_trigger_is_known
        CHECK (trigger_type IN ('lead_created', 'lead_updated', 'message_received', 'stage_changed', 'time_based', 'manual')),
    trigger_conditions jsonb NOT NULL DEFAULT '{}'::jsonb CONSTRAINT sequence_conditions_are_an_object CHECK (jsonb_typeof(trigger_conditions) = 'object'),
    is_active boolean NOT NULL DEFAULT true,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sequences_by_organization ON sequences (organization_id, created_at DESC, id DESC);
CREATE INDEX sequences_by_trigger ON sequences (organization_id, trigger_type) WHERE is_active;
CREATE INDEX sequences_by_agent ON sequences (agent_id) WHERE agent_id IS NOT NULL;

CREATE TABLE sequence_steps (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    sequence_id uuid NOT NULL REFERENCES sequences (id) ON DELETE CASCADE,
    step_order integer NOT NULL CONSTRAINT step_order_begins_at_1 CHECK (step_order >= 1),
    delay_minutes integer NOT NULL DEFAULT 0 CONSTRAINT step_delay_is_not_negative CHECK (delay_minutes >= 0),
    action_type text NOT NULL CONSTRAINT step_action_is_known
        CHECK (action_type IN ('send_message', 'create_task', 'send_email', 'webhook', 'ai_response', 'wait')),
    template text,
    email_template_id uuid REFERENCES email_templates (id) DEFERRABLE INITIALLY DEFERRED,
    recipient text,
    webhook_url text,
    ai_prompt text,
    task_title text,
    task_description text,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT step_order_is_unique_in_sequence UNIQUE (sequence_id, step_order) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT step_has_what_its_action_needs CHECK (CASE action_type
        WHEN 'send_message' THEN template IS NOT NULL
        WHEN 'send_email' THEN num_nonnulls(template, email_template_id) = 1
        WHEN 'create_task' THEN task_title IS NOT NULL
        WHEN 'webhook' THEN webhook_url IS NOT NULL
        WHEN 'ai_response' THEN ai_prompt IS NOT NULL
        WHEN 'wait' THEN delay_minutes > 0 END)
);
CREATE INDEX sequence_steps_by_organization ON sequence_steps (organization_id, sequence_id, step_order);
CREATE INDEX sequence_steps_by_email_template ON sequence_steps (email_template_id) WHERE email_template_id IS NOT NULL;

-- The steps of a sequence are counted from 1 without a gap, whoever writes them: looked at when all is done.
CREATE FUNCTION check_sequence_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    changed uuid := coalesce(NEW.sequence_id, OLD.sequence_id);
BEGIN
    IF (SELECT max(s.step_order) <> count(*) FROM public.sequence_steps s WHERE s.sequence_id = changed) THEN
        RAISE EXCEPTION 'The steps of a sequence are counted without gaps.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'steps_are_counted_without_gaps', TABLE = 'sequence_steps';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER steps_are_counted_without_gaps AFTER INSERT OR UPDATE OF step_order, sequence_id OR DELETE ON sequence_steps
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_sequence_order();

CREATE TABLE workflows (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT workflow_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    status text NOT NULL DEFAULT 'draft' CONSTRAINT workflow_status_is_known CHECK (status IN ('draft', 'active', 'inactive', 'archived')),
    trigger_type text NOT NULL CONSTRAINT workflow_trigger_is_known CHECK (trigger_type IN ('conversation_started', 'message_received',
        'conversation_escalated', 'conversation_completed', 'client_status_changed', 'deal_stage_changed', 'time_based', 'manual')),
    trigger_conditions jsonb NOT NULL DEFAULT '{}'::jsonb CONSTRAINT workflow_conditions_are_an_object CHECK (jsonb_typeof(trigger_conditions) = 'object'),
    schedule jsonb,
    -- {"nodes": [{"id", "kind", ...}], "edges": [{"from", "to", "when"}]}
    graph jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT graph_has_nodes_and_edges CHECK (jsonb_typeof(graph -> 'nodes') IS NOT DISTINCT FROM 'array' AND jsonb_typeof(graph -> 'edges') IS NOT DISTINCT FROM 'array'),
    CONSTRAINT graph_has_one_start CHECK (jsonb_array_length(jsonb_path_query_array(graph, '$.nodes[*] ? (@.kind == "start")')) = 1),
    CONSTRAINT time_based_workflow_has_a_schedule CHECK ((trigger_type = 'time_based') = (schedule IS NOT NULL))
);
CREATE INDEX workflows_by_organization ON workflows (organization_id, created_at DESC, id DESC);
CREATE INDEX workflows_by_trigger ON workflows (organization_id, trigger_type) WHERE status = 'active';
CREATE INDEX workflows_by_agent ON workflows (agent_id) WHERE agent_id IS NOT NULL;

CREATE TABLE workflow_executions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    workflow_id uuid NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
    workflow_version bigint NOT NULL, -- the graph that it goes through, whatever becomes of the workflow
    conversation_id uuid REFERENCES conversations (id) ON DELETE SET NULL,
    client_id uuid REFERENCES clients (id) ON DELETE SET NULL,
    status text NOT NULL DEFAULT 'pending'
        CONSTRAINT execution_status_is_known CHECK (status IN ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
    current_node text,
    context jsonb NOT NULL DEFAULT '{}'::jsonb,
    steps jsonb NOT NULL DEFAULT '[]'::jsonb, -- what each node did, in order
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT failed_execution_says_why CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ended_execution_says_when CHECK ((status IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE INDEX workflow_executions_by_workflow ON workflow_executions (organization_id, workflow_id, created_at DESC, id DESC);
CREATE INDEX workflow_executions_by_conversation ON workflow_executions (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX workflow_executions_by_client ON workflow_executions (client_id) WHERE client_id IS NOT NULL;

-- What has ended stays as it ended.
CREATE FUNCTION check_execution_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF OLD.status IN ('completed', 'failed', 'cancelled') AND NEW.status <> OLD.status OR OLD.status <> 'pending' AND NEW.status = 'pending' THEN
        RAISE EXCEPTION 'An execution begins once, and what has ended stays ended.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'execution_goes_through_its_states_in_order', TABLE = 'workflow_executions';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_execution_order AFTER UPDATE OF status ON workflow_executions FOR EACH ROW EXECUTE FUNCTION check_execution_order();

SELECT enable_tenant_isolation(t)
FROM unnest(ARRAY['email_templates', 'automation_rules', 'sequences', 'sequence_steps', 'workflows', 'workflow_executions']::regclass[]) t;
-- Executions are the engine's record.
REVOKE INSERT, UPDATE, DELETE ON workflow_executions FROM agentplatform_api;

DO $$
DECLARE
    made text;
BEGIN
    FOREACH made IN ARRAY ARRAY['email_templates', 'automation_rules', 'sequences', 'sequence_steps', 'workflows'] LOOP
        EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION update_updated_at()', made);
        EXECUTE format('CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed()', made);
    END LOOP;
END $$;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON workflow_executions FOR EACH ROW EXECUTE FUNCTION update_updated_at();
