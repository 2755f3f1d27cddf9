-- An organization that is deleted goes table by table, and large tables in parts: what holds rows together for people lets the engine take them apart.

CREATE OR REPLACE FUNCTION check_experiment_variant() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    changed public.experiment_variants := coalesce(NEW, OLD);
BEGIN
    IF TG_OP = 'DELETE' AND current_user = 'agentplatform_engine' THEN
        RETURN NULL;
    END IF;
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

CREATE OR REPLACE FUNCTION check_sequence_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    changed uuid := coalesce(NEW.sequence_id, OLD.sequence_id);
BEGIN
    IF TG_OP = 'DELETE' AND current_user = 'agentplatform_engine' THEN
        RETURN NULL;
    END IF;
    IF (SELECT max(s.step_order) <> count(*) FROM public.sequence_steps s WHERE s.sequence_id = changed) THEN
        RAISE EXCEPTION 'The steps of a sequence are counted without gaps.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'steps_are_counted_without_gaps', TABLE = 'sequence_steps';
    END IF;
    RETURN NULL;
END $$;
