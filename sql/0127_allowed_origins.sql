-- Sites whose pages may call the API with what the organization gives them: API keys, or its members' sign-in.
ALTER TABLE organizations ADD COLUMN allowed_origins text[] NOT NULL DEFAULT '{}';
CREATE INDEX organizations_by_allowed_origin ON organizations USING gin (allowed_origins);

-- Before a request a browser asks without a key whether it may send one: whoever is meant is not known yet.
CREATE FUNCTION organizations_allowing(origin text) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT array_agg(o.id) FROM public.organizations o WHERE o.allowed_origins @> ARRAY[origin]
$$;
REVOKE ALL ON FUNCTION organizations_allowing(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organizations_allowing(text) TO agentplatform_api;
