-- Conversations of whoever is no active member any more: those that are open wait for somebody else, and the others are told. Their grains hold them, so a job asks these.

CREATE FUNCTION release_conversations_of_member() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- An organization that is being deleted takes its rows along.
    INSERT INTO public.jobs (organization_id, type, work, minimum_role, payload)
    SELECT o.id, 'bulk_processing', 'conversations_of_member', 'admin', pg_catalog.jsonb_build_object('userId', OLD.user_id)
    FROM public.organizations o
    WHERE o.id = OLD.organization_id AND EXISTS (
        SELECT FROM public.conversations c WHERE c.assigned_to = OLD.user_id AND c.organization_id IS NOT DISTINCT FROM OLD.organization_id AND c.status IN ('active', 'escalated'));
    RETURN NULL;
END $$;
CREATE TRIGGER release_conversations_of_removed AFTER DELETE ON organization_members FOR EACH ROW
    WHEN (OLD.status = 'active') EXECUTE FUNCTION release_conversations_of_member();
CREATE TRIGGER release_conversations_of_suspended AFTER UPDATE OF status ON organization_members FOR EACH ROW
    WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION release_conversations_of_member();

-- As before, but found by the person alone: where nobody had counted the rows, all of the organization's were read.
CREATE OR REPLACE FUNCTION release_work_of_member() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- An organization that is being deleted takes its rows along.
    IF EXISTS (SELECT FROM public.organizations o WHERE o.id = OLD.organization_id) THEN
        UPDATE public.clients c SET assigned_to = NULL, version = c.version + 1 WHERE c.assigned_to = OLD.user_id AND c.organization_id IS NOT DISTINCT FROM OLD.organization_id;
        UPDATE public.deals d SET owner_id = NULL, version = d.version + 1
        WHERE d.owner_id = OLD.user_id AND d.organization_id IS NOT DISTINCT FROM OLD.organization_id AND d.stage NOT IN ('closed_won', 'closed_lost');
        UPDATE public.activities a SET assigned_to = NULL, version = a.version + 1
        WHERE a.assigned_to = OLD.user_id AND a.organization_id IS NOT DISTINCT FROM OLD.organization_id AND a.status = 'pending';
    END IF;
    RETURN NULL;
END $$;

-- Told before a member is removed, like the other work.
CREATE OR REPLACE FUNCTION work_of_member(person uuid) RETURNS TABLE (resource text, effect text, rows bigint)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT 'clients', 'detached', count(*) FROM public.clients c WHERE c.organization_id = public.current_organization_id() AND c.assigned_to = person
    UNION ALL
    SELECT 'deals', 'detached', count(*) FROM public.deals d
    WHERE d.organization_id = public.current_organization_id() AND d.owner_id = person AND d.stage NOT IN ('closed_won', 'closed_lost')
    UNION ALL
    SELECT 'activities', 'detached', count(*) FROM public.activities a
    WHERE a.organization_id = public.current_organization_id() AND a.assigned_to = person AND a.status = 'pending'
    UNION ALL
    SELECT 'conversations', 'detached', count(*) FROM public.conversations c
    WHERE c.organization_id = public.current_organization_id() AND c.assigned_to = person AND c.status IN ('active', 'escalated')
$$;

-- One that waits for a certain person was told to that person only: when it is nobody's any more, the others are told.
DROP TRIGGER notify_escalation ON conversations;
CREATE TRIGGER notify_escalation AFTER UPDATE ON conversations FOR EACH ROW
    WHEN (new.status = 'escalated' AND (old.status <> 'escalated' OR old.assigned_to IS NOT NULL AND new.assigned_to IS NULL)) EXECUTE FUNCTION notify_escalation();
