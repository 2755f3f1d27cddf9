-- One comparison of texts for everything that people call something: keywords, tags, names, what files refer to, searches. Until now each place had one of its own (trim and
-- lower, or none), so that a STOP with a mark of direction behind it was no STOP, and a tag that was typed on a Mac was another one than the same tag typed elsewhere.
-- The functions do what AgentPlatform.Data.Texts does; a test holds them together. Sets of characters are written out and the case is ICU's, so that neither the database's
-- locale nor an update changes what an index holds.

-- Nothing to be seen: white space and invisible characters only.
CREATE FUNCTION is_blank(given text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT given OPERATOR(pg_catalog.!~) '[^\u0001-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]'
$$;

-- What is left of a text when it is held against another one. Most texts are of ASCII, or composed and without anything odd in them: they take the shorter ways.
CREATE FUNCTION comparable_text(given text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    folded text;
BEGIN
    IF octet_length(given) = length(given) THEN
        folded := regexp_replace(lower(given COLLATE "C"), '[\u0001-\u0008\u000E-\u001F\u007F]', '', 'g');
    ELSE
        IF given IS NFKC NORMALIZED AND given !~ '[\u0001-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F\u00AD\u0130\u0345\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u1F00-\u1FFF\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFE00-\uFE0F\uFEFF\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]' THEN
            folded := lower(given COLLATE "und-x-icu");
        ELSE
            folded := lower(regexp_replace(normalize(given, NFKD),
                '[\u0001-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]',
                '', 'g') COLLATE "und-x-icu");
        END IF;
        -- Letters of which there are several small ones; a dot on a small i is the i's own.
        IF folded ~ '[\u00DF\u0131\u0307\u0345\u03C2\u1C80-\u1C88]' THEN
            folded := translate(folded, U&'\0131\03C2\0345\1C80\1C81\1C82\1C83\1C84\1C85\1C86\1C87\1C88', U&'i\03C3\03B9\0432\0434\043E\0441\0442\0442\044A\0463\A64B');
            folded := regexp_replace(replace(folded, U&'\00DF', 'ss'), 'i\u0307+', 'i', 'g');
        END IF;
        IF folded IS NOT NFKC NORMALIZED THEN
            folded := normalize(folded, NFKC);
        END IF;
    END IF;
    IF folded ~ '^ |  | $|[\u0009-\u000D\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u2800\u3000]' THEN
        folded := btrim(regexp_replace(folded, '[\u0009-\u000D \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u2800\u3000]+', ' ', 'g'));
    END IF;
    RETURN folded;
END $$;

-- A keyword, without what people put around words, unless that is all.
CREATE FUNCTION comparable_keyword(given text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    comparable text := public.comparable_text(given);
BEGIN
    RETURN coalesce(nullif(regexp_replace(regexp_replace(comparable,
        '^[\u0020-\u0023\u0025-\u002A\u002C-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u007E\u00A1\u00A6-\u00A7\u00A9\u00AB-\u00AC\u00AE\u00B0\u00B6-\u00B7\u00BB\u00BF\u055A-\u055F\u0589-\u058A\u05BE\u05C0\u05C3\u05C6\u05F3-\u05F4\u060C-\u060D\u061B\u061D-\u061F\u066A-\u066D\u06D4\u0964-\u0965\u0970\u0E2F\u0E4F\u0E5A-\u0E5B\u0F04-\u0F14\u104A-\u104F\u10FB\u1360-\u1368\u17D4-\u17DA\u1800-\u180A\u2010-\u2027\u2030-\u205E\u20E3\u2190-\u2BFF\u3001-\u3004\u3008-\u3020\u3030\u30FB\U0001F000-\U0001FAFF]+', ''),
        '[\u0020-\u0023\u0025-\u002A\u002C-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u007E\u00A1\u00A6-\u00A7\u00A9\u00AB-\u00AC\u00AE\u00B0\u00B6-\u00B7\u00BB\u00BF\u055A-\u055F\u0589-\u058A\u05BE\u05C0\u05C3\u05C6\u05F3-\u05F4\u060C-\u060D\u061B\u061D-\u061F\u066A-\u066D\u06D4\u0964-\u0965\u0970\u0E2F\u0E4F\u0E5A-\u0E5B\u0F04-\u0F14\u104A-\u104F\u10FB\u1360-\u1368\u17D4-\u17DA\u1800-\u180A\u2010-\u2027\u2030-\u205E\u20E3\u2190-\u2BFF\u3001-\u3004\u3008-\u3020\u3030\u30FB\U0001F000-\U0001FAFF]+$', ''), ''), comparable);
END $$;

-- ---- Keywords: two that a customer can't tell apart are one. Of several that there are, the one that switches the AI off stays (it may be somebody's STOP), then the oldest.
DELETE FROM keyword_actions WHERE is_blank(keyword);
DELETE FROM keyword_actions k USING (
    SELECT id, row_number() OVER (PARTITION BY channel_id, comparable_keyword(keyword) ORDER BY action_type <> 'DISABLE_AI', created_at, id) AS place FROM keyword_actions) known
WHERE known.id = k.id AND known.place > 1;
ALTER TABLE keyword_actions DROP CONSTRAINT one_action_per_keyword;
CREATE UNIQUE INDEX one_action_per_keyword ON keyword_actions (channel_id, comparable_keyword(keyword));

-- ---- Texts that people typed are kept composed (NFC) from now on; those that there are become so, without telling anybody of a change. Where two that had to differ no longer
-- would, the column stays as it is: they are compared alike, however they are kept. Messages and logs keep what was said.
DO $$
DECLARE
    typed record;
BEGIN
    FOR typed IN
        SELECT c.oid::regclass AS held, string_agg(format('%1$I = normalize(%1$I, NFC)', a.attname), ', ') AS composed,
            string_agg(format('%I IS NOT NFC NORMALIZED', a.attname), ' OR ') AS is_meant
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.atttypid = 'text'::regtype
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('messages', 'conversations', 'tags', 'users', 'invitations')
            AND (EXISTS (SELECT FROM pg_attribute v WHERE v.attrelid = c.oid AND v.attname = 'version' AND NOT v.attisdropped) OR c.relname = 'contacts')
            AND a.attname NOT IN ('credentials', 'platform_user_id') AND a.attname NOT LIKE '%hash%' AND a.attname NOT LIKE '%token%' AND a.attname NOT LIKE '%key'
        GROUP BY c.oid ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', typed.held);
        BEGIN
            EXECUTE format('UPDATE %s SET %s WHERE %s', typed.held, typed.composed, typed.is_meant);
        EXCEPTION WHEN unique_violation THEN
            RAISE NOTICE '% has texts that would no longer differ; they stay as they are', typed.held;
        END;
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', typed.held);
    END LOOP;
END $$;

-- ---- Names by which rows are found: kept beside them as they are compared, since row security keeps functions out of index conditions, but not a column.
ALTER TABLE products ADD COLUMN compared_name text GENERATED ALWAYS AS (comparable_text(name)) STORED;
ALTER TABLE partners ADD COLUMN compared_name text GENERATED ALWAYS AS (comparable_text(name)) STORED;
ALTER TABLE deals ADD COLUMN compared_name text GENERATED ALWAYS AS (comparable_text(name)) STORED;
ALTER TABLE tags ADD COLUMN compared_name text GENERATED ALWAYS AS (comparable_text(name)) STORED;
CREATE INDEX products_by_compared_name ON products (organization_id, compared_name);
CREATE INDEX partners_by_compared_name ON partners (organization_id, compared_name);
CREATE INDEX deals_by_compared_name ON deals (organization_id, compared_name);

-- Names that must differ, differ for people. Of those that don't, the later ones get a number.
DO $$
DECLARE
    twice record;
    place integer;
    renamed uuid;
BEGIN
    FOR twice IN
        SELECT 'agents' AS held, id, name, organization_id FROM (
            SELECT *, row_number() OVER (PARTITION BY organization_id, agent_type, comparable_text(name), channel_id ORDER BY created_at, id) AS place FROM agents) a WHERE a.place > 1
        UNION ALL
        SELECT 'email_templates', id, name, organization_id FROM (
            SELECT *, row_number() OVER (PARTITION BY organization_id, comparable_text(name), language ORDER BY created_at, id) AS place FROM email_templates) t WHERE t.place > 1
    LOOP
        renamed := NULL;
        place := 1;
        WHILE renamed IS NULL LOOP
            place := place + 1;
            EXECUTE format('UPDATE %1$I SET name = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM %1$I o WHERE o.organization_id = $3 AND comparable_text(o.name) = comparable_text($2)) RETURNING id', twice.held)
                INTO renamed USING twice.id, format('%s (%s)', twice.name, place), twice.organization_id;
        END LOOP;
    END LOOP;
END $$;
ALTER TABLE agents DROP CONSTRAINT one_agent_per_type_and_name;
CREATE UNIQUE INDEX one_agent_per_type_and_name ON agents (organization_id, agent_type, comparable_text(name), channel_id) NULLS NOT DISTINCT;
ALTER TABLE email_templates DROP CONSTRAINT email_template_is_named_once;
CREATE UNIQUE INDEX email_template_is_named_once ON email_templates (organization_id, comparable_text(name), language) NULLS NOT DISTINCT;

-- ---- Tags: of those that are one, the oldest stays, and whatever bears another bears it.
ALTER TABLE tags DISABLE TRIGGER USER;
DELETE FROM tags t USING (SELECT id, row_number() OVER (PARTITION BY organization_id, compared_name ORDER BY created_at, id) AS place FROM tags) known WHERE known.id = t.id AND known.place > 1;
UPDATE tags SET name = normalize(name, NFC) WHERE name IS NOT NFC NORMALIZED;
ALTER TABLE tags ENABLE TRIGGER USER;
ALTER TABLE tags DROP CONSTRAINT one_tag_per_name;
CREATE UNIQUE INDEX one_tag_per_name ON tags (organization_id, compared_name);
CREATE INDEX tags_by_name ON tags (organization_id, name);

-- Tags as the organization's list calls them, each once, in their order; those that it doesn't know, as they are.
CREATE FUNCTION known_tags(organization uuid, used text[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT coalesce(array_agg(k.tag ORDER BY k.place), '{}') FROM (
        SELECT DISTINCT ON (public.comparable_text(u.tag)) coalesce(t.name, normalize(btrim(u.tag), NFC)) AS tag, u.place
        FROM unnest(used) WITH ORDINALITY u (tag, place)
        LEFT JOIN public.tags t ON t.organization_id = organization AND t.compared_name = public.comparable_text(u.tag)
        WHERE NOT public.is_blank(u.tag) ORDER BY public.comparable_text(u.tag), u.place) k
$$;

CREATE OR REPLACE FUNCTION settle_tags() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    NEW.tags := public.known_tags(NEW.organization_id, NEW.tags);
    RETURN NEW;
END $$;

-- As before. False where the list calls one of them otherwise: somebody else put it there in between.
DROP FUNCTION hold_tags(uuid, text[]);
CREATE FUNCTION hold_tags(organization uuid, used text[]) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    keys text[] := ARRAY(SELECT DISTINCT public.comparable_text(u) FROM unnest(used) u);
    held text[];
BEGIN
    LOOP
        INSERT INTO public.tags (organization_id, name) SELECT organization, u FROM unnest(used) u ORDER BY public.comparable_text(u), u ON CONFLICT (organization_id, compared_name) DO NOTHING;
        held := ARRAY(SELECT h.name FROM (SELECT t.name FROM public.tags t WHERE t.organization_id = organization AND t.compared_name = ANY (keys) ORDER BY t.compared_name FOR KEY SHARE) h);
        EXIT WHEN cardinality(held) >= cardinality(keys);
    END LOOP;
    RETURN used <@ held;
END $$;

-- Whatever bears a tag by another name than the list's is written once more, and takes the list's.
CREATE OR REPLACE FUNCTION keep_tags() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NOT public.hold_tags(NEW.organization_id, NEW.tags) THEN
        EXECUTE format('UPDATE public.%I SET tags = tags WHERE id = $1', TG_TABLE_NAME) USING NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keep_tags_of_rows() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    are_called_so boolean;
BEGIN
    IF EXISTS (SELECT FROM made WHERE made.tags <> '{}') THEN
        SELECT bool_and(public.hold_tags(u.organization_id, u.tags)) INTO are_called_so
        FROM (SELECT d.organization_id, array_agg(d.tag ORDER BY d.tag) AS tags
            FROM (SELECT DISTINCT made.organization_id, used AS tag FROM made, unnest(made.tags) used) d GROUP BY d.organization_id) u;
        IF NOT are_called_so THEN
            EXECUTE format('UPDATE public.%I b SET tags = b.tags FROM made WHERE b.id = made.id AND made.tags <> public.known_tags(made.organization_id, made.tags)', TG_TABLE_NAME);
        END IF;
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    tagged text;
BEGIN
    FOREACH tagged IN ARRAY ARRAY['clients', 'deals', 'notes'] LOOP
        EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', tagged);
        EXECUTE format('UPDATE public.%I SET tags = known_tags(organization_id, tags) WHERE tags <> ''{}'' AND tags <> known_tags(organization_id, tags)', tagged);
        EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', tagged);
        EXECUTE format('DROP TRIGGER settle_tags ON public.%I', tagged);
        EXECUTE format('CREATE TRIGGER settle_tags BEFORE INSERT OR UPDATE OF tags ON public.%I FOR EACH ROW WHEN (NEW.tags <> ''{}'') EXECUTE FUNCTION public.settle_tags()', tagged);
    END LOOP;
END $$;

-- ---- Search by parts of names, and by words.
CREATE OR REPLACE FUNCTION containing(wanted text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT '%' || replace(replace(replace(public.comparable_text(wanted), '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;
DROP INDEX contacts_search;
CREATE INDEX contacts_search ON contacts USING gin ((comparable_text(coalesce(name, '') || ' ' || coalesce(username, '') || ' ' || coalesce(phone, ''))) gin_trgm_ops);
DROP INDEX clients_search;
CREATE INDEX clients_search ON clients USING gin ((comparable_text(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(company_name, '') || ' '
    || coalesce(email, '') || ' ' || coalesce(phone, ''))) gin_trgm_ops);

CREATE OR REPLACE FUNCTION search_clients(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY
        SELECT c.id FROM public.clients c
        WHERE c.organization_id = public.current_organization_id()
            AND public.comparable_text(coalesce(c.first_name, '') || ' ' || coalesce(c.last_name, '') || ' ' || coalesce(c.company_name, '') || ' '
                || coalesce(c.email, '') || ' ' || coalesce(c.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
        ORDER BY c.created_at DESC, c.id DESC LIMIT 1000;
END $$;

CREATE OR REPLACE FUNCTION search_contacts(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY
        SELECT k.id FROM public.contacts k
        WHERE k.organization_id = public.current_organization_id()
            AND public.comparable_text(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
        ORDER BY k.created_at DESC, k.id DESC LIMIT 1000;
END $$;

CREATE OR REPLACE FUNCTION search_conversations(wanted text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    organization uuid := public.current_organization_id();
    words tsquery := to_tsquery('simple', (
        SELECT string_agg(quote_literal(w) || ':*', ' & ') FROM unnest(tsvector_to_array(to_tsvector('simple', public.comparable_text(left(wanted, 200))))) w));
BEGIN
    RETURN QUERY
        SELECT c.id FROM public.contacts k JOIN public.conversations c ON c.contact_id = k.id
        WHERE k.organization_id = organization
            AND public.comparable_text(coalesce(k.name, '') || ' ' || coalesce(k.username, '') || ' ' || coalesce(k.phone, '')) OPERATOR(pg_catalog.~~) public.containing(wanted)
        ORDER BY c.last_message_at DESC NULLS LAST LIMIT 1000;
    RETURN QUERY
        SELECT found.conversation_id FROM (
            SELECT s.conversation_id, max(s.message_id::text) AS newest FROM public.message_search s
            WHERE s.search OPERATOR(pg_catalog.@@) (words && to_tsquery('simple', public.organization_word(organization))) AND s.organization_id = organization
            GROUP BY s.conversation_id) found
        ORDER BY found.newest DESC LIMIT 1000;
END $$;

CREATE OR REPLACE FUNCTION get_contacts_for_channel(p_channel_id uuid, p_search_term text DEFAULT NULL) RETURNS TABLE (
        id uuid, organization_id uuid, channel_id uuid, platform text, platform_user_id text, name text, avatar_url text, ai_enabled boolean,
        last_interaction_at timestamptz, last_message_preview text, unread_count integer, created_at timestamptz, updated_at timestamptz, crm_client_id uuid)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT k.id, k.organization_id, k.channel_id, k.platform, k.platform_user_id, k.name, k.avatar_url, k.ai_enabled,
        k.last_interaction_at, k.last_message_preview, k.unread_count, k.created_at, k.updated_at, k.client_id
    FROM public.contacts k
    WHERE k.channel_id = p_channel_id AND (nullif(p_search_term, '') IS NULL
        OR public.comparable_text(concat_ws(' ', k.name, k.username, k.phone, k.platform_user_id, k.last_message_preview)) LIKE public.containing(p_search_term))
    ORDER BY k.last_interaction_at DESC NULLS LAST, k.id
$$;

-- What was taken up before is taken up once more, little by little, beside everything else; until then a message is found by its words as they were.
CREATE OR REPLACE FUNCTION index_messages_for_search(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    horizon xid8 := public.live_feed_horizon();
    tenant record;
    taken integer;
    total integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7021) THEN
        RETURN 0;
    END IF;
    FOR tenant IN
        SELECT o.id, coalesce(p.changed_in, '0'::xid8) AS changed_in, coalesce(p.message_id, '00000000-0000-0000-0000-000000000000') AS message_id
        FROM public.organizations o LEFT JOIN public.message_search_positions p ON p.organization_id = o.id
        CROSS JOIN LATERAL (
            SELECT FROM public.messages m WHERE m.organization_id = o.id AND m.changed_in < horizon
                AND (m.changed_in, m.id) > (coalesce(p.changed_in, '0'::xid8), coalesce(p.message_id, '00000000-0000-0000-0000-000000000000'))
            LIMIT 1) waiting
        ORDER BY p.changed_in NULLS FIRST
    LOOP
        EXIT WHEN total >= most;
        WITH next AS MATERIALIZED (
            SELECT m.id, m.conversation_id, m.changed_in, m.text_content
            FROM public.messages m
            WHERE m.organization_id = tenant.id AND m.changed_in < horizon AND (m.changed_in, m.id) > (tenant.changed_in, tenant.message_id)
            ORDER BY m.changed_in, m.id LIMIT most - total
        ), forgotten AS (
            -- What was taken back at the platform is found no more.
            DELETE FROM public.message_search s USING next n WHERE s.message_id = n.id AND coalesce(n.text_content, '') = ''
        ), kept AS (
            INSERT INTO public.message_search (message_id, organization_id, conversation_id, search)
            SELECT n.id, tenant.id, n.conversation_id,
                to_tsvector('simple', public.comparable_text(left(n.text_content, 10000))) || to_tsvector('simple', public.organization_word(tenant.id))
            FROM next n WHERE n.text_content <> ''
            ON CONFLICT (message_id) DO UPDATE SET search = excluded.search WHERE message_search.search IS DISTINCT FROM excluded.search
        ), moved AS (
            INSERT INTO public.message_search_positions AS p (organization_id, changed_in, message_id)
            SELECT tenant.id, n.changed_in, n.id FROM next n ORDER BY n.changed_in DESC, n.id DESC LIMIT 1
            ON CONFLICT (organization_id) DO UPDATE SET changed_in = excluded.changed_in, message_id = excluded.message_id
        )
        SELECT count(*) INTO taken FROM next;
        total := total + taken;
    END LOOP;
    RETURN total;
END $$;
DELETE FROM message_search_positions;
