-- E-mails speak the language of whoever gets them: the account's own, or, for somebody invited who has no account yet, the inviter's.
DROP FUNCTION claim_emails(integer, interval);
CREATE FUNCTION claim_emails(most integer, lease interval)
    RETURNS TABLE (id uuid, kind text, to_address text, subject text, body text, entity_type text, entity_id uuid, organization_id uuid, attempts integer, locale text)
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.outgoing_emails SET state = 'dropped', finished_at = now(), last_error = 'It was too old.' WHERE state = 'pending' AND next_attempt_at <= now() AND expires_at <= now();
    UPDATE public.outgoing_emails e SET attempts = e.attempts + 1, next_attempt_at = now() + lease
    FROM (SELECT d.id FROM public.outgoing_emails d WHERE d.state = 'pending' AND d.next_attempt_at <= now() ORDER BY d.next_attempt_at LIMIT most FOR UPDATE SKIP LOCKED) due
    WHERE e.id = due.id
    RETURNING e.id, e.kind, e.to_address, e.subject, e.body, e.entity_type, e.entity_id, e.organization_id, e.attempts, coalesce(
        (SELECT u.locale FROM public.users u WHERE u.id = e.user_id), (SELECT u.locale FROM public.users u WHERE u.email = e.to_address),
        (SELECT u.locale FROM public.invitations i JOIN public.users u ON u.id = i.invited_by WHERE e.kind = 'invitation' AND i.id = e.entity_id), 'en')
$$;
REVOKE ALL ON FUNCTION claim_emails(integer, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_emails(integer, interval) TO agentplatform_api, agentplatform_engine;
