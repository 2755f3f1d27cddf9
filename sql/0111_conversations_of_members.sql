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

-- One that waits for a certain person was told to that person only: when it is nobody's any more, the others are told.
DROP TRIGGER notify_escalation ON conversations;
CREATE TRIGGER notify_escalation AFTER UPDATE ON conversations FOR EACH ROW
    WHEN (new.status = 'escalated' AND (old.status <> 'escalated' OR old.assigned_to IS NOT NULL AND new.assigned_to IS NULL)) EXECUTE FUNCTION notify_escalation();
