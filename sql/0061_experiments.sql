-- Prompts under test, and what the study of dialogues found.

CREATE TABLE experiments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_type text NOT NULL
        CONSTRAINT experiment_agent_type_is_known CHECK (agent_type IN ('communication', 'qualification', 'product_selection', 'warming', 'sales', 'service', 'feedback')),
    name text NOT NULL CONSTRAINT experiment_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    -- a draft has not begun: its variants are being put together
    status text NOT NULL DEFAULT 'draft'
        CONSTRAINT experiment_status_is_known CHECK (status IN ('draft', 'active', 'paused', 'completed', 'cancelled')),
    start_date timestamptz,
    end_date timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT experiment_ends_after_it_starts CHECK (end_date >= start_date),
    CONSTRAINT begun_experiment_has_a_start CHECK (status IN ('draft', 'cancelled') OR start_date IS NOT NULL)
);
CREATE INDEX experiments_by_organization ON experiments (organization_id, created_at DESC, id DESC);
CREATE INDEX experiments_by_status ON experiments (organization_id, status);
CREATE INDEX experiments_by_type ON experiments (organization_id, agent_type);
-- Two tests of the same type of agent at once would spoil each other.
CREATE UNIQUE INDEX experiments_one_active_per_agent_type ON experiments (organization_id, agent_type) WHERE status = 'active';

CREATE TABLE experiment_variants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    experiment_id uuid NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    -- refuses the deletion of a variant that is or was tested; looked at when all is done, so that an organization can go with all it has
    prompt_variant_id uuid NOT NULL REFERENCES prompt_variants (id) DEFERRABLE INITIALLY DEFERRED,
    weight integer NOT NULL CONSTRAINT weight_is_between_1_and_100 CHECK (weight BETWEEN 1 AND 100), -- per cent of the clients
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT variant_is_in_the_experiment_once UNIQUE (experiment_id, prompt_variant_id)
);
CREATE INDEX experiment_variants_by_organization ON experiment_variants (organization_id, experiment_id);
CREATE INDEX experiment_variants_by_prompt_variant ON experiment_variants (prompt_variant_id);

-- A running test has at least two variants, of its type and in use, among which all clients are divided. After each statement, so that row security
-- has judged the rows before.
CREATE FUNCTION check_experiment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    found record;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status <> OLD.status AND NOT (
        (OLD.status = 'draft' AND NEW.status IN ('active', 'cancelled')) OR
        (OLD.status = 'active' AND NEW.status IN ('paused', 'completed', 'cancelled')) OR
        (OLD.status = 'paused' AND NEW.status IN ('active', 'completed', 'cancelled'))) THEN
        RAISE EXCEPTION 'An experiment goes from draft to active, to and fro between active and paused, and ends completed or cancelled.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'experiment_goes_through_its_states_in_order', TABLE = 'experiments';
    END IF;
    IF NEW.status = 'active' THEN
        SELECT count(*) AS variants, coalesce(sum(v.weight), 0) AS weight, bool_and(p.agent_type = NEW.agent_type AND p.is_active) AS fit INTO found
        FROM public.experiment_variants v JOIN public.prompt_variants p ON p.id = v.prompt_variant_id WHERE v.experiment_id = NEW.id;
        IF found.variants < 2 OR found.weight <> 100 OR found.fit IS NOT TRUE THEN
            RAISE EXCEPTION 'An experiment runs with two or more active variants of its type whose weights sum up to 100.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'active_experiment_has_variants_that_sum_up', TABLE = 'experiments';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_experiment AFTER INSERT OR UPDATE ON experiments FOR EACH ROW EXECUTE FUNCTION check_experiment();

-- Variants change while the test does not run.
CREATE FUNCTION check_experiment_variant() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    changed public.experiment_variants := coalesce(NEW, OLD);
BEGIN
    IF (SELECT e.status IN ('active', 'completed', 'cancelled') FROM public.experiments e JOIN public.organizations o ON o.id = e.organization_id
        WHERE e.id = changed.experiment_id) THEN
        RAISE EXCEPTION 'The variants of an experiment change while it is a draft or paused.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'variants_change_while_the_experiment_rests', TABLE = 'experiment_variants';
    END IF;
    IF TG_OP <> 'DELETE' AND (SELECT p.agent_type <> e.agent_type FROM public.experiments e, public.prompt_variants p
                              WHERE e.id = changed.experiment_id AND p.id = changed.prompt_variant_id) THEN
        RAISE EXCEPTION 'A variant is of the agent type of its experiment.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'variant_is_of_the_type_of_its_experiment', TABLE = 'experiment_variants';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_experiment_variant AFTER INSERT OR UPDATE OR DELETE ON experiment_variants
    FOR EACH ROW EXECUTE FUNCTION check_experiment_variant();

CREATE TABLE dialogue_analyses (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    analysis_type text NOT NULL
        CONSTRAINT analysis_type_is_known CHECK (analysis_type IN ('success_patterns', 'problem_areas', 'conversion_metrics', 'recommendations')),
    prompt_variant_id uuid REFERENCES prompt_variants (id) ON DELETE SET NULL,
    data jsonb NOT NULL,
    recommendations jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dialogue_analyses_by_organization ON dialogue_analyses (organization_id, created_at DESC, id DESC);
CREATE INDEX dialogue_analyses_by_type ON dialogue_analyses (organization_id, analysis_type);
CREATE INDEX dialogue_analyses_by_prompt_variant ON dialogue_analyses (prompt_variant_id) WHERE prompt_variant_id IS NOT NULL;

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['experiments', 'experiment_variants', 'dialogue_analyses']::regclass[]) t;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON experiments FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON experiment_variants FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON experiments FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON experiment_variants FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();
