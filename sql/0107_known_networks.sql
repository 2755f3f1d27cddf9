-- Whether somebody with an e-mail address has a session that began in one of some networks, an ended one included until it is cleared away. Guessing elsewhere doesn't lock a person out there.
CREATE FUNCTION has_session_from(address text, networks cidr[]) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (
        SELECT FROM public.users u JOIN public.user_sessions s ON s.user_id = u.id
        WHERE u.email = address AND s.entered_as IS NULL AND s.ip_address OPERATOR(pg_catalog.<<=) ANY (networks))
$$;
REVOKE ALL ON FUNCTION has_session_from(text, cidr[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION has_session_from(text, cidr[]) TO agentplatform_api;
