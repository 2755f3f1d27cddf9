-- A name in which there is nothing to be seen is no name, whoever writes it; and an e-mail address is one address however it is written.

-- ---- What must not be blank. What is there and can't be seen becomes nothing where that may be, and a dash with the row's id elsewhere.
DO $$
DECLARE
    rule record;
    is_required boolean;
    meant text;
BEGIN
    FOR rule IN
        SELECT c.conrelid::regclass AS held, c.conrelid, c.conname, pg_get_constraintdef(c.oid) AS said,
            (regexp_match(pg_get_constraintdef(c.oid), 'btrim\((?:COALESCE\()?([a-z_]+)'))[1] AS looked_at
        FROM pg_constraint c WHERE c.contype = 'c' AND c.connamespace = 'public'::regnamespace AND pg_get_constraintdef(c.oid) LIKE '%btrim(%'
    LOOP
        meant := regexp_replace(rule.said, 'COALESCE\(btrim\(([a-z_]+)\), ''''::text\)', 'btrim(COALESCE(\1, ''''::text))', 'g');
        meant := regexp_replace(meant, 'btrim\((COALESCE\([^()]*\)|[a-z_]+)\) <> ''''::text', 'NOT public.is_blank(\1)', 'g');
        IF meant LIKE '%btrim(%' THEN
            RAISE EXCEPTION '% of % is not understood: %', rule.conname, rule.held, rule.said;
        END IF;
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', rule.held, rule.conname);
        SELECT a.attnotnull OR rule.said LIKE '%OR%' INTO is_required FROM pg_attribute a WHERE a.attrelid = rule.conrelid AND a.attname = rule.looked_at;
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', rule.held);
        EXECUTE format('UPDATE %1$s t SET %2$I = %3$s WHERE is_blank(%2$I) AND btrim(%2$I) <> ''''', rule.held, rule.looked_at,
            CASE WHEN NOT is_required THEN 'NULL' WHEN rule.said LIKE '%OR%' THEN '''–''' ELSE '''– '' || coalesce(to_jsonb(t) ->> ''id'', to_jsonb(t) ->> ''organization_id'', '''')' END);
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', rule.held);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', rule.held, rule.conname, meant);
    END LOOP;
END $$;

-- People whose platform tells a name that nobody can see have none: they are known by their number. Members likewise.
ALTER TABLE contacts DISABLE TRIGGER USER;
UPDATE contacts SET name = NULL WHERE is_blank(name);
ALTER TABLE contacts ENABLE TRIGGER USER;
ALTER TABLE clients DISABLE TRIGGER USER;
UPDATE clients SET first_name = CASE WHEN NOT is_blank(first_name) THEN first_name END, last_name = CASE WHEN NOT is_blank(last_name) THEN last_name END,
    company_name = CASE WHEN NOT is_blank(company_name) THEN company_name END
WHERE is_blank(first_name) OR is_blank(last_name) OR is_blank(company_name);
ALTER TABLE clients ENABLE TRIGGER USER;
UPDATE users SET first_name = CASE WHEN NOT is_blank(first_name) THEN first_name END, last_name = CASE WHEN NOT is_blank(last_name) THEN last_name END,
    full_name = CASE WHEN NOT is_blank(full_name) THEN full_name END
WHERE is_blank(first_name) OR is_blank(last_name) OR is_blank(full_name);

-- ---- Addresses: composed and without invisible characters and spaces around them, whatever their case. Letters that only look alike stay apart: an account hangs on them.
CREATE FUNCTION comparable_email(given text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = '' AS $$
BEGIN
    IF given !~ '[^!-~]' THEN
        RETURN lower(given COLLATE "C");
    END IF;
    RETURN btrim(regexp_replace(regexp_replace(lower(normalize(given, NFC) COLLATE "und-x-icu"),
        '[\u0001-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]', '', 'g'),
        '[\u0009-\u000D\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u2800\u3000]', ' ', 'g'));
END $$;

-- The domain of an address as its country writes it (RFC 3492): accounts have it so from now on.
CREATE FUNCTION with_written_domain(address text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = '' AS $$
DECLARE
    label text;
    labels text[] := '{}';
    points integer[];
    rest text;
    n integer;
    i integer;
    before integer;
    weight integer;
    k integer;
    bias integer;
    digit integer;
    threshold integer;
    delta integer;
BEGIN
    FOREACH label IN ARRAY string_to_array(regexp_replace(address, '^.*@', ''), '.') LOOP
        IF label !~* '^xn--[a-z0-9-]+$' THEN
            labels := labels || label;
            CONTINUE;
        END IF;
        label := lower(label);
        rest := regexp_replace(substr(label, 5), '^.*-', '');
        points := ARRAY(SELECT ascii(c) FROM regexp_split_to_table(coalesce(substring(substr(label, 5) FROM '^(.*)-'), ''), '') WITH ORDINALITY t (c, place) WHERE c <> '' ORDER BY place);
        n := 128; i := 0; bias := 72;
        WHILE rest <> '' LOOP
            before := i; weight := 1; k := 36;
            LOOP
                IF rest = '' THEN
                    RETURN address;
                END IF;
                digit := position(left(rest, 1) IN 'abcdefghijklmnopqrstuvwxyz0123456789') - 1;
                rest := substr(rest, 2);
                IF digit < 0 OR weight > 10000000 THEN
                    RETURN address;
                END IF;
                i := i + digit * weight;
                threshold := greatest(1, least(26, k - bias));
                EXIT WHEN digit < threshold;
                weight := weight * (36 - threshold);
                k := k + 36;
            END LOOP;
            delta := CASE WHEN before = 0 THEN (i - before) / 700 ELSE (i - before) / 2 END;
            delta := delta + delta / (cardinality(points) + 1);
            k := 0;
            WHILE delta > 455 LOOP
                delta := delta / 35;
                k := k + 36;
            END LOOP;
            bias := k + 36 * delta / (delta + 38);
            n := n + i / (cardinality(points) + 1);
            i := i % (cardinality(points) + 1);
            IF n > 1114111 OR n BETWEEN 55296 AND 57343 THEN
                RETURN address;
            END IF;
            points := points[1:i] || n || points[i + 1:];
            i := i + 1;
        END LOOP;
        labels := labels || (SELECT string_agg(chr(p), '' ORDER BY place) FROM unnest(points) WITH ORDINALITY t (p, place));
    END LOOP;
    RETURN regexp_replace(address, '@[^@]*$', '@') || array_to_string(labels, '.');
END $$;

UPDATE users u SET email = comparable_email(with_written_domain(email))
WHERE email <> comparable_email(with_written_domain(email)) AND NOT EXISTS (SELECT FROM users o WHERE o.id <> u.id AND comparable_email(with_written_domain(o.email)) = comparable_email(with_written_domain(u.email)));
UPDATE invitations i SET email = comparable_email(with_written_domain(email))
WHERE email <> comparable_email(with_written_domain(email)) AND NOT EXISTS (
    SELECT FROM invitations o WHERE o.organization_id = i.organization_id AND o.id <> i.id AND comparable_email(with_written_domain(o.email)) = comparable_email(with_written_domain(i.email)));
ALTER TABLE clients DISABLE TRIGGER USER;
UPDATE clients SET email = with_written_domain(email) WHERE email ILIKE '%@%xn--%' AND email <> with_written_domain(email);
ALTER TABLE clients ENABLE TRIGGER USER;
UPDATE partners SET contact_email = with_written_domain(contact_email) WHERE contact_email ILIKE '%@%xn--%' AND contact_email <> with_written_domain(contact_email);
DROP FUNCTION with_written_domain(text);

ALTER TABLE clients ADD COLUMN compared_email text GENERATED ALWAYS AS (comparable_email(email)) STORED;
ALTER TABLE partners ADD COLUMN compared_contact_email text GENERATED ALWAYS AS (comparable_email(contact_email)) STORED;
DROP INDEX clients_by_email;
DROP INDEX partners_by_contact_email;
CREATE INDEX clients_by_email ON clients (organization_id, compared_email) WHERE compared_email IS NOT NULL;
CREATE INDEX partners_by_contact_email ON partners (organization_id, compared_contact_email) WHERE compared_contact_email IS NOT NULL;

CREATE OR REPLACE FUNCTION called_by_platform(platform text, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT CASE platform WHEN 'whatsapp' THEN ltrim(name, '+') WHEN 'email' THEN public.comparable_email(name) ELSE name END
$$;

-- ---- Passwords are hashed as RFC 8265 prepares them. One that was hashed as it came is hashed anew when its person proves it; nothing else about the account changes.
CREATE FUNCTION renew_password_hash(person uuid, old_hash text, new_hash text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE public.users u SET password_hash = new_hash WHERE u.id = person AND u.password_hash = old_hash
$$;
REVOKE ALL ON FUNCTION renew_password_hash(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renew_password_hash(uuid, text, text) TO agentplatform_api;
