-- Moments that nobody can reckon with: infinity (what a driver made of 9999-12-31), others' null (0001-01-01), a year of five digits. One of them stopped the reports of everybody.

-- From 1900 to the end of 2200. Null is no moment, and passes.
CREATE FUNCTION is_possible(moment timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT moment >= timestamptz '1900-01-01 00:00:00+00' AND moment < timestamptz '2201-01-01 00:00:00+00' $$;
CREATE FUNCTION is_possible(day date) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT day >= date '1900-01-01' AND day < date '2201-01-01' $$;
GRANT EXECUTE ON FUNCTION is_possible(timestamptz), is_possible(date) TO agentplatform_engine, agentplatform_api;

-- An impossible moment stood for none: it is none now, and a possible one where there must be one, a day apart in the order of the columns, so that what began still began before it ended.
DO $$
DECLARE
    held record;
    place record;
BEGIN
    FOR held IN
        SELECT c.oid::regclass AS name,
            string_agg(format('is_possible(%I)', a.attname), ' AND ' ORDER BY a.attnum) AS rule,
            string_agg(format('%1$I = CASE WHEN is_possible(%1$I) THEN %1$I WHEN %1$I < date ''1900-01-01'' THEN date ''1900-01-02'' + %2$s ELSE date ''2200-10-01'' + %2$s END', a.attname, a.attnum),
                ', ' ORDER BY a.attnum) FILTER (WHERE a.attnotnull) AS nearest
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.atttypid IN ('date'::regtype, 'timestamptz'::regtype) AND NOT a.attisdropped AND a.attgenerated = ''
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND (c.relname = 'organizations' OR EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'organization_id' AND NOT o.attisdropped))
        GROUP BY c.oid ORDER BY c.oid::regclass::text
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', held.name);
        IF held.nearest IS NOT NULL THEN
            EXECUTE format('UPDATE %s SET %s WHERE NOT (%s)', held.name, held.nearest, held.rule);
        END IF;
        FOR place IN
            SELECT quote_ident(a.attname) AS name
            FROM pg_attribute a WHERE a.attrelid = held.name AND a.atttypid IN ('date'::regtype, 'timestamptz'::regtype) AND NOT a.attisdropped AND NOT a.attnotnull AND a.attgenerated = ''
        LOOP
            BEGIN
                EXECUTE format('UPDATE %1$s SET %2$s = NULL WHERE NOT is_possible(%2$s)', held.name, place.name);
            EXCEPTION WHEN check_violation THEN
                EXECUTE format('UPDATE %1$s SET %2$s = CASE WHEN %2$s < date ''1900-01-01'' THEN date ''1900-06-01'' ELSE date ''2200-12-01'' END WHERE NOT is_possible(%2$s)', held.name, place.name);
            END;
        END LOOP;
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', held.name);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT moments_are_possible CHECK (%s)', held.name, held.rule);
    END LOOP;
END $$;
