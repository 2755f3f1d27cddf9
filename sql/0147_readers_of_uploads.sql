-- What somebody uploaded can be anything: a list of clients, the archive of an organization. Nobody has said yet who may read it, so it is whoever uploaded it, and admins and
-- owners; of API keys only the one that uploaded it, since no scope tells what it holds. Once a document of the knowledge base or a recording uses it, it is read as that is.
ALTER TABLE files ADD COLUMN api_key_id uuid; -- no foreign key, as of jobs: the file outlives the key

-- The API key that acts for the person in this transaction, or null.
CREATE FUNCTION current_api_key_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(pg_catalog.current_setting('app.current_api_key_id', true), '')::pg_catalog.uuid $$;

-- As the one without a key, which processes of the version before call while they are replaced.
CREATE PROCEDURE enter_tenant(organization_id uuid, user_id uuid, member_role text, api_key_id uuid)
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.set_config('app.current_organization_id', coalesce(organization_id::text, ''), true),
            pg_catalog.set_config('app.current_user_id', coalesce(user_id::text, ''), true),
            pg_catalog.set_config('app.current_role', coalesce(member_role, ''), true),
            pg_catalog.set_config('app.current_api_key_id', coalesce(api_key_id::text, ''), true);
END
$$;

CREATE POLICY readers_of_uploads ON files AS RESTRICTIVE FOR ALL TO agentplatform_api USING (
    purpose <> 'import'
    OR CASE WHEN (SELECT current_api_key_id()) IS NULL
        THEN user_id = (SELECT current_user_id()) OR (SELECT current_member_role()) IN ('admin', 'owner')
        ELSE api_key_id = (SELECT current_api_key_id()) END);

-- Room is that of all files, also of those that whoever uploads doesn't see.
CREATE FUNCTION bytes_of_files() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(sum(f.size), 0)::bigint FROM public.files f WHERE f.organization_id = public.current_organization_id()
$$;
REVOKE ALL ON FUNCTION bytes_of_files() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bytes_of_files() TO agentplatform_api;
